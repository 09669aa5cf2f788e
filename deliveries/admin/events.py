"""The event log at the desk: read, never written."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.db.models import DateTimeField, Value
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from deliveries.admin import columns, facets, telling
from deliveries.admin.desk import DeskAdmin, moment_of
from deliveries.models import Event


@admin.register(Event)
class EventAdmin(DeskAdmin):
    """Everything that happened, the newest first."""

    by_hand = False
    list_display = ("what", "shown_detail", "delivery_link", "store", "who", "happened", "recorded")
    list_filter = (("actor_kind", ChoicesCheckboxFilter), facets.StoreFacet)
    list_select_related = ("task", "delivery", "store")
    search_fields = ("=kind", "actor_name", "=delivery__id", "=task__id", "=order__public_id")
    search_help_text = "Kind, as task.done; who; number of a delivery or task"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("what", "kind"),
                    ("happened", "recorded"),
                    ("who", "actor_kind"),
                    ("store", "order"),
                    ("delivery_link", "task_link"),
                    "shown_detail",
                    "data",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Events with the moment they are looked at."""
        rows = super().get_queryset(request).select_related("task", "delivery", "store")
        return rows.annotate(looked_at=Value(moment_of(request), output_field=DateTimeField()))

    def get_ordering(self, request: HttpRequest) -> Any:
        """The newest first."""
        return ["-id"]

    @display(description="What happened", ordering="kind")
    def what(self, event: Any) -> str:
        return telling.sentence(event)

    @display(description="Besides")
    def shown_detail(self, event: Any) -> str:
        return telling.detail(event, event.store.tz, now=event.looked_at, names={}) or "–"

    @display(description="Who", ordering="actor_name")
    def who(self, event: Any) -> str:
        return str(event.actor_name)

    @display(description="Delivery")
    def delivery_link(self, event: Any) -> SafeString | str:
        return columns.link(event.delivery) or "–"

    @display(description="Task")
    def task_link(self, event: Any) -> SafeString | str:
        return columns.link(event.task) or "–"

    @display(description="Happened", ordering="happened_at")
    def happened(self, event: Any) -> str:
        return columns.clock(event.happened_at, ZoneInfo(settings.TIME_ZONE), now=event.looked_at)

    @display(description="Recorded", ordering="recorded_at")
    def recorded(self, event: Any) -> str:
        return columns.clock(event.recorded_at, ZoneInfo(settings.TIME_ZONE), now=event.looked_at)
