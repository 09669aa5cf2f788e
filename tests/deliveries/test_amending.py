"""A delivery under way is changed: what is said is written, what is not stays, also when it has moved on meanwhile."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from deliveries import amending, transitions
from deliveries.amending import StopChange, UnknownStop
from deliveries.models import Delivery, Task
from deliveries.statuses import DeliveryStatus, TaskStatus, TaskType, agree
from deliveries.stops import AddressDraft, AddressNotFound, BadStopWindow, StopDraft, TooFewStops, WrongOrder
from deliveries.transitions import AlreadyCompleted, PreviousUnfinished
from deliveries.transitions.work import Work, lock_delivery
from stores import distances
from stores.actors import SYSTEM, Actor
from stores.models import Tag
from stores.places import Place, Point
from stores.refusals import Invalid, Missing
from tests import factories
from tests.deliveries import rows
from tests.deliveries.geocoding import FakeGeocoder
from tests.deliveries.rows import LATER
from tests.factories import NOON

pytestmark = pytest.mark.django_db

DUE = NOON + timedelta(hours=2)
EVENING = NOON + timedelta(hours=8)
HERE = AddressDraft(street_address="here", point=(48.9, 2.4))


def change(task: Task | None = None, *, to: TaskStatus | None = None, kind: TaskType = TaskType.DROPOFF, **draft: Any) -> StopChange:
    """A change of a stop, or a stop to add."""
    draft_of = StopDraft(type=TaskType(task.type) if task else kind, **draft)
    return StopChange(draft=draft_of, task_id=task.pk if task else None, to=to)


def amend(delivery: Delivery, *changes: StopChange, whole: bool = False) -> Delivery:
    amending.amend(delivery, changes, whole=whole, by=SYSTEM, at=LATER)
    now = Delivery.objects.get(pk=delivery.pk)
    assert agree(DeliveryStatus(now.status), rows.tasks(now))
    return now


def measured(delivery: Delivery) -> tuple[int, int, str]:
    """The way through the stops that are left, as it should have been measured."""
    route = distances.router().route([task.address.point for task in rows.tasks(delivery) if task.status != "CANCELLED"])
    return route.distance_m, route.duration_s, route.polyline


def test_what_is_said_is_written_and_told() -> None:
    delivery = rows.booked("PD", metadata={"old": 1})
    dropoff, newest = rows.tasks(delivery)[1], rows.last_event()
    packages = [{"name": "XL", "short_code": "XL", "volume": 1, "quantity": 2}]
    amend(delivery, change(dropoff, comments="Ring", weight=500, packages=packages, metadata={"new": 2}, after=NOON, before=EVENING))
    dropoff.refresh_from_db()
    assert (dropoff.comments, dropoff.weight, dropoff.packages, dropoff.metadata) == ("Ring", 500, packages, {"old": 1, "new": 2})
    assert (dropoff.after, dropoff.before, dropoff.updated_at) == (NOON, EVENING, LATER)
    assert [(event.kind, event.task_id, set(event.data["fields"])) for event in rows.told(newest)] == [
        ("task.updated", dropoff.pk, {"comments", "weight", "packages", "metadata", "after", "before"}),
        ("delivery.updated", None, {"estimated_dropoff_at"}),
    ]


def test_what_says_nothing_new_changes_nothing() -> None:
    delivery = rows.booked("PD", comments="Ring")
    pickup, dropoff = rows.tasks(delivery)
    before = rows.everything()
    amend(delivery, change(pickup), change(dropoff, comments="Ring", address=AddressDraft(street_address="")), whole=True)
    assert rows.everything() == before


def test_a_new_place_is_measured_and_belongs_to_this_stop_alone() -> None:
    delivery = rows.booked("PD")
    pickup, dropoff = rows.tasks(delivery)
    old = dropoff.address
    now = amend(delivery, change(dropoff, address=HERE))
    dropoff.refresh_from_db()
    assert (dropoff.address.point, dropoff.address.pk == old.pk) == (Point(48.9, 2.4), False)
    assert (now.distance, now.duration, now.polyline) == measured(delivery)
    old.refresh_from_db()
    assert (old.point, pickup.address.point) == (Point(*rows.PARIS), Point(*rows.PARIS))


@pytest.mark.parametrize(
    ("draft", "point"),
    [
        (AddressDraft(street_address="", fields={"contact_name": "Ada"}), rows.PARIS),
        (AddressDraft(street_address="1, Rue de Rivoli, Paris", fields={"contact_name": "Ada"}), rows.PARIS),
        (AddressDraft(street_address="", point=(48.9, 2.4), fields={"contact_name": "Ada"}), (48.9, 2.4)),
    ],
)
def test_an_address_keeps_what_is_not_said_of_it(draft: AddressDraft, point: tuple[float, float]) -> None:
    delivery = rows.booked("PD")
    dropoff = rows.tasks(delivery)[1]
    amend(delivery, change(dropoff, address=draft))
    dropoff.refresh_from_db()
    address = dropoff.address
    assert (address.street_address, address.contact_name, address.point) == ("1, Rue de Rivoli, Paris", "Ada", Point(*point))


def test_a_stop_is_added_at_the_end_and_linked_to_the_pickup() -> None:
    cold = Tag.objects.create(name="cold", slug="cold")
    delivery, newest = rows.booked("PD"), rows.last_event()
    now = amend(delivery, change(address=HERE, before=EVENING, weight=5, tags=["cold", "unknown"]))
    pickup, _, added = rows.tasks(delivery)
    assert (added.position, added.previous, added.type, added.status, added.weight) == (3, pickup, "DROPOFF", "TODO", 5)
    assert pickup.next is None
    assert (added.after, added.before) == (EVENING - timedelta(minutes=15), EVENING)
    assert list(added.tags.all()) == [cold]
    assert (now.distance, now.duration, now.polyline) == measured(delivery)
    assert [event.kind for event in rows.told(newest)] == ["task.created", "delivery.updated"]


def test_a_pickup_added_without_address_is_at_the_store_and_holds_the_dropoff_back() -> None:
    delivery = rows.booked("PD", "DONE", "TODO")
    now = amend(delivery, change(kind=TaskType.PICKUP, before=NOON))
    _, dropoff, added = rows.tasks(delivery)
    assert (added.address, added.previous, now.status) == (delivery.store.address, None, "pickup_enroute")
    with pytest.raises(PreviousUnfinished, match=f"previous task #{added.pk} "):
        transitions.complete(dropoff, by=SYSTEM, at=LATER)


def test_a_stop_added_to_a_place_nobody_finds_is_to_be_reviewed(geocoder: FakeGeocoder) -> None:
    geocoder.is_authoritative = False
    delivery, newest = rows.booked("PD"), rows.last_event()
    amend(delivery, change(address=AddressDraft(street_address="nowhere"), before=EVENING))
    assert rows.tasks(delivery)[2].address.needs_review
    assert [event.data for event in rows.told(newest) if event.task] == [{"needs_review": True}]


def test_what_a_whole_list_leaves_out_is_taken_out_unless_finished() -> None:
    delivery = rows.booked("PDDD", "DONE", "DONE", "TODO", "DOING")
    now = amend(delivery, change(rows.tasks(delivery)[3]), whole=True)
    assert (rows.statuses(delivery), now.status) == (["DONE", "DONE", "CANCELLED", "DOING"], "dropoff_enroute")


@pytest.mark.parametrize(
    ("status", "to", "after"),
    [
        ("TODO", TaskStatus.CANCELLED, "CANCELLED"),
        ("DONE", TaskStatus.CANCELLED, "DONE"),
        ("CANCELLED", TaskStatus.CANCELLED, "CANCELLED"),
        ("CANCELLED", TaskStatus.TODO, "TODO"),
        ("DOING", TaskStatus.TODO, "DOING"),
        ("DONE", TaskStatus.TODO, "DONE"),
    ],
)
def test_a_stop_is_taken_out_or_put_back(status: str, to: TaskStatus, after: str) -> None:
    delivery = rows.booked("PDD", "DONE", "DOING", status)
    amend(delivery, change(rows.tasks(delivery)[2], to=to))
    assert rows.statuses(delivery) == ["DONE", "DOING", after]


def test_tags_are_replaced_only_when_some_are_given() -> None:
    cold, fragile = (Tag.objects.create(name=slug, slug=slug) for slug in ("cold", "fragile"))
    delivery = rows.booked("PD", tags=["cold"])
    dropoff, newest = rows.tasks(delivery)[1], rows.last_event()
    for tags, kept, told in ([], cold, []), (["cold"], cold, []), (["fragile"], fragile, [{"fields": ["tags"]}]):
        amend(delivery, change(dropoff, tags=tags))
        assert list(dropoff.tags.all()) == [kept]
        assert [event.data for event in rows.told(newest)] == told


def test_a_task_of_another_day_moves_to_the_list_of_that_day() -> None:
    delivery, courier = rows.booked("PD"), factories.CourierFactory.create()
    transitions.assign(rows.tasks(delivery)[0], courier, by=SYSTEM, at=NOON)
    amend(delivery, change(rows.tasks(delivery)[1], after=NOON, before=NOON + timedelta(days=1)))
    days = [(task.task_list.date.day, task.task_list_position) for task in rows.tasks(delivery) if task.task_list]
    assert days == [(20, 1), (21, 1)]


# --- What is refused -----------------------------------------------------------------------------------------------------------


def refused(delivery: Delivery, *changes: StopChange, whole: bool = False) -> list[tuple[type[Exception], tuple[str | int, ...]]]:
    before = rows.everything()
    with pytest.raises(Invalid) as refusal:
        amend(delivery, *changes, whole=whole)
    assert rows.everything() == before
    return [(type(problem), problem.path) for problem in refusal.value.problems]


def test_a_stop_of_another_delivery_is_unknown() -> None:
    delivery, other = rows.booked("PD"), rows.booked("PD")
    before = rows.everything()
    with pytest.raises(UnknownStop, match=r"^task\.id$") as refusal:
        amend(delivery, change(rows.tasks(delivery)[0]), change(rows.tasks(other)[1]))
    assert refusal.value.path == ("tasks", 1, "id")
    assert rows.everything() == before


def test_a_stop_is_named_but_once() -> None:
    delivery = rows.booked("PD")
    dropoff, before = rows.tasks(delivery)[1], rows.everything()
    with pytest.raises(UnknownStop, match=r"^task\.id$") as refusal:
        amend(delivery, change(dropoff, comments="Ring"), change(dropoff, comments="Knock"))
    assert refusal.value.path == ("tasks", 1, "id")
    assert rows.everything() == before


@pytest.mark.parametrize(
    ("draft", "where"),
    [
        ({"address": HERE}, "address"),
        ({"address": AddressDraft(street_address="", point=(48.9, 2.4))}, "address"),
        ({"after": NOON, "before": DUE}, "before"),
        ({"before": EVENING}, "before"),
    ],
)
@pytest.mark.parametrize("status", ["DONE", "FAILED"])
def test_where_and_when_a_finished_stop_was_made_cannot_change(status: str, draft: dict[str, Any], where: str) -> None:
    delivery = rows.booked("PDD", "DONE", "TODO", status)
    _, other, finished = rows.tasks(delivery)
    before = rows.everything()
    with pytest.raises(AlreadyCompleted, match=f"^Task #{finished.pk} is already completed$") as refusal:
        amend(delivery, change(other, comments="Ring"), change(finished, **draft))
    assert refusal.value.path == ("tasks", 1, where)
    assert rows.everything() == before


def test_a_finished_stop_may_be_sent_again_as_it_is_and_take_notes() -> None:
    delivery = rows.booked("PD", "DONE", "TODO")
    pickup = rows.tasks(delivery)[0]
    address = AddressDraft(street_address=pickup.address.street_address, point=rows.PARIS, fields={"contact_name": "Ada"})
    amend(delivery, change(pickup, address=address, after=pickup.after, before=pickup.before, comments="Ring"))
    pickup.refresh_from_db()
    assert (pickup.comments, pickup.address.contact_name) == ("Ring", "Ada")


@pytest.mark.parametrize(("shape", "gone"), [("PD", [0]), ("PD", [1]), ("PDD", [1, 2]), ("PD", [0, 1])])
def test_something_is_left_to_pick_up_and_something_to_drop_off(shape: str, gone: list[int]) -> None:
    delivery = rows.booked(shape)
    tasks = rows.tasks(delivery)
    assert refused(delivery, *(change(tasks[number], to=TaskStatus.CANCELLED) for number in gone)) == [(TooFewStops, ("tasks",))]
    rest = [change(task) for number, task in enumerate(tasks) if number not in gone]
    assert refused(delivery, *rest, whole=True) == [(TooFewStops, ("tasks",))]


def test_a_delivery_whose_pickup_is_gone_already_can_still_be_changed() -> None:
    delivery = rows.booked("PDD", "CANCELLED", "TODO", "TODO")
    _, dropoff, last = rows.tasks(delivery)
    amend(delivery, change(dropoff, to=TaskStatus.CANCELLED))
    assert refused(delivery, change(last, to=TaskStatus.CANCELLED)) == [(TooFewStops, ("tasks",))]


def test_addresses_that_are_missing_or_unknown(geocoder: FakeGeocoder) -> None:
    delivery = rows.booked("PD")
    changes = change(rows.tasks(delivery)[1], address=AddressDraft(street_address="nowhere")), change(before=DUE)
    assert refused(delivery, *changes) == [(AddressNotFound, ("tasks", 0, "address")), (Missing, ("tasks", 1, "address"))]


def test_windows_are_checked_among_all_stops_that_are_left() -> None:
    delivery = rows.booked("PDD", "TODO", "TODO", "CANCELLED")
    pickup, dropoff, gone = rows.tasks(delivery)
    assert refused(delivery, change(gone), change(dropoff, after=EVENING)) == [(BadStopWindow, ("tasks", 1, "before"))]
    assert refused(delivery, change(dropoff, after=NOON - timedelta(hours=9), before=NOON - timedelta(hours=8))) == [
        (WrongOrder, ("tasks",))
    ]
    assert refused(delivery, change(pickup), change(address=HERE)) == [(Missing, ("tasks", 1, "before"))]


# --- Meanwhile -----------------------------------------------------------------------------------------------------------------


def test_what_moved_on_meanwhile_is_not_turned_back(monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = rows.booked("PD", metadata={"a": 1})
    dropoff = rows.tasks(delivery)[1]

    def late(pk: int, *, by: Actor, at: datetime) -> Work:
        transitions.reschedule(dropoff, after=DUE, before=EVENING, by=by, at=at)
        return lock_delivery(pk, by=by, at=at)

    monkeypatch.setattr(amending, "lock_delivery", late)
    amend(delivery, change(dropoff, comments="Ring"))
    dropoff.refresh_from_db()
    assert (dropoff.comments, dropoff.after, dropoff.before) == ("Ring", DUE, EVENING)
    assert dropoff.metadata == {"a": 1, "rescheduled": True}


@pytest.mark.django_db(transaction=True)
def test_maps_are_asked_before_the_transaction_begins(geocoder: FakeGeocoder, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = rows.booked("PD")
    geocoder.may_be_atomic, geocoder.known = False, {"found": Place("found", point=Point(48.9, 2.4))}
    routed: list[bool] = []

    class Router:
        def route(self, points: list[Point]) -> distances.Route:
            routed.append(connection.in_atomic_block)
            return distances.Route(1, 2, "")

    monkeypatch.setattr(distances, "router", Router)
    now = amend(delivery, change(rows.tasks(delivery)[1], address=AddressDraft(street_address="found")))
    assert (now.distance, geocoder.asked, routed) == (1, ["found"], [False])
