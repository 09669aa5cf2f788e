"""The facets of the desk's lists: day, store, courier, who carries, what is late or to be looked at."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from deliveries import queries
from deliveries.admin.desk import actor_of, moment_of
from deliveries.models import Courier, Delivery, Task
from deliveries.models.task import TaskQuerySet
from deliveries.statuses import OPEN, OVER, TaskStatus
from stores.models import Store

Choices = list[tuple[str, str]]
UNDONE = OPEN | {TaskStatus.FAILED}
"""What of an open delivery was not made: a failed stop stays late until somebody sees to it."""
DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def here_on(request: HttpRequest, days: int = 0) -> date:
    """The instance's day, so many days from today."""
    return moment_of(request).astimezone(ZoneInfo(settings.TIME_ZONE)).date() + timedelta(days=days)


def on_day(rows: QuerySet[Any], day: date) -> QuerySet[Any]:
    """Tasks, or deliveries with a task, whose window touches a day of the instance."""
    if isinstance(rows, TaskQuerySet):
        return queries.on_day(rows, day)
    return rows.filter(Exists(queries.on_day(Task.objects.filter(delivery=OuterRef("pk")), day)))


class DayFacet(RadioFilter):
    """Yesterday, today, tomorrow."""

    title = "day"
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(name, name.capitalize()) for name in DAYS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = DAYS.get(self.value() or "")
        return queryset if days is None else on_day(queryset, here_on(request, days))


class DateForm(forms.Form):
    """One field with the browser's own calendar."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields[name] = forms.CharField(label="Date", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))


class DateFacet(admin.SimpleListFilter):
    """Any one day."""

    title = "date"
    parameter_name = "date"
    template = "unfold/filters/filters_field.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("", "")]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {"form": DateForm(self.parameter_name, data={self.parameter_name: self.value()})}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = self.value()
        if not text:
            return queryset
        try:
            return on_day(queryset, date.fromisoformat(text))
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(str(error)) from error


class RowFacet(DropdownFilter):
    """One row of another table, as whoever asks may see it."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = self.value()
        if not text:
            return queryset
        if not text.isdecimal() or len(text) > 18:
            raise IncorrectLookupParameters(f"“{text}” is no number.")
        return self.of_row(queryset, int(text))

    def of_row(self, queryset: QuerySet[Any], pk: int) -> QuerySet[Any]:
        """What belongs to one row of the other table."""
        return queryset.filter(**{f"{self.parameter_name}_id": pk})


class StoreFacet(RowFacet):
    """The stores that whoever asks may see."""

    title = "store"
    parameter_name = "store"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(pk), name) for pk, name in Store.objects.visible_to(actor_of(request)).values_list("pk", "name")]


class CourierFacet(RowFacet):
    """The couriers, for the desk alone."""

    title = "courier"
    parameter_name = "courier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        if not actor_of(request).runs_the_desk:
            return []
        return [(str(courier.pk), str(courier)) for courier in Courier.objects.select_related("user")]


class YesOrNo(RadioFilter):
    """A condition, and its contrary."""

    yes, no = "Yes", "No"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", self.yes), ("no", self.no)]

    def condition(self, request: HttpRequest, queryset: QuerySet[Any]) -> Q:
        """What holds for the rows of "yes"."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        condition = self.condition(request, queryset)
        return queryset.filter(condition if self.value() == "yes" else ~condition)


def open_rows(model: type[Any]) -> Q:
    """What is not over yet."""
    return Q(status__in=OPEN) if model is Task else ~Q(status__in=OVER)


class OpenFacet(YesOrNo):
    """Still to be done, or over."""

    title = "state"
    parameter_name = "open"
    yes, no = "Open", "Over"

    def condition(self, request: HttpRequest, queryset: QuerySet[Any]) -> Q:
        return open_rows(queryset.model)


class UnassignedFacet(YesOrNo):
    """Open, for the house to carry, and with no courier yet."""

    title = "assignment"
    parameter_name = "unassigned"
    yes, no = "Nobody yet", "Given to somebody, or over"

    def condition(self, request: HttpRequest, queryset: QuerySet[Any]) -> Q:
        rows = Task.objects.unassigned() if queryset.model is Task else Delivery.objects.unassigned()
        return Q(pk__in=rows.order_by().values("pk"))


class AttentionFacet(YesOrNo):
    """Deliveries of which a stop failed, and that are not over."""

    title = "attention"
    parameter_name = "failed"
    yes, no = "A stop failed", "Nothing failed, or over"

    def condition(self, request: HttpRequest, queryset: QuerySet[Any]) -> Q:
        return Q(pk__in=Delivery.objects.needing_attention().order_by().values("pk"))


class LateFacet(YesOrNo):
    """Open, and past the end of its window."""

    title = "lateness"
    parameter_name = "late"
    yes, no = "Late", "In time, or over"

    def condition(self, request: HttpRequest, queryset: QuerySet[Any]) -> Q:
        if queryset.model is Task:
            return Q(before__lt=moment_of(request), status__in=OPEN)
        return open_rows(Delivery) & late_deliveries(moment_of(request))


def late_deliveries(now: datetime) -> Q:
    """Those among open deliveries that have a stop to be made whose window is over."""
    return Q(Exists(Task.objects.filter(delivery=OuterRef("pk"), status__in=UNDONE, before__lt=now)))


class HouseFacet(YesOrNo):
    """The house's own fleet, or an outside carrier."""

    title = "carrier"
    parameter_name = "house"
    yes, no = "The house", "Outside carriers"

    def condition(self, request: HttpRequest, queryset: QuerySet[Any]) -> Q:
        return Q(by_house=True) if queryset.model is Delivery else Q(delivery__isnull=True) | Q(delivery__by_house=True)


class ReviewFacet(YesOrNo):
    """An address that nobody could find yet."""

    title = "address"
    parameter_name = "review"
    yes, no = "To be reviewed", "Found"

    def condition(self, request: HttpRequest, queryset: QuerySet[Any]) -> Q:
        if queryset.model is Task:
            return Q(address__needs_review=True)
        return Q(Exists(Task.objects.filter(delivery=OuterRef("pk"), address__needs_review=True)))


class AddressReviewFacet(YesOrNo):
    """Addresses that nobody could find yet."""

    title = "place"
    parameter_name = "review"
    yes, no = "To be reviewed", "Found"

    def condition(self, request: HttpRequest, queryset: QuerySet[Any]) -> Q:
        return Q(needs_review=True)


class RevokedFacet(YesOrNo):
    """Connections that were closed."""

    title = "state"
    parameter_name = "revoked"
    yes, no = "Closed", "Open"

    def condition(self, request: HttpRequest, queryset: QuerySet[Any]) -> Q:
        return Q(revoked_at__isnull=False)


SHORTCUTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Everything", {}),
    ("Open", {"open": "yes"}),
    ("Late", {"late": "yes"}),
    ("Failed, still open", {"failed": "yes"}),
    ("Nobody yet", {"unassigned": "yes"}),
    ("Today", {"day": "today"}),
    ("Tomorrow", {"day": "tomorrow"}),
    ("Addresses to review", {"review": "yes", "open": "yes"}),
    ("Outside carriers", {"house": "no"}),
)
"""The questions asked most of the list of deliveries."""


TASK_SHORTCUTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Everything", {}),
    ("Open", {"open": "yes"}),
    ("Late", {"late": "yes"}),
    ("Failed", {"status__exact": TaskStatus.FAILED.value}),
    ("Nobody yet", {"unassigned": "yes"}),
    ("Today", {"day": "today"}),
    ("Tomorrow", {"day": "tomorrow"}),
)
"""The same of the list of tasks."""


def deliveries_where(**facet: str) -> str:
    """The list of deliveries with facets set."""
    return _where(Delivery, facet)


def _where(model: type[Any], facet: dict[str, str]) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(facet)}" if facet else url


def shortcuts(request: HttpRequest, model: type[Any]) -> list[dict[str, Any]]:
    """A link for each of these questions, and which of them is being asked."""
    asked, questions = request.GET.dict(), TASK_SHORTCUTS if model is Task else SHORTCUTS
    return [{"label": label, "url": _where(model, facet), "current": asked == facet} for label, facet in questions]
