"""What the desk does with a delivery: verbs of the core, on its next stop, its failed one, or all of it."""

from datetime import datetime
from typing import Any

from django.utils.translation import ngettext

from deliveries import transitions
from deliveries.admin.acts import Act
from deliveries.admin.asking import AssignForm, FailForm, RescheduleForm
from deliveries.models import Courier, Delivery, Task
from deliveries.statuses import OPEN, OVER, DeliveryStatus, TaskStatus, TaskType
from stores.actors import Actor


def _done(singular: str, plural: str) -> Any:
    return lambda count: ngettext(singular, plural, count) % {"count": count}


def _is_open(delivery: Delivery) -> bool:
    return delivery.status not in OVER


def _next_stop(delivery: Delivery) -> Task:
    """The stop to be made next; refuses when there is none."""
    stop = delivery.tasks.filter(status__in=OPEN).order_by("position").first()
    if stop is None:
        raise transitions.IllegalMove("Nothing is left to do in this delivery.")
    return stop


def failed_stop(delivery: Delivery) -> Task | None:
    """The first stop that could not be made, among the tasks as they were loaded."""
    failed = [task for task in delivery.tasks.all() if task.status == TaskStatus.FAILED]
    return min(failed, key=lambda task: task.position) if failed else None


def _has_open(delivery: Delivery, of: TaskType) -> bool:
    return any(task.type == of and task.status in OPEN for task in delivery.tasks.all())


def _may_be_dropped(delivery: Delivery) -> bool:
    """Everything was picked up, so that what is left can be handed over."""
    picked = all(task.status == TaskStatus.DONE for task in delivery.tasks.all() if task.type == TaskType.PICKUP)
    return _is_open(delivery) and picked and _has_open(delivery, TaskType.DROPOFF)


class FailedStopForm(RescheduleForm):
    """Another window for the stop of a delivery that could not be made."""

    def stop(self, row: Any) -> Any:
        """The failed stop."""
        return failed_stop(row)


def assign(delivery: Delivery, *, courier: Courier, by: Actor, at: datetime) -> Task:
    """Give a courier the delivery: its next stop, and with it all the others."""
    return transitions.assign(_next_stop(delivery), courier, by=by, at=at)


def unassign(delivery: Delivery, *, by: Actor, at: datetime) -> Task:
    """Take the delivery from its courier."""
    return transitions.unassign(_next_stop(delivery), by=by, at=at)


def start(delivery: Delivery, *, by: Actor, at: datetime) -> Task:
    """Start the next stop."""
    return transitions.start(_next_stop(delivery), by=by, at=at)


def fail(delivery: Delivery, *, reason: str, notes: str, by: Actor, at: datetime) -> Task:
    """Fail the next stop."""
    return transitions.fail(_next_stop(delivery), reason=reason, notes=notes, by=by, at=at)


def cancel(delivery: Delivery, *, by: Actor, at: datetime) -> Delivery:
    """Cancel the delivery; the desk does so even when somebody has it in hand."""
    return transitions.cancel_delivery(delivery, by=by, at=at, even_assigned=by.runs_the_desk)


def reschedule(delivery: Delivery, *, after: datetime, before: datetime, by: Actor, at: datetime) -> Task:
    """Give the failed stop another window, in which it is to be made again; refuses when none has failed."""
    stop = failed_stop(delivery)
    if stop is None:
        raise transitions.IllegalMove("No stop of this delivery has failed.")
    return transitions.reschedule(stop, after=after, before=before, by=by, at=at)


def out_of_order(task: Task) -> str:
    """A warning when a pickup of the task's delivery ends after one of its dropoffs does, "" otherwise."""
    others = [] if task.delivery_id is None else list(Task.objects.filter(delivery_id=task.delivery_id, status__in=OPEN))
    pickups = [other.before for other in others if other.type == TaskType.PICKUP]
    dropoffs = [other.before for other in others if other.type == TaskType.DROPOFF]
    if pickups and dropoffs and max(pickups) > min(dropoffs):
        return f"{task.delivery}: a pickup now ends after a dropoff does. Reschedule the other stop as well."
    return ""


def to_courier(answers: dict[str, Any]) -> str:
    """Whom something was given to."""
    return f" to {answers['courier']}"


ACTS = (
    Act(
        name="assign",
        label="Assign",
        icon="person_add",
        call=assign,
        form=AssignForm,
        ending=to_courier,
        fits=lambda delivery: _is_open(delivery) and delivery.by_house,
        done=_done("%(count)d delivery assigned.", "%(count)d deliveries assigned."),
    ),
    Act(
        name="unassign",
        label="Unassign",
        icon="person_remove",
        call=unassign,
        fits=lambda delivery: _is_open(delivery) and delivery.courier_id is not None,
        done=_done("%(count)d delivery is free again.", "%(count)d deliveries are free again."),
    ),
    Act(
        name="start",
        label="Start",
        icon="play_arrow",
        call=start,
        fits=lambda delivery: delivery.status == DeliveryStatus.PENDING and failed_stop(delivery) is None,
        done=_done("%(count)d delivery is on its way.", "%(count)d deliveries are on their way."),
    ),
    Act(
        name="pick",
        label="Picked up",
        icon="package_2",
        call=transitions.pick,
        fits=lambda delivery: _is_open(delivery) and _has_open(delivery, TaskType.PICKUP),
        done=_done("%(count)d delivery picked up.", "%(count)d deliveries picked up."),
    ),
    Act(
        name="drop",
        label="Delivered",
        icon="check",
        call=transitions.drop,
        fits=_may_be_dropped,
        done=_done("%(count)d delivery made.", "%(count)d deliveries made."),
    ),
    Act(
        name="reschedule",
        label="Reschedule the failed stop",
        icon="schedule",
        call=reschedule,
        form=FailedStopForm,
        warns=out_of_order,
        fits=lambda delivery: failed_stop(delivery) is not None,
        done=_done("%(count)d stop rescheduled.", "%(count)d stops rescheduled."),
    ),
    Act(
        name="restore",
        label="Restore",
        icon="restore",
        call=transitions.restore_delivery,
        fits=lambda delivery: delivery.status == DeliveryStatus.CANCELLED or failed_stop(delivery) is not None,
        done=_done("%(count)d delivery is to be made again.", "%(count)d deliveries are to be made again."),
    ),
    Act(
        name="fail",
        label="Fail the next stop",
        icon="report",
        call=fail,
        form=FailForm,
        fits=_is_open,
        done=_done("%(count)d stop failed.", "%(count)d stops failed."),
    ),
    Act(
        name="cancel",
        label="Cancel delivery",
        icon="block",
        call=cancel,
        grave=True,
        for_stores=True,
        fits=_is_open,
        done=_done("%(count)d delivery cancelled.", "%(count)d deliveries cancelled."),
    ),
)
