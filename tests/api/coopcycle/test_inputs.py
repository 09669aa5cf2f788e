"""Every form a delivery may be written in, and what is filled in."""

import re
from typing import Any

import pytest

from deliveries.models import Task
from stores.models import Address, Package, PackageSet, Tag, TimeSlot
from tests.api.coopcycle.knocking import World

RIVOLI = {"address": "48, Rue de Rivoli, Paris", "before": "2026-11-20 15:00"}


def make(world: World, body: Any, caller: str = "client") -> Any:
    response = world[caller].post("/api/deliveries", body)
    assert response.status_code == 201, response.content
    return response.json()


@pytest.mark.parametrize(
    ("written", "after", "before"),
    [
        ({"before": "today 13:00"}, "2026-11-20T12:45:00+01:00", "2026-11-20T13:00:00+01:00"),
        ({"doneBefore": "tomorrow 13:00"}, "2026-11-21T12:45:00+01:00", "2026-11-21T13:00:00+01:00"),
        ({"before": "+2 hours"}, "2026-11-20T13:45:00+01:00", "2026-11-20T14:00:00+01:00"),
        ({"before": "2026-11-20T14:00:00Z"}, "2026-11-20T14:45:00+01:00", "2026-11-20T15:00:00+01:00"),
        ({"before": "2026-11-20T14:00:00.123+00:00"}, "2026-11-20T14:45:00+01:00", "2026-11-20T15:00:00+01:00"),
        ({"before": "2026-07-01 14:00:00"}, "2026-07-01T13:45:00+02:00", "2026-07-01T14:00:00+02:00"),
        ({"after": "2026-11-20 14:00", "before": "2026-11-20 15:00"}, "2026-11-20T14:00:00+01:00", "2026-11-20T15:00:00+01:00"),
        ({"doneAfter": "2026-11-20 14:00"}, "2026-11-20T14:00:00+01:00", "2026-11-20T14:15:00+01:00"),
        ({"before": "2026-11-20 15:00", "doneBefore": "2026-11-20 19:00"}, "2026-11-20T14:45:00+01:00", "2026-11-20T15:00:00+01:00"),
        ({"timeSlot": "2026-11-20 16:00-17:00"}, "2026-11-20T16:00:00+01:00", "2026-11-20T17:00:00+01:00"),
        ({"timeSlot": "2026-11-20T15:00:00Z/2026-11-20T16:00:00Z"}, "2026-11-20T16:00:00+01:00", "2026-11-20T17:00:00+01:00"),
        ({"timeSlot": ["2026-11-20 16:00", "2026-11-20 17:00"]}, "2026-11-20T16:00:00+01:00", "2026-11-20T17:00:00+01:00"),
        ({"timeSlot": "2026-11-20 22:00-02:00"}, "2026-11-20T22:00:00+01:00", "2026-11-21T02:00:00+01:00"),
        ({"timeSlot": "2026-11-20 16:00-17:00", "before": "tomorrow"}, "2026-11-20T16:00:00+01:00", "2026-11-20T17:00:00+01:00"),
        ({"timeSlot": "", "before": "today 15:00"}, "2026-11-20T14:45:00+01:00", "2026-11-20T15:00:00+01:00"),
    ],
)
def test_windows(world: World, written: dict[str, Any], after: str, before: str) -> None:
    dropoff = make(world, {"dropoff": {"address": "48, Rue de Rivoli, Paris", **written}})["dropoff"]
    assert (dropoff["after"], dropoff["before"]) == (after, before)
    assert (dropoff["doneAfter"], dropoff["doneBefore"]) == (after, before)


def test_a_slot_is_checked_only_when_it_is_named(world: World) -> None:
    slot = TimeSlot.objects.create(name="Afternoons", opening_hours=["Mo-Fr 14:00-15:00"])
    world.store.time_slot = slot
    world.store.save()
    named = {"address": "48, Rue de Rivoli", "timeSlotUrl": f"/api/time_slots/{slot.pk}"}
    make(world, {"dropoff": {**named, "timeSlot": "2026-11-20T13:00:00Z/2026-11-20T14:00:00Z"}})
    refused = world["client"].post("/api/deliveries", {"dropoff": {**named, "timeSlot": "2026-11-20 16:00-17:00"}})
    assert (refused.status_code, refused.json()["hydra:description"]) == (400, "task.timeSlot.invalid")


def test_a_slot_that_is_not_the_stores_is_not_there(world: World) -> None:
    world.store.time_slot = TimeSlot.objects.create(name="Own", opening_hours=["Mo-Fr 14:00-15:00"])
    world.store.save()
    other = TimeSlot.objects.create(name="Another's", opening_hours=["Mo-Fr 14:00-15:00"])
    sent = {"dropoff": {**RIVOLI, "timeSlotUrl": f"/api/time_slots/{other.pk}"}}
    for refused in (
        world["client"].post("/api/deliveries", sent),
        world["client"].put(f"/api/deliveries/{world.delivery.pk}", sent),
        world["dispatcher"].post("/api/deliveries", {**sent, "store": f"/api/stores/{world.store.pk}"}),
    ):
        assert (refused.status_code, refused.json()["hydra:description"]) == (400, f'Item not found for "/api/time_slots/{other.pk}".')


@pytest.mark.parametrize(
    "address",
    [
        {"streetAddress": "Somewhere", "latLng": [48.8571234, 2.3537]},
        {"streetAddress": "Somewhere", "latLng": ["48.8571234", "2.3537"]},
        {"streetAddress": "Somewhere", "geo": {"latitude": 48.8571234, "longitude": 2.3537}},
        {"latLng": [48.8571234, 2.3537], "name": "Somewhere"},
    ],
)
def test_a_point_comes_back_exactly(world: World, address: Any) -> None:
    shown = make(world, {"dropoff": {**RIVOLI, "address": address}})["dropoff"]["address"]
    assert (shown["geo"]["latitude"], shown["geo"]["longitude"], shown["streetAddress"]) == (48.8571234, 2.3537, "Somewhere")


def test_a_point_beside_the_address_is_for_want_of_one_inside(world: World) -> None:
    beside = {**RIVOLI, "latLng": [48.5, 2.5]}
    assert make(world, {"dropoff": beside})["dropoff"]["address"]["geo"]["latitude"] == 48.5
    inside = {**beside, "address": {"streetAddress": "x", "latLng": [48.6, 2.6]}}
    assert make(world, {"dropoff": inside})["dropoff"]["address"]["geo"]["latitude"] == 48.6


@pytest.mark.parametrize(
    ("written", "kept"), [("0612345678", "+33612345678"), ("+351 912 345 678", "+351912345678"), ("", None), (False, None), (None, None)]
)
def test_telephones(world: World, written: Any, kept: str | None) -> None:
    address = {"streetAddress": "x", "latLng": [48.6, 2.6], "telephone": written}
    assert make(world, {"dropoff": {**RIVOLI, "address": address}})["dropoff"]["address"]["telephone"] == kept


def test_a_known_address_is_used_again(world: World) -> None:
    iri = f"/api/addresses/{world.store.address_id}"
    made = make(world, {"pickup": {"address": iri}, "dropoff": RIVOLI})
    assert made["pickup"]["address"]["@id"] == iri
    again = make(world, {"dropoff": {**RIVOLI, "address": made["dropoff"]["address"]["@id"]}})
    assert again["dropoff"]["address"] == made["dropoff"]["address"]
    same = make(world, {"dropoff": {**RIVOLI, "address": made["dropoff"]["address"]}})
    assert same["dropoff"]["address"]["@id"] == made["dropoff"]["address"]["@id"]


def test_a_known_address_with_changes_is_another(world: World) -> None:
    iri = f"/api/addresses/{world.store.address_id}"
    made = make(world, {"dropoff": {**RIVOLI, "address": {"@id": iri, "contactName": "Ada"}}})
    assert made["dropoff"]["address"]["@id"] != iri
    assert made["dropoff"]["address"]["streetAddress"] == world.store.address.street_address
    assert Address.objects.get(pk=world.store.address_id).contact_name == ""


def test_a_neighbours_address_is_not_there(world: World) -> None:
    iri = f"/api/addresses/{world.neighbour.address_id}"
    refused = world["client"].post("/api/deliveries", {"dropoff": {**RIVOLI, "address": iri}})
    assert (refused.status_code, refused.json()["hydra:description"]) == (400, f'Item not found for "{iri}".')


@pytest.mark.parametrize("pickup", [None, {}, [], {"address": None}, {"address": ""}])
def test_without_a_pickup_it_starts_at_the_store(world: World, pickup: Any) -> None:
    made = make(world, {"pickup": pickup, "dropoff": RIVOLI})
    assert made["pickup"]["address"]["@id"] == f"/api/addresses/{world.store.address_id}"
    due, picked = (task["before"] for task in (made["dropoff"], made["pickup"]))
    assert picked < due


def test_two_tasks_are_a_pickup_and_a_dropoff(world: World) -> None:
    made = make(world, {"tasks": [{"type": "dropoff", "address": "24, Rue de la Paix, Paris"}, {"type": "pickup", **RIVOLI}]})
    assert [task["type"] for task in made["tasks"]] == ["PICKUP", "DROPOFF"]
    pickup = world["client"].get(made["tasks"][0]["@id"]).json()
    assert pickup["next"] == made["tasks"][1]["@id"]


def test_three_tasks_keep_their_types(world: World) -> None:
    other = {"address": "10, Rue de Turbigo", "latLng": [48.86, 2.35], "before": "2026-11-20 16:00", "weight": 500}
    made = make(world, {"tasks": [{"type": "PickUp"}, {**RIVOLI, "weight": "1000"}, other]})
    assert [task["type"] for task in made["tasks"]] == ["PICKUP", "DROPOFF", "DROPOFF"]
    assert [task["weight"] for task in made["tasks"]] == [1500, 1000, 500]
    assert made["pickup"]["comments"] == "1.50 kg"
    assert made["dropoff"]["@id"] == made["tasks"][2]["@id"]
    assert [task["metadata"]["delivery_position"] for task in made["tasks"]] == [1, 2, 3]
    assert {world["client"].get(task["@id"]).json()["previous"] for task in made["tasks"][1:]} == {made["tasks"][0]["@id"]}


def test_loads_metadata_and_tags_in_their_forms(world: World) -> None:
    boxes = PackageSet.objects.create(name="Boxes")
    Package.objects.create(package_set=boxes, name="XL", short_code="X", volume_units=3)
    for slug in ("cold", "heavy"):
        Tag.objects.create(name=slug.upper(), slug=slug)
    world.store.package_set = boxes
    world.store.save()
    for tags in ("cold heavy nonsense", ["cold", "heavy"], [{"slug": "cold"}, {"slug": "heavy", "name": "H"}]):
        packages = [{"type": "XL", "quantity": "1"}, {"type": "XL", "quantity": 1}, {"type": "gone", "quantity": 9}]
        dropoff = make(world, {"dropoff": {**RIVOLI, "tags": tags, "metadata": "foo=bar n=1 junk", "packages": packages}})["dropoff"]
        assert [tag["slug"] for tag in dropoff["tags"]] == ["cold", "heavy"]
        assert (dropoff["metadata"]["foo"], dropoff["metadata"]["n"]) == ("bar", "1")
        assert [(one["name"], one["short_code"], one["quantity"]) for one in dropoff["packages"]] == [("XL", "X", 2)]
    beside = make(world, {"dropoff": RIVOLI, "weight": 6000, "packages": [{"type": "XL", "quantity": 2}]})
    assert beside["dropoff"]["weight"] == 6000
    assert beside["pickup"]["comments"] == "2 × XL\n6.00 kg"


def test_the_words_of_the_system_cannot_be_taken(world: World) -> None:
    dropoff = make(world, {"dropoff": {**RIVOLI, "metadata": {"order_total": 1, "delivery_position": 9}}})["dropoff"]
    assert (dropoff["metadata"]["order_total"], dropoff["metadata"]["delivery_position"]) == (0, 2)


@pytest.mark.parametrize(("caller", "total", "state"), [("dispatcher", 1250, "accepted"), ("client", 0, "new")])
def test_a_price_is_the_desks_to_set(world: World, caller: str, total: int, state: str) -> None:
    body = {
        "store": f"/api/stores/{world.store.pk}",
        "dropoff": RIVOLI,
        "order": {"arbitraryPrice": {"variantPrice": 1250, "variantName": "Odd"}},
    }
    made = make(world, body, caller)
    assert made["order"]["total"] == total
    assert Task.objects.select_related("delivery__order").get(pk=made["pickup"]["id"]).delivery.order.status == state  # type: ignore[union-attr]  # it has one


@pytest.mark.parametrize(
    ("supplement", "message"),
    [
        ({"quantity": 1}, "This value should not be blank."),
        ({"pricingRule": "/api/pricing_rules/1"}, "This rule is not one of the store's."),
    ],
)
def test_supplements_are_rules_of_the_store(world: World, supplement: Any, message: str) -> None:
    body = {"store": f"/api/stores/{world.store.pk}", "dropoff": RIVOLI, "order": {"manualSupplements": [supplement]}}
    refused = world["dispatcher"].post("/api/deliveries", body)
    assert refused.status_code == 400
    assert refused.json()["violations"] == [{"propertyPath": "order.manualSupplements[0][pricingRule]", "message": message, "code": None}]
    make(world, body)


def test_cash_on_delivery_where_it_is_taken(world: World) -> None:
    world.store.cash_on_delivery = True
    world.store.save()
    assert make(world, {"dropoff": RIVOLI, "order": {"paymentMethod": "cash_on_delivery"}})["order"]["paymentGateway"] == "cash_on_delivery"


@pytest.mark.parametrize(("caller", "assigned"), [("dispatcher", "bob"), ("client", None)])
def test_only_the_desk_names_a_courier(world: World, caller: str, assigned: str | None) -> None:
    made = make(world, {"store": f"/api/stores/{world.store.pk}", "dropoff": {**RIVOLI, "assignedTo": "Bob"}}, caller)
    assert world["dispatcher"].get(made["dropoff"]["@id"]).json()["assignedTo"] == assigned


def test_the_desk_is_told_of_a_courier_who_is_not_there(world: World) -> None:
    sent = {"store": f"/api/stores/{world.store.pk}", "dropoff": {**RIVOLI, "assignedTo": "nobody"}}
    for refused in (
        world["dispatcher"].post("/api/deliveries", sent),
        world["dispatcher"].put(f"/api/deliveries/{world.delivery.pk}", {"tasks": [{}, {**RIVOLI, "assignedTo": "nobody"}]}),
    ):
        assert refused.status_code == 400
        assert refused.json()["violations"] == [
            {"propertyPath": "items[1].task.assignedTo", "message": "There is no courier “nobody”.", "code": None}
        ]
    make(world, sent)
    make(world, {"dropoff": {**RIVOLI, "assignedTo": {"username": "bob"}}})


def test_an_address_to_be_reviewed_is_marked_until_it_is_found(world: World) -> None:
    made = make(world, {"dropoff": {**RIVOLI, "address": "1, Nowhere Lane", "metadata": {"address_needs_review": "never"}}})
    path = made["dropoff"]["@id"]
    assert made["dropoff"]["metadata"]["address_needs_review"] is True
    assert world["client"].get(path).json()["metadata"]["address_needs_review"] is True
    assert "address_needs_review" not in made["pickup"]["metadata"]
    Address.objects.filter(tasks=made["dropoff"]["id"]).update(needs_review=False)
    assert "address_needs_review" not in world["client"].get(path).json()["metadata"]
    assert "address_needs_review" not in world["client"].get(made["@id"]).json()["dropoff"]["metadata"]


def test_unknown_keys_are_passed_over(world: World) -> None:
    sent = {"rrule": "FREQ=WEEKLY", "whatever": {"a": [1]}, "dropoff": {**RIVOLI, "ref": "x-trace", "barcodes": []}}
    made = make(world, sent)
    task = world["client"].get(made["dropoff"]["@id"]).json()
    assert (task["recurrenceRule"], task["metadata"].keys()) == (None, made["dropoff"]["metadata"].keys())
    assert task["ref"] != "x-trace"
    for answer in (made, task, world["client"].get(made["@id"]).json()):
        assert not {"FREQ=WEEKLY", "x-trace", "whatever"} & set(re.findall(r"[\w=-]+", str(answer)))
    row = Task.objects.select_related("delivery__order").get(pk=task["id"])
    assert "x-trace" not in str(vars(row))
    assert row.delivery is not None
    assert "FREQ" not in str(vars(row.delivery)) + str(vars(row.delivery.order))
