"""What happens to a delivery as a whole: picked up, dropped off, cancelled, or reported on by its carrier."""

from datetime import datetime
from typing import Any

from django.db.models import Exists

from deliveries.history import MOVED, POSITION
from deliveries.models import Delivery, Subscription
from deliveries.statuses import MOMENTS, OPEN, DeliveryStatus, TaskStatus, TaskType
from deliveries.transitions.tasks import check_unfinished, complete_held
from deliveries.transitions.work import IllegalMove, lock_delivery, log, move, move_delivery, settle
from stores import effects
from stores.actors import Actor
from stores.refusals import Refused


class AssignedBlocksCancel(Refused):
    """Somebody holds a task of the delivery, or its carrier has set out."""

    code = "tasks_assigned"


def pick(delivery: Delivery, *, by: Actor, at: datetime, notes: str = "") -> Delivery:
    """Every pickup of a delivery that is not finished becomes DONE."""
    return _complete_all(delivery, TaskType.PICKUP, by=by, at=at, notes=notes)


def drop(delivery: Delivery, *, by: Actor, at: datetime, notes: str = "") -> Delivery:
    """Every dropoff of a delivery that is not finished becomes DONE; its pickups must be finished."""
    return _complete_all(delivery, TaskType.DROPOFF, by=by, at=at, notes=notes)


def cancel_delivery(delivery: Delivery, *, by: Actor, at: datetime, even_assigned: bool = False) -> Delivery:
    """Cancel a delivery with its open tasks; finished ones stay, and a cancelled delivery stays as it is.

    Refused with `AssignedBlocksCancel` when a courier holds one of them or an outside carrier has begun, unless
    `even_assigned`; with `IllegalMove` when it is delivered.
    """
    with effects.atomic():
        work = lock_delivery(delivery.pk, by=by, at=at)
        if work.held.status == DeliveryStatus.CANCELLED:
            return work.held
        if work.held.status == DeliveryStatus.DELIVERED:
            raise IllegalMove("Nothing is left to cancel in this delivery.")
        begun = not work.held.by_house and work.held.status != DeliveryStatus.PENDING
        if not even_assigned and (begun or any(task.courier_id for task in work.tasks if task.status in OPEN)):
            raise AssignedBlocksCancel("Tasks have already been assigned")
        move_delivery(work, DeliveryStatus.CANCELLED, given=frozenset())
        settle(work)
    return work.held


def restore_delivery(delivery: Delivery, *, by: Actor, at: datetime) -> Delivery:
    """Every cancelled or failed task of a delivery back to TODO, still with the courier it had."""
    with effects.atomic():
        work = lock_delivery(delivery.pk, by=by, at=at)
        given_up = [task for task in work.tasks if task.status in (TaskStatus.CANCELLED, TaskStatus.FAILED)]
        if not given_up:
            raise IllegalMove("Nothing in this delivery was cancelled or failed.")
        for task in given_up:
            move(work, task, TaskStatus.TODO, kind="task.restored")
        settle(work)
    return work.held


def report(delivery: Delivery, changes: dict[str, Any], *, by: Actor, at: datetime) -> Delivery:
    """What a carrier says of a delivery: any of its open fields, and any status after any other; the tasks follow.

    `changes` holds columns of `Delivery` by name. A status writes its moment (`statuses.MOMENTS`) at `at`, unless
    `changes` gives that moment itself, null included; the same status again leaves it alone. A report of nothing but the
    driver's position, which comes every few seconds, is one statement and leaves no trace in the log, unless somebody
    asked to be told of it.
    """
    if changes and changes.keys() <= POSITION and _moves_unnoticed(delivery, changes, by=by, at=at):
        return delivery
    with effects.atomic():
        work = lock_delivery(delivery.pk, by=by, at=at)
        locked = work.held
        fields = {name: value for name, value in changes.items() if name != "status"}
        changed = [name for name, value in fields.items() if getattr(locked, name) != value]
        for name, value in fields.items():
            setattr(locked, name, value)
        moved = move_delivery(work, DeliveryStatus(changes.get("status", locked.status)), given=frozenset(fields))
        if changed and not moved:
            work.tell(MOVED if set(changed) <= POSITION else "delivery.updated", fields=changed)
        if changed or moved:
            locked.updated_at = at
            locked.save(update_fields=sorted({*fields, *MOMENTS.values(), "status", "updated_at"}))
        log(work)
    return locked


def _moves_unnoticed(delivery: Delivery, changes: dict[str, Any], *, by: Actor, at: datetime) -> bool:
    """Write the driver's position, if there is nobody who wants to be told; False when there is, and nothing was written."""
    reached = Subscription.objects.active().of_store(delivery.store_id)
    following = reached.filter(follows_positions=True).exclude(client_id=by.client_id)
    with effects.atomic():
        if effects.awaited():
            lock_delivery(delivery.pk, by=by, at=at)
        if not Delivery.objects.filter(~Exists(following), pk=delivery.pk).update(**changes, updated_at=at):
            return False
    for name, value in changes.items():
        setattr(delivery, name, value)
    delivery.updated_at = at
    return True


def _complete_all(delivery: Delivery, of: TaskType, *, by: Actor, at: datetime, notes: str) -> Delivery:
    with effects.atomic():
        work = lock_delivery(delivery.pk, by=by, at=at)
        steps = sorted((task for task in work.tasks if task.type == of), key=lambda task: task.position)
        waiting = [task for task in steps if task.status in OPEN]
        if not waiting:
            check_unfinished(steps[-1])
        for task in waiting:
            complete_held(work, task, notes=notes, contact_name="")
        settle(work)
    return work.held
