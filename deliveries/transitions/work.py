"""What one verb holds locked, how it assigns statuses, and what it tells the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deliveries import events, history
from deliveries.events import Happening
from deliveries.models import Delivery, Task
from deliveries.statuses import (
    DELIVERY_MOVES,
    FINISHED,
    MOMENTS,
    OVER,
    TASK_MOVES,
    TO_DROPOFF,
    DeliveryStatus,
    TaskStatus,
    TaskType,
    follow,
    status_of,
)
from stores import effects, orders
from stores.actors import Actor
from stores.models import OrderStatus
from stores.refusals import NotFound, Refused

REPORTED_KINDS: dict[TaskStatus, str] = {
    TaskStatus.TODO: "task.restored",
    TaskStatus.DOING: "task.started",
    TaskStatus.DONE: "task.done",
    TaskStatus.FAILED: "task.failed",
    TaskStatus.CANCELLED: "task.cancelled",
}
"""What the log calls it when a task follows its carrier's report."""

ENTERED_KINDS: dict[DeliveryStatus, str] = {
    DeliveryStatus.PICKUP_ENROUTE: "delivery.started",
    DeliveryStatus.DROPOFF_ENROUTE: "delivery.picked",
    DeliveryStatus.DELIVERED: "delivery.completed",
}
"""What the log calls it when a delivery enters a status; the rest are updates."""


CALLED_OFF = frozenset([OrderStatus.CANCELLED, OrderStatus.REJECTED])
"""The store gave the order up: unless it was made for its delivery, nothing that becomes of that moves it any more."""

ESTIMATES = ("estimated_pickup_at", "estimated_dropoff_at")

MOVED_BY_DELIVERY = frozenset([OrderStatus.IN_DELIVERY, OrderStatus.COMPLETED, OrderStatus.DELIVERY_FAILED, OrderStatus.CANCELLED])
"""Where a delivery takes its order, and brings it back from when it steps back itself."""


class IllegalMove(Refused):
    """A status that cannot follow the present one."""

    code = "illegal_move"


@dataclass
class Work:
    """The rows of one verb, locked; who asks, when, and what there is to tell."""

    delivery: Delivery | None
    tasks: list[Task]
    by: Actor
    at: datetime
    told: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Keep what the delivery and its order are like before anything changes."""
        self._delivery_was = {} if self.delivery is None else history.seen(self.delivery)
        self._order_was = {} if self.delivery is None else history.seen(self.delivery.order)

    def task(self, pk: int) -> Task:
        for task in self.tasks:
            if task.pk == pk:
                return task
        raise NotFound(f"Task #{pk} does not exist.")

    def tell(self, kind: str, task: Task | None = None, /, **data: Any) -> None:
        self.told.append(Happening(kind=kind, task=task, delivery=self.delivery, data=data))

    def remember(self) -> None:
        """Have the log say what the columns that changed were before; a change that nobody told of is told here."""
        if self.delivery is not None:
            self._remember("delivery", history.changed(self.delivery, self._delivery_was))
            self.remember_order()

    def remember_order(self) -> None:
        """The same for the order alone, of a delivery that was not there before."""
        self._remember("order", history.changed(self.held.order, self._order_was))

    def _remember(self, subject: str, before: history.Values) -> None:
        if not before:
            return
        if not any(happening.kind.startswith(f"{subject}.") for happening in self.told):
            self.tell(f"{subject}.updated", fields=list(before))
        first = next(happening for happening in self.told if happening.kind.startswith(f"{subject}."))
        first.data["before"] = before

    @property
    def held(self) -> Delivery:
        """The delivery, of a verb that is about one."""
        assert self.delivery is not None
        return self.delivery


def lock(task: Task, *, by: Actor, at: datetime) -> Work:
    """Hold a task with its delivery and all tasks of that."""
    if task.delivery_id is not None:
        return lock_delivery(task.delivery_id, by=by, at=at)
    alone = Task.objects.select_for_update(of=("self",)).select_related("address", "courier__user").filter(pk=task.pk)
    work = Work(None, list(alone), by, at)
    effects.locked()
    return work


def lock_delivery(pk: int, *, by: Actor, at: datetime) -> Work:
    """Hold a delivery with its order and all its tasks."""
    delivery = Delivery.objects.select_for_update(of=("self", "order")).select_related("order", "courier__user").filter(pk=pk).first()
    if delivery is None:
        raise NotFound("The delivery does not exist.")
    tasks = Task.objects.select_for_update(of=("self",)).select_related("address", "courier__user").filter(delivery_id=pk).order_by("id")
    work = Work(delivery, list(tasks), by, at)
    effects.locked()
    return work


def move(work: Work, task: Task, to: TaskStatus, *, kind: str, **data: Any) -> None:
    """Give a task a status that people may give it, and tell; raises `IllegalMove`."""
    if to not in TASK_MOVES[TaskStatus(task.status)]:
        raise IllegalMove(f"Task #{task.pk} is {task.status}; it cannot become {to}.")
    _set(task, to, at=work.at)
    work.tell(kind, task, **data)


def move_delivery(work: Work, to: DeliveryStatus, *, given: frozenset[str]) -> bool:
    """Give a delivery the status that its carrier reports, its tasks following; False when it has it already.

    `given` names the moments that the carrier reports itself. The caller saves the delivery.
    """
    if to not in DELIVERY_MOVES[DeliveryStatus(work.held.status)]:
        return False
    for task, becomes in zip(work.tasks, follow(to, work.tasks), strict=True):
        if task.status != becomes:
            _set(task, becomes, at=work.at)
            work.tell(REPORTED_KINDS[becomes], task)
    _enter(work, to, given=given)
    return True


def settle(work: Work) -> None:
    """Bring the delivery, and its order, into step with the tasks, and write the log."""
    delivery = work.delivery
    if delivery is not None and work.told:
        to = status_of(work.tasks, now=DeliveryStatus(delivery.status))
        if to != delivery.status:
            kept = _kept_moment(delivery, to)
            _forget_the_end(delivery)
            _enter(work, to, given=kept)
        delivery.updated_at = work.at
        delivery.save(update_fields=["status", "courier", "updated_at", *ESTIMATES, *MOMENTS.values()])
    log(work)


def promised(tasks: Iterable[Task]) -> dict[str, datetime]:
    """When a delivery of the house is expected at its first pickup and its last dropoff: `{"estimated_pickup_at", ...}`."""
    live = sorted((task for task in tasks if task.status != TaskStatus.CANCELLED), key=lambda task: task.position)
    pickups = [task.before for task in live if task.type == TaskType.PICKUP]
    dropoffs = [task.before for task in live if task.type == TaskType.DROPOFF]
    return {
        **({"estimated_pickup_at": pickups[0]} if pickups else {}),
        **({"estimated_dropoff_at": dropoffs[-1]} if dropoffs else {}),
    }


def keep_promises(work: Work, before: dict[str, datetime]) -> None:
    """Move along what the house is expected at, where its windows are no longer those of `before`; the caller settles."""
    delivery = work.delivery
    if delivery is not None and delivery.by_house:
        for name, due in promised(work.tasks).items():
            if before.get(name) != due:
                setattr(delivery, name, due)


def _forget_the_end(delivery: Delivery) -> None:
    """What is taken back has not ended after all. A carrier's report says itself which of its moments no longer hold."""
    if delivery.status in OVER:
        setattr(delivery, MOMENTS[DeliveryStatus(delivery.status)], None)


def _kept_moment(delivery: Delivery, to: DeliveryStatus) -> frozenset[str]:
    """What a delivery that comes back to life has behind it happened when it happened."""
    moment = MOMENTS.get(to)
    past = moment and delivery.status in OVER and getattr(delivery, moment) is not None
    return frozenset([moment]) if moment and past else frozenset()


def log(work: Work) -> None:
    """Write what there is to tell, with what was before."""
    work.remember()
    events.record(work.told, by=work.by, at=work.at)


def enter_first(
    delivery: Delivery, tasks: Sequence[Task], status: DeliveryStatus, *, by: Actor, at: datetime, given: frozenset[str]
) -> list[Happening]:
    """Set the first status of a delivery that is being booked, before its rows are written; the tasks follow.

    `given` names the moments that whoever books it gave themselves. Returns what there is to tell of the order, which
    the house moves along here too.
    """
    work = Work(delivery, list(tasks), by, at)
    for task, to in zip(tasks, follow(status, tasks), strict=True):
        task.status = to
        task.finished_at = at if to in FINISHED else None
    delivery.status = status
    moment = MOMENTS.get(status)
    if moment and moment not in given:
        setattr(delivery, moment, at)
    if delivery.by_house:
        _bridge(work, status, left=DeliveryStatus.PENDING)
    work.remember_order()
    return work.told


def _set(task: Task, to: TaskStatus, *, at: datetime) -> None:
    task.status = to
    task.finished_at = at if to in FINISHED else None
    task.updated_at = at
    task.save(update_fields=["status", "finished_at", "updated_at"])


def _enter(work: Work, to: DeliveryStatus, *, given: frozenset[str]) -> None:
    """Set the delivery's status with its moment, tell the log, and move the order when the house carries."""
    delivery = work.held
    left = DeliveryStatus(delivery.status)
    delivery.status = to
    moment = MOMENTS.get(to)
    if moment and moment not in given:
        setattr(delivery, moment, work.at)
    work.tell(_kind_of(work, to), **{"from": left.value, "to": to.value})
    if delivery.by_house:
        _bridge(work, to, left=left)


def _kind_of(work: Work, to: DeliveryStatus) -> str:
    if to == DeliveryStatus.CANCELLED:
        return "delivery.failed" if any(task.status == TaskStatus.FAILED for task in work.tasks) else "delivery.cancelled"
    return ENTERED_KINDS.get(to, "delivery.updated")


def _bridge(work: Work, to: DeliveryStatus, *, left: DeliveryStatus) -> None:
    """The house is its own bridge: its deliveries move their orders along; other carriers' orders are theirs to move."""
    order = work.held.order
    stage = _order_status(work, to, left=left)
    if stage is not None and orders.move(order, stage, at=work.at):
        work.tell("order.updated", status=stage.value)


def _order_status(work: Work, to: DeliveryStatus, *, left: DeliveryStatus) -> OrderStatus | None:
    order = work.held.order
    if order.status in CALLED_OFF and not order.made_for_delivery:
        return None
    if to in TO_DROPOFF:
        return OrderStatus.IN_DELIVERY
    if to == DeliveryStatus.DELIVERED:
        return OrderStatus.COMPLETED
    if to == DeliveryStatus.CANCELLED:
        if order.status in CALLED_OFF:
            return None
        failed = any(task.status == TaskStatus.FAILED for task in work.tasks)
        return OrderStatus.CANCELLED if order.made_for_delivery and not failed else OrderStatus.DELIVERY_FAILED
    return OrderStatus.ACCEPTED if left in TO_DROPOFF | OVER and order.status in MOVED_BY_DELIVERY else None
