"""What the worker does, as its queue tells it; for admins, and read only."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from procrastinate.contrib.django.models import ProcrastinateJob
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from deliveries.admin import columns
from deliveries.admin.desk import DeskAdmin, replace

COLORS = {"todo": "info", "doing": "warning", "succeeded": "success", "failed": "danger"}

replace(ProcrastinateJob)


@admin.register(ProcrastinateJob)
class JobAdmin(DeskAdmin):
    """Jobs, the newest first."""

    by_hand = False
    list_display = ("id", "task_name", "shown_status", "attempts", "scheduled_at", "queue_name")
    list_filter = (("status", ChoicesCheckboxFilter),)
    search_fields = ("task_name",)
    ordering = ("-id",)
    fields = ("task_name", "args", "badge", "attempts", "scheduled_at", "queue_name", "lock", "queueing_lock", "priority")

    @display(description="Status")
    def badge(self, job: Any) -> SafeString:
        return columns.badge(job.status.capitalize(), COLORS.get(job.status, "default"))

    @display(description="Status", label=COLORS, ordering="status")
    def shown_status(self, job: Any) -> tuple[str, str]:
        return job.status, job.status.capitalize()
