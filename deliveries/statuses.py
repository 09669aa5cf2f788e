"""Every status of a delivery and of a task, its label and colour, and what may follow it."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from django.db import models


class DeliveryStatus(models.TextChoices):
    """Where a delivery stands, in a carrier's words."""

    PENDING = "pending", "Not started"
    PICKUP_ENROUTE = "pickup_enroute", "On the way to the pickup"
    PICKUP_APPROACHING = "pickup_approaching", "Nearing the pickup"
    PICKUP_WAITING = "pickup_waiting", "At the pickup"
    DROPOFF_ENROUTE = "dropoff_enroute", "On the way to the recipient"
    DROPOFF_APPROACHING = "dropoff_approaching", "Nearing the recipient"
    DROPOFF_WAITING = "dropoff_waiting", "At the recipient's"
    DELIVERED = "delivered", "Delivered"
    CANCELLED = "cancelled", "Cancelled"


class TaskStatus(models.TextChoices):
    """Where a task stands."""

    TODO = "TODO", "To do"
    DOING = "DOING", "Under way"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


class TaskType(models.TextChoices):
    """What happens at a task's address."""

    PICKUP = "PICKUP", "Pickup"
    DROPOFF = "DROPOFF", "Dropoff"


COLORS: dict[str, str] = {
    DeliveryStatus.PENDING: "info",
    DeliveryStatus.PICKUP_ENROUTE: "warning",
    DeliveryStatus.PICKUP_APPROACHING: "warning",
    DeliveryStatus.PICKUP_WAITING: "warning",
    DeliveryStatus.DROPOFF_ENROUTE: "primary",
    DeliveryStatus.DROPOFF_APPROACHING: "primary",
    DeliveryStatus.DROPOFF_WAITING: "primary",
    DeliveryStatus.DELIVERED: "success",
    DeliveryStatus.CANCELLED: "danger",
    TaskStatus.TODO: "info",
    TaskStatus.DOING: "warning",
    TaskStatus.DONE: "success",
    TaskStatus.FAILED: "danger",
    TaskStatus.CANCELLED: "default",
}
"""The badge of each status, in the words that the screens' style sheet knows."""

TASK_MOVES: dict[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.TODO: frozenset([TaskStatus.DOING, TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.CANCELLED]),
    TaskStatus.DOING: frozenset([TaskStatus.TODO, TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.CANCELLED]),
    TaskStatus.DONE: frozenset(),
    TaskStatus.FAILED: frozenset([TaskStatus.TODO]),
    TaskStatus.CANCELLED: frozenset([TaskStatus.TODO]),
}
"""What people may do with a task. A carrier's report may do more: see `follow`."""

DELIVERY_MOVES: dict[DeliveryStatus, frozenset[DeliveryStatus]] = {
    status: frozenset(DeliveryStatus) - {status} for status in DeliveryStatus
}
"""What a carrier may report: any status after any other, skips and steps back included."""

OPEN = frozenset([TaskStatus.TODO, TaskStatus.DOING])
FINISHED = frozenset([TaskStatus.DONE, TaskStatus.FAILED])
OVER = frozenset([DeliveryStatus.DELIVERED, DeliveryStatus.CANCELLED])
TO_PICKUP = frozenset([DeliveryStatus.PICKUP_ENROUTE, DeliveryStatus.PICKUP_APPROACHING, DeliveryStatus.PICKUP_WAITING])
TO_DROPOFF = frozenset([DeliveryStatus.DROPOFF_ENROUTE, DeliveryStatus.DROPOFF_APPROACHING, DeliveryStatus.DROPOFF_WAITING])
AT_DROPOFF = TO_DROPOFF - {DeliveryStatus.DROPOFF_ENROUTE}

MOMENTS: dict[DeliveryStatus, str] = {
    DeliveryStatus.PICKUP_ENROUTE: "assigned_at",
    DeliveryStatus.DROPOFF_ENROUTE: "pickup_at",
    DeliveryStatus.DELIVERED: "delivered_at",
    DeliveryStatus.CANCELLED: "cancelled_at",
}
"""The time that each status writes when it is entered."""


class Step(Protocol):
    """What this module needs to know of a task."""

    type: str
    status: str


def status_of(steps: Iterable[Step], *, now: DeliveryStatus) -> DeliveryStatus:
    """The status that the tasks of a delivery give it; `now` is kept where the tasks agree with it.

    An open pickup holds everything back, a cancelled or failed one nothing; but where pickups failed and nothing is done or
    under way, nobody is on the way. A cancelled delivery may have finished tasks of any kind, and comes back when one of
    them is open again.
    """
    every = list(steps)
    pickups = [TaskStatus(step.status) for step in every if step.type == TaskType.PICKUP]
    dropoffs = [TaskStatus(step.status) for step in every if step.type == TaskType.DROPOFF]
    left = OPEN.intersection(pickups + dropoffs)
    if not left:
        undone = TaskStatus.FAILED in pickups + dropoffs or TaskStatus.DONE not in dropoffs
        return DeliveryStatus.CANCELLED if undone or now == DeliveryStatus.CANCELLED else DeliveryStatus.DELIVERED
    if OPEN.intersection(pickups):
        begun = {TaskStatus.DOING, TaskStatus.DONE}.intersection(pickups)
        return _within(TO_PICKUP, now) if begun else DeliveryStatus.PENDING
    if TaskStatus.DOING in dropoffs:
        return _within(TO_DROPOFF, now)
    return DeliveryStatus.DROPOFF_ENROUTE if TaskStatus.DONE in pickups + dropoffs else DeliveryStatus.PENDING


def needs_attention(steps: Iterable[Step]) -> bool:
    """Whether something failed in a delivery that is not over: somebody must say what becomes of it."""
    statuses = {step.status for step in steps}
    return TaskStatus.FAILED in statuses and not OPEN.isdisjoint(statuses)


def _within(phase: frozenset[DeliveryStatus], now: DeliveryStatus) -> DeliveryStatus:
    if now in phase:
        return now
    return DeliveryStatus.PICKUP_ENROUTE if DeliveryStatus.PICKUP_ENROUTE in phase else DeliveryStatus.DROPOFF_ENROUTE


def agree(status: DeliveryStatus, steps: Iterable[Step]) -> bool:
    """Whether a delivery's status and its tasks tell one story."""
    return status_of(steps, now=status) == status


def follow(status: DeliveryStatus, steps: Sequence[Step]) -> list[TaskStatus]:
    """What each task becomes when a carrier reports `status`, in the order given.

    Stops that were taken out of the delivery (cancelled while others of their type go on) stay out. Finished ones keep
    what they are when the delivery is cancelled; on the way to the recipients, dropoffs already made or failed do while
    there is another to make, and failed pickups while there is another to carry.
    """
    if status == DeliveryStatus.CANCELLED:
        return [TaskStatus.CANCELLED if step.status in OPEN else TaskStatus(step.status) for step in steps]
    live_types = {step.type for step in steps if step.status != TaskStatus.CANCELLED}
    kept = _kept(steps) if status in TO_DROPOFF else frozenset()
    return [
        TaskStatus(step.status)
        if (step.status == TaskStatus.CANCELLED and step.type in live_types) or (step.type, step.status) in kept
        else _follow_one(status, step)
        for step in steps
    ]


def _kept(steps: Sequence[Step]) -> frozenset[tuple[str, str]]:
    """The types and statuses of finished stops that need no second look because the delivery goes on without them."""
    kept: set[tuple[str, str]] = set()
    if any(step.type == TaskType.DROPOFF and step.status in OPEN for step in steps):
        kept.update((TaskType.DROPOFF, finished) for finished in FINISHED)
    if any(step.type == TaskType.PICKUP and step.status in OPEN | {TaskStatus.DONE} for step in steps):
        kept.add((TaskType.PICKUP, TaskStatus.FAILED))
    return frozenset(kept)


def _follow_one(status: DeliveryStatus, step: Step) -> TaskStatus:
    if status == DeliveryStatus.DELIVERED:
        return TaskStatus.DONE
    if step.type == TaskType.PICKUP:
        if status == DeliveryStatus.PENDING:
            return TaskStatus.TODO
        return TaskStatus.DOING if status in TO_PICKUP else TaskStatus.DONE
    under_way = status in AT_DROPOFF or (status == DeliveryStatus.DROPOFF_ENROUTE and step.status == TaskStatus.DOING)
    return TaskStatus.DOING if under_way else TaskStatus.TODO
