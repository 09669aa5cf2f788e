"""What stores offer: tags, package sets with their packages, time slots."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import Count
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from deliveries.admin import columns
from deliveries.admin.desk import DeskAdmin, may
from stores import schedules
from stores.models import Package, PackageSet, Tag, TimeSlot


@admin.register(Tag)
class TagAdmin(DeskAdmin):
    """Words for tasks that need something."""

    list_display = ("name", "slug", "shown_color")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Stores' software names tags by their slug: it follows the name only when the tag is new."""
        return {} if obj else self.prepopulated_fields

    @display(description="Colour")
    def shown_color(self, tag: Any) -> SafeString:
        return columns.swatch(tag.color)


class PackageInline(TabularInline):
    """The packages of a set."""

    model = Package
    extra = 1
    fields = ("name", "short_code", "volume_units", "color")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "view", self.opts.label_lower)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "add", self.opts.label_lower)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "change", self.opts.label_lower)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "delete", self.opts.label_lower)


@admin.register(PackageSet)
class PackageSetAdmin(DeskAdmin):
    """The packages that stores of one kind send."""

    list_display = ("name", "package_count", "store_count")
    search_fields = ("name", "packages__name")
    inlines = (PackageInline,)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Sets with what they hold, and who uses them."""
        return (
            super()
            .get_queryset(request)
            .annotate(package_total=Count("packages", distinct=True), store_total=Count("stores", distinct=True))
        )

    @display(description="Packages", ordering="package_total")
    def package_count(self, row: Any) -> int:
        return int(row.package_total)

    @display(description="Stores", ordering="store_total")
    def store_count(self, row: Any) -> int:
        return int(row.store_total)


class HoursField(SimpleArrayField):
    """One slot on each line: the days of one may be separated by commas themselves."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminTextareaWidget(attrs={"rows": 5}))
        super().__init__(forms.CharField(max_length=64, validators=[schedules.check_opening_hours]), delimiter="\n", **kwargs)

    def to_python(self, value: Any) -> Any:
        """The lines that hold something."""
        if isinstance(value, str):
            value = "\n".join(line.strip() for line in value.splitlines() if line.strip())
        return super().to_python(value)


class TimeSlotForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when Django runs
    """A time slot, its hours line by line."""

    opening_hours = HoursField(help_text="One slot on each line, as “Mo-Sa 10:00-11:00”.")

    class Meta:
        model = TimeSlot
        fields = ("name", "opening_hours", "interval", "prior_notice", "working_days_only", "same_day_cutoff")


@admin.register(TimeSlot)
class TimeSlotAdmin(DeskAdmin):
    """When stores send."""

    form = TimeSlotForm
    list_display = ("name", "shown_hours", "interval", "prior_notice", "working_days_only")
    search_fields = ("name",)

    @display(description="Hours")
    def shown_hours(self, slot: Any) -> str:
        return " · ".join(slot.opening_hours)
