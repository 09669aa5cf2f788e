"""A request becomes a delivery: what is filled in, where the network is asked, and what a failure leaves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from deliveries import amending, booking, transitions
from deliveries.amending import StopChange
from deliveries.models import Delivery
from deliveries.statuses import TaskType
from deliveries.stops import AddressDraft, StopDraft
from stores import credentials, distances
from stores.actors import SYSTEM, Actor, ActorKind, Role
from stores.models import Store, Tag
from stores.places import Point
from tests import factories
from tests.deliveries import rows
from tests.deliveries.geocoding import FakeGeocoder
from tests.deliveries.rows import LATER
from tests.factories import NOON

pytestmark = pytest.mark.django_db

DUE = NOON + timedelta(hours=2)
QUARTER = timedelta(minutes=15)
SHOP = Actor(kind=ActorKind.USER, name="shop", roles=frozenset([Role.STORE_OWNER]))


def test_a_pickup_without_address_is_at_the_store_itself() -> None:
    store = factories.StoreFactory.create()
    pickup, dropoff = rows.tasks(factories.delivery(store, stops=[rows.stop("P", address=None), rows.stop("D")]))
    assert pickup.address_id == store.address_id
    assert dropoff.address_id != store.address_id


def test_an_address_of_the_address_book_is_taken_as_it_is() -> None:
    known = factories.AddressFactory.create()
    assert rows.tasks(factories.delivery(stops=[rows.stop("P"), rows.stop("D", address=known)]))[1].address == known


@pytest.mark.parametrize(
    ("given", "window"),
    [
        ({"before": DUE}, (DUE - QUARTER, DUE)),
        ({"before": None, "after": DUE}, (DUE, DUE + QUARTER)),
        ({"before": DUE, "after": NOON}, (NOON, DUE)),
    ],
)
def test_a_window_takes_a_quarter_of_an_hour_unless_given(given: dict[str, Any], window: tuple[datetime, datetime]) -> None:
    delivery = factories.delivery(stops=[rows.stop("P"), rows.stop("D", **given)])
    pickup, dropoff = rows.tasks(delivery)
    assert (dropoff.after, dropoff.before) == window
    ready = window[1] - timedelta(seconds=delivery.duration)
    assert (pickup.after, pickup.before) == (ready - QUARTER, ready)


def test_every_pickup_without_time_ends_as_long_before_the_first_dropoff_as_the_way_takes() -> None:
    stops = [rows.stop("P"), rows.stop("P", before=NOON), rows.stop("P"), rows.stop("D"), rows.stop("D", due=DUE + QUARTER)]
    delivery = factories.delivery(stops=stops)
    ready = DUE - timedelta(seconds=delivery.duration)
    assert [task.before for task in rows.tasks(delivery)] == [ready, NOON, ready, DUE, DUE + QUARTER]


def test_the_way_is_measured_through_all_stops() -> None:
    there, back = (48.85, 2.35), (48.87, 2.39)
    points = [there, back, there]
    stops = [rows.stop(letter, address=AddressDraft(street_address="x", point=point)) for letter, point in zip("PDD", points, strict=True)]
    delivery = factories.delivery(stops=stops)
    route = distances.router().route([Point(*point) for point in points])
    assert (delivery.distance, delivery.duration, delivery.polyline) == (route.distance_m, route.duration_s, route.polyline)
    assert delivery.distance > 2 * 3000
    assert len(distances.decode_polyline(delivery.polyline)) == 3


@pytest.mark.parametrize(
    ("shape", "previous", "following"),
    [
        ("PD", [None, 0], [1, None]),
        ("DP", [1, None], [None, 0]),
        ("PDD", [None, 0, 0], [None, None, None]),
        ("PPD", [None, None, None], [None, None, None]),
        ("PPDD", [None] * 4, [None] * 4),
    ],
)
def test_stops_are_linked_to_a_lone_pickup(shape: str, previous: list[int | None], following: list[int | None]) -> None:
    stops = [rows.stop(letter, before=DUE) for letter in shape]
    tasks = rows.tasks(factories.delivery(stops=stops))
    ids = [task.pk for task in tasks]
    assert [task.position for task in tasks] == list(range(1, len(shape) + 1))
    assert [task.previous_id for task in tasks] == [None if link is None else ids[link] for link in previous]
    assert [task.next_id for task in tasks] == [None if link is None else ids[link] for link in following]


def test_the_stores_tags_and_those_of_the_stop_are_put_on_and_unknown_ones_dropped() -> None:
    store = factories.StoreFactory.create()
    cold, fragile = (Tag.objects.create(name=slug, slug=slug) for slug in ("cold", "fragile"))
    store.default_tags.add(cold)
    pickup, dropoff = rows.tasks(factories.delivery(store, stops=[rows.stop("P"), rows.stop("D", tags=["fragile", "cold", "no-such"])]))
    assert list(pickup.tags.all()) == [cold]
    assert list(dropoff.tags.all()) == [cold, fragile]


def test_the_stores_document_joins_those_of_the_pickup() -> None:
    store = factories.StoreFactory.create(default_document_url="https://example.org/store.pdf")
    stops = [rows.stop("P", metadata={"documents": ["https://example.org/own.pdf"], "key": 1}), rows.stop("D")]
    pickup, dropoff = rows.tasks(factories.delivery(store, stops=stops))
    assert pickup.metadata == {"documents": ["https://example.org/own.pdf", "https://example.org/store.pdf"], "key": 1}
    assert dropoff.metadata == {}


XL = {"name": "XL", "short_code": "XL", "volume": 3, "quantity": 2}


@pytest.mark.parametrize(
    ("shape", "loads", "comments"),
    [
        ("PD", [{}, {"weight": 6000, "packages": [XL]}], ["2 × XL\n6.00 kg", ""]),
        ("PD", [{}, {"weight": 2000}], ["2.00 kg", ""]),
        ("PD", [{"comments": "Ring"}, {"weight": 2000}], ["Ring\n\n2.00 kg", ""]),
        ("PD", [{"comments": "Ring"}, {"comments": "Knock"}], ["Ring", "Knock"]),
        ("PDD", [{}, {"weight": 1500, "packages": [XL]}, {"packages": [XL]}], ["4 × XL\n1.50 kg", "", ""]),
        ("PPD", [{"weight": 1000}, {"packages": [XL]}, {}], ["1.00 kg", "2 × XL", ""]),
        ("PPD", [{"weight": 1000}, {}, {"weight": 3000}], ["", "", ""]),
    ],
)
def test_the_courier_reads_at_the_pickup_what_to_take_along(shape: str, loads: list[dict[str, Any]], comments: list[str]) -> None:
    stops = [rows.stop(letter, **load) for letter, load in zip(shape, loads, strict=True)]
    assert [task.comments for task in rows.tasks(factories.delivery(stops=stops))] == comments


@pytest.mark.parametrize(("role", "status"), [(Role.DISPATCHER, "accepted"), (Role.ADMIN, "accepted"), (Role.STORE_OWNER, "new")])
def test_the_order_made_with_it(role: Role, status: str) -> None:
    who = {"contact_name": "Ada King Lovelace", "telephone": "+33612345678", "description": "2nd floor", "postal_code": "75004"}
    address = AddressDraft(street_address="48, Rue de Rivoli", point=rows.PARIS, fields=who)
    delivery = factories.delivery(
        stops=[rows.stop("P"), rows.stop("D", address=address, comments="Ring twice")],
        price_cents=499,
        tax_cents=83,
        payment_gateway="cash",
        by=rows.person(role),
    )
    order = delivery.order
    assert (order.status, order.service_type, order.store, order.made_for_delivery) == (status, "delivery", delivery.store, True)
    assert (order.total_cents, order.tax_cents, order.payment_gateway) == (499, 83, "cash")
    assert order.charges == [{"id": "1", "deleted": False, "name": "Delivery", "price": 499}]
    assert (order.expected_time, order.customer_notes, order.channel) == (DUE, "Ring twice", "Relais")
    assert order.customer == {
        "first_name": "Ada",
        "last_name": "King Lovelace",
        "company_name": None,
        "phone": "+33612345678",
        "address_1": "48, Rue de Rivoli",
        "postal_code": "75004",
        "city": None,
        "country": None,
        "latitude": "48.85",
        "longitude": "2.35",
        "delivery_notes": "2nd floor",
    }


def test_an_order_made_by_a_program_bears_its_name() -> None:
    store = factories.StoreFactory.create()
    client, _ = factories.coopcycle_client(store)
    order = factories.delivery(store, by=credentials.client_actor(client, scopes=frozenset(["deliveries"]))).order
    assert (order.channel, order.created_by, order.status) == (client.name, client, "new")


def test_it_is_carried_by_the_house_and_told_to_the_log() -> None:
    delivery = factories.delivery(stops=rows.stops("PDD"), by=SHOP)
    assert (delivery.by_house, delivery.carrier_ref, delivery.status) == (True, "relais", "pending")
    assert [(event.kind, event.data) for event in rows.told()] == [
        ("order.created", {}),
        ("delivery.created", {"status": "pending"}),
        *[("task.created", {})] * 3,
    ]
    assert {(event.order_id, event.actor_name, event.happened_at) for event in rows.told()} == {(delivery.order_id, "shop", NOON)}


@pytest.mark.parametrize("count", [2, 6])
def test_booking_costs_the_same_for_any_number_of_stops(count: int) -> None:
    store = Store.objects.select_related("address").get(pk=factories.StoreFactory.create().pk)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        factories.delivery(store, stops=rows.stops("P" + "D" * (count - 1)), by=SHOP)
    assert len(queries) == 10, [query["sql"] for query in queries]


# --- The network stays outside, and nothing half done inside -------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["request", "attach", "accept"])
def test_maps_are_asked_before_the_transaction_begins(how: str, geocoder: FakeGeocoder, monkeypatch: pytest.MonkeyPatch) -> None:
    geocoder.may_be_atomic = False
    geocoder.is_authoritative = False
    routed: list[bool] = []

    class Router:
        def route(self, points: list[Point]) -> distances.Route:
            routed.append(connection.in_atomic_block)
            return distances.GreatCircleRouter().route(points)

    monkeypatch.setattr(distances, "router", Router)
    if how == "request":
        factories.delivery()
    elif how == "attach":
        rows.attached(factories.order())
    else:
        booking.accept_quote(rows.quoted(factories.order(), house=True), by=SYSTEM, at=NOON)
    assert Delivery.objects.count() == 1
    assert geocoder.asked
    assert routed == [False]


@contextmanager
def failing(statement: str) -> Iterator[list[str]]:
    """The database refuses the last statement of a kind; yields the ones it refused."""
    refused: list[str] = []

    def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if statement in sql:
            refused.append(sql)
            raise DatabaseError("no room left")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield refused


@pytest.mark.parametrize(
    "statement",
    [
        'INSERT INTO "stores_order"',
        'INSERT INTO "stores_address"',
        'INSERT INTO "deliveries_delivery"',
        'INSERT INTO "deliveries_task"',
        'INSERT INTO "deliveries_task_tags"',
        'INSERT INTO "deliveries_event"',
        'INSERT INTO "deliveries_tasklist"',
        'UPDATE "deliveries_delivery"',
    ],
)
def test_a_booking_that_fails_leaves_nothing(statement: str) -> None:
    store = factories.StoreFactory.create(default_courier=factories.CourierFactory.create().user)
    store.default_tags.add(Tag.objects.create(name="cold", slug="cold"))
    before = rows.everything()
    with pytest.raises(DatabaseError, match="no room left"), failing(statement) as refused:
        factories.delivery(store, stops=rows.stops("PD"))
    assert len(refused) == 1
    assert rows.everything() == before


def test_an_acceptance_that_fails_accepts_nothing() -> None:
    offered = rows.quoted(factories.order(), house=True)
    before = rows.everything()
    with pytest.raises(DatabaseError, match="no room left"), failing('INSERT INTO "deliveries_event"'):
        booking.accept_quote(offered, by=SYSTEM, at=LATER)
    assert rows.everything() == before


# --- What is promised ----------------------------------------------------------------------------------------------------------


def promised(delivery: Delivery) -> tuple[datetime | None, datetime | None]:
    delivery.refresh_from_db()
    return delivery.estimated_pickup_at, delivery.estimated_dropoff_at


def test_a_delivery_of_the_house_is_expected_at_the_ends_of_its_windows() -> None:
    delivery = factories.delivery(stops=rows.stops("PPDD"))
    tasks = rows.tasks(delivery)
    assert promised(delivery) == (tasks[0].before, tasks[3].before)
    assert promised(rows.carried(by_house=True, estimated_dropoff_at=DUE))[1] == DUE
    assert promised(rows.carried()) == (None, None), "other carriers say themselves when they come"


def test_what_is_expected_moves_with_the_windows() -> None:
    delivery, evening = rows.booked("PD"), DUE + timedelta(hours=6)
    pickup, dropoff = rows.tasks(delivery)
    transitions.reschedule(dropoff, after=DUE, before=evening, by=SYSTEM, at=NOON)
    assert promised(delivery) == (pickup.before, evening)
    change = StopChange(task_id=pickup.pk, draft=StopDraft(type=TaskType.PICKUP, after=NOON, before=DUE))
    amending.amend(delivery, [change], whole=False, by=SYSTEM, at=NOON)
    assert promised(delivery) == (DUE, evening)


def test_what_the_house_has_said_otherwise_stays_while_the_windows_do() -> None:
    delivery = rows.booked("PD")
    later = DUE + timedelta(minutes=10)
    transitions.report(delivery, {"estimated_dropoff_at": later}, by=SYSTEM, at=NOON)
    transitions.start(rows.tasks(delivery)[0], by=SYSTEM, at=NOON)
    assert promised(delivery)[1] == later


def test_what_another_carrier_expects_is_theirs_to_change() -> None:
    delivery = rows.carried(estimated_dropoff_at=DUE)
    transitions.reschedule(rows.tasks(delivery)[1], after=DUE, before=DUE + timedelta(hours=1), by=SYSTEM, at=NOON)
    assert promised(delivery) == (None, DUE)


def test_the_house_charges_the_price_that_was_asked() -> None:
    assert factories.delivery(price_cents=650).fee_cents == 650
    assert factories.delivery().fee_cents is None
