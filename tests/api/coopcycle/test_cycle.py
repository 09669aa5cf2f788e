"""Tasks under way: a courier's whole evening, and every rule of the moves."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from deliveries import booking
from deliveries.models import Delivery, Event
from deliveries.statuses import DeliveryStatus
from deliveries.tracking_links import tracking_url
from stores import distances
from stores.actors import SYSTEM
from stores.places import Point
from tests import factories
from tests.api.coopcycle.knocking import Knock, World, jwt
from tests.factories import NOON


def status(world: World, pk: int) -> str:
    found: str = world["client"].get(f"/api/tasks/{pk}").json()["status"]
    return found


def test_a_couriers_evening(world: World) -> None:
    courier = world["courier"]
    pickup, dropoff = world.task_ids(world.delivery)
    assert courier.put(f"/api/tasks/{pickup}/assign").json()["assignedTo"] == "bob"
    day = courier.get("/api/me/tasks/2026-11-20").json()
    assert [item["id"] for item in day["items"]][-2:] == [pickup, dropoff]
    assert courier.post("/api/me/location", [{"latitude": 48.86, "longitude": 2.36, "time": 1795172400000}]).json() == []
    assert courier.put(f"/api/tasks/{pickup}/start").json()["status"] == "DOING"
    assert courier.put(f"/api/tasks/{pickup}/done", {"notes": "three bags"}).json()["status"] == "DONE"
    assert courier.put(f"/api/tasks/{dropoff}/start").json()["status"] == "DOING"
    done = courier.put(f"/api/tasks/{dropoff}/done", {"contactName": "Grace Hopper"}).json()
    assert (done["status"], done["address"]["contactName"], done["address"]["lastName"]) == ("DONE", "Grace Hopper", "Hopper")
    delivery = Delivery.objects.select_related("order").get(pk=world.delivery.pk)
    assert (delivery.status, delivery.order.status) == ("delivered", "completed")
    kinds = Event.objects.filter(delivery=delivery, kind__startswith="task.").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == [*["task.created"] * 2, *["task.assigned"] * 2, *["task.started", "task.done"] * 2]


REFUSED: dict[str, tuple[str, list[tuple[str, str, Any]], str, str, Any, str]] = {
    # what: caller, moves before it, task, move, body, sentence
    "done twice": ("dispatcher", [("pickup", "done", {})], "pickup", "done", {}, "Task #{pickup} is already completed"),
    "failed after done": ("dispatcher", [("pickup", "done", {})], "pickup", "failed", {}, "Task #{pickup} is already completed"),
    "done after failed": ("dispatcher", [("pickup", "failed", {})], "pickup", "done", {}, "Task #{pickup} is already completed"),
    "done when cancelled": ("dispatcher", [("pickup", "cancel", {})], "pickup", "done", {}, "Task #{pickup} is cancelled"),
    "failed when cancelled": ("dispatcher", [("pickup", "cancel", {})], "pickup", "failed", {}, "Task #{pickup} is cancelled"),
    "dropoff first": (
        "dispatcher",
        [],
        "dropoff",
        "done",
        {},
        "Task #{dropoff} could not be completed because it has a previous task #{pickup} which must be completed first.",
    ),
    "dropoff fails first": ("dispatcher", [], "dropoff", "failed", {}, "Previous task must be completed first"),
    "held by another": ("other courier", [], "pickup", "assign", {}, 'Task #{pickup} is already assigned to "bob"'),
    "cancel what is done": ("dispatcher", [("pickup", "done", {})], "pickup", "cancel", {}, "Task #{pickup} is already completed"),
    "reschedule what is done": (
        "dispatcher",
        [("pickup", "done", {})],
        "pickup",
        "reschedule",
        {"after": "tomorrow 9:00", "before": "tomorrow 10:00"},
        "Task #{pickup} is already completed",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(world: World, name: str) -> None:
    caller, before, which, move, body, sentence = REFUSED[name]
    pks = dict(zip(("pickup", "dropoff"), world.task_ids(world.held), strict=True))
    for first, made, sent in before:
        assert world["dispatcher"].put(f"/api/tasks/{pks[first]}/{made}", sent).status_code == 200
    events = Event.objects.count()
    response = world[caller].put(f"/api/tasks/{pks[which]}/{move}", body)
    assert (response.status_code, response.json()["hydra:description"]) == (400, sentence.format(**pks))
    assert Event.objects.count() == events


def test_start_again_changes_nothing(world: World) -> None:
    pickup, _ = world.task_ids(world.held)
    first = world["courier"].put(f"/api/tasks/{pickup}/start").json()
    events = Event.objects.count()
    assert world["courier"].put(f"/api/tasks/{pickup}/start").json() == first
    assert Event.objects.count() == events


def test_a_cancelled_predecessor_does_not_block(world: World) -> None:
    pickup, dropoff = world.task_ids(world.held)
    world["dispatcher"].put(f"/api/tasks/{pickup}/cancel")
    assert world["courier"].put(f"/api/tasks/{dropoff}/done").json()["status"] == "DONE"


def test_the_present_courier_takes_it_again(world: World) -> None:
    pickup, _ = world.task_ids(world.held)
    events = Event.objects.count()
    assert world["courier"].put(f"/api/tasks/{pickup}/assign").status_code == 200
    assert Event.objects.count() == events


@pytest.mark.parametrize("username", ["nobody", "sarah", "ann"])
def test_only_couriers_are_assigned(world: World, username: str) -> None:
    pickup, _ = world.task_ids(world.delivery)
    assert world["dispatcher"].put(f"/api/tasks/{pickup}/assign", {"username": username}).status_code == 404


def test_a_delivery_is_given_and_taken_whole(world: World) -> None:
    pickup, dropoff = world.task_ids(world.delivery)
    world["dispatcher"].put(f"/api/tasks/{dropoff}/assign", {"username": "eve"})
    assert world["other courier"].get(f"/api/tasks/{pickup}").json()["assignedTo"] == "eve"
    taken = world["other courier"].put(f"/api/tasks/{pickup}/unassign")
    assert (taken.status_code, taken.json()["isAssigned"]) == (200, False)
    assert world["other courier"].get(f"/api/tasks/{pickup}").status_code == 403
    assert world["dispatcher"].get(f"/api/tasks/{dropoff}").json()["assignedTo"] is None


@pytest.mark.parametrize("before", ["failed", "cancel", None])
def test_reschedule_begins_anew(world: World, before: str | None) -> None:
    pickup, _ = world.task_ids(world.held)
    if before:
        world["dispatcher"].put(f"/api/tasks/{pickup}/{before}")
    moved = world["dispatcher"].put(f"/api/tasks/{pickup}/reschedule", {"after": "2026-11-21 09:00", "before": "2026-11-21 10:00"}).json()
    assert (moved["status"], moved["isAssigned"], moved["metadata"]["rescheduled"]) == ("TODO", False, True)
    assert (moved["after"], moved["before"]) == ("2026-11-21T09:00:00+01:00", "2026-11-21T10:00:00+01:00")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "doneAfter"),
        ({"after": "tomorrow 9:00"}, "doneBefore"),
        ({"after": "tomorrow 9:00", "before": "tomorrow 9:00"}, "doneBefore"),
    ],
)
def test_a_window_is_whole(world: World, body: Any, path: str) -> None:
    pickup, _ = world.task_ids(world.held)
    response = world["dispatcher"].put(f"/api/tasks/{pickup}/reschedule", body)
    assert response.status_code == 400
    assert response.json()["violations"][0]["propertyPath"] == path


def test_restore_keeps_the_courier(world: World) -> None:
    pickup, _ = world.task_ids(world.held)
    world["dispatcher"].put(f"/api/tasks/{pickup}/cancel")
    restored = world["dispatcher"].put(f"/api/tasks/{pickup}/restore").json()
    assert (restored["status"], restored["assignedTo"]) == ("TODO", "bob")


def test_cancelling_the_last_task_cancels_the_order(world: World) -> None:
    for pk in world.task_ids(world.delivery):
        assert world["dispatcher"].put(f"/api/tasks/{pk}/cancel").json()["status"] == "CANCELLED"
    assert Delivery.objects.select_related("order").get(pk=world.delivery.pk).order.status == "cancelled"


def test_delete_cancels(world: World) -> None:
    response = world["client"].delete(f"/api/deliveries/{world.delivery.pk}")
    assert (response.status_code, response.content) == (204, b"")
    assert {status(world, pk) for pk in world.task_ids(world.delivery)} == {"CANCELLED"}
    again = world["client"].delete(f"/api/deliveries/{world.delivery.pk}")
    assert (again.status_code, again.content) == (204, b"")


def test_delete_is_refused_while_a_courier_holds_it(world: World) -> None:
    response = world["client"].delete(f"/api/deliveries/{world.held.pk}")
    assert (response.status_code, response.json()["hydra:description"]) == (400, "Tasks have already been assigned")
    assert {status(world, pk) for pk in world.task_ids(world.held)} == {"TODO"}


def test_pick_and_drop_echo_their_path(world: World) -> None:
    for name, expected in (("pick", "DONE"), ("drop", "DONE")):
        response = world["client"].put(f"/api/deliveries/{world.delivery.pk}/{name}", {"comments": "ok"})
        assert response.status_code == 200
        assert response.json()["@id"] == f"/api/deliveries/{world.delivery.pk}/{name}"
        assert response.json()[{"pick": "pickup", "drop": "dropoff"}[name]]["status"] == expected
    assert Event.objects.filter(delivery=world.delivery, kind="task.done", data={"notes": "ok"}).count() == 2


def test_the_newest_position_wins(world: World) -> None:
    world["courier"].post("/api/me/location", [{"latitude": 48.1, "longitude": 2.1, "time": "2026-11-20T10:59:00Z"}])
    world["courier"].post("/api/me/location", [{"latitude": 48.2, "longitude": 2.2, "time": "2026-11-20T10:50:00Z"}])
    world.courier.refresh_from_db()
    assert (world.courier.latitude, world.courier.located_at) == (48.1, NOON - timedelta(minutes=1))


@pytest.mark.parametrize(
    "body",
    [
        [{"latitude": 91, "longitude": 2}],
        [{"latitude": "x", "longitude": 2}],
        [{}],
        [7],
        [{"latitude": 1, "longitude": 2, "time": "soon"}],
        [{"latitude": 1, "longitude": 2, "time": 10**18}],
        [{"latitude": 1, "longitude": 2}] * 1001,
    ],
)
def test_a_position_that_is_none(world: World, body: Any) -> None:
    assert world["courier"].post("/api/me/location", body).status_code == 400
    world.courier.refresh_from_db()
    assert world.courier.located_at is None


def test_an_outside_carriers_tasks_are_nobodys(world: World) -> None:
    carrier = {"carrier": "Outside", "carrier_ref": "outside"}
    carried = booking.attach(factories.order(world.store), carrier, status=DeliveryStatus.PENDING, by=SYSTEM, at=NOON)
    pickup, _ = world.task_ids(carried)
    response = world["dispatcher"].put(f"/api/tasks/{pickup}/assign", {"username": "bob"})
    assert response.status_code == 400
    assert "Outside" in response.json()["hydra:description"]


def test_a_day_is_as_long_as_the_way_through_its_stops(world: World) -> None:
    day = world["courier"].get("/api/me/tasks/2026-11-20").json()
    points = [Point(item["address"]["geo"]["latitude"], item["address"]["geo"]["longitude"]) for item in day["items"]]
    route = distances.router().route(points)
    assert route.distance_m > 0
    assert (day["distance"], day["duration"], day["polyline"]) == (route.distance_m, route.duration_s, route.polyline)


def test_the_tracking_url_is_always_our_own_page(world: World) -> None:
    """An outside carrier's page is linked from ours: what a carrier sends is never what a shop prints."""
    order = factories.order(world.store)
    fields = {"carrier": "UPS", "carrier_ref": "ups", "tracking_url": "https://www.ups.com/track/1Z"}
    carried = booking.attach(order, fields, status=DeliveryStatus.PENDING, by=SYSTEM, at=NOON)
    for delivery in (carried, world.delivery):
        told = world["client"].get(f"/api/deliveries/{delivery.pk}").json()["trackingUrl"]
        assert told == tracking_url(delivery)
        assert world["nobody"].get(told.removeprefix(settings.BASE_URL)).status_code == 200


def test_a_person_without_a_role_sees_no_task(world: World) -> None:
    nobody_yet = Knock(jwt(factories.UserFactory.create()))
    for path in (f"/api/tasks/{world.task_ids(world.held)[0]}", f"/api/deliveries/{world.held.pk}", f"/api/stores/{world.store.pk}"):
        assert nobody_yet.get(path).status_code == 403
    assert nobody_yet.get("/api/tasks/999999").status_code == 404
