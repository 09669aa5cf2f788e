"""What people do with a task: start, complete, fail, cancel, restore, reschedule."""

from datetime import datetime

from deliveries.models import Task
from deliveries.statuses import FINISHED, OPEN, TaskStatus, TaskType
from deliveries.transitions.assigning import release
from deliveries.transitions.work import Work, keep_promises, lock, move, promised, settle
from stores import effects
from stores.actors import Actor
from stores.models import Store
from stores.refusals import Refused


class AlreadyCompleted(Refused):
    """The task is done or failed: nothing more to do there."""

    code = "already_completed"


class TaskIsCancelled(Refused):
    """The task was cancelled."""

    code = "task_cancelled"


class PreviousUnfinished(Refused):
    """Another task comes first."""

    code = "previous_unfinished"


class BadWindow(Refused):
    """A window that ends before it begins."""

    code = "bad_window"


def start(task: Task, *, by: Actor, at: datetime) -> Task:
    """TODO to DOING; from any other status it changes nothing, as couriers tap twice."""
    with effects.atomic():
        work = lock(task, by=by, at=at)
        locked = work.task(task.pk)
        if locked.status == TaskStatus.TODO:
            move(work, locked, TaskStatus.DOING, kind="task.started")
            settle(work)
    return locked


def complete(task: Task, *, by: Actor, at: datetime, notes: str = "", contact_name: str = "") -> Task:
    """To DONE, when everything before it is finished; `contact_name` is who received it."""
    with effects.atomic():
        work = lock(task, by=by, at=at)
        locked = work.task(task.pk)
        complete_held(work, locked, notes=notes, contact_name=contact_name)
        settle(work)
    return locked


def fail(task: Task, *, by: Actor, at: datetime, reason: str = "", notes: str = "", contact_name: str = "") -> Task:
    """To FAILED; `notes` falls back to `reason`, and a reason is logged as an incident as well."""
    with effects.atomic():
        work = lock(task, by=by, at=at)
        locked = work.task(task.pk)
        check_unfinished(locked)
        if _waits_for(work, locked) is not None:
            raise PreviousUnfinished("Previous task must be completed first")
        _set_contact(locked, contact_name)
        said = {"reason": reason, "notes": notes or reason}
        move(work, locked, TaskStatus.FAILED, kind="task.failed", **said)
        if reason:
            work.tell("task.incident-reported", locked, **said)
        settle(work)
    return locked


def cancel(task: Task, *, by: Actor, at: datetime) -> Task:
    """To CANCELLED from TODO or DOING; a cancelled one stays as it is."""
    with effects.atomic():
        work = lock(task, by=by, at=at)
        locked = work.task(task.pk)
        if locked.status != TaskStatus.CANCELLED:
            if locked.status in FINISHED:
                raise AlreadyCompleted(f"Task #{locked.pk} is already completed")
            move(work, locked, TaskStatus.CANCELLED, kind="task.cancelled")
            settle(work)
    return locked


def restore(task: Task, *, by: Actor, at: datetime) -> Task:
    """A cancelled or failed task back to TODO, still with the courier it had; an open one stays as it is."""
    with effects.atomic():
        work = lock(task, by=by, at=at)
        locked = work.task(task.pk)
        if locked.status not in OPEN:
            move(work, locked, TaskStatus.TODO, kind="task.restored")
            settle(work)
    return locked


def reschedule(task: Task, *, after: datetime, before: datetime, by: Actor, at: datetime) -> Task:
    """Another window, TODO again and with no courier; from FAILED and CANCELLED as well, never from DONE.

    The other stops of its delivery stay with theirs. What the house is expected at moves along.
    """
    if after >= before:
        raise BadWindow("The time frame is not valid", path=("before",))
    with effects.atomic():
        work = lock(task, by=by, at=at)
        locked = work.task(task.pk)
        if locked.status == TaskStatus.DONE:
            raise AlreadyCompleted(f"Task #{locked.pk} is already completed")
        before_that = promised(work.tasks)
        release(work, locked)
        locked.after, locked.before = after, before
        locked.metadata = {**locked.metadata, "rescheduled": True}
        window = {"rescheduled_after": after.isoformat(), "rescheduled_before": before.isoformat()}
        if locked.status == TaskStatus.TODO:
            work.tell("task.rescheduled", locked, **window)
        else:
            move(work, locked, TaskStatus.TODO, kind="task.rescheduled", **window)
        locked.updated_at = at
        locked.save(update_fields=["after", "before", "metadata", "updated_at"])
        keep_promises(work, before_that)
        settle(work)
    return locked


def complete_held(work: Work, task: Task, *, notes: str, contact_name: str) -> None:
    """DONE for one of the tasks already held; the caller settles."""
    check_unfinished(task)
    first = _waits_for(work, task)
    if first is not None:
        raise PreviousUnfinished(
            f"Task #{task.pk} could not be completed because it has a previous task #{first.pk} which must be completed first."
        )
    _set_contact(task, contact_name)
    move(work, task, TaskStatus.DONE, kind="task.done", notes=notes)


def check_unfinished(task: Task) -> None:
    """Refuse what is done, failed or cancelled."""
    if task.status in FINISHED:
        raise AlreadyCompleted(f"Task #{task.pk} is already completed")
    if task.status == TaskStatus.CANCELLED:
        raise TaskIsCancelled(f"Task #{task.pk} is cancelled")


def _waits_for(work: Work, task: Task) -> Task | None:
    """The open task that must be finished first: its predecessor, and, for a dropoff, every pickup of the delivery."""
    for other in work.tasks:
        first = other.pk == task.previous_id or (task.type == TaskType.DROPOFF and other.type == TaskType.PICKUP)
        if first and other.status in OPEN:
            return other
    return None


def _set_contact(task: Task, contact_name: str) -> None:
    """Who received it, at this task's address alone: one shared with others, or kept in an address book, is copied first."""
    address = task.address
    if not contact_name or contact_name == address.contact_name:
        return
    address.contact_name = contact_name
    shared = Task.objects.filter(address=address).exclude(pk=task.pk).exists() or Store.objects.filter(address=address).exists()
    if not shared and address.store_id is None:
        address.save(update_fields=["contact_name"])
        return
    address.pk, address.store_id = None, None
    address.save(force_insert=True)
    task.address = address
    task.save(update_fields=["address"])
