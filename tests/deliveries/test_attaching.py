"""An order gets its delivery: from the carrier that makes it, or with a quote of the house."""

from datetime import timedelta
from typing import Any

import pytest

from deliveries import booking
from deliveries.booking import AlreadyDelivered
from deliveries.models import Delivery
from deliveries.statuses import DeliveryStatus, agree
from quotes.models import DeliveryQuote
from quotes.offers import NotForDelivery, NotYourFleet
from stores.actors import SYSTEM, Actor, ActorKind
from stores.models import Order, ServiceType
from stores.places import Place, Point
from tests import factories
from tests.deliveries import rows
from tests.deliveries.geocoding import FakeGeocoder
from tests.deliveries.rows import LATER
from tests.factories import NOON

pytestmark = pytest.mark.django_db

DUE = NOON + timedelta(hours=2)
QUARTER = timedelta(minutes=15)
RIVOLI = Place("48 Rue de Rivoli", "75004", "Paris", "FR", Point(48.8566, 2.3533))


@pytest.mark.parametrize(
    ("status", "tasks"),
    [
        ("pending", ["TODO", "TODO"]),
        ("pickup_enroute", ["DOING", "TODO"]),
        ("pickup_approaching", ["DOING", "TODO"]),
        ("pickup_waiting", ["DOING", "TODO"]),
        ("dropoff_enroute", ["DONE", "TODO"]),
        ("dropoff_approaching", ["DONE", "DOING"]),
        ("dropoff_waiting", ["DONE", "DOING"]),
        ("delivered", ["DONE", "DONE"]),
        ("cancelled", ["CANCELLED", "CANCELLED"]),
    ],
)
def test_a_carrier_may_begin_with_any_status(status: str, tasks: list[str]) -> None:
    order = factories.order()
    delivery = rows.attached(order, status=status, fee_cents=450, driver_name="Ada")
    assert (delivery.status, delivery.order, delivery.store, delivery.by_house) == (status, order, order.store, False)
    assert (delivery.carrier, delivery.fee_cents, delivery.driver_name) == ("Coursier", 450, "Ada")
    assert rows.statuses(delivery) == tasks
    assert agree(DeliveryStatus(delivery.status), rows.tasks(delivery))
    assert [task.finished_at for task in rows.tasks(delivery)] == [NOON if now == "DONE" else None for now in tasks]
    assert [event.kind for event in rows.told()] == ["order.created", "delivery.created", "task.created", "task.created"]


def test_the_courier_reads_code_and_wishes_of_the_customer() -> None:
    order = factories.order(collection_code="A7", customer_notes="No cutlery")
    assert rows.tasks(rows.attached(order))[1].comments == "Code A7\nNo cutlery"


def test_a_till_customers_address_is_looked_up_whole(geocoder: FakeGeocoder) -> None:
    geocoder.known = {"48, Rue de Rivoli, 75004 Paris": RIVOLI}
    dropoff = rows.tasks(rows.attached(factories.order()))[1].address
    assert (dropoff.point, dropoff.contact_name, dropoff.needs_review) == (RIVOLI.point, "Ada Lovelace", False)


@pytest.mark.parametrize(
    ("customer", "street", "point"),
    [
        ({}, "Address not given", None),
        ({"address_1": "nowhere", "latitude": "0", "longitude": "0.0"}, "nowhere", None),
        ({"address_1": "nowhere", "latitude": "48.1", "longitude": None}, "nowhere", None),
        ({"address_1": "nowhere", "latitude": "48.1", "longitude": "2.1"}, "nowhere", (48.1, 2.1)),
        ({"address_1": "nowhere", "latitude": 148.1, "longitude": 2.1}, "nowhere", None),
        ({"address_1": "a", "address_2": "b", "postal_code": "1", "city": "c"}, "a, b, 1 c", None),
        ({"address_1": "x" * 600, "first_name": "y" * 300, "postal_code": "9" * 30}, "x" * 512, None),
    ],
)
def test_an_order_is_never_lost_to_its_customers_address(
    geocoder: FakeGeocoder, customer: dict[str, Any], street: str, point: tuple[float, float] | None
) -> None:
    order = factories.order()
    Order.objects.filter(pk=order.pk).update(customer=customer)
    order.refresh_from_db()
    dropoff = rows.tasks(rows.attached(order))[1].address
    assert dropoff.street_address == street
    assert dropoff.point == (Point(*point) if point else order.store.address.point)
    assert dropoff.needs_review == (point is None)


@pytest.mark.parametrize(
    ("order_fields", "estimates", "windows"),
    [
        # minutes after noon at which the pickup and the dropoff end; None is the way after or before the other
        ({}, {}, (15, None)),
        ({"expected_time": NOON + timedelta(hours=1)}, {}, (None, 60)),
        ({"expected_time": NOON + timedelta(hours=1), "expected_time_pickup": True}, {}, (60, None)),
        ({}, {"estimated_pickup_at": NOON + timedelta(minutes=30)}, (30, None)),
        ({}, {"estimated_dropoff_at": NOON + timedelta(minutes=90)}, (None, 90)),
        ({"expected_time": DUE}, {"estimated_pickup_at": NOON, "estimated_dropoff_at": NOON + QUARTER}, (0, 15)),
        ({}, {"estimated_pickup_at": NOON + QUARTER, "estimated_dropoff_at": NOON}, (15, None)),
    ],
)
def test_windows_of_a_till_order(order_fields: dict[str, Any], estimates: dict[str, Any], windows: tuple[int | None, int | None]) -> None:
    delivery = rows.attached(factories.order(**order_fields), **estimates)
    pickup, dropoff = rows.tasks(delivery)
    way = timedelta(seconds=delivery.duration)
    first, last = (None if end is None else NOON + timedelta(minutes=end) for end in windows)
    assert pickup.before == (first or (last - way if last else None))
    assert dropoff.before == (last or (first + way if first else None))
    assert (pickup.after, dropoff.after) == (pickup.before - QUARTER, dropoff.before - QUARTER)


@pytest.mark.parametrize("service_type", [ServiceType.COLLECTION, ServiceType.EAT_IN, None])
def test_what_is_not_delivered_has_no_delivery(service_type: ServiceType | None) -> None:
    order = factories.order(service_type=service_type)
    before = rows.everything()
    with pytest.raises(NotForDelivery):
        rows.attached(order)
    assert rows.everything() == before


@pytest.mark.parametrize("status", ["pending", "cancelled", "delivered"])
def test_an_order_has_one_delivery_be_it_over(status: str) -> None:
    order = factories.order()
    rows.attached(order, status=status)
    before = rows.everything()
    with pytest.raises(AlreadyDelivered, match=r"^The order already has a delivery\.$"):
        rows.attached(order)
    assert rows.everything() == before


def test_an_outside_carrier_does_not_sign_as_the_house() -> None:
    order = factories.order()
    outside = Actor(kind=ActorKind.CLIENT, name="Coursier", carrier_ref="cours")
    with pytest.raises(NotYourFleet) as refused:
        rows.attached(order, by=outside, carrier_ref="relais")
    assert refused.value.path == ("carrier_ref",)
    assert rows.attached(order, carrier_ref="relais").by_house


def test_accepting_the_houses_quote_books_it() -> None:
    order = factories.order()
    accepted = booking.accept_quote(rows.quoted(order, house=True), by=SYSTEM, at=LATER)
    delivery = Delivery.objects.get(order=order)
    assert (accepted.accepted_at, delivery.quote, delivery.status, delivery.by_house) == (LATER, accepted, "pending", True)
    assert (delivery.carrier, delivery.carrier_ref, delivery.fee_cents) == ("House", "relais", 450)
    assert (delivery.estimated_pickup_at, delivery.estimated_dropoff_at) == (NOON + timedelta(minutes=30), NOON + timedelta(minutes=50))
    assert [task.before for task in rows.tasks(delivery)] == [delivery.estimated_pickup_at, delivery.estimated_dropoff_at]
    kinds = ["order.created", "quote.created", "quote.accepted", "delivery.created", "task.created", "task.created"]
    assert [event.kind for event in rows.told()] == kinds
    assert rows.told()[2].data == {"carrier": "House", "ref": "q1"}
    assert (rows.told()[2].quote, rows.told()[2].order) == (accepted, order)


def test_accepting_an_outside_carriers_quote_books_nothing() -> None:
    order = factories.order()
    accepted = booking.accept_quote(rows.quoted(order, house=False), by=SYSTEM, at=LATER)
    assert accepted.accepted_at == LATER
    assert not Delivery.objects.exists()
    assert [event.kind for event in rows.told()] == ["order.created", "quote.created", "quote.accepted"]


@pytest.mark.parametrize("house", [True, False])
def test_accepting_again_changes_nothing(house: bool) -> None:
    offered = rows.quoted(factories.order(), house=house)
    booking.accept_quote(offered, by=SYSTEM, at=LATER)
    before = rows.everything()
    stale = DeliveryQuote.objects.get(pk=offered.pk)
    stale.accepted_at = None
    for again in (offered, stale):
        assert booking.accept_quote(again, by=SYSTEM, at=LATER + QUARTER).accepted_at == LATER
    assert rows.everything() == before


def test_a_second_quote_of_the_house_is_accepted_and_books_nothing_more() -> None:
    order = factories.order()
    first, second = rows.quoted(order, house=True), rows.quoted(order, house=True)
    booking.accept_quote(first, by=SYSTEM, at=NOON)
    assert booking.accept_quote(second, by=SYSTEM, at=LATER).accepted_at == LATER
    assert Delivery.objects.get().quote == first


def test_a_quote_accepted_for_an_order_that_another_carries_already_books_nothing() -> None:
    order = factories.order()
    offered = rows.quoted(order, house=True)
    rows.attached(order)
    assert booking.accept_quote(offered, by=SYSTEM, at=LATER).accepted_at == LATER
    assert Delivery.objects.get().carrier == "Coursier"


def test_the_customers_telephone_is_one_that_a_courier_can_dial() -> None:
    for written, kept in (("06 12 34 56 78", "+33612345678"), ("06 12 34 56 78 ask for Ana", "06 12 34 56 78 ask for Ana"), (None, "")):
        customer = {"first_name": "Ada", "address_1": "48, Rue de Rivoli", "city": "Paris", "phone": written}
        delivery = rows.attached(factories.order(customer=customer))
        assert rows.tasks(delivery)[1].address.telephone == kept
