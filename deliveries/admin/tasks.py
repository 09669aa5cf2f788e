"""Tasks at the desk: every stop with its window, who does it, and what may be done about it."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import Case, DateTimeField, F, Value, When
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from deliveries import loads, transitions
from deliveries.admin import columns, facets, telling
from deliveries.admin.acts import Act, ActingAdmin
from deliveries.admin.asking import AssignForm, FailForm, RescheduleForm
from deliveries.admin.delivery_acts import out_of_order, to_courier
from deliveries.admin.desk import actor_of, moment_of
from deliveries.models import Event, Task
from deliveries.statuses import COLORS, FINISHED, OPEN, TASK_MOVES, TaskStatus


def _done(singular: str, plural: str) -> Any:
    return lambda count: ngettext(singular, plural, count) % {"count": count}


def _may_become(to: TaskStatus) -> Any:
    return lambda task: to in TASK_MOVES[TaskStatus(task.status)]


ACTS = (
    Act(
        name="assign",
        label="Assign",
        icon="person_add",
        call=transitions.assign,
        form=AssignForm,
        ending=to_courier,
        fits=lambda task: task.status in OPEN and (task.delivery is None or task.delivery.by_house),
        done=_done("%(count)d task assigned.", "%(count)d tasks assigned."),
    ),
    Act(
        name="unassign",
        label="Unassign",
        icon="person_remove",
        call=transitions.unassign,
        fits=lambda task: task.courier_id is not None and task.status not in FINISHED,
        done=_done("%(count)d task is free again.", "%(count)d tasks are free again."),
    ),
    Act(
        name="start",
        label="Start",
        icon="play_arrow",
        call=transitions.start,
        fits=lambda task: task.status == TaskStatus.TODO,
        reached=lambda task: task.status == TaskStatus.DOING,
        done=_done("%(count)d task started.", "%(count)d tasks started."),
    ),
    Act(
        name="done",
        label="Done",
        icon="check",
        call=transitions.complete,
        fits=_may_become(TaskStatus.DONE),
        done=_done("%(count)d task done.", "%(count)d tasks done."),
    ),
    Act(
        name="reschedule",
        label="Reschedule",
        icon="schedule",
        call=transitions.reschedule,
        form=RescheduleForm,
        warns=out_of_order,
        fits=lambda task: task.status != TaskStatus.DONE,
        done=_done("%(count)d task rescheduled.", "%(count)d tasks rescheduled."),
    ),
    Act(
        name="restore",
        label="Restore",
        icon="restore",
        call=transitions.restore,
        fits=lambda task: task.status in (TaskStatus.FAILED, TaskStatus.CANCELLED),
        done=_done("%(count)d task is to be done again.", "%(count)d tasks are to be done again."),
    ),
    Act(
        name="fail",
        label="Fail",
        icon="report",
        call=transitions.fail,
        form=FailForm,
        fits=_may_become(TaskStatus.FAILED),
        done=_done("%(count)d task failed.", "%(count)d tasks failed."),
    ),
    Act(
        name="cancel",
        label="Cancel task",
        icon="block",
        call=transitions.cancel,
        grave=True,
        fits=_may_become(TaskStatus.CANCELLED),
        done=_done("%(count)d task cancelled.", "%(count)d tasks cancelled."),
    ),
)


@admin.register(Task)
class TaskAdmin(ActingAdmin):
    """Every stop; its status is moved by acts alone."""

    by_hand = False
    acts = ACTS
    list_before_template: Any = "admin/deliveries/delivery/shortcuts.html"
    list_display = ("stop", "shown_status", "shown_window", "shown_lateness", "carried_by", "shown_address", "store")
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        facets.OpenFacet,
        facets.DayFacet,
        facets.DateFacet,
        facets.LateFacet,
        facets.UnassignedFacet,
        facets.StoreFacet,
        facets.CourierFacet,
        ("type", ChoicesCheckboxFilter),
        facets.HouseFacet,
        facets.ReviewFacet,
    )
    list_select_related = ("store", "address", "courier__user", "delivery__order")
    search_fields = (
        "=id",
        "ref",
        "address__contact_name",
        "address__name",
        "address__company",
        "address__street_address",
        "address__telephone",
        "delivery__order__ref",
        "delivery__order__public_id",
        "courier__user__username",
        "courier__user__first_name",
        "courier__user__last_name",
    )
    search_help_text = "Name, phone, address, courier, order or task reference"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("badge", "shown_lateness"),
                    ("type", "sender_name"),
                    ("shown_window", "finished"),
                    ("delivery_link", "store_link"),
                    ("carried_by", "list_link"),
                )
            },
        ),
        ("Where", {"fields": ("address_link", ("recipient", "phone"), "directions", "place")}),
        ("What", {"fields": ("load", "shown_tags", "doorstep", "remarks")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Stores have no page of an address or of a courier's day to go to."""
        if actor_of(request).runs_the_desk:
            return self.fieldsets
        (_, first), (where, second), what = self.fieldsets
        rows = tuple(row if row != ("carried_by", "list_link") else "carried_by" for row in first["fields"])
        return ((None, {"fields": rows}), (where, {"fields": ("shown_address", *second["fields"][1:])}), what)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Tasks with the moment they are looked at."""
        rows = super().get_queryset(request).annotate(looked_at=Value(moment_of(request), output_field=DateTimeField()))
        return rows.annotate(open_until=Case(When(status__in=OPEN, then=F("before")), default=None))

    def get_ordering(self, request: HttpRequest) -> Any:
        """The most urgent first, then the latest of those that are over."""
        return [F("open_until").asc(nulls_last=True), "-before", "-id"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with the questions asked most of it."""
        return super().changelist_view(request, {"shortcuts": facets.shortcuts(request, Task), **(extra_context or {})})

    def describe(self, row: Any) -> str:
        """Type, number, order, whose address, window and status."""
        address = row.address
        window = columns.window(row.after, row.before, _zone(row), now=row.looked_at)
        parts = (order_name(row), address.contact_name, address.street_address, window, row.get_status_display())
        return " · ".join((f"{row.get_type_display()} #{row.pk}", *filter(None, parts)))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The page of a task, with its log."""
        context = dict(extra_context or {})
        task = None if object_id is None else self.get_object(request, object_id)
        if task is not None:
            events = Event.objects.filter(task=task).select_related("task").order_by("happened_at", "id")
            context["timeline"] = telling.timeline(events, task.store.tz, now=moment_of(request))
            context["timeline_zone"] = task.store.timezone
            context["runs_the_desk"] = actor_of(request).runs_the_desk
        return super().changeform_view(request, object_id, form_url, context)

    @display(description="Task", ordering="id")
    def stop(self, task: Any) -> SafeString:
        return columns.unbroken(f"{task.get_type_display()} #{task.pk}", order_name(task))

    @display(description="Status", label=COLORS, ordering="status")
    def shown_status(self, task: Any) -> tuple[str, str]:
        return task.status, task.get_status_display()

    @display(description="Status")
    def badge(self, task: Any) -> SafeString:
        return columns.badge(task.get_status_display(), COLORS[task.status])

    @display(description="Window", ordering="before")
    def shown_window(self, task: Any) -> str:
        return columns.window(task.after, task.before, _zone(task), now=task.looked_at)

    @display(description="Late?", ordering="before")
    def shown_lateness(self, task: Any) -> SafeString | str:
        if task.status == TaskStatus.CANCELLED:
            return ""
        return columns.lateness(task.before, task.finished_at, now=task.looked_at)

    @display(description="Address", ordering="address__street_address")
    def shown_address(self, task: Any) -> SafeString:
        address = task.address
        review = columns.flag("address to be reviewed", columns.AMBER) if address.needs_review else ""
        return columns.lines(address.contact_name or address.name or address.company or address.street_address, _street(address), review)

    @display(description="Carried by", ordering="courier__user__username")
    def carried_by(self, task: Any) -> SafeString | str:
        if task.courier is not None:
            return str(task.courier)
        if task.delivery is not None and not task.delivery.by_house:
            return str(task.delivery.carrier)
        return columns.flag("nobody yet", columns.AMBER) if task.status in OPEN else "–"

    @display(description="Delivery")
    def delivery_link(self, task: Any) -> SafeString | str:
        return columns.link(task.delivery) or "–"

    @display(description="Store")
    def store_link(self, task: Any) -> SafeString | str:
        return columns.link(task.store)

    @display(description="On the list of")
    def list_link(self, task: Any) -> SafeString | str:
        return columns.link(task.task_list) or "–"

    @display(description="Finished")
    def finished(self, task: Any) -> str:
        return columns.clock(task.finished_at, _zone(task), now=task.looked_at) or "–"

    @display(description="Address")
    def address_link(self, task: Any) -> SafeString | str:
        review = columns.flag("to be reviewed", columns.AMBER) if task.address.needs_review else ""
        return columns.lines(columns.link(task.address), review)

    @display(description="Contact")
    def recipient(self, task: Any) -> str:
        return task.address.contact_name or task.address.company or "–"

    @display(description="Phone")
    def phone(self, task: Any) -> str:
        return " · code ".join(part for part in (task.address.telephone, task.address.access_code) if part) or "–"

    @display(description="What the courier should know")
    def directions(self, task: Any) -> str:
        return task.address.description or "–"

    @display(description="On the map")
    def place(self, task: Any) -> SafeString | str:
        return columns.on_map(task.address.latitude, task.address.longitude)

    @display(description="The sender's name for it")
    def sender_name(self, task: Any) -> str:
        return task.ref or "–"

    @display(description="Load")
    def load(self, task: Any) -> str:
        others = [task] if task.delivery_id is None else list(task.delivery.tasks.all())
        return loads.summary(loads.shown(task, others)) or "–"

    @display(description="Comments")
    def remarks(self, task: Any) -> str:
        """What the sender wrote, without what the load says already."""
        said = set(loads.summary(loads.total([task])).splitlines()) | set(self.load(task).splitlines())
        return "\n".join(line for line in task.comments.splitlines() if line.strip() and line.strip() not in said) or "–"

    @display(description="Tags")
    def shown_tags(self, task: Any) -> str:
        return ", ".join(tag.name for tag in task.tags.all()) or "–"


def _zone(task: Any) -> ZoneInfo:
    zone: ZoneInfo = task.store.tz
    return zone


def order_name(task: Any) -> str:
    """The order a task belongs to, and the name its sender gave the task."""
    order = "" if task.delivery is None else f"order {task.delivery.order.ref or task.delivery.order.public_id}"
    return " · ".join(part for part in (order, task.ref) if part)


def _street(address: Any) -> str:
    named = address.contact_name or address.name or address.company
    return address.street_address if named else ""
