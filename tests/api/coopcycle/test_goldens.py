"""The wire is frozen: the whole answer of every call."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from deliveries import couriers, transitions
from deliveries.models import Attempt, CallState
from stores.actors import SYSTEM
from stores.models import Package, PackageSet, Tag, TimeSlot
from stores.places import Point
from tests import factories
from tests.api.coopcycle import prices, webhooks
from tests.api.coopcycle.golden import assert_golden
from tests.api.coopcycle.knocking import World, basic
from tests.api.coopcycle.test_document import REQUEST
from tests.factories import NOON, PASSWORD

FULL = {
    "pickup": {"comments": "Ring twice", "before": "today 15:00"},
    "dropoff": {
        "address": {
            "streetAddress": "48, Rue de Rivoli, Paris",
            "latLng": [48.8571, 2.3537],
            "telephone": "0612345678",
            "contactName": "Ada Lovelace",
            "name": "Analytical Engines",
            "description": "Door code 1815",
            "provider": "MAP_PICKER",
        },
        "after": "2026-11-20T15:30:00Z",
        "before": "2026-11-20T16:00:00Z",
        "comments": "Handle\nwith care",
        "weight": 6000,
        "packages": [{"type": "XL", "quantity": 2}],
        "tags": ["cold"],
        "metadata": {"foo": "bar"},
    },
}


@pytest.fixture
def outfitted(world: World) -> World:
    """The world, its store with packages, tags and a time slot."""
    boxes = PackageSet.objects.create(name="Boxes")
    Package.objects.create(package_set=boxes, name="XL", short_code="XL", volume_units=3)
    Tag.objects.create(name="COLD", slug="cold", color="#FF0000")
    world.store.package_set = boxes
    world.store.time_slot = TimeSlot.objects.create(name="Mornings", opening_hours=["Mo-Sa 10:00-11:00"])
    world.store.save()
    return world


def task(world: World, move: str, body: Any = None, *, first: Callable[[], Any] = lambda: None) -> Any:
    first()
    return world["dispatcher"].put(f"/api/tasks/{world.task_ids(world.held)[0]}/{move}", body or {}).json()


def hook(world: World, method: str, path: str) -> Any:
    """A call on a webhook that was called in vain."""
    made = webhooks.subscribed(world)
    call = webhooks.owed(made)
    Attempt.objects.create(call=call, started_at=NOON, duration_ms=12, status=500, excerpt="Oops")
    call.tries, call.state, call.settled_at = 1, CallState.FAILED, NOON
    call.save()
    return world["client"].call(method, f"/api/webhooks/{made.pk}/{path.format(call=call.pk)}").json()


CALLS: dict[str, Callable[[World], Any]] = {
    "create_delivery_of_the_document": lambda world: world["client"].post("/api/deliveries", REQUEST).json(),
    "create_delivery_in_full": lambda world: world["client"].post("/api/deliveries", FULL).json(),
    "get_delivery": lambda world: world["client"].get(f"/api/deliveries/{world.held.pk}").json(),
    "get_delivery_plain": lambda world: world["client"].get(f"/api/deliveries/{world.held.pk}", accept="application/json").json(),
    "put_delivery": lambda world: world["client"].put(f"/api/deliveries/{world.held.pk}", {"dropoff": {"comments": "Third floor"}}).json(),
    "pick_delivery": lambda world: world["client"].put(f"/api/deliveries/{world.held.pk}/pick", {"comments": "got it"}).json(),
    "drop_delivery_refused": lambda world: world["client"].put(f"/api/deliveries/{world.held.pk}/drop").json(),
    "drop_delivery": lambda world: (
        world["client"].put(f"/api/deliveries/{world.held.pk}/pick"),
        world["client"].put(f"/api/deliveries/{world.held.pk}/drop", {"comments": "at the door"}).json(),
    )[1],
    "delete_delivery_refused": lambda world: world["client"].delete(f"/api/deliveries/{world.held.pk}").json(),
    "get_task": lambda world: world["client"].get(f"/api/tasks/{world.task_ids(world.held)[0]}").json(),
    "get_task_plain": lambda world: world["client"].get(f"/api/tasks/{world.task_ids(world.held)[1]}", accept="application/json").json(),
    "start_task": lambda world: task(world, "start"),
    "complete_task": lambda world: task(world, "done", {"notes": "at the door", "contactName": "Grace Hopper"}),
    "fail_task": lambda world: task(world, "failed", {"reason": "DAMAGED"}),
    "assign_task": lambda world: task(world, "assign", {"username": "eve"}),
    "unassign_task": lambda world: task(world, "unassign"),
    "cancel_task": lambda world: task(world, "cancel"),
    "restore_task": lambda world: task(world, "restore", first=lambda: task(world, "cancel")),
    "reschedule_task": lambda world: task(world, "reschedule", {"after": "tomorrow 9:00", "before": "tomorrow 10:00"}),
    "list_tasks": lambda world: world["dispatcher"].get("/api/tasks?pagination=true&itemsPerPage=1&date=2026-11-20").json(),
    "list_own_tasks": lambda world: world["courier"].get("/api/tasks").json(),
    "task_list": lambda world: world["courier"].get("/api/me/tasks/2026-11-20").json(),
    "task_list_empty": lambda world: {**world["courier"].get("/api/me/tasks/2026-11-28").json(), "@id": "<genid>"},
    "me_courier": lambda world: world["courier"].get("/api/me").json(),
    "me_dispatcher": lambda world: world["dispatcher"].get("/api/me").json(),
    "me_owner": lambda world: world["owner"].get("/api/me").json(),
    "me_client": lambda world: world["client"].get("/api/me").json(),
    "stores": lambda world: world["dispatcher"].get("/api/stores").json(),
    "my_stores": lambda world: world["owner"].get("/api/me/stores").json(),
    "store": lambda world: world["client"].get(f"/api/stores/{world.store.pk}").json(),
    "store_deliveries": lambda world: world["client"].get(f"/api/stores/{world.store.pk}/deliveries?order[createdAt]=asc").json(),
    "address": lambda world: world["client"].get(f"/api/addresses/{world.store.address_id}").json(),
    "order": lambda world: world["client"].get(f"/api/orders/{world.held.order_id}").json(),
    "order_without_delivery": lambda world: world["owner"].get(f"/api/orders/{factories.order(world.store).pk}").json(),
    "context_order": lambda world: world["nobody"].get("/api/contexts/Order").json(),
    "settings": lambda world: world["nobody"].get("/api/settings").json(),
    "route": lambda world: world["nobody"].get("/api/routing/route/48.86,2.35;48.87,2.36").json(),
    "entrypoint": lambda world: world["nobody"].get("/api").json(),
    "context_entrypoint": lambda world: world["nobody"].get("/api/contexts/Entrypoint").json(),
    "context_delivery": lambda world: world["nobody"].get("/api/contexts/Delivery").json(),
    "context_task": lambda world: world["nobody"].get("/api/contexts/Task").json(),
    "context_error": lambda world: world["nobody"].get("/api/contexts/ConstraintViolationList").json(),
    "documentation": lambda world: world["nobody"].get("/api/docs.jsonld").json(),
    "create_webhook": lambda world: world["client"].post("/api/webhooks", webhooks.ASKED).json(),
    "create_webhook_refused": lambda world: world["client"].post("/api/webhooks", {"event": "delivery.lost"}).json(),
    "get_webhook": lambda world: world["client"].get(f"/api/webhooks/{webhooks.subscribed(world).pk}").json(),
    "list_webhooks": lambda world: (webhooks.subscribed(world), world["client"].get("/api/webhooks").json())[1],
    "webhook_state": lambda world: hook(world, "GET", "state"),
    "disable_webhook": lambda world: hook(world, "PUT", "disable"),
    "enable_webhook": lambda world: hook(world, "PUT", "enable"),
    "rotate_webhook_secret": lambda world: hook(world, "POST", "rotate"),
    "test_webhook": lambda world: hook(world, "POST", "test"),
    "resend_failed_calls": lambda world: hook(world, "POST", "resend"),
    "list_webhook_calls": lambda world: hook(world, "GET", "calls"),
    "get_webhook_call": lambda world: hook(world, "GET", "calls/{call}"),
    "resend_webhook_call": lambda world: hook(world, "POST", "calls/{call}/resend"),
    "calculate_price": lambda world: (prices.priced(world), world["client"].post("/api/retail_prices/calculate", REQUEST).json())[1],
    "calculate_price_net": lambda world: (
        prices.priced(world),
        world["client"].post("/api/retail_prices/calculate?tax=excluded", REQUEST).json(),
    )[1],
    "calculate_price_without_list": lambda world: world["client"].post("/api/retail_prices/calculate", REQUEST).json(),
    "calculate_price_without_match": lambda world: (
        factories.price_list(("distance > 999999", "499"), store=world.store),
        world["client"].post("/api/retail_prices/calculate", REQUEST).json(),
    )[1],
    "evaluate_rule": lambda world: world["client"].post(f"/api/pricing_rules/{prices.rule(world).pk}/evaluate", REQUEST).json(),
    "create_rule_set": lambda world: world["admin"].post("/api/pricing_rule_sets", prices.ASKED).json(),
    "create_rule_set_refused": lambda world: (
        world["admin"].post("/api/pricing_rule_sets", {"name": "Bad", "rules": [{"expression": "distance >", "price": "1 +"}]}).json()
    ),
    "get_rule_set": lambda world: world["courier"].get(f"/api/pricing_rule_sets/{prices.rule(world).rule_set_id}").json(),
    "list_rule_sets": lambda world: (prices.priced(world), world["courier"].get("/api/pricing_rule_sets").json())[1],
    "rule_set_applications": lambda world: (
        world["courier"].get(f"/api/pricing_rule_sets/{prices.rule(world).rule_set_id}/applications").json()
    ),
    "delete_rule_set_refused": lambda world: world["admin"].delete(f"/api/pricing_rule_sets/{prices.rule(world).rule_set_id}").json(),
    "context_rule_set": lambda world: world["nobody"].get("/api/contexts/PricingRuleSet").json(),
    "list_events": lambda world: (webhooks.happened(world), world["client"].get("/api/events").json())[1],
    "get_event": lambda world: world["client"].get(webhooks.happened(world)).json(),
    "context_webhook": lambda world: world["nobody"].get("/api/contexts/Webhook").json(),
    "context_event": lambda world: world["nobody"].get("/api/contexts/Event").json(),
    "my_location": lambda world: (
        world["courier"].post("/api/me/location", [{"latitude": 48.86, "longitude": 2.35, "time": "2026-11-20T10:59:00Z"}]).json()
    ),
    "check_token": lambda world: world["courier"].get("/api/token/check").json(),
    "no_token": lambda world: world["nobody"].get("/api/me").json(),
    "no_token_for_people": lambda world: world["nobody"].get("/api/me/tasks/2026-11-20").json(),
    "bad_token": lambda world: world["till"].get("/api/me").json(),
    "oauth2_token": lambda world: (
        Client()
        .post(
            "/oauth2/token",
            {"grant_type": "client_credentials"},
            headers={"authorization": basic(world.client.client_id, world.client_secret)},
        )
        .json()
    ),
    "log_in": lambda world: Client().post("/api/login_check", {"_username": "BOB@example.org", "_password": PASSWORD}).json(),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_answer_is_what_it_was(outfitted: World, name: str) -> None:
    assert_golden(name, CALLS[name](outfitted))


def test_the_timeline_of_a_task(outfitted: World) -> None:
    pickup = outfitted.task_ids(outfitted.held)[0]
    for move, body in (("start", {}), ("failed", {"reason": "DAMAGED"}), ("restore", {}), ("unassign", {}), ("done", {"notes": "ok"})):
        assert outfitted["dispatcher"].put(f"/api/tasks/{pickup}/{move}", body).status_code == 200
    dropoff = outfitted.task_ids(outfitted.held)[1]
    outfitted["dispatcher"].put(f"/api/tasks/{dropoff}/reschedule", {"after": "tomorrow 9:00", "before": "tomorrow 10:00"})
    events = outfitted["client"].get(f"/api/tasks/{pickup}/events").json()
    rescheduled = outfitted["client"].get(f"/api/tasks/{dropoff}/events").json()["hydra:member"][-1]
    assert_golden("task_events", events)
    assert_golden("task_event_rescheduled", rescheduled)


def test_a_courier_under_way_is_shown(outfitted: World) -> None:
    couriers.locate(outfitted.courier, Point(48.86, 2.36), at=NOON)
    delivery = outfitted["client"].get(f"/api/deliveries/{outfitted.held.pk}").json()
    assert delivery["location"] == {"lat": 48.86, "lng": 2.36, "updatedAt": "2026-11-20T12:00:00+01:00"}
    assert "location" not in outfitted["client"].get(f"/api/deliveries/{outfitted.delivery.pk}").json()
    transitions.pick(outfitted.held, by=SYSTEM, at=NOON)
    transitions.drop(outfitted.held, by=SYSTEM, at=NOON)
    assert "location" not in outfitted["client"].get(f"/api/deliveries/{outfitted.held.pk}").json()


def test_stops_taken_out_come_last(world: World) -> None:
    made = factories.delivery(world.store, stops=[*factories.stops(), factories.stops(due=NOON + timedelta(hours=3))[1]])
    first_dropoff = made.tasks.order_by("position")[1]
    transitions.cancel(first_dropoff, by=SYSTEM, at=NOON)
    shown = world["client"].get(f"/api/deliveries/{made.pk}").json()
    assert [one["status"] for one in shown["tasks"]] == ["TODO", "TODO", "CANCELLED"]
    assert shown["dropoff"]["id"] == shown["tasks"][1]["id"]
