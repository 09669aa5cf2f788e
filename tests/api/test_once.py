"""A request that comes twice under one key is carried out once, whatever it is; and what cannot be kept does not happen."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.urls import URLPattern

from deliveries.api import once
from deliveries.api.coopcycle import urls as coopcycle
from deliveries.api.hubrise import urls as hubrise
from deliveries.models import Delivery
from stores import credentials, keeping
from stores.models import Dialect, KeptAnswer, Order
from tests import factories
from tests.api.calls import DOCUMENT, KNOCKS, MADE, RINGS, Call, everything, knocking, other_till
from tests.api.coopcycle.knocking import LD, World
from tests.api.hubrise.till import Till, scene
from tests.factories import NOON

DOORS = {"POST /oauth2/token", "POST /api/login_check", "POST /api/token/refresh"}
"""Where nobody is known yet; asking again gives another token, which harms nobody."""
QUESTIONS = {"POST /api/retail_prices/calculate", "POST /api/pricing_rules/<id:pk>/evaluate"}
"""What only asks, and makes nothing."""
KEPT = ("Content-Type", "Location", "Content-Location", "ETag")
KEY = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'

Clock = time_machine.Traveller
all_calls = pytest.mark.parametrize("made", [made for _, made in MADE], ids=[name for name, _ in MADE])


def routes(patterns: list[Any], methods: set[str]) -> set[str]:
    """Every method of every route that is described for others to call."""
    found = set()
    for pattern in patterns:
        if not isinstance(pattern, URLPattern):
            continue
        view = getattr(pattern.callback, "cls", getattr(pattern.callback, "view_class", None))
        found |= {f"{method} /{pattern.pattern}" for method in methods if hasattr(view, method.lower())}
    return found


def test_every_call_that_makes_something_is_tried_here() -> None:
    assert routes(coopcycle.urlpatterns, {"POST", "PATCH"}) - DOORS - QUESTIONS == set(KNOCKS)
    of_a_location = {
        re.sub(r" /(v1/)?(locations?(/<name:location_id>)?/)?", " /", route)
        for route in routes(hubrise.urlpatterns, {"POST", "PATCH", "PUT"})
    }
    assert of_a_location == set(RINGS)


@pytest.mark.django_db
@all_calls
def test_what_comes_twice_is_carried_out_once(made: Callable[[], Call], noon: Clock) -> None:
    call = made()
    before = everything()
    first = call(KEY)
    after = everything()
    assert 200 <= first.status < 300, first.raw
    assert before != after
    assert KeptAnswer.objects.count() == 1
    noon.shift(timedelta(minutes=1))
    again = call(KEY)
    assert (again.status, again.raw) == (first.status, first.raw)
    assert {name: again.headers.get(name) for name in KEPT} == {name: first.headers.get(name) for name in KEPT}
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert everything() == after


@pytest.mark.django_db(transaction=True)
@all_calls
def test_what_cannot_be_kept_does_not_happen(made: Callable[[], Call], noon: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        assert connection.in_atomic_block
        assert everything() != before, "the effect is there, in the transaction of the answer"
        raise RuntimeError("no room for the answer")

    call = made()
    before = everything()
    with monkeypatch.context() as patched:
        patched.setattr(KeptAnswer, "save", fail)
        with pytest.raises(RuntimeError, match="no room"):
            call(KEY)
    assert everything() == before
    again = call(KEY)
    assert again.status < 300, "the key is still good"
    assert "Idempotency-Replayed" not in again.headers


@pytest.mark.django_db
@all_calls
def test_without_a_key_nothing_is_kept(made: Callable[[], Call], noon: Clock) -> None:
    assert made()().status < 300
    assert KeptAnswer.objects.count() == 0


@pytest.fixture(params=["CoopCycle", "HubRise"])
def call(request: pytest.FixtureRequest, db: None, noon: Clock) -> Call:
    """The call that makes a delivery, or an order, in each dialect."""
    made = KNOCKS["POST /api/deliveries"] if request.param == "CoopCycle" else RINGS["POST /orders"]
    return made[0]()


def said(reply: Any) -> tuple[int, str]:
    """A status, and the kind of body that explains it."""
    return reply.status, reply.json.get("error_type") or reply.json["@type"]


@pytest.mark.parametrize("key", ["", '""', " ", '"a', 'a"b', "a,b", "two words", '"a", "b"', '"é"', '"a\\b"', "x" * 256, f'"{"x" * 256}"'])
def test_a_key_that_cannot_be_read(call: Call, key: str) -> None:
    before = Order.objects.count()
    refused = call(key)
    assert said(refused) in {(400, "bad_request"), (400, "hydra:Error")}
    assert "Idempotency-Key" in refused.raw.decode()
    assert Order.objects.count() == before


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('"a"', "a"),
        ("a", "a"),
        (" a ", "a"),
        ('"a b, c"', "a b, c"),
        (r'"say \"hi\" \\"', r'say "hi" \ '.strip()),
        ("8e03978e-40d5:43dd/bc93=", "8e03978e-40d5:43dd/bc93="),
        ("x" * 255, "x" * 255),
    ],
)
def test_keys_are_read_quoted_and_bare(text: str, key: str) -> None:
    assert once.read(text) == key


def test_a_key_is_the_same_quoted_and_bare(call: Call) -> None:
    first, again = call("abc"), call('"abc"')
    assert (first.raw, again.headers.get("Idempotency-Replayed")) == (again.raw, "true")


def test_another_request_under_the_key_is_refused(call: Call) -> None:
    call(KEY)
    before = everything()
    other_body = Call(call.method, call.path, {**call.body, "x": 1}, call.send)
    other_query = Call(call.method, f"{call.path}?x=1", call.body, call.send)
    for other in (other_body, other_query):
        assert said(other(KEY)) in {(422, "unprocessable_entity"), (422, "hydra:Error")}
    assert everything() == before
    assert call(KEY).headers["Idempotency-Replayed"] == "true"


def test_a_refusal_is_not_kept(call: Call) -> None:
    bad = Call(call.method, call.path, {"status": "new", "service_type": "no", "dropoff": {"address": "x"}}, call.send)
    before = Order.objects.count()
    assert [bad(KEY).status in {400, 422} for _ in range(2)] == [True, True]
    assert KeptAnswer.objects.count() == 0
    assert call(KEY).status < 300
    assert Order.objects.count() == before + 1


@pytest.mark.django_db
def test_a_day_later_the_key_is_new() -> None:
    """Tokens do not last that long; tills' do."""
    with time_machine.travel(NOON, tick=False) as clock:
        till = scene().till

        def order(status: str) -> str:
            made: str = till.call("POST", "/location/orders", {"status": status}, idempotency_key="k").json["id"]
            return made

        first = order("new")
        clock.shift(keeping.KEPT_FOR - timedelta(seconds=1))
        assert order("new") == first
        clock.shift(timedelta(seconds=1))
        assert order("accepted") != first
        assert KeptAnswer.objects.count() == 1


def test_what_is_kept_is_sealed(call: Call) -> None:
    raw = call(KEY).raw
    kept = KeptAnswer.objects.get()
    assert credentials.unseal(kept.sealed_body).encode() == raw
    assert raw[:40].decode() not in kept.sealed_body


def test_an_answer_sealed_with_another_key_is_no_accident(call: Call, settings: Any) -> None:
    call(KEY)
    KeptAnswer.objects.update(sealed_body="x")
    before = everything()
    assert said(call(KEY)) in {(409, "conflict"), (409, "hydra:Error")}
    assert everything() == before


def test_who_may_not_call_is_told_so_first(call: Call) -> None:
    assert call(KEY).status < 300
    nobody = Call(call.method, call.path, call.body, Till("x", prefix="").call)
    assert nobody("").status == 401


def test_a_person_has_keys_of_their_own(world: World) -> None:
    named = {caller: {**DOCUMENT, "store": f"/api/stores/{world.store.pk}"} for caller in ("client", "key")}
    bodies = named | {"neighbour's client": DOCUMENT}
    calls = [Call("POST", "/api/deliveries", body, knocking(world, caller)) for caller, body in bodies.items()]
    ids = [call(KEY).json["id"] for call in calls]
    assert ids[0] == ids[1] != ids[2], "a key and a token of one client are one caller"
    assert sorted(KeptAnswer.objects.values_list("caller", flat=True)) == sorted(
        f"client {client.pk} for store {client.store_id}" for client in (world.client, world.neighbour.clients.get())
    )


@pytest.mark.django_db
def test_a_program_has_keys_of_its_own_in_each_store() -> None:
    shop, other = scene(), factories.StoreFactory.create()
    client = credentials.by_connection(str(shop.till.token), dialect=Dialect.HUBRISE)
    assert client is not None
    elsewhere = Till(credentials.connect(client[0].client, store=other, scopes="orders.write")[1])
    renewed = Till(credentials.connect(client[0].client, store=shop.store, scopes="orders.write")[1])
    tills = [shop.till, renewed, elsewhere, other_till(shop)]
    ids = [till.call("POST", "/location/orders", {"status": "new"}, idempotency_key="1").json["id"] for till in tills]
    assert ids[0] == ids[1]
    assert len({ids[0], *ids[2:]}) == 3


@pytest.mark.django_db
def test_a_post_that_stands_for_a_patch_is_that_patch() -> None:
    shop = scene()
    body = {"charges": [{"name": "Bag", "price": "0.10 EUR"}]}
    first = shop.till.call("POST", shop.path, body, idempotency_key="k", x_http_method_override="PATCH")
    again = shop.till.call("PATCH", shop.path, body, idempotency_key="k")
    assert (first.status, first.raw, again.headers["Idempotency-Replayed"]) == (200, again.raw, "true")
    assert len(shop.till.get(shop.path).json["charges"]) == 1


def test_pages_of_other_sites_may_use_it(call: Call) -> None:
    call(KEY)
    exposed = call(KEY).headers["Access-Control-Expose-Headers"]
    assert {"ETag", "Idempotency-Replayed", "Retry-After", "Location"} <= set(exposed.split(", "))
    asked = call.send("OPTIONS", call.path, None)
    assert {"Idempotency-Key", "If-Match", "If-None-Match"} <= set(asked.headers["Access-Control-Allow-Headers"].split(", "))


def test_a_body_that_is_too_large_is_still_refused(call: Call, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20
    assert call(KEY).status == 413


def test_the_form_asked_for_first_is_given_again(world: World) -> None:
    call = Call("POST", "/api/deliveries", DOCUMENT, knocking(world, "client"))
    first = call(KEY, accept="application/json")
    again = call(KEY, accept=LD)
    assert (first.raw, first.headers["Content-Type"]) == (again.raw, again.headers["Content-Type"])
    assert Delivery.objects.get(pk=first.json["id"]).created_at == NOON
