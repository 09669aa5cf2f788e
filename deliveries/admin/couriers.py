"""Couriers at the desk: who is out, where, with how much left to do; and their lists of a day."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, DateTimeField, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display

from deliveries import queries
from deliveries.admin import columns
from deliveries.admin.desk import DeskAdmin, moment_of
from deliveries.models import Courier, Task, TaskList
from deliveries.statuses import FINISHED, OPEN
from stores.actors import Role


def with_load(rows: QuerySet[Any], *, now: datetime) -> Any:
    """Couriers with what is `left`, `over` and `late` of their lists of today."""
    today = Q(task_lists__date=now.astimezone(ZoneInfo(settings.TIME_ZONE)).date())
    left = today & Q(task_lists__tasks__status__in=OPEN)
    return rows.select_related("user").annotate(
        looked_at=Value(now, output_field=DateTimeField()),
        left=Count("task_lists__tasks", filter=left),
        over=Count("task_lists__tasks", filter=today & Q(task_lists__tasks__status__in=FINISHED)),
        late=Count("task_lists__tasks", filter=left & Q(task_lists__tasks__before__lt=now)),
    )


@admin.register(Courier)
class CourierAdmin(DeskAdmin):
    """Whoever carries for the house."""

    list_display = ("name", "load", "lateness", "phone", "position", "shown_color")
    search_fields = ("user__username", "user__first_name", "user__last_name", "user__telephone")
    autocomplete_fields = ("user",)
    fields = ("user", "color", "load", "lateness", "position", "phone")
    readonly_fields = ("load", "lateness", "position", "phone")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Couriers with today's load."""
        return with_load(super().get_queryset(request), now=moment_of(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("user", "color")

    def get_ordering(self, request: HttpRequest) -> Any:
        """Whoever has most to do first."""
        return ["-left", "user__username"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Anybody in the couriers' group; whom the list offers is for the list of people to say."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name == "user":
            field.help_text = f"Put them in the group “{Role.COURIER}” as well, so that they see the courier's pages."
        return field

    @display(description="Courier", header=True, ordering="user__username")
    def name(self, courier: Any) -> list[str]:
        return [str(courier.user), courier.user.username]

    @display(description="Today", ordering="left")
    def load(self, courier: Any) -> str:
        if not courier.left and not courier.over:
            return "nothing today"
        return f"{courier.left} to do, {courier.over} done"

    @display(description="Late?", ordering="late")
    def lateness(self, courier: Any) -> SafeString | str:
        return columns.flag(f"{courier.late} late") if courier.late else "–"

    @display(description="Phone")
    def phone(self, courier: Any) -> str:
        return courier.user.telephone or "–"

    @display(description="Position")
    def position(self, courier: Any) -> SafeString | str:
        if courier.latitude is None or courier.longitude is None or courier.located_at is None:
            return "unknown"
        old = courier.looked_at - courier.located_at > queries.POSITION_LASTS
        when = columns.ago(courier.located_at, now=courier.looked_at)
        return columns.lines(
            columns.on_map(courier.latitude, courier.longitude, "on the map"), columns.flag(when, columns.AMBER) if old else when
        )

    @display(description="Colour")
    def shown_color(self, courier: Any) -> SafeString:
        return columns.swatch(courier.color)


@admin.register(TaskList)
class TaskListAdmin(DeskAdmin):
    """What a courier does on a day; tasks come and go by assigning them."""

    by_hand = False
    change_form_template = "admin/deliveries/tasklist/change_form.html"
    list_display = ("courier", "date", "load", "updated_at")
    list_filter = ("date",)
    list_select_related = ("courier__user",)
    search_fields = ("courier__user__username", "courier__user__first_name", "courier__user__last_name")
    fields = (("courier", "date"), ("load", "updated_at"))

    def get_queryset(self, request: HttpRequest) -> Any:
        """Lists with how much is left of them."""
        return (
            super()
            .get_queryset(request)
            .select_related("courier__user")
            .annotate(left=Count("tasks", filter=Q(tasks__status__in=OPEN)), over=Count("tasks", filter=Q(tasks__status__in=FINISHED)))
        )

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The page of a list, with its tasks in order."""
        context = dict(extra_context or {})
        if object_id is not None and object_id.isdecimal():
            now = moment_of(request)
            tasks = (
                Task.objects.filter(task_list=int(object_id))
                .select_related("address", "store", "courier__user")
                .order_by("task_list_position", "id")
            )
            context["stops"] = [columns.stop(task, task.store.tz, now=now) for task in tasks]
        return super().changeform_view(request, object_id, form_url, context)

    @display(description="Tasks")
    def load(self, listed: Any) -> str:
        return f"{listed.left} to do, {listed.over} done"
