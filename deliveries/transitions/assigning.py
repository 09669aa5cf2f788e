"""Who carries a task, and where it stands in their list of the day."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max

from deliveries.models import Courier, Delivery, Task, TaskList
from deliveries.statuses import FINISHED, OPEN
from deliveries.transitions.work import Work, lock, settle
from stores import effects
from stores.actors import Actor
from stores.refusals import Refused


class AlreadyAssigned(Refused):
    """Somebody else holds the task."""

    code = "already_assigned"


class CarriedByAnother(Refused):
    """An outside carrier carries this: nobody of the house can be given its tasks."""

    code = "carried_by_another"


def assign(task: Task, courier: Courier, *, by: Actor, at: datetime) -> Task:
    """Give a courier this task and all others of its delivery; the present courier keeps it, without a word.

    A courier takes what is free; what another holds, only the desk gives away.
    """
    with effects.atomic():
        work = lock(task, by=by, at=at)
        _check_house(work)
        takers = [held for held in work.tasks if held.status not in FINISHED and held.courier_id != courier.pk]
        if not by.runs_the_desk:
            _check_free(takers)
        _hand_over(work, takers, courier)
        settle(work)
    return work.task(task.pk)


def unassign(task: Task, *, by: Actor, at: datetime) -> Task:
    """Take this task and all others of its delivery from their courier; finished ones stay with whoever did them."""
    with effects.atomic():
        work = lock(task, by=by, at=at)
        for held in work.tasks:
            if held.status not in FINISHED:
                release(work, held)
        settle(work)
    return work.task(task.pk)


def hand_to(delivery: Delivery, tasks: Sequence[Task], courier: Courier, *, by: Actor, at: datetime) -> None:
    """Give the tasks of a delivery just booked, in the same transaction, to a courier."""
    work = Work(delivery, list(tasks), by, at)
    _hand_over(work, work.tasks, courier)
    settle(work)


def release(work: Work, task: Task) -> None:
    """Take one task from its courier and their list."""
    if task.courier is None:
        return
    work.tell("task.unassigned", task, username=task.courier.user.username)
    task.courier = task.task_list = None
    task.task_list_position = 0
    task.updated_at = work.at
    task.save(update_fields=["courier", "task_list", "task_list_position", "updated_at"])
    if work.delivery is not None and not any(other.courier_id for other in work.tasks if other.status in OPEN):
        work.delivery.courier = None


def relist(work: Work) -> None:
    """Tasks whose day has changed go to the end of their courier's list of that day."""
    moved = [task for task in work.tasks if task.courier and task.task_list and task.task_list.date != _day(task)]
    for task in sorted(moved, key=_day):
        assert task.courier is not None
        task.task_list = _hold_list(task.courier, _day(task), at=work.at)
        task.task_list_position = _end_of(task.task_list) + 1
        task.save(update_fields=["task_list", "task_list_position"])


def _check_house(work: Work) -> None:
    if work.delivery is not None and not work.delivery.by_house:
        raise CarriedByAnother(f"{work.delivery.carrier} carries this delivery: its tasks cannot be given to anybody here.")


def _check_free(tasks: Iterable[Task]) -> None:
    for task in tasks:
        if task.courier is not None:
            raise AlreadyAssigned(f'Task #{task.pk} is already assigned to "{task.courier.user.username}"')


def _hand_over(work: Work, tasks: Sequence[Task], courier: Courier) -> None:
    lists = {day: _hold_list(courier, day, at=work.at) for day in sorted({_day(task) for task in tasks})}
    ends = {day: _end_of(listed) for day, listed in lists.items()}
    for task in sorted(tasks, key=lambda task: task.position):
        day = _day(task)
        ends[day] += 1
        task.courier = courier
        task.task_list, task.task_list_position = lists[day], ends[day]
        task.updated_at = work.at
        task.save(update_fields=["courier", "task_list", "task_list_position", "updated_at"])
        work.tell("task.assigned", task, username=courier.user.username)
    if tasks and work.delivery is not None:
        work.delivery.courier = courier
        work.tell("delivery.assigned", username=courier.user.username)


def _day(task: Task) -> date:
    """Couriers' lists are kept by the instance's days, wherever the store is."""
    return task.before.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _hold_list(courier: Courier, day: date, *, at: datetime) -> TaskList:
    """A courier's list of a day, made when it is the first, and locked so that no two tasks get the same place."""
    listed, _ = TaskList.objects.get_or_create(courier=courier, date=day, defaults={"created_at": at, "updated_at": at})
    TaskList.objects.filter(pk=listed.pk).update(updated_at=at)
    return listed


def _end_of(listed: TaskList) -> int:
    last: int | None = listed.tasks.aggregate(last=Max("task_list_position"))["last"]
    return last or 0
