"""The only module that assigns a status of a delivery or a task: lock, check, save, log, in one short transaction.

Locking, once for all: a verb takes the row of the delivery first, then its tasks in the order of their ids, then the
courier's list; several deliveries are taken in the order of their ids. A task without a delivery is its own lock. An
order is written under the lock of its delivery and never locked before it. Nothing here touches the network.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from deliveries import events
from deliveries.events import Happening
from deliveries.models import Courier, Delivery, Task, TaskList
from deliveries.statuses import (
    DELIVERY_MOVES,
    FINISHED,
    MOMENTS,
    OPEN,
    OVER,
    TASK_MOVES,
    TO_DROPOFF,
    DeliveryStatus,
    TaskStatus,
    TaskType,
    follow,
    status_of,
)
from stores import orders
from stores.actors import Actor
from stores.models import OrderStatus
from stores.refusals import NotFound, Refused


class IllegalMove(Refused):
    """A status that cannot follow the present one."""

    code = "illegal_move"


class AlreadyCompleted(Refused):
    """The task is done or failed: nothing more to do there."""

    code = "already_completed"


class TaskIsCancelled(Refused):
    """The task was cancelled."""

    code = "task_cancelled"


class PreviousUnfinished(Refused):
    """Another task comes first."""

    code = "previous_unfinished"


class AlreadyAssigned(Refused):
    """Somebody else holds the task."""

    code = "already_assigned"


class AssignedBlocksCancel(Refused):
    """A delivery whose tasks are assigned is not cancelled by its store."""

    code = "tasks_assigned"


class CarriedByAnother(Refused):
    """An outside carrier carries this: nobody of the house can be given its tasks."""

    code = "carried_by_another"


class BadWindow(Refused):
    """A window that ends before it begins."""

    code = "bad_window"


@dataclass
class _Work:
    """What one verb holds locked, and what it has to tell the log."""

    delivery: Delivery | None
    tasks: list[Task]
    by: Actor
    at: datetime
    told: list[Happening] = field(default_factory=list)

    def task(self, pk: int) -> Task:
        for task in self.tasks:
            if task.pk == pk:
                return task
        raise NotFound(f"Task #{pk} does not exist.")

    def tell(self, kind: str, task: Task | None = None, **data: Any) -> None:
        self.told.append(Happening(kind=kind, task=task, delivery=self.delivery, data=data))


def start(task: Task, *, by: Actor, at: datetime) -> Task:
    """TODO to DOING; from any other status it changes nothing, as couriers tap twice."""
    with transaction.atomic():
        work = _lock(task, by=by, at=at)
        locked = work.task(task.pk)
        if locked.status == TaskStatus.TODO:
            _move(work, locked, TaskStatus.DOING, kind="task.started")
            _settle(work)
    return locked


def complete(task: Task, *, by: Actor, at: datetime, notes: str = "", contact_name: str = "") -> Task:
    """To DONE, when everything before it is finished; `contact_name` is who received it."""
    with transaction.atomic():
        work = _lock(task, by=by, at=at)
        locked = work.task(task.pk)
        _complete(work, locked, notes=notes, contact_name=contact_name)
        _settle(work)
    return locked


def fail(task: Task, *, by: Actor, at: datetime, reason: str = "", notes: str = "", contact_name: str = "") -> Task:
    """To FAILED; `notes` falls back to `reason`, and a reason is logged as an incident as well."""
    with transaction.atomic():
        work = _lock(task, by=by, at=at)
        locked = work.task(task.pk)
        _check_unfinished(locked)
        if _waits_for(work, locked) is not None:
            raise PreviousUnfinished("Previous task must be completed first")
        _set_contact(locked, contact_name)
        said = {"reason": reason, "notes": notes or reason}
        _move(work, locked, TaskStatus.FAILED, kind="task.failed", **said)
        if reason:
            work.tell("task.incident-reported", locked, **said)
        _settle(work)
    return locked


def cancel(task: Task, *, by: Actor, at: datetime) -> Task:
    """To CANCELLED from TODO or DOING; a cancelled one stays as it is."""
    with transaction.atomic():
        work = _lock(task, by=by, at=at)
        locked = work.task(task.pk)
        if locked.status != TaskStatus.CANCELLED:
            if locked.status in FINISHED:
                raise AlreadyCompleted(f"Task #{locked.pk} is already completed")
            _move(work, locked, TaskStatus.CANCELLED, kind="task.cancelled")
            _settle(work)
    return locked


def restore(task: Task, *, by: Actor, at: datetime) -> Task:
    """A cancelled or failed task back to TODO, still with the courier it had; an open one stays as it is."""
    with transaction.atomic():
        work = _lock(task, by=by, at=at)
        locked = work.task(task.pk)
        if locked.status not in OPEN:
            _move(work, locked, TaskStatus.TODO, kind="task.restored")
            _settle(work)
    return locked


def reschedule(task: Task, *, after: datetime, before: datetime, by: Actor, at: datetime) -> Task:
    """Another window, TODO again and with no courier; from FAILED and CANCELLED as well, never from DONE."""
    if after >= before:
        raise BadWindow("The time frame is not valid", path=("before",))
    with transaction.atomic():
        work = _lock(task, by=by, at=at)
        locked = work.task(task.pk)
        if locked.status == TaskStatus.DONE:
            raise AlreadyCompleted(f"Task #{locked.pk} is already completed")
        _release(work, locked)
        locked.after, locked.before = after, before
        locked.metadata = {**locked.metadata, "rescheduled": True}
        window = {"rescheduled_after": after.isoformat(), "rescheduled_before": before.isoformat()}
        if locked.status == TaskStatus.TODO:
            work.tell("task.rescheduled", locked, **window)
        else:
            _move(work, locked, TaskStatus.TODO, kind="task.rescheduled", **window)
        _save(locked, at)
        _settle(work)
    return locked


def assign(task: Task, courier: Courier, *, by: Actor, at: datetime) -> Task:
    """Give a courier this task and all others of its delivery; the present courier keeps it, without a word.

    A courier takes what is free; what another holds, only the desk gives away.
    """
    with transaction.atomic():
        work = _lock(task, by=by, at=at)
        _check_house(work)
        takers = [held for held in work.tasks if held.status not in FINISHED and held.courier_id != courier.pk]
        if not by.runs_the_desk:
            _check_free(takers)
        _hand_over(work, takers, courier)
        _settle(work)
    return work.task(task.pk)


def unassign(task: Task, *, by: Actor, at: datetime) -> Task:
    """Take this task and all others of its delivery from their courier; finished ones stay with whoever did them."""
    with transaction.atomic():
        work = _lock(task, by=by, at=at)
        for held in work.tasks:
            if held.status not in FINISHED:
                _release(work, held)
        _settle(work)
    return work.task(task.pk)


def pick(delivery: Delivery, *, by: Actor, at: datetime, notes: str = "") -> Delivery:
    """Every pickup of a delivery that is not finished becomes DONE."""
    return _complete_all(delivery, TaskType.PICKUP, by=by, at=at, notes=notes)


def drop(delivery: Delivery, *, by: Actor, at: datetime, notes: str = "") -> Delivery:
    """Every dropoff of a delivery that is not finished becomes DONE; its pickups must be finished."""
    return _complete_all(delivery, TaskType.DROPOFF, by=by, at=at, notes=notes)


def cancel_delivery(delivery: Delivery, *, by: Actor, at: datetime) -> Delivery:
    """Cancel the open tasks of a delivery, so the delivery too. Refused when a courier holds one, but for the desk."""
    with transaction.atomic():
        work = _lock_delivery(delivery.pk, by=by, at=at)
        still_open = [task for task in work.tasks if task.status in OPEN]
        if not still_open:
            raise IllegalMove("Nothing is left to cancel in this delivery.")
        if not by.runs_the_desk and any(task.courier_id for task in still_open):
            raise AssignedBlocksCancel("Tasks have already been assigned")
        for task in still_open:
            _move(work, task, TaskStatus.CANCELLED, kind="task.cancelled")
        _settle(work)
    return _held(work)


def report(delivery: Delivery, changes: dict[str, Any], *, by: Actor, at: datetime) -> Delivery:
    """What a carrier says of a delivery: any of its open fields, and any status after any other; the tasks follow.

    `changes` holds columns of `Delivery` by name. A status writes its moment (`statuses.MOMENTS`) at `at`, unless
    `changes` gives that moment itself, null included; the same status again leaves it alone.
    """
    with transaction.atomic():
        work = _lock_delivery(delivery.pk, by=by, at=at)
        locked = _held(work)
        fields = {name: value for name, value in changes.items() if name != "status"}
        before = {name: getattr(locked, name) for name in fields}
        to = DeliveryStatus(changes.get("status", locked.status))
        moved = to in DELIVERY_MOVES[DeliveryStatus(locked.status)]
        if moved:
            _follow(work, to)
        for name, value in fields.items():
            setattr(locked, name, value)
        changed = [name for name in fields if getattr(locked, name) != before[name]]
        if moved:
            _enter(work, to, given=frozenset(fields))
        elif changed:
            work.tell("delivery.updated", fields=changed)
        if moved or changed:
            locked.updated_at = at
            locked.save(update_fields=sorted({*fields, *MOMENTS.values(), "status", "updated_at"}) if moved else [*fields, "updated_at"])
        _log(work)
    return locked


def enter_first(delivery: Delivery, tasks: Sequence[Task], status: DeliveryStatus, *, at: datetime, given: frozenset[str]) -> None:
    """Set the first status of a delivery that is being booked, before its rows are written; the tasks follow.

    `given` names the moments that whoever books it gave themselves.
    """
    for task, to in zip(tasks, follow(status, list(tasks)), strict=True):
        task.status = to
        task.finished_at = at if to in FINISHED else None
    delivery.status = status
    moment = MOMENTS.get(status)
    if moment and moment not in given:
        setattr(delivery, moment, at)


def hand_to(delivery: Delivery, tasks: Sequence[Task], courier: Courier, *, by: Actor, at: datetime) -> None:
    """Give the tasks of a delivery just booked, in the same transaction, to a courier."""
    work = _Work(delivery, list(tasks), by, at)
    _hand_over(work, work.tasks, courier)
    _settle(work)


def _lock(task: Task, *, by: Actor, at: datetime) -> _Work:
    if task.delivery_id is not None:
        return _lock_delivery(task.delivery_id, by=by, at=at)
    alone = Task.objects.select_for_update(of=("self",)).select_related("address", "courier__user").filter(pk=task.pk)
    return _Work(None, list(alone), by, at)


def _lock_delivery(pk: int, *, by: Actor, at: datetime) -> _Work:
    delivery = Delivery.objects.select_for_update(of=("self",)).select_related("order", "courier").filter(pk=pk).first()
    if delivery is None:
        raise NotFound("The delivery does not exist.")
    tasks = Task.objects.select_for_update(of=("self",)).select_related("address", "courier__user").filter(delivery_id=pk).order_by("id")
    return _Work(delivery, list(tasks), by, at)


def _held(work: _Work) -> Delivery:
    assert work.delivery is not None
    return work.delivery


def _check_unfinished(task: Task) -> None:
    if task.status in FINISHED:
        raise AlreadyCompleted(f"Task #{task.pk} is already completed")
    if task.status == TaskStatus.CANCELLED:
        raise TaskIsCancelled(f"Task #{task.pk} is cancelled")


def _waits_for(work: _Work, task: Task) -> Task | None:
    """The open task that must be finished first: its predecessor, or, for a dropoff, any pickup of the delivery."""
    for other in work.tasks:
        first = other.pk == task.previous_id or (
            task.type == TaskType.DROPOFF and other.type == TaskType.PICKUP and task.previous_id is None
        )
        if first and other.status in OPEN and other.pk != task.pk:
            return other
    return None


def _complete(work: _Work, task: Task, *, notes: str, contact_name: str) -> None:
    _check_unfinished(task)
    first = _waits_for(work, task)
    if first is not None:
        raise PreviousUnfinished(
            f"Task #{task.pk} could not be completed because it has a previous task #{first.pk} which must be completed first."
        )
    _set_contact(task, contact_name)
    _move(work, task, TaskStatus.DONE, kind="task.done", notes=notes)


def _complete_all(delivery: Delivery, of: TaskType, *, by: Actor, at: datetime, notes: str) -> Delivery:
    with transaction.atomic():
        work = _lock_delivery(delivery.pk, by=by, at=at)
        steps = sorted((task for task in work.tasks if task.type == of), key=lambda task: task.position)
        waiting = [task for task in steps if task.status in OPEN]
        if not waiting:
            _check_unfinished(steps[-1])
        for task in waiting:
            _complete(work, task, notes=notes, contact_name="")
        _settle(work)
    return _held(work)


def _set_contact(task: Task, contact_name: str) -> None:
    if contact_name:
        task.address.contact_name = contact_name
        task.address.save(update_fields=["contact_name"])


def _move(work: _Work, task: Task, to: TaskStatus, *, kind: str, **data: Any) -> None:
    if to not in TASK_MOVES[TaskStatus(task.status)]:
        raise IllegalMove(f"Task #{task.pk} is {task.status}; it cannot become {to}.")
    _set(task, to, at=work.at)
    work.tell(kind, task, **data)


def _set(task: Task, to: TaskStatus, *, at: datetime) -> None:
    task.status = to
    task.finished_at = at if to in FINISHED else None
    task.updated_at = at
    task.save(update_fields=["status", "finished_at", "updated_at"])


def _save(task: Task, at: datetime) -> None:
    task.updated_at = at
    task.save(update_fields=["after", "before", "metadata", "updated_at"])


def _settle(work: _Work) -> None:
    """Bring the delivery, and its order, into step with the tasks, and write the log."""
    delivery = work.delivery
    if delivery is not None and work.told:
        to = status_of(work.tasks, now=DeliveryStatus(delivery.status))
        if to != delivery.status:
            _enter(work, to, given=frozenset())
        delivery.updated_at = work.at
        delivery.save(update_fields=["status", "courier", "updated_at", *MOMENTS.values()])
    _log(work)


def _log(work: _Work) -> None:
    events.record(work.told, by=work.by, at=work.at)


def _follow(work: _Work, to: DeliveryStatus) -> None:
    for task, becomes in zip(work.tasks, follow(to, work.tasks), strict=True):
        if task.status != becomes:
            _set(task, becomes, at=work.at)
            work.tell(REPORTED_KINDS[becomes], task)


REPORTED_KINDS: dict[TaskStatus, str] = {
    TaskStatus.TODO: "task.restored",
    TaskStatus.DOING: "task.started",
    TaskStatus.DONE: "task.done",
    TaskStatus.FAILED: "task.failed",
    TaskStatus.CANCELLED: "task.cancelled",
}
"""What the log calls it when a task follows its carrier's report."""


def _enter(work: _Work, to: DeliveryStatus, *, given: frozenset[str]) -> None:
    """Set the delivery's status with its moment, tell the log, and move the order when the house carries."""
    delivery = _held(work)
    left = DeliveryStatus(delivery.status)
    if left in OVER and MOMENTS[left] not in given:
        setattr(delivery, MOMENTS[left], None)
    delivery.status = to
    moment = MOMENTS.get(to)
    if moment and moment not in given:
        setattr(delivery, moment, work.at)
    work.tell(_kind_of(work, to), **{"from": left.value, "to": to.value})
    if delivery.by_house:
        _bridge(work, to)


def _kind_of(work: _Work, to: DeliveryStatus) -> str:
    if to == DeliveryStatus.CANCELLED:
        return "delivery.failed" if any(task.status == TaskStatus.FAILED for task in work.tasks) else "delivery.cancelled"
    return ENTERED_KINDS.get(to, "delivery.updated")


ENTERED_KINDS: dict[DeliveryStatus, str] = {
    DeliveryStatus.PICKUP_ENROUTE: "delivery.started",
    DeliveryStatus.DROPOFF_ENROUTE: "delivery.picked",
    DeliveryStatus.DELIVERED: "delivery.completed",
}
"""What the log calls it when a delivery enters a status; the rest are updates."""


def _bridge(work: _Work, to: DeliveryStatus) -> None:
    """The house is its own bridge: its deliveries move their orders along; other carriers' orders are theirs to move."""
    delivery = _held(work)
    order = delivery.order
    stage = _order_status(work, to, was=OrderStatus(order.status))
    if stage is not None and orders.move(order, stage, at=work.at):
        work.tell("order.updated", status=stage.value)


def _order_status(work: _Work, to: DeliveryStatus, *, was: OrderStatus) -> OrderStatus | None:
    if to in TO_DROPOFF:
        return OrderStatus.IN_DELIVERY
    if to == DeliveryStatus.DELIVERED:
        return OrderStatus.COMPLETED
    if to == DeliveryStatus.CANCELLED:
        failed = any(task.status == TaskStatus.FAILED for task in work.tasks)
        meant = _held(work).order.made_for_delivery and not failed
        return OrderStatus.CANCELLED if meant else OrderStatus.DELIVERY_FAILED
    ended = (OrderStatus.IN_DELIVERY, OrderStatus.COMPLETED, OrderStatus.DELIVERY_FAILED, OrderStatus.CANCELLED)
    return OrderStatus.ACCEPTED if was in ended else None


def _check_house(work: _Work) -> None:
    if work.delivery is not None and not work.delivery.by_house:
        raise CarriedByAnother(f"{work.delivery.carrier} carries this delivery: its tasks cannot be given to anybody here.")


def _check_free(tasks: Iterable[Task]) -> None:
    for task in tasks:
        if task.courier is not None:
            raise AlreadyAssigned(f'Task #{task.pk} is already assigned to "{task.courier.user.username}"')


def _hand_over(work: _Work, tasks: Sequence[Task], courier: Courier) -> None:
    for task in sorted(tasks, key=lambda task: task.position):
        task.courier = courier
        task.task_list, task.task_list_position = _next_place(courier, _day(task), at=work.at)
        task.updated_at = work.at
        task.save(update_fields=["courier", "task_list", "task_list_position", "updated_at"])
        work.tell("task.assigned", task, username=courier.user.username)
    if tasks and work.delivery is not None:
        work.delivery.courier = courier
        work.tell("delivery.assigned", username=courier.user.username)


def _release(work: _Work, task: Task) -> None:
    if task.courier is None:
        return
    work.tell("task.unassigned", task, username=task.courier.user.username)
    task.courier = task.task_list = None
    task.task_list_position = 0
    task.updated_at = work.at
    task.save(update_fields=["courier", "task_list", "task_list_position", "updated_at"])
    if work.delivery is not None and not any(other.courier_id for other in work.tasks if other.status in OPEN):
        work.delivery.courier = None


def _day(task: Task) -> date:
    """Couriers' lists are kept by the instance's days, wherever the store is."""
    return task.before.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _next_place(courier: Courier, day: date, *, at: datetime) -> tuple[TaskList, int]:
    listed, _ = TaskList.objects.get_or_create(courier=courier, date=day, defaults={"created_at": at, "updated_at": at})
    TaskList.objects.filter(pk=listed.pk).update(updated_at=at)
    last = Task.objects.filter(task_list=listed).aggregate(last=Max("task_list_position"))["last"]
    return listed, (last or 0) + 1
