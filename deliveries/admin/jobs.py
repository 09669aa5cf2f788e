"""What the worker does, as its queue tells it; for admins, and read only."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from procrastinate.contrib.django.models import ProcrastinateJob
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from deliveries.admin import columns
from deliveries.admin.desk import DeskAdmin, replace
from deliveries.admin.plainly import title
from deliveries.admin.watching import SECRET
from deliveries.models import Call, Subscription
from deliveries.outbox import queue
from stores.models import Order

COLORS = {"todo": "info", "doing": "warning", "succeeded": "success", "failed": "danger"}
WORDS = {
    queue.TELL: "Work out who is told",
    queue.SEND: "Make a call",
    queue.TEST: "Send a test event",
    "sweep": "Take up what was lost",
    "purge": "Throw away what is old",
    "locate_again": "Look up addresses again",
}

replace(ProcrastinateJob)


def tell_about(jobs: Iterable[Any]) -> None:
    """Give each of some jobs `about`: the call it makes and to whom, or what happened to which order; three queries at most."""
    rows = list(jobs)
    calls = Call.objects.filter(pk__in=_numbers(rows, "call_id")).select_related("subscription__client")
    known = {call.pk: call for call in calls.defer("body", *(f"subscription__{name}" for name in SECRET if "connection" not in name))}
    hooks = Subscription.objects.filter(pk__in=_numbers(rows, "subscription_id")).select_related("client")
    tested = {hook.pk: hook for hook in hooks.defer(*(name for name in SECRET if "connection" not in name))}
    chained = {job.pk: str(job.args.get("chain", "")).partition(" ") for job in rows}
    orders = Order.objects.in_bulk([int(pk) for kind, _, pk in chained.values() if kind == "order" and pk.isdecimal()])
    for job in rows:
        kind, _, pk = chained[job.pk]
        call, hook = known.get(job.args.get("call_id")), tested.get(job.args.get("subscription_id"))
        if call is not None:
            job.about = columns.lines(columns.link(call, str(call.name)), title(call.subscription))
        elif hook is not None:
            job.about = columns.link(hook, title(hook))
        elif kind == "order" and pk.isdecimal() and int(pk) in orders:
            job.about = columns.link(orders[int(pk)])
        else:
            job.about = f"{kind} #{pk}" if pk else "–"


def _numbers(jobs: Iterable[Any], name: str) -> list[int]:
    return [job.args[name] for job in jobs if isinstance(job.args.get(name), int)]


@admin.register(ProcrastinateJob)
class JobAdmin(DeskAdmin):
    """Jobs, the newest first."""

    by_hand = False
    list_display = ("id", "what", "shown_about", "shown_status", "attempts", "scheduled_at")
    list_filter = (("status", ChoicesCheckboxFilter),)
    search_fields = ("task_name",)
    ordering = ("-id",)
    fields = ("what", "shown_about", "badge", "attempts", "scheduled_at", "args", "queue_name", "lock", "queueing_lock", "priority")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with what each of its jobs is about."""
        listed = super().get_changelist_instance(request)
        tell_about(listed.result_list)
        return listed

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """A job, with what it is about."""
        job = super().get_object(request, object_id, from_field)
        if job is not None:
            tell_about([job])
        return job

    @display(description="Job", ordering="task_name")
    def what(self, job: Any) -> SafeString:
        return columns.lines(WORDS.get(job.task_name, job.task_name), job.task_name)

    @display(description="About")
    def shown_about(self, job: Any) -> SafeString | str:
        about: SafeString | str = job.about
        return about

    @display(description="Status")
    def badge(self, job: Any) -> SafeString:
        return columns.badge(job.status.capitalize(), COLORS.get(job.status, "default"))

    @display(description="Status", label=COLORS, ordering="status")
    def shown_status(self, job: Any) -> tuple[str, str]:
        return job.status, job.status.capitalize()
