"""What becomes of a delivery, in the names of this dialect: each once for each change, for the house and for others."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest

from deliveries import amending, booking, transitions
from deliveries.amending import StopChange
from deliveries.api.coopcycle.voice import ALL_NAMES, KINDS, CoopCycleVoice, named
from deliveries.models import Courier, Event, Subscription, Task
from deliveries.statuses import DeliveryStatus, TaskType
from deliveries.stops import AddressDraft, StopDraft
from stores import credentials
from stores.actors import SYSTEM
from tests import factories
from tests.deliveries import rows
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOON + timedelta(hours=3)


def told(act: Callable[[], object]) -> list[str]:
    """What one change is called."""
    before = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    act()
    change = list(Event.objects.filter(pk__gt=before).select_related("task").order_by("pk"))
    assert len({event.transaction_id for event in change}) <= 1, "a verb writes in one transaction"
    assert named(change) == named([event for event in change if event.kind in KINDS]), "no other kind has a part in it"
    return [name for name, _ in named(change)]


def stop(kind: TaskType, street: str) -> StopDraft:
    due = NOON + timedelta(hours=2)
    return StopDraft(type=kind, address=AddressDraft(street_address=street), before=due if kind == TaskType.DROPOFF else None)


class Scene:
    """A delivery of the house, and what is done to its tasks, by their position."""

    def __init__(self, pickups: int = 1, dropoffs: int = 1) -> None:
        drafts = [stop(TaskType.PICKUP, f"{number}, Rue de la Paix, Paris") for number in range(1, pickups + 1)]
        drafts += [stop(TaskType.DROPOFF, f"{number}, Rue de Rivoli, Paris") for number in range(1, dropoffs + 1)]
        self.delivery = factories.delivery(stops=drafts)
        self.tasks: list[Task] = list(self.delivery.tasks.order_by("position"))

    def start(self, number: int) -> list[str]:
        return told(lambda: transitions.start(self.tasks[number], by=SYSTEM, at=NOON))

    def done(self, number: int) -> list[str]:
        return told(lambda: transitions.complete(self.tasks[number], by=SYSTEM, at=NOON))

    def fail(self, number: int) -> list[str]:
        return told(lambda: transitions.fail(self.tasks[number], by=SYSTEM, at=NOON, reason="DAMAGED"))

    def cancel(self, number: int) -> list[str]:
        return told(lambda: transitions.cancel(self.tasks[number], by=SYSTEM, at=NOON))

    def restore(self, number: int) -> list[str]:
        return told(lambda: transitions.restore(self.tasks[number], by=SYSTEM, at=NOON))

    def reschedule(self, number: int) -> list[str]:
        return told(lambda: transitions.reschedule(self.tasks[number], after=NOON, before=LATER, by=SYSTEM, at=NOON))

    def assign(self, number: int, courier: Courier) -> list[str]:
        return told(lambda: transitions.assign(self.tasks[number], courier, by=SYSTEM, at=NOON))

    def unassign(self) -> list[str]:
        return told(lambda: transitions.unassign(self.tasks[0], by=SYSTEM, at=NOON))

    def cancel_all(self) -> list[str]:
        return told(lambda: transitions.cancel_delivery(self.delivery, by=SYSTEM, at=NOON, even_assigned=True))

    def restore_all(self) -> list[str]:
        return told(lambda: transitions.restore_delivery(self.delivery, by=SYSTEM, at=NOON))


def test_the_usual_story() -> None:
    scene, courier = Scene(), factories.CourierFactory.create()
    assert scene.assign(0, courier) == ["delivery.assigned"]
    assert scene.assign(0, courier) == []
    assert scene.start(0) == ["delivery.started"]
    assert scene.start(0) == []
    assert scene.done(0) == ["delivery.picked"]
    assert scene.start(1) == ["delivery.in_transit"]
    assert scene.done(1) == ["delivery.completed"]


def test_the_short_story() -> None:
    scene = Scene()
    assert told(lambda: transitions.pick(scene.delivery, by=SYSTEM, at=NOON)) == ["delivery.picked"]
    assert told(lambda: transitions.drop(scene.delivery, by=SYSTEM, at=NOON)) == ["delivery.completed"]


def test_bookings() -> None:
    store = factories.StoreFactory.create()
    assert told(lambda: factories.delivery(store)) == ["order.created"]
    assert told(lambda: factories.order(store)) == ["order.created"]
    store.default_courier = factories.CourierFactory.create().user
    store.save()
    assert told(lambda: factories.delivery(store)) == ["order.created", "delivery.assigned"]


def test_who_takes_what() -> None:
    scene = Scene()
    first, second = factories.CourierFactory.create(), factories.CourierFactory.create()
    assert scene.assign(1, first) == ["delivery.assigned"]
    assert scene.assign(1, second) == ["delivery.assigned"], "another courier"
    assert scene.unassign() == []
    assert scene.assign(0, first) == ["delivery.assigned"]
    assert scene.reschedule(0) == []
    assert scene.assign(0, first) == [], "the dropoff was theirs all the time"
    scene.done(0)
    assert scene.assign(1, second) == ["delivery.assigned"]


def test_failures_are_told_when_they_happen_and_once() -> None:
    scene = Scene()
    scene.done(0)
    assert scene.fail(1) == ["delivery.failed"], "the task's failure and the delivery's are one"
    assert scene.restore(1) == [], "it was picked before, and is not picked again"
    assert scene.start(1) == ["delivery.in_transit"]
    assert scene.done(1) == ["delivery.completed"]


def test_what_is_left_after_a_failure_is_called_off() -> None:
    scene = Scene()
    assert scene.fail(0) == ["delivery.failed"]
    assert scene.cancel_all() == ["delivery.cancelled"]
    assert scene.cancel_all() == []
    assert scene.restore_all() == []
    assert scene.fail(0) == ["delivery.failed"]
    assert scene.cancel(1) == ["delivery.cancelled"]


def test_what_is_left_after_a_failure_is_made() -> None:
    scene = Scene(dropoffs=2)
    scene.done(0)
    assert scene.fail(1) == ["delivery.failed"]
    assert scene.done(2) == ["delivery.completed"]
    other = Scene(dropoffs=2)
    other.done(0)
    assert other.done(1) == []
    assert other.fail(2) == ["delivery.failed"]


def test_calling_off() -> None:
    scene = Scene()
    assert scene.cancel(0) == []
    assert scene.restore(0) == []
    assert scene.cancel_all() == ["delivery.cancelled"]
    assert scene.restore_all() == []
    scene.start(0)
    assert scene.cancel(1) == [], "the pickup is still to be made"
    assert scene.done(0) == ["delivery.picked", "delivery.cancelled"]


def test_several_pickups() -> None:
    scene = Scene(pickups=3)
    assert scene.start(0) == ["delivery.started"]
    assert scene.start(1) == []
    assert scene.done(0) == []
    assert scene.done(1) == []
    assert scene.done(2) == ["delivery.picked"]
    straight = Scene(pickups=2)
    assert straight.done(0) == ["delivery.started"], "it has begun"
    assert straight.cancel(1) == ["delivery.picked"], "all there is"
    lost = Scene(pickups=2)
    lost.done(0)
    assert lost.fail(1) == ["delivery.failed"]


def test_several_dropoffs() -> None:
    scene = Scene(dropoffs=3)
    assert told(lambda: transitions.pick(scene.delivery, by=SYSTEM, at=NOON)) == ["delivery.picked"]
    assert scene.start(1) == ["delivery.in_transit"]
    assert scene.done(1) == []
    assert scene.start(2) == ["delivery.in_transit"], "each time"
    assert scene.done(2) == []
    assert scene.cancel(3) == ["delivery.completed"], "all there is"
    every = Scene(dropoffs=3)
    transitions.pick(every.delivery, by=SYSTEM, at=NOON)
    assert told(lambda: transitions.drop(every.delivery, by=SYSTEM, at=NOON)) == ["delivery.completed"]


def test_a_dropoff_begun_too_early_picks_nothing() -> None:
    scene = Scene()
    assert scene.start(1) == ["delivery.in_transit"]
    assert scene.start(0) == ["delivery.started"]
    assert scene.fail(0) == ["delivery.failed"]


def test_changes_without_a_name() -> None:
    scene = Scene(dropoffs=2)
    words = StopChange(task_id=scene.tasks[1].pk, draft=StopDraft(type=TaskType.DROPOFF, address=None, comments="Third floor"))
    assert told(lambda: amending.amend(scene.delivery, [words], whole=False, by=SYSTEM, at=NOON)) == []
    transitions.pick(scene.delivery, by=SYSTEM, at=NOON)
    more = StopChange(draft=stop(TaskType.PICKUP, "9, Rue de la Paix, Paris"))
    assert told(lambda: amending.amend(scene.delivery, [more], whole=False, by=SYSTEM, at=NOON)) == [], "nobody set out for it yet"
    position = {"driver_latitude": 48.86, "driver_longitude": 2.36}
    assert told(lambda: transitions.report(scene.delivery, position, by=SYSTEM, at=NOON)) == []
    assert told(lambda: transitions.report(scene.delivery, {"ref": "T-1"}, by=SYSTEM, at=NOON)) == []


def test_a_task_alone_has_no_name() -> None:
    scene = Scene()
    Task.objects.filter(pk=scene.tasks[0].pk).update(delivery=None)
    scene.tasks[0].refresh_from_db()
    assert scene.start(0) == []
    assert scene.fail(0) == []


P, E, D, C = DeliveryStatus.PENDING, DeliveryStatus.DROPOFF_ENROUTE, DeliveryStatus.DELIVERED, DeliveryStatus.CANCELLED
U, A = DeliveryStatus.PICKUP_ENROUTE, DeliveryStatus.DROPOFF_APPROACHING
ALIKE = {DeliveryStatus.PICKUP_APPROACHING: U, DeliveryStatus.PICKUP_WAITING: U, DeliveryStatus.DROPOFF_WAITING: A}
FIRST = {P: "", U: "started", E: "picked", A: "picked in_transit", D: "picked completed", C: "cancelled"}
REPORTED = {
    P: FIRST,
    U: {P: "", U: "", E: "picked", A: "picked in_transit", D: "picked completed", C: "cancelled"},
    E: {P: "", U: "started", A: "in_transit", D: "completed", C: "cancelled"},
    A: {P: "", U: "started", E: "", A: "", D: "completed", C: "cancelled"},
    D: {P: "", U: "started", E: "", A: "in_transit", C: "cancelled"},
    C: {P: "", U: "started", E: "picked", A: "picked in_transit", D: "picked completed"},
}
"""What is told when a carrier reports a status (across) after another (down)."""


def names(words: str) -> list[str]:
    return [f"delivery.{word}" for word in words.split()]


@pytest.mark.parametrize("by_house", [True, False], ids=["house", "outside"])
def test_whatever_a_carrier_reports_after_whatever(by_house: bool) -> None:
    for left, to in permutations(DeliveryStatus, 2):
        delivery = rows.carried(left, by_house=by_house)
        got = told(lambda: transitions.report(delivery, {"status": to}, by=SYSTEM, at=NOON))  # noqa: B023 - called at once
        assert got == names(REPORTED[ALIKE.get(left, left)][ALIKE.get(to, to)]), (left, to)


def test_a_delivery_is_told_as_far_as_it_has_come() -> None:
    for status in DeliveryStatus:
        order = factories.order()
        entered = told(
            lambda: booking.attach(order, {"carrier": "Swift", "carrier_ref": "swift"}, status=status, by=SYSTEM, at=NOON)  # noqa: B023
        )
        assert entered == names(FIRST[ALIKE.get(status, status)]), status


VECTORS = [
    (rb'{"data":{"object":"\/api\/deliveries\/1","event":"delivery.picked"}}', "S9LMKpq4VBDEGm5umbQx/q4SQMnpX/Wz/719dBBZ3rI="),
    (b'{"data":{"object":"/api/deliveries/1","event":"delivery.picked"}}', "HiO8QEUH9J9Xwg3NhoPLzuwbr5YS1Y2114amSkoYVc8="),
    (rb'{"data":{"object":"\/api\/deliveries\/1","event":"delivery.completed"}}', "HH9cYmp8DRnqS3DM7uWQVf+8eQG2xALgPZzwU6oOGrc="),
]


@pytest.mark.parametrize(("body", "signature"), VECTORS)
def test_the_signature_is_the_one_that_clients_check(body: bytes, signature: str) -> None:
    subscription = Subscription(names=["delivery.picked"], sealed_secret=credentials.seal("123456"))
    assert CoopCycleVoice().headers(subscription, body) == {"X-CoopCycle-Signature": signature}


def test_every_name_has_its_place() -> None:
    assert len(set(ALL_NAMES)) == len(ALL_NAMES) == 8
