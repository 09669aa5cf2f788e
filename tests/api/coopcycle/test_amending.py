"""`PUT /api/deliveries/{id}`: what is sent changes, the rest stays."""

from datetime import timedelta
from typing import Any

import pytest

from deliveries import transitions
from deliveries.models import Delivery, Event
from stores.actors import SYSTEM
from stores.models import Package, PackageSet, Tag
from tests import factories
from tests.api.coopcycle.knocking import World

ELSEWHERE = {"streetAddress": "10, Rue de Turbigo, Paris", "latLng": [48.8633, 2.3518], "contactName": "Ada", "telephone": "0612345678"}


def put(world: World, body: Any, caller: str = "client") -> dict[str, Any]:
    response = world[caller].put(f"/api/deliveries/{world.delivery.pk}", body)
    assert response.status_code == 200, response.content
    payload: dict[str, Any] = response.json()
    return payload


def test_nothing_sent_changes_nothing(world: World) -> None:
    before = world["client"].get(f"/api/deliveries/{world.delivery.pk}").json()
    events = Event.objects.count()
    assert put(world, {}) == before
    assert put(world, {"dropoff": {"comments": "", "weight": 0, "packages": [], "tags": [], "before": ""}}) == before
    assert Event.objects.count() == events


def test_words_windows_and_loads_change(world: World) -> None:
    box = Package.objects.create(package_set=PackageSet.objects.create(name="Usual"), name="XL", short_code="XL", volume_units=3)
    world.store.package_set = box.package_set
    world.store.save()
    Tag.objects.create(name="COLD", slug="cold")
    after = put(
        world,
        {
            "dropoff": {
                "comments": "Third floor",
                "before": "2026-11-20 15:00",
                "weight": 2500,
                "packages": [{"type": "XL", "quantity": "2"}, {"type": "unknown", "quantity": 1}],
                "tags": "cold nonsense",
                "metadata": {"foo": "bar"},
            }
        },
    )
    dropoff = after["dropoff"]
    assert dropoff["comments"] == "Third floor"
    assert (dropoff["after"], dropoff["before"]) == ("2026-11-20T13:45:00+01:00", "2026-11-20T15:00:00+01:00")
    assert (dropoff["weight"], after["pickup"]["weight"]) == (2500, 2500)
    assert [(package["name"], package["quantity"], len(package["labels"])) for package in dropoff["packages"]] == [("XL", 2, 2)]
    assert [tag["slug"] for tag in dropoff["tags"]] == ["cold"]
    assert dropoff["metadata"]["foo"] == "bar"
    updated = Event.objects.get(kind="task.updated")
    assert updated.data == {"fields": ["comments", "weight", "packages", "before", "metadata", "tags"]}
    assert put(world, {"dropoff": {"metadata": {"more": 1}}})["dropoff"]["metadata"]["foo"] == "bar"


def test_a_load_beside_the_stops_goes_to_the_dropoff(world: World) -> None:
    assert put(world, {"weight": 900})["dropoff"]["weight"] == 900


def test_another_place_is_measured_anew(world: World) -> None:
    before = world["client"].get(f"/api/deliveries/{world.delivery.pk}").json()
    after = put(world, {"dropoff": {"address": ELSEWHERE}})
    assert after["distance"] != before["distance"]
    assert after["polyline"] != before["polyline"]
    assert after["dropoff"]["address"]["geo"] == {"@type": "GeoCoordinates", "latitude": 48.8633, "longitude": 2.3518}
    assert after["dropoff"]["address"]["telephone"] == "+33612345678"
    assert after["pickup"]["address"] == before["pickup"]["address"]


def test_a_contact_changes_without_the_place(world: World) -> None:
    before = world["client"].get(f"/api/deliveries/{world.delivery.pk}").json()
    after = put(world, {"dropoff": {"address": {"contactName": "Grace Hopper"}}})
    assert after["dropoff"]["address"]["contactName"] == "Grace Hopper"
    assert after["dropoff"]["address"]["geo"] == before["dropoff"]["address"]["geo"]
    assert after["dropoff"]["address"]["streetAddress"] == before["dropoff"]["address"]["streetAddress"]
    assert after["polyline"] == before["polyline"]


def test_the_stores_own_address_is_not_changed_by_a_delivery(world: World) -> None:
    made = world["client"].post("/api/deliveries", {"dropoff": {"address": ELSEWHERE, "before": "tomorrow 13:00"}}).json()
    assert made["pickup"]["address"]["@id"] == f"/api/addresses/{world.store.address_id}"
    response = world["client"].put(made["@id"], {"pickup": {"address": {"description": "Back door"}}})
    assert response.json()["pickup"]["address"]["description"] == "Back door"
    world.store.address.refresh_from_db()
    assert world.store.address.description == ""


def test_a_list_of_tasks_adds_and_takes_out(world: World) -> None:
    pickup, dropoff = world.task_ids(world.delivery)
    body = {
        "tasks": [
            {"id": pickup},
            {"type": "DROPOFF", "address": ELSEWHERE, "before": "2026-11-20 16:00", "comments": "new"},
        ]
    }
    after = put(world, body)
    assert [task["status"] for task in after["tasks"]] == ["TODO", "TODO", "CANCELLED"]
    assert after["tasks"][2]["@id"] == f"/api/tasks/{dropoff}"
    assert after["dropoff"]["@id"] == after["tasks"][1]["@id"]
    assert after["tasks"][1]["comments"] == "new"
    added = world["client"].get(after["dropoff"]["@id"]).json()
    assert added["previous"] == f"/api/tasks/{pickup}"
    assert set(Event.objects.filter(delivery=world.delivery, happened_at=factories.NOON).values_list("kind", flat=True)) >= {
        "task.cancelled"
    }


def test_a_task_of_another_delivery_is_refused(world: World) -> None:
    other, _ = world.task_ids(world.held)
    response = world["client"].put(f"/api/deliveries/{world.delivery.pk}", {"tasks": [{"id": other, "comments": "mine"}]})
    assert response.status_code == 400
    assert response.json()["hydra:description"] == "task.id"
    assert not world.held.tasks.filter(comments="mine").exists()


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({"dropoff": {"before": "2026-11-20 13:00"}}, "items[1].task.doneBefore", "The time frame is not valid"),
        ({"dropoff": {"after": "2026-11-20 09:00", "before": "2026-11-20 09:30"}}, "items", "Dropoff date must be after pickup date."),
        ({"tasks": [{"type": "DROPOFF", "before": "2026-11-20 16:00"}]}, "items[0].task.address", "This value should not be blank."),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_trace(world: World, body: Any, path: str, message: str) -> None:
    before = world["client"].get(f"/api/deliveries/{world.delivery.pk}").json()
    response = world["client"].put(f"/api/deliveries/{world.delivery.pk}", body)
    assert response.status_code == 400
    assert [(one["propertyPath"], one["message"]) for one in response.json()["violations"]] == [(path, message)]
    assert world["client"].get(f"/api/deliveries/{world.delivery.pk}").json() == before


def test_only_the_desk_cancels_by_status(world: World) -> None:
    pickup, dropoff = ({"id": pk} for pk in world.task_ids(world.delivery))
    put(world, {"tasks": [pickup, dropoff, {"type": "DROPOFF", "address": ELSEWHERE, "before": "2026-11-20 16:00"}]})
    added = {"id": world.delivery.tasks.latest("position").pk}
    for caller, status, becomes in (
        ("client", "CANCELLED", "TODO"),
        ("dispatcher", "CANCELLED", "CANCELLED"),
        ("dispatcher", "TODO", "TODO"),
    ):
        after = put(world, {"tasks": [pickup, added, {**dropoff, "status": status}]}, caller=caller)
        assert {task["id"]: task["status"] for task in after["tasks"]}[dropoff["id"]] == becomes


def test_a_task_moved_to_another_day_goes_to_that_days_list(world: World) -> None:
    later = (factories.NOON + timedelta(days=1, hours=2)).isoformat()
    body = {
        "pickup": {"after": "2026-11-21 10:00", "before": "2026-11-21 10:30"},
        "dropoff": {"after": "2026-11-21 11:00", "before": later},
    }
    assert world["client"].put(f"/api/deliveries/{world.held.pk}", body).status_code == 200
    assert len(world["courier"].get("/api/me/tasks/2026-11-21").json()["items"]) == 2
    assert world["courier"].get("/api/me/tasks/2026-11-20").json()["items"] == []


def test_something_is_left_to_pick_up_and_to_drop_off(world: World) -> None:
    for pk in world.task_ids(world.delivery):
        body = {"tasks": [{"id": pk, "status": "CANCELLED"}]}
        response = world["dispatcher"].put(f"/api/deliveries/{world.delivery.pk}", body)
        assert response.status_code == 400
        assert response.json()["violations"] == [{"propertyPath": "items", "message": "Delivery must consist of two tasks.", "code": None}]
    assert Delivery.objects.get(pk=world.delivery.pk).status == "pending"


def test_a_finished_stop_that_is_left_out_stays_finished(world: World) -> None:
    transitions.pick(world.delivery, by=SYSTEM, at=factories.NOON)
    _, dropoff = world.task_ids(world.delivery)
    assert [task["status"] for task in put(world, {"tasks": [{"id": dropoff}]})["tasks"]] == ["DONE", "TODO"]


def test_two_new_tasks_take_the_place_of_the_old(world: World) -> None:
    after = put(
        world, {"tasks": [{"address": ELSEWHERE, "before": "2026-11-20 15:00"}, {"address": ELSEWHERE, "before": "2026-11-20 16:00"}]}
    )
    assert [(task["type"], task["status"]) for task in after["tasks"]] == [
        ("PICKUP", "TODO"),
        ("DROPOFF", "TODO"),
        ("PICKUP", "CANCELLED"),
        ("DROPOFF", "CANCELLED"),
    ]


def test_a_delivery_without_a_pickup_left_can_still_be_changed(world: World) -> None:
    pickup, dropoff = world.task_ids(world.delivery)
    world["dispatcher"].put(f"/api/tasks/{pickup}/cancel")
    assert put(world, {"tasks": [{"id": dropoff, "before": "2026-11-20 17:00"}]})["dropoff"]["before"] == "2026-11-20T17:00:00+01:00"


@pytest.mark.parametrize(("caller", "status"), [("client", 403), ("key", 403), ("owner", 403), ("dispatcher", 400), ("admin", 400)])
def test_a_delivery_does_not_change_store(world: World, caller: str, status: int) -> None:
    path = f"/api/deliveries/{world.delivery.pk}"
    refused = world[caller].put(path, {"store": f"/api/stores/{world.neighbour.pk}"})
    assert refused.status_code == status
    if status == 400:
        assert refused.json()["violations"] == [{"propertyPath": "store", "message": "A delivery does not change store.", "code": None}]
    assert world[caller].put(path, {"store": f"/api/stores/{world.store.pk}"}).status_code == 200
