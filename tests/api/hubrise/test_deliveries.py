"""Deliveries: what may be attached, nine statuses in any order, the times they write, and what never changes."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from time_machine import Traveller

from deliveries import couriers, transitions
from deliveries.models import Courier, Delivery, Event, Task
from deliveries.statuses import MOMENTS, DeliveryStatus, TaskStatus, agree
from stores.actors import SYSTEM
from stores.models import ServiceType
from stores.places import Point
from tests import factories
from tests.api.hubrise.till import DELIVERY, POSITION, Scene, Till, scene
from tests.factories import NOON

pytestmark = pytest.mark.django_db

NOW = "2026-11-20T12:00:00+01:00"
LATER = "2026-11-20T12:10:00+01:00"
BEFORE = "2026-11-20T09:15:30+01:00"
MOMENT_NAMES = ("assigned_at", "pickup_at", "delivered_at", "cancelled_at")
WRITES: list[tuple[str, str | None]] = [(status.value, MOMENTS.get(status)) for status in DeliveryStatus]


@pytest.fixture
def shop(noon: Traveller) -> Scene:
    return scene()


def attach(shop: Scene, **fields: Any) -> dict[str, Any]:
    """A delivery of the document on the shop's order, as answered."""
    reply = shop.till.post(f"{shop.path}/delivery", DELIVERY | fields)
    assert reply.status == 200, reply.raw
    answered: dict[str, Any] = reply.json
    return answered


def report(shop: Scene, **fields: Any) -> dict[str, Any]:
    """The delivery after a PATCH."""
    reply = shop.till.patch(f"{shop.path}/delivery", fields)
    assert reply.status == 200, reply.raw
    answered: dict[str, Any] = reply.json
    return answered


def moments(delivery: dict[str, Any]) -> dict[str, str]:
    """The times that are set."""
    return {name: delivery[name] for name in MOMENT_NAMES if delivery[name] is not None}


# Creating


def test_carrier_and_status_are_enough(shop: Scene) -> None:
    reply = shop.till.post(f"{shop.path}/delivery", {"carrier": "UPS", "status": "pending"})
    given = {"id", "order_id", "location_id", "carrier", "status"}
    assert reply.status == 200
    assert {name for name, value in reply.json.items() if value is not None} == given


@pytest.mark.parametrize("missing", ["carrier", "status"])
def test_carrier_and_status_are_required(shop: Scene, missing: str) -> None:
    body = {name: value for name, value in DELIVERY.items() if name != missing}
    reply = shop.till.post(f"{shop.path}/delivery", body)
    assert (reply.status, reply.fields) == (422, [f"/{missing}"])
    assert not Delivery.objects.exists()


def test_every_optional_field_may_be_null(shop: Scene) -> None:
    optional = {name: None for name in DELIVERY if name not in ("carrier", "status")}
    answered = attach(shop, **optional)
    assert all(answered[name] is None for name in optional)


def test_an_order_has_one_delivery_even_a_cancelled_one(shop: Scene) -> None:
    attach(shop, status="cancelled")
    reply = shop.till.post(f"{shop.path}/delivery", DELIVERY)
    assert reply.status == 422
    assert reply.json == {"message": "The order already has a delivery.", "error_type": "unprocessable_entity"}
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("service_type", [None, ServiceType.COLLECTION, ServiceType.EAT_IN])
def test_only_orders_to_deliver_get_deliveries_and_quotes(noon: Traveller, service_type: ServiceType | None) -> None:
    shop = scene(service_type=service_type)
    for call, body in (("delivery", DELIVERY), ("delivery_quotes", DELIVERY)):
        reply = shop.till.post(f"{shop.path}/{call}", body)
        assert (reply.status, reply.json["error_type"]) == (422, "unprocessable_entity")
    assert shop.till.get(f"{shop.path}/delivery").status == 404
    assert shop.till.get(f"{shop.path}/delivery_quotes").json == []


@pytest.mark.parametrize(("status", "moment"), WRITES)
def test_a_first_status_writes_its_time(shop: Scene, status: str, moment: str | None) -> None:
    answered = attach(shop, status=status)
    assert answered["status"] == status
    assert moments(answered) == ({moment: NOW} if moment else {})


@pytest.mark.parametrize(("status", "moment"), [pair for pair in WRITES if pair[1]])
@pytest.mark.parametrize("given", [BEFORE, None])
def test_a_first_status_leaves_a_given_time_alone(shop: Scene, status: str, moment: str, given: str | None) -> None:
    assert moments(attach(shop, status=status, **{moment: given})) == ({moment: given} if given else {})


# Statuses


@pytest.mark.parametrize("old", DeliveryStatus.values)
@pytest.mark.parametrize("new", DeliveryStatus.values)
def test_any_status_may_follow_any_and_the_tasks_follow(noon: Traveller, old: str, new: str) -> None:
    shop = scene()
    before = attach(shop, status=old)
    noon.shift(timedelta(minutes=10))
    answered = report(shop, status=new)
    assert answered["status"] == new
    assert agree(DeliveryStatus(new), Task.objects.all())
    written = {MOMENTS[DeliveryStatus(new)]: LATER} if old != new and DeliveryStatus(new) in MOMENTS else {}
    assert moments(answered) == moments(before) | written


def test_a_skipped_status_writes_no_time(shop: Scene) -> None:
    attach(shop)
    assert moments(report(shop, status="delivered")) == {"delivered_at": NOW}


@pytest.mark.parametrize(("status", "moment"), [pair for pair in WRITES if pair[1]])
@pytest.mark.parametrize("given", [BEFORE, None])
def test_a_time_in_the_same_report_wins(shop: Scene, status: str, moment: str, given: str | None) -> None:
    attach(shop)
    assert moments(report(shop, status=status, **{moment: given})) == ({moment: given} if given else {})


def test_a_status_reported_again_leaves_its_time(noon: Traveller) -> None:
    shop = scene()
    attach(shop, status="pickup_enroute")
    noon.shift(timedelta(minutes=10))
    assert moments(report(shop, status="pickup_enroute")) == {"assigned_at": NOW}
    report(shop, status="pending")
    assert moments(report(shop, status="pickup_enroute")) == {"assigned_at": LATER}


def test_times_may_be_set_and_cleared_alone(shop: Scene) -> None:
    attach(shop, status="delivered")
    assert moments(report(shop, pickup_at=BEFORE)) == {"pickup_at": BEFORE, "delivered_at": NOW}
    assert moments(report(shop, pickup_at=None, delivered_at=None)) == {}


def test_an_outside_carriers_order_is_not_moved_along(shop: Scene) -> None:
    attach(shop)
    report(shop, status="delivered")
    assert shop.till.get(shop.path).json["status"] == "new"


# Changing


OPEN_VALUES = {
    "ref": "other",
    "estimated_pickup_at": "2023-01-01T12:17:00+01:00",
    "estimated_dropoff_at": "2023-01-01T12:29:00+01:00",
    "tracking_url": "https://example.org/1",
    "driver_pickup_url": "https://example.org/2",
    "driver_name": "Ana",
    "driver_phone": "0612345678 ext. 4",
    "driver_phone_access_code": "99#",
    "driver_latitude": "-33.5",
    "driver_longitude": "0.0000001",
    "assigned_at": BEFORE,
    "pickup_at": BEFORE,
    "delivered_at": BEFORE,
    "cancelled_at": BEFORE,
}


@pytest.mark.parametrize(("name", "value"), OPEN_VALUES.items())
def test_each_open_field_changes_alone_and_null_clears_it(shop: Scene, name: str, value: str) -> None:
    before = attach(shop)
    assert report(shop, **{name: value}) == before | {name: value}
    assert shop.till.get(f"{shop.path}/delivery").json == before | {name: value}
    assert report(shop, **{name: None}) == before | {name: None}


@pytest.mark.parametrize(
    ("name", "other"), [("carrier", "DHL"), ("carrier_ref", "dhl"), ("carrier_ref", None), ("fee", "4.51 EUR"), ("fee", None)]
)
def test_frozen_fields_refuse_another_value(shop: Scene, name: str, other: str | None) -> None:
    before = attach(shop)
    reply = shop.till.patch(f"{shop.path}/delivery", {name: other, "ref": "changed"})
    assert (reply.status, reply.fields) == (422, [f"/{name}"])
    assert shop.till.get(f"{shop.path}/delivery").json == before


def test_the_whole_object_may_be_sent_back(shop: Scene) -> None:
    before = attach(shop)
    assert report(shop, **before) == before
    assert report(shop, **before | {"status": "pickup_enroute"})["status"] == "pickup_enroute"


def test_frozen_fields_that_are_empty_may_come_as_null(shop: Scene) -> None:
    attach(shop, carrier_ref=None, fee=None)
    assert report(shop, carrier_ref=None, fee=None, ref="x")["ref"] == "x"


def test_a_report_of_nothing_changes_nothing(shop: Scene) -> None:
    before, events = attach(shop), Event.objects.count()
    assert report(shop) == before
    assert Event.objects.count() == events


# Positions


def test_a_position_is_one_statement_without_a_trace(shop: Scene) -> None:
    before, events = attach(shop, **dict.fromkeys(POSITION)), Event.objects.count()
    assert report(shop, **POSITION) == before | POSITION
    assert Event.objects.count() == events
    assert shop.till.get(f"{shop.path}/delivery").json == before | POSITION


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("48.856614", "48.856614"),
        ("2.3522219", "2.3522219"),
        (48.5, "48.5"),
        (48, "48.0"),
        ("-0.0000001", "-0.0000001"),
        ("0", "0.0"),
        (1e-7, "0.0000001"),
    ],
)
def test_positions_come_back_as_decimal_strings(shop: Scene, sent: Any, shown: str) -> None:
    attach(shop)
    assert report(shop, driver_latitude=sent)["driver_latitude"] == shown


@pytest.mark.parametrize("latitude", ["90.1", "-91", 90.5, "north", "", "NaN", "1e1", True, [], {}, 1e300, "9" * 400])
def test_positions_out_of_this_world_are_refused(shop: Scene, latitude: Any) -> None:
    before = attach(shop)
    reply = shop.till.patch(f"{shop.path}/delivery", {"driver_latitude": latitude, "driver_longitude": "180.01"})
    assert (reply.status, reply.fields) == (422, ["/driver_latitude", "/driver_longitude"])
    assert shop.till.get(f"{shop.path}/delivery").json == before


# Deliveries of the house


def with_courier(shop: Scene) -> tuple[Delivery, Courier]:
    """The shop's order, carried by a courier of the house who was just seen."""
    shop.till.post(f"{shop.path}/delivery", {"carrier": "Relais", "carrier_ref": "relais", "status": "pending"})
    courier = factories.CourierFactory.create(user__first_name="Ana", user__last_name="Lima", user__telephone="+33611111111")
    couriers.locate(courier, Point(48.86, 2.35), at=NOON)
    task = Task.objects.get(type="PICKUP")
    transitions.assign(task, courier, by=SYSTEM, at=NOON)
    return Delivery.objects.get(), courier


def test_the_houses_courier_is_the_driver(noon: Traveller) -> None:
    shop = scene()
    delivery, _ = with_courier(shop)
    shown = shop.till.get(f"{shop.path}/delivery").json
    assert delivery.by_house
    assert (shown["driver_name"], shown["driver_phone"]) == ("Ana Lima", "+33611111111")
    assert (shown["driver_latitude"], shown["driver_longitude"]) == ("48.86", "2.35")
    assert shown["tracking_url"] == f"{settings.BASE_URL}/en/pub/d/{delivery.tracking_token}"
    assert report(shop, **shown) == shown
    delivery.refresh_from_db()
    assert (delivery.tracking_url, delivery.driver_name, delivery.driver_latitude) == ("", "", None)
    noon.shift(timedelta(hours=1))
    assert shop.till.get(f"{shop.path}/delivery").json["driver_latitude"] is None


def test_what_is_reported_stands_before_the_courier(noon: Traveller) -> None:
    shop = scene()
    with_courier(shop)
    answered = report(shop, driver_name="Bo", tracking_url="https://example.org/t", **POSITION)
    assert (answered["driver_name"], answered["tracking_url"], answered["driver_phone"]) == ("Bo", "https://example.org/t", "+33611111111")
    assert answered["driver_latitude"] == POSITION["driver_latitude"]


def test_the_tracking_page_opens(shop: Scene) -> None:
    shop.till.post(f"{shop.path}/delivery", {"carrier": "Relais", "carrier_ref": "relais", "status": "pending"})
    url = shop.till.get(f"{shop.path}/delivery").json["tracking_url"]
    assert Till(None, prefix="").get(url.removeprefix(settings.BASE_URL)).status == 200


def test_what_couriers_do_is_seen(noon: Traveller) -> None:
    shop = scene()
    delivery, _ = with_courier(shop)
    transitions.pick(delivery, by=SYSTEM, at=NOON)
    shown = shop.till.get(f"{shop.path}/delivery").json
    assert (shown["status"], shown["pickup_at"]) == ("dropoff_enroute", NOW)
    assert shop.till.get(shop.path).json["status"] == "in_delivery"
    report(shop, status="delivered")
    assert set(Task.objects.values_list("status", flat=True)) == {TaskStatus.DONE}


def test_an_outside_carrier_does_not_sign_as_the_house(shop: Scene) -> None:
    carrier = Till(factories.hubrise_token(store=shop.store, carrier_ref="ups"))
    house = DELIVERY | {"carrier_ref": "relais"}
    for call in ("delivery", "delivery_quotes"):
        reply = carrier.post(f"{shop.path}/{call}", house)
        assert (reply.status, reply.fields) == (422, ["/carrier_ref"])
    assert carrier.post(f"{shop.path}/delivery", DELIVERY).status == 200
