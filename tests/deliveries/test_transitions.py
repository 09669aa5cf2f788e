"""Moving tasks: every verb from every status, what it refuses, and what it leaves behind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from deliveries import transitions
from deliveries.models import Delivery, Task
from deliveries.statuses import TASK_MOVES, DeliveryStatus, TaskStatus, TaskType, agree
from deliveries.stops import StopDraft
from deliveries.transitions import AlreadyCompleted, BadWindow, IllegalMove, PreviousUnfinished, TaskIsCancelled
from stores.actors import SYSTEM, Actor, Role
from stores.models import Address, Order
from stores.refusals import NotFound, Refused
from tests import factories
from tests.deliveries import rows
from tests.deliveries.rows import LATER
from tests.factories import NOON

pytestmark = pytest.mark.django_db

EVENING = NOON + timedelta(hours=8)
DONE_ALREADY = (AlreadyCompleted, "Task #{pk} is already completed")
CANCELLED_ALREADY = (TaskIsCancelled, "Task #{pk} is cancelled")
SAME = "same"

Outcome = str | tuple[type[Refused], str]
Verb = Callable[[Task, Actor, datetime], Task]

VERBS: dict[str, Verb] = {
    "start": lambda task, by, at: transitions.start(task, by=by, at=at),
    "complete": lambda task, by, at: transitions.complete(task, by=by, at=at),
    "fail": lambda task, by, at: transitions.fail(task, by=by, at=at),
    "cancel": lambda task, by, at: transitions.cancel(task, by=by, at=at),
    "restore": lambda task, by, at: transitions.restore(task, by=by, at=at),
    "reschedule": lambda task, by, at: transitions.reschedule(task, after=NOON, before=EVENING, by=by, at=at),
}
KINDS = {
    "start": "task.started",
    "complete": "task.done",
    "fail": "task.failed",
    "cancel": "task.cancelled",
    "restore": "task.restored",
    "reschedule": "task.rescheduled",
}
OUTCOMES: dict[str, dict[str, Outcome]] = {
    "start": {"TODO": "DOING", "DOING": SAME, "DONE": SAME, "FAILED": SAME, "CANCELLED": SAME},
    "complete": {"TODO": "DONE", "DOING": "DONE", "DONE": DONE_ALREADY, "FAILED": DONE_ALREADY, "CANCELLED": CANCELLED_ALREADY},
    "fail": {"TODO": "FAILED", "DOING": "FAILED", "DONE": DONE_ALREADY, "FAILED": DONE_ALREADY, "CANCELLED": CANCELLED_ALREADY},
    "cancel": {"TODO": "CANCELLED", "DOING": "CANCELLED", "DONE": DONE_ALREADY, "FAILED": DONE_ALREADY, "CANCELLED": SAME},
    "restore": {
        "TODO": SAME,
        "DOING": SAME,
        "DONE": (IllegalMove, "Task #{pk} is DONE; it cannot become TODO."),
        "FAILED": "TODO",
        "CANCELLED": "TODO",
    },
    "reschedule": {"TODO": "TODO", "DOING": "TODO", "DONE": DONE_ALREADY, "FAILED": "TODO", "CANCELLED": "TODO"},
}
CASES = [(verb, status) for verb in OUTCOMES for status in TaskStatus]
PLACES: dict[str, Callable[[str], Task]] = {
    "the pickup": lambda status: rows.tasks(rows.booked("PD", status, "TODO"))[0],
    "the dropoff": lambda status: rows.tasks(rows.booked("PD", "DONE", status))[1],
    "a task alone": rows.alone,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("verb", "status"), CASES)
def test_every_verb_from_every_status(verb: str, status: TaskStatus, place: str) -> None:
    task = PLACES[place](status)
    dispatcher, before, newest = rows.person(Role.DISPATCHER), rows.everything(), rows.last_event()
    outcome = OUTCOMES[verb][status]
    if isinstance(outcome, tuple):
        refusal, sentence = outcome
        with pytest.raises(refusal) as refused:
            VERBS[verb](task, dispatcher, LATER)
        assert str(refused.value) == sentence.format(pk=task.pk)
        assert rows.everything() == before
        return
    moved = VERBS[verb](task, dispatcher, LATER)
    task.refresh_from_db()
    assert moved.status == task.status == (status if outcome == SAME else outcome)
    if outcome == SAME:
        assert rows.everything() == before
        return
    assert task.updated_at == LATER
    assert task.finished_at == (LATER if outcome in ("DONE", "FAILED") else None)
    if task.delivery is not None:
        assert agree(DeliveryStatus(task.delivery.status), rows.tasks(task.delivery))
        assert task.delivery.updated_at == LATER
    events = rows.told(newest)
    assert events[0].kind == KINDS[verb]
    assert events[0].task_id == task.pk
    for event in events:
        assert (event.actor_kind, event.actor_name, event.user_id) == ("user", dispatcher.name, dispatcher.user_id)
        assert event.happened_at == LATER
        assert abs(event.recorded_at - datetime.now(UTC)) < timedelta(minutes=1)
        assert (event.store_id, event.delivery_id) == (task.store_id, task.delivery_id)
        assert event.order_id == (task.delivery.order_id if task.delivery else None)


def test_the_verbs_make_exactly_the_moves_of_the_table() -> None:
    made = {(left, to) for outcomes in OUTCOMES.values() for left, to in outcomes.items() if isinstance(to, str) and to != SAME}
    assert {move for move in made if move[0] != move[1]} == {(left, to) for left, moves in TASK_MOVES.items() for to in moves}


@pytest.mark.parametrize("verb", VERBS)
def test_a_task_that_is_gone(verb: str) -> None:
    task = rows.alone()
    gone = Task(pk=task.pk + 1000)
    with pytest.raises(NotFound, match=f"Task #{gone.pk} does not exist"):
        VERBS[verb](gone, SYSTEM, NOON)


def test_a_delivery_that_is_gone() -> None:
    with pytest.raises(NotFound, match="The delivery does not exist"):
        transitions.pick(Delivery(pk=-1), by=SYSTEM, at=NOON)


# --- What comes first ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pickup", ["TODO", "DOING"])
def test_a_dropoff_waits_for_its_pickup(pickup: str) -> None:
    first, second = rows.tasks(rows.booked("PD", pickup, "TODO"))
    before = rows.everything()
    with pytest.raises(PreviousUnfinished) as refused:
        transitions.complete(second, by=SYSTEM, at=LATER)
    assert str(refused.value) == (
        f"Task #{second.pk} could not be completed because it has a previous task #{first.pk} which must be completed first."
    )
    with pytest.raises(PreviousUnfinished, match=r"^Previous task must be completed first$"):
        transitions.fail(second, by=SYSTEM, at=LATER)
    assert rows.everything() == before


@pytest.mark.parametrize("pickup", ["DONE", "FAILED", "CANCELLED"])
def test_a_pickup_that_is_over_blocks_nothing(pickup: str) -> None:
    delivery = rows.booked("PD", pickup, "TODO")
    transitions.complete(rows.tasks(delivery)[1], by=SYSTEM, at=LATER)
    assert rows.statuses(delivery) == [pickup, "DONE"]


@pytest.mark.parametrize("pickups", [("TODO", "DONE"), ("DONE", "DOING")])
def test_a_dropoff_waits_for_all_pickups_when_there_are_several(pickups: tuple[str, str]) -> None:
    delivery = rows.booked("PPD", *pickups, "TODO")
    with pytest.raises(PreviousUnfinished):
        transitions.complete(rows.tasks(delivery)[2], by=SYSTEM, at=LATER)


def test_several_cancelled_pickups_block_nothing_either() -> None:
    delivery = rows.booked("PPD", "CANCELLED", "DONE", "TODO")
    transitions.complete(rows.tasks(delivery)[2], by=SYSTEM, at=LATER)
    delivery.refresh_from_db()
    assert delivery.status == "delivered"


# --- What goes with it ---------------------------------------------------------------------------------------------------------


def test_who_received_it_is_kept_with_the_address() -> None:
    delivery = rows.booked("PD", "DONE", "DOING")
    task, newest = rows.tasks(delivery)[1], rows.last_event()
    done = transitions.complete(task, by=SYSTEM, at=NOON, contact_name="Grace Hopper", notes="left with her")
    address = Address.objects.get(pk=task.address_id)
    assert (address.contact_name, done.address) == ("Grace Hopper", address)
    assert rows.told(newest)[0].data == {"notes": "left with her"}


def test_who_refused_it_is_kept_too() -> None:
    task = rows.tasks(rows.booked("PD", "DONE", "DOING"))[1]
    transitions.fail(task, by=SYSTEM, at=NOON, contact_name="Grace Hopper")
    assert Address.objects.get(pk=task.address_id).contact_name == "Grace Hopper"


@pytest.mark.parametrize("shared_with", ["a store", "another task", "an address book"])
def test_an_address_that_is_not_the_tasks_alone_is_copied_first(shared_with: str) -> None:
    task = rows.tasks(rows.booked("PD", "DONE", "DOING"))[1]
    known = task.address
    if shared_with == "a store":
        factories.StoreFactory.create(address=known)
    elif shared_with == "another task":
        factories.delivery(stops=[rows.stop("P"), rows.stop("D", address=known)])
    else:
        Address.objects.filter(pk=known.pk).update(store=task.store)
    transitions.complete(task, by=SYSTEM, at=NOON, contact_name="Grace Hopper")
    task.refresh_from_db()
    known.refresh_from_db()
    assert (task.address.contact_name, known.contact_name) == ("Grace Hopper", "")
    assert (task.address.pk == known.pk, task.address.store) == (False, None)
    assert (task.address.street_address, task.address.point) == (known.street_address, known.point)


@pytest.mark.parametrize("name", ["", "Ada"])
def test_a_name_that_says_nothing_new_copies_nothing(name: str) -> None:
    task = rows.alone("DOING")
    Address.objects.filter(pk=task.address_id).update(contact_name="Ada")
    transitions.complete(task, by=SYSTEM, at=NOON, contact_name=name)
    task.refresh_from_db()
    assert (task.address_id, task.address.contact_name, Address.objects.count()) == (task.store.address_id, "Ada", 1)


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ({}, [("task.failed", {"reason": "", "notes": ""})]),
        ({"notes": "no answer"}, [("task.failed", {"reason": "", "notes": "no answer"})]),
        (
            {"reason": "DAMAGED"},
            [
                ("task.failed", {"reason": "DAMAGED", "notes": "DAMAGED"}),
                ("task.incident-reported", {"reason": "DAMAGED", "notes": "DAMAGED"}),
            ],
        ),
        (
            {"reason": "DAMAGED", "notes": "wet"},
            [("task.failed", {"reason": "DAMAGED", "notes": "wet"}), ("task.incident-reported", {"reason": "DAMAGED", "notes": "wet"})],
        ),
    ],
)
def test_a_failure_is_logged_with_its_reason(said: dict[str, str], logged: list[tuple[str, dict[str, str]]]) -> None:
    transitions.fail(rows.alone("DOING"), by=SYSTEM, at=NOON, **said)
    assert [(event.kind, event.data) for event in rows.told()] == logged


def test_rescheduling_frees_the_task_and_leaves_the_others_with_their_courier() -> None:
    delivery, courier = rows.booked("PD"), factories.CourierFactory.create()
    pickup, dropoff = rows.tasks(delivery)
    transitions.assign(pickup, courier, by=SYSTEM, at=NOON)
    newest = rows.last_event()
    moved = transitions.reschedule(dropoff, after=EVENING, before=EVENING + timedelta(hours=1), by=SYSTEM, at=LATER)
    pickup.refresh_from_db()
    dropoff.refresh_from_db()
    delivery.refresh_from_db()
    assert (moved.after, moved.before) == (dropoff.after, dropoff.before) == (EVENING, EVENING + timedelta(hours=1))
    assert dropoff.metadata["rescheduled"] is True
    assert (dropoff.courier, dropoff.task_list, dropoff.task_list_position) == (None, None, 0)
    assert (pickup.courier, delivery.courier) == (courier, courier)
    assert [(event.kind, event.data) for event in rows.told(newest)] == [
        ("task.unassigned", {"username": courier.user.username}),
        (
            "task.rescheduled",
            {"rescheduled_after": EVENING.isoformat(), "rescheduled_before": (EVENING + timedelta(hours=1)).isoformat()},
        ),
        ("delivery.updated", {"fields": ["estimated_dropoff_at"]}),
    ]


@pytest.mark.parametrize("length", [timedelta(0), timedelta(minutes=-1)])
def test_a_window_must_go_forward(length: timedelta) -> None:
    task = rows.alone()
    before = rows.everything()
    with pytest.raises(BadWindow, match="The time frame is not valid") as refused:
        transitions.reschedule(task, after=NOON, before=NOON + length, by=SYSTEM, at=NOON)
    assert refused.value.path == ("before",)
    assert rows.everything() == before


def test_restoring_keeps_the_courier() -> None:
    delivery, courier = rows.booked("PD"), factories.CourierFactory.create()
    pickup = transitions.assign(rows.tasks(delivery)[0], courier, by=SYSTEM, at=NOON)
    transitions.cancel(pickup, by=SYSTEM, at=NOON)
    assert transitions.restore(pickup, by=SYSTEM, at=LATER).courier == courier


def test_a_failure_rescheduled_and_delivered_keeps_when_it_was_picked_up() -> None:
    delivery = rows.booked("PD")
    pickup, dropoff = rows.tasks(delivery)
    transitions.complete(pickup, by=SYSTEM, at=NOON)
    transitions.fail(dropoff, by=SYSTEM, at=NOON + timedelta(minutes=10), reason="ABSENT")
    delivery.refresh_from_db()
    assert (delivery.status, delivery.cancelled_at) == ("cancelled", NOON + timedelta(minutes=10))
    transitions.reschedule(dropoff, after=NOON, before=EVENING, by=SYSTEM, at=LATER)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.pickup_at, delivery.cancelled_at) == ("dropoff_enroute", NOON, None)
    transitions.complete(dropoff, by=SYSTEM, at=EVENING)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.pickup_at, delivery.delivered_at) == ("delivered", NOON, EVENING)


def test_a_delivery_that_comes_back_without_having_been_picked_up_has_no_such_time() -> None:
    delivery = rows.booked("PD", "CANCELLED", "CANCELLED")
    pickup, dropoff = rows.tasks(delivery)
    transitions.restore(dropoff, by=SYSTEM, at=NOON)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.pickup_at) == ("pending", None)
    transitions.start(dropoff, by=SYSTEM, at=LATER)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.pickup_at) == ("dropoff_enroute", LATER)
    assert rows.statuses(delivery)[0] == Task.objects.get(pk=pickup.pk).status == "CANCELLED"


# --- Tasks move their delivery and its order -----------------------------------------------------------------------------------

Step = tuple[str, int, str, list[str], str, str]

STORIES: dict[str, tuple[str, list[Step]]] = {
    # verb, which task; the delivery, its new events, its order made for the delivery, a till's order
    "two stops": (
        "PD",
        [
            ("start", 0, "pickup_enroute", ["task.started", "delivery.started"], "accepted", "new"),
            ("complete", 0, "dropoff_enroute", ["task.done", "delivery.picked", "order.updated"], "in_delivery", "in_delivery"),
            ("start", 1, "dropoff_enroute", ["task.started"], "in_delivery", "in_delivery"),
            ("complete", 1, "delivered", ["task.done", "delivery.completed", "order.updated"], "completed", "completed"),
        ],
    ),
    "a pickup done at once": (
        "PD",
        [("complete", 0, "dropoff_enroute", ["task.done", "delivery.picked", "order.updated"], "in_delivery", "in_delivery")],
    ),
    "several stops": (
        "PPDD",
        [
            ("complete", 0, "pickup_enroute", ["task.done", "delivery.started"], "accepted", "new"),
            ("complete", 1, "dropoff_enroute", ["task.done", "delivery.picked", "order.updated"], "in_delivery", "in_delivery"),
            ("complete", 3, "dropoff_enroute", ["task.done"], "in_delivery", "in_delivery"),
            ("complete", 2, "delivered", ["task.done", "delivery.completed", "order.updated"], "completed", "completed"),
        ],
    ),
    "one of two dropoffs fails": (
        "PDD",
        [
            ("complete", 0, "dropoff_enroute", ["task.done", "delivery.picked", "order.updated"], "in_delivery", "in_delivery"),
            ("complete", 1, "dropoff_enroute", ["task.done"], "in_delivery", "in_delivery"),
            ("fail", 2, "cancelled", ["task.failed", "delivery.failed", "order.updated"], "delivery_failed", "delivery_failed"),
            ("restore", 2, "dropoff_enroute", ["task.restored", "delivery.picked", "order.updated"], "in_delivery", "in_delivery"),
            ("complete", 2, "delivered", ["task.done", "delivery.completed", "order.updated"], "completed", "completed"),
        ],
    ),
    "cancelled one by one, and back": (
        "PD",
        [
            ("cancel", 0, "pending", ["task.cancelled"], "accepted", "new"),
            ("cancel", 1, "cancelled", ["task.cancelled", "delivery.cancelled", "order.updated"], "cancelled", "delivery_failed"),
            ("restore", 0, "pending", ["task.restored", "delivery.updated", "order.updated"], "accepted", "accepted"),
        ],
    ),
    "the pickup fails": (
        "PD",
        [
            ("fail", 0, "pending", ["task.failed"], "accepted", "new"),
            ("cancel", 1, "cancelled", ["task.cancelled", "delivery.failed", "order.updated"], "delivery_failed", "delivery_failed"),
        ],
    ),
}


@pytest.mark.parametrize("made_for_delivery", [True, False])
@pytest.mark.parametrize("story", STORIES)
def test_the_house_moves_its_order_along(story: str, made_for_delivery: bool) -> None:
    shape, steps = STORIES[story]
    delivery = rows.booked(shape)
    if not made_for_delivery:
        Order.objects.filter(pk=delivery.order_id).update(made_for_delivery=False, status="new")
    for verb, which, status, kinds, own, till in steps:
        newest = rows.last_event()
        VERBS[verb](rows.tasks(delivery)[which], SYSTEM, LATER)
        delivery = Delivery.objects.select_related("order").get(pk=delivery.pk)
        assert delivery.status == status
        assert [event.kind for event in rows.told(newest)] == kinds
        assert delivery.order.status == (own if made_for_delivery else till)


@pytest.mark.parametrize("order_status", ["cancelled", "rejected"])
def test_an_order_that_its_store_gave_up_stays_so(order_status: str) -> None:
    delivery = rows.booked("PD")
    Order.objects.filter(pk=delivery.order_id).update(status=order_status, made_for_delivery=False)
    pickup, dropoff = rows.tasks(delivery)
    transitions.start(pickup, by=SYSTEM, at=NOON)
    transitions.cancel(pickup, by=SYSTEM, at=NOON)
    transitions.cancel(dropoff, by=SYSTEM, at=NOON)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.order.status) == ("cancelled", order_status)


def test_tasks_of_an_outside_carrier_leave_its_order_alone() -> None:
    delivery = rows.carried()
    for task in rows.tasks(delivery):
        transitions.complete(task, by=SYSTEM, at=LATER)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.order.status) == ("delivered", "new")


def test_who_handed_it_over_is_not_written_into_an_address_that_others_share() -> None:
    store = factories.StoreFactory.create(address__contact_name="The chef")
    stops = [StopDraft(type=TaskType.PICKUP), factories.stops()[1]]
    pickup = factories.delivery(store, stops=stops).stops[0]

    transitions.complete(pickup, by=SYSTEM, at=NOON, contact_name="Grace Hopper")

    store.address.refresh_from_db()
    pickup.refresh_from_db()
    assert store.address.contact_name == "The chef"
    assert (pickup.address.contact_name, pickup.address.point) == ("Grace Hopper", store.address.point)
    assert pickup.address.store_id is None
