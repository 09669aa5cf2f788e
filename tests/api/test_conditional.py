"""`ETag`: what is unchanged is not sent again; what has changed is not overwritten, even when two try at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import orjson
import pytest
import time_machine
from django.db import connections
from django.test import Client

from deliveries import couriers, doctor
from deliveries.api import conditional
from deliveries.models import Call, CallState, Delivery, Subscription, Task
from stores.places import Point
from tests import factories
from tests.api.calls import DOCUMENT, everything, knocking
from tests.api.coopcycle import prices, webhooks
from tests.api.coopcycle.knocking import LD, World, build_world
from tests.api.hubrise.test_openapi import ORDER
from tests.api.hubrise.till import DELIVERY, POSITION, QUOTE, Reply, Scene, Till, scene
from tests.factories import NOON

PLAIN = "application/json"
NEVER = '"never"'

Path = str | Callable[[World], str]


def hooked(rest: str = "") -> Callable[[World], str]:
    def made(world: World) -> str:
        hook = webhooks.subscribed(world)
        return f"/api/webhooks/{hook.pk}{rest.format(call=webhooks.owed(hook).pk)}"

    return made


RESOURCES: dict[str, tuple[str, Path]] = {
    # path in the OpenAPI document: who asks, and for what
    "/api/me": ("client", "/api/me"),
    "/api/me/tasks/{date}": ("courier", f"/api/me/tasks/{NOON:%Y-%m-%d}"),
    "/api/stores/{id}": ("client", "/api/stores/{store}"),
    "/api/addresses/{id}": ("client", "/api/addresses/{address}"),
    "/api/orders/{id}": ("client", lambda world: f"/api/orders/{world.held.order_id}"),
    "/api/deliveries/{id}": ("client", "/api/deliveries/{held}"),
    "/api/tasks/{id}": ("client", "/api/tasks/{task}"),
    "/api/webhooks/{id}": ("client", hooked()),
    "/api/webhooks/{id}/state": ("client", hooked("/state")),
    "/api/webhooks/{id}/calls/{call_id}": ("client", hooked("/calls/{call}")),
    "/api/events/{key}": ("client", webhooks.happened),
    "/api/pricing_rule_sets/{id}": ("courier", lambda world: f"/api/pricing_rule_sets/{prices.rule(world).rule_set_id}"),
}


def quoted(shop: Scene) -> str:
    quote = shop.till.post(f"{shop.path}/delivery_quotes", QUOTE).json["id"]
    return f"{shop.path}/delivery_quotes/{quote}"


LOCATION: dict[str, Callable[[Scene], str]] = {
    "": lambda shop: "/location",
    "/orders/{order_id}": lambda shop: shop.path,
    "/orders/{order_id}/delivery": lambda shop: f"{shop.path}/delivery",
    "/orders/{order_id}/delivery_quotes/{quote_id}": quoted,
}
CALLBACK: dict[str, Callable[[Scene], str]] = {
    "/callback": lambda shop: "/callback",
    "/callback/events/{event_id}": lambda shop: f"/callback/events/{shop.till.post('/callback/test', {}).json['id']}",
}


def get(world: World, caller: str, path: str, **headers: str) -> Reply:
    return knocking(world, caller)("GET", path, b"", **headers)


def put(world: World, caller: str, path: str, body: Any, **headers: str) -> Reply:
    return knocking(world, caller)("PUT", path, body, **headers)


def at(world: World, path: str) -> str:
    pickup = world.held.tasks.order_by("position")[0]
    loose = world.task_ids(world.delivery)[0]
    known = {"store": world.store.pk, "held": world.held.pk, "free": world.delivery.pk, "task": pickup.pk, "loose": loose}
    return path.format(**known, address=pickup.address_id)


def test_every_resource_with_a_tag_is_tried_here() -> None:
    def conditional_reads(document: dict[str, Any]) -> set[str]:
        return {path for path, calls in document["paths"].items() if "304" in calls.get("get", {}).get("responses", {})}

    assert conditional_reads(Client().get("/api/docs.json").json()) == set(RESOURCES)
    told = conditional_reads(Client().get("/v1/openapi.json").json())
    places = {f"/v1{place}{rest}" for place in ("/location", "/locations/{location_id}") for rest in LOCATION}
    assert told == places | {"/v1/account", "/v1/accounts/{account_id}"} | {f"/v1{path}" for path in CALLBACK}


def check_read(read: Callable[..., Reply]) -> None:
    """A tag for the body; a bare 304 to whoever has it, in whatever list; the body to all others."""
    first = read()
    tag = first.headers["ETag"]
    assert (first.status, tag) == (200, conditional.tag(first.raw))
    assert read().headers["ETag"] == tag
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        same = read(if_none_match=known)
        assert (same.status, same.raw, same.headers["ETag"]) == (304, b"", tag)
        assert "Content-Type" not in same.headers
        assert same.headers["Access-Control-Allow-Origin"] == "*"
    for unknown in (NEVER, tag.strip('"'), "", "nonsense"):
        assert read(if_none_match=unknown).raw == first.raw


@pytest.mark.parametrize("form", [LD, PLAIN])
@pytest.mark.parametrize("resource", RESOURCES)
def test_reads_under_api(world: World, resource: str, form: str) -> None:
    caller, path = RESOURCES[resource]
    asked = at(world, path) if isinstance(path, str) else path(world)
    check_read(lambda **headers: get(world, caller, asked, accept=form, **headers))


def test_two_forms_have_two_tags(world: World) -> None:
    path = at(world, "/api/tasks/{task}")
    assert get(world, "client", path, accept=LD).headers["ETag"] != get(world, "client", path, accept=PLAIN).headers["ETag"]
    assert get(world, "client", path).headers["Vary"] == "Accept"


@pytest.mark.django_db
@pytest.mark.parametrize("resource", [*LOCATION, *CALLBACK])
def test_reads_under_v1(noon: None, resource: str) -> None:
    shop = scene()
    shop.till.post(f"{shop.path}/delivery", DELIVERY)
    shop.till.post("/callback", {"url": webhooks.URL, "events": {"order": ["create"]}})
    path = (LOCATION | CALLBACK)[resource](shop)
    check_read(lambda **headers: shop.till.call("GET", path, None, **headers))


@pytest.mark.django_db
def test_an_account_has_a_tag(noon: None) -> None:
    owner = Till(factories.hubrise_token(account=factories.AccountFactory.create()))
    check_read(lambda **headers: owner.call("GET", "/account", None, **headers))


def test_lists_and_refusals_have_none(world: World) -> None:
    for path, status in (("/api/tasks", 200), ("/api/tasks/123456", 404), ("/api/settings", 200)):
        reply = get(world, "dispatcher", path, if_none_match="*")
        assert (reply.status, "ETag" in reply.headers) == (status, False)


def test_what_is_answered_to_a_change_has_the_tag_of_a_read(world: World) -> None:
    made = knocking(world, "client")("POST", "/api/deliveries", DOCUMENT)
    read = get(world, "client", made.json["@id"])
    assert (read.raw, read.headers["ETag"]) == (made.raw, made.headers["ETag"])
    changed = put(world, "client", made.json["@id"], {"dropoff": {"comments": "Ring twice"}})
    read = get(world, "client", made.json["@id"])
    assert changed.headers["ETag"] == read.headers["ETag"] != made.headers["ETag"]
    moved = put(world, "courier", at(world, "/api/tasks/{task}/start"), {})
    assert get(world, "client", at(world, "/api/tasks/{task}")).headers["ETag"] == moved.headers["ETag"]
    picked = put(world, "client", at(world, "/api/deliveries/{held}/pick"), {})
    assert "ETag" not in picked.headers, "it names itself otherwise than a read does"


@pytest.mark.django_db
def test_what_a_till_is_answered_has_the_tag_of_a_read(noon: None) -> None:
    shop = scene()
    path = f"/location/orders/{shop.till.post('/location/orders', ORDER).json['id']}"
    steps: list[tuple[str, str, Any]] = [
        ("PATCH", "", {"status": "accepted"}),
        ("POST", "/delivery", DELIVERY),
        ("PATCH", "/delivery", {"status": "pickup_enroute"}),
        ("PATCH", "/delivery", POSITION),
    ]
    for method, rest, body in steps:
        reply, again = shop.till.call(method, path + rest, body), shop.till.get(path + rest)
        assert (again.raw, again.headers["ETag"]) == (reply.raw, reply.headers["ETag"])
    new = shop.till.post("/location/orders", ORDER)
    assert new.headers["ETag"] == shop.till.get(f"/location/orders/{new.json['id']}").headers["ETag"]
    quote = shop.till.post(f"{path}/delivery_quotes", QUOTE)
    place = f"{path}/delivery_quotes/{quote.json['id']}"
    assert quote.headers["ETag"] == shop.till.get(place).headers["ETag"]
    assert shop.till.post(f"{place}/accept").headers["ETag"] == shop.till.get(place).headers["ETag"] != quote.headers["ETag"]


WINDOW = {"after": "2026-11-21 10:00", "before": "2026-11-21 11:00"}
CHANGES: dict[str, tuple[str, str, str, Any]] = {
    # method and path in the document: caller, what the tag is of, what is called, body
    "put /api/deliveries/{id}": ("client", "/api/deliveries/{held}", "/api/deliveries/{held}", {"dropoff": {"comments": "Ring"}}),
    "delete /api/deliveries/{id}": ("client", "/api/deliveries/{free}", "/api/deliveries/{free}", b""),
    "put /api/deliveries/{id}/pick": ("client", "/api/deliveries/{held}", "/api/deliveries/{held}/pick", {}),
    "put /api/deliveries/{id}/drop": ("client", "/api/deliveries/{free}", "/api/deliveries/{free}/drop", {}),
    "put /api/tasks/{id}/start": ("courier", "/api/tasks/{task}", "/api/tasks/{task}/start", {}),
    "put /api/tasks/{id}/done": ("courier", "/api/tasks/{task}", "/api/tasks/{task}/done", {}),
    "put /api/tasks/{id}/failed": ("courier", "/api/tasks/{task}", "/api/tasks/{task}/failed", {"reason": "DAMAGED"}),
    "put /api/tasks/{id}/assign": ("other courier", "/api/tasks/{loose}", "/api/tasks/{loose}/assign", {}),
    "put /api/tasks/{id}/unassign": ("courier", "/api/tasks/{task}", "/api/tasks/{task}/unassign", {}),
    "put /api/tasks/{id}/cancel": ("dispatcher", "/api/tasks/{task}", "/api/tasks/{task}/cancel", {}),
    "put /api/tasks/{id}/restore": ("dispatcher", "/api/tasks/{loose}", "/api/tasks/{loose}/restore", {}),
    "put /api/tasks/{id}/reschedule": ("dispatcher", "/api/tasks/{task}", "/api/tasks/{task}/reschedule", WINDOW),
}
LISTS: dict[str, Any] = {"put /api/pricing_rule_sets/{id}": {"name": "Other"}, "delete /api/pricing_rule_sets/{id}": b""}
HOOKS = {
    # method and path in the document: what the tag is of, what is called, behind the webhook
    "delete /api/webhooks/{id}": ("", ""),
    "put /api/webhooks/{id}/disable": ("/state", "/disable"),
    "put /api/webhooks/{id}/enable": ("/state", "/enable"),
    "post /api/webhooks/{id}/rotate": ("", "/rotate"),
    "post /api/webhooks/{id}/test": ("", "/test"),
    "post /api/webhooks/{id}/resend": ("", "/resend"),
    "post /api/webhooks/{id}/calls/{call_id}/resend": ("/calls/{call}", "/calls/{call}/resend"),
}
ONE_LOOK = {f"post /api/webhooks/{{id}}/{rest}" for rest in ("test", "resend", "calls/{call_id}/resend")}
"""What more is owed, whoever else asks for it too, overwrites nothing: the look before is enough."""
PATCHES: dict[str, tuple[str, str, Any]] = {
    "put an order": ("PUT", "", {"status": "accepted"}),
    "patch an order": ("PATCH", "", {"status": "accepted"}),
    "patch a delivery": ("PATCH", "/delivery", {"status": "delivered"}),
    "patch a position": ("PATCH", "/delivery", POSITION | {"driver_latitude": "48.9"}),
}


def check_change(change: Callable[..., Reply], tag: str, looks: list[bool], *, locks: bool = True) -> None:
    """Nothing happens for what never was; it does for what is, and is looked at once more under the lock."""
    before = everything()
    for wrong in (NEVER, f"W/{tag}", "", "nonsense", f"{NEVER}, {NEVER}"):
        refused = change(if_match=wrong)
        assert refused.status == 412, refused.raw
        assert (refused.json.get("error_type") or refused.json["@type"]) in {"precondition_failed", "hydra:Error"}
    assert everything() == before
    looks.clear()
    assert change(if_match=f"{NEVER}, {tag}").status < 300
    assert all(looks)
    assert looks or not locks, "the verb was not asked to look again"
    assert everything() != before


def prepare(world: World, name: str) -> None:
    pickup, _ = world.task_ids(world.delivery)
    if name.endswith("/drop"):
        put(world, "dispatcher", at(world, "/api/deliveries/{free}/pick"), {})
    if name.endswith("/restore"):
        put(world, "dispatcher", f"/api/tasks/{pickup}/cancel", {})


def test_every_change_is_tried_here() -> None:
    document = Client().get("/api/docs.json").json()
    told = {f"{method} {path}" for path, calls in document["paths"].items() for method, call in calls.items() if "412" in call["responses"]}
    assert told == set(CHANGES) | set(HOOKS) | set(LISTS)


@pytest.mark.parametrize("name", CHANGES)
def test_changes_under_api(world: World, noon: time_machine.Traveller, name: str, looks: list[bool]) -> None:
    caller, of, path, body = CHANGES[name]
    prepare(world, name)
    noon.shift(1)
    tag = get(world, "dispatcher", at(world, of)).headers["ETag"]
    method = name.partition(" ")[0].upper()
    check_change(lambda **headers: knocking(world, caller)(method, at(world, path), body, **headers), tag, looks)


@pytest.mark.parametrize("name", LISTS)
def test_changes_of_a_price_list(world: World, name: str, looks: list[bool]) -> None:
    path = f"/api/pricing_rule_sets/{prices.strange(world).rule_set_id}"
    tag = get(world, "courier", path).headers["ETag"]
    method = name.partition(" ")[0].upper()
    check_change(lambda **headers: knocking(world, "admin")(method, path, LISTS[name], **headers), tag, looks)


@pytest.mark.parametrize("name", HOOKS)
def test_changes_of_a_webhook(world: World, name: str, looks: list[bool]) -> None:
    path, (of, call) = hooked()(world), HOOKS[name]
    kept = webhooks.owed(Subscription.objects.latest("pk"))
    path, of, call = (text.format(call=kept.pk) for text in (path, of, call))
    if call == "/enable":
        put(world, "client", f"{path}/disable", b"")
    if call.endswith("/resend"):
        Call.objects.filter(pk=kept.pk).update(state=CallState.FAILED, settled_at=NOON)
    tag = get(world, "client", path + of).headers["ETag"]
    method = name.partition(" ")[0].upper()
    locks = name not in ONE_LOOK
    check_change(lambda **headers: knocking(world, "client")(method, path + call, b"", **headers), tag, looks, locks=locks)


@pytest.mark.django_db
def test_a_callback_is_ended_only_as_it_is(noon: None, looks: list[bool]) -> None:
    till = scene().till
    tag = till.post("/callback", {"url": webhooks.URL, "events": {"order": ["create"]}}).headers["ETag"]
    check_change(lambda **headers: till.call("DELETE", "/callback", None, **headers), tag, looks)


@pytest.mark.django_db
@pytest.mark.parametrize("name", PATCHES)
def test_changes_under_v1(noon: time_machine.Traveller, name: str, looks: list[bool]) -> None:
    shop = scene()
    shop.till.post(f"{shop.path}/delivery", DELIVERY)
    noon.shift(1)
    method, rest, body = PATCHES[name]
    path = shop.path + rest
    check_change(lambda **headers: shop.till.call(method, path, body, **headers), shop.till.get(path).headers["ETag"], looks)


def test_the_tag_of_either_form_will_do(world: World) -> None:
    path = at(world, "/api/tasks/{task}")
    tag = get(world, "courier", path, accept=PLAIN).headers["ETag"]
    assert put(world, "courier", f"{path}/start", {}, accept=LD, if_match=tag).status == 200


def test_anything_that_is_there_will_do(world: World) -> None:
    assert put(world, "courier", at(world, "/api/tasks/{task}/start"), {}, if_match="*").status == 200
    assert put(world, "courier", "/api/tasks/123456/start", {}, if_match="*").status == 404
    assert put(world, "courier", at(world, "/api/tasks/{loose}/start"), {}, if_match=NEVER).status == 403


def test_a_courier_who_moves_changes_what_is_shown(world: World) -> None:
    path = at(world, "/api/deliveries/{held}")
    tag = get(world, "client", path).headers["ETag"]
    couriers.locate(world.courier, Point(48.87, 2.36), at=NOON)
    assert put(world, "client", path, {"dropoff": {"comments": "Ring"}}, if_match=tag).status == 412


@pytest.mark.django_db
def test_a_retried_patch_is_replayed_whatever_its_tag(noon: None) -> None:
    shop = scene()
    tag = shop.till.get(shop.path).headers["ETag"]
    first, again = (shop.till.call("PATCH", shop.path, {"status": "accepted"}, if_match=tag, idempotency_key="k") for _ in range(2))
    assert (first.status, first.raw, again.headers["Idempotency-Replayed"]) == (200, again.raw, "true")
    assert shop.till.call("PATCH", shop.path, {"status": "accepted"}, if_match=tag, idempotency_key="l").status == 412


# Two at once

ROUNDS = 5


@pytest.fixture
def whole_afterwards(transactional_db: None) -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield
    assert doctor.examine() == []


def both(*calls: Callable[[], Reply]) -> list[Reply]:
    together = Barrier(len(calls))

    def run(call: Callable[[], Reply]) -> Reply:
        together.wait(10)
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.usefixtures("whole_afterwards")
def test_of_two_changes_of_the_same_one_is_made() -> None:
    world = build_world()
    path = f"/api/deliveries/{world.held.pk}"

    def change(text: str, tag: str) -> Callable[[], Reply]:
        return lambda: put(world, "client", path, {"dropoff": {"comments": text}}, if_match=tag)

    for number in range(ROUNDS):
        tag = get(world, "client", path).headers["ETag"]
        replies = both(*(change(f"{lane} in round {number}", tag) for lane in range(2)))
        assert sorted(reply.status for reply in replies) == [200, 412]
        won = next(lane for lane, reply in enumerate(replies) if reply.status == 200)
        assert Task.objects.get(delivery=world.held, type="DROPOFF").comments == f"{won} in round {number}"


@pytest.mark.usefixtures("whole_afterwards")
@pytest.mark.parametrize("body", [{"ref": "{}"}, {"driver_latitude": "48.8{}", "driver_longitude": "2.3"}], ids=["a field", "a position"])
def test_of_two_reports_on_the_same_one_is_taken(body: dict[str, str]) -> None:
    shop = scene()
    path = f"{shop.path}/delivery"
    shop.till.post(path, DELIVERY)

    def report(text: str, tag: str) -> Callable[[], Reply]:
        said = {name: value.format(text) for name, value in body.items()}
        return lambda: shop.till.call("PATCH", path, said, if_match=tag)

    for number in range(ROUNDS):
        tag = shop.till.get(path).headers["ETag"]
        replies = both(*(report(f"{number}{lane + 1}", tag) for lane in range(2)))
        assert sorted(reply.status for reply in replies) == [200, 412]
        kept = orjson.loads(shop.till.get(path).raw)
        assert kept == next(reply.json for reply in replies if reply.status == 200)
    assert Delivery.objects.count() == 1
