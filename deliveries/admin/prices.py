"""Price lists with their rules, and what they would make of a delivery."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from deliveries.admin.desk import DeskAdmin, may, moment_of
from quotes import price_lists
from quotes.models import PricingRule, PricingRuleSet
from quotes.pricing import counting, wording
from quotes.pricing.facts import Facts, Packed, Stop, StopType
from stores.places import Point
from stores.refusals import Refused

SAMPLE_DISTANCE_M = 3_000
SAMPLE = (Packed("SMALL", "S", 1, 2),)
NOWHERE = Point(0, 0)


class RuleInline(TabularInline):
    """The rules of a list; the columns themselves refuse what cannot be read, with the place of the error."""

    model = PricingRule
    extra = 1
    fields = ("position", "name", "target", "expression", "price")
    ordering = ("position", "id")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "view", self.opts.label_lower)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "add", self.opts.label_lower)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "change", self.opts.label_lower)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "delete", self.opts.label_lower)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Two lines are enough for most rules."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in ("expression", "price"):
            field.widget.attrs["rows"] = 2
        return field


@admin.register(PricingRuleSet)
class PricingRuleSetAdmin(DeskAdmin):
    """What deliveries cost. Orders keep what they cost, and by which version of the list."""

    list_display = ("name", "strategy", "rule_count", "store_count", "version")
    search_fields = ("name",)
    fields = ("name", "strategy", "version", "tried")
    readonly_fields = ("version", "tried")
    inlines = (RuleInline,)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Lists with how long they are, and who is priced by them."""
        rows = super().get_queryset(request)
        return rows.annotate(rule_total=Count("rules", distinct=True), store_total=Count("stores", distinct=True))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new list has been changed never, and tried on nothing."""
        return self.fields if obj else ("name", "strategy")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The list, and the moment at which it is tried."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            vars(row)["tried_at"] = moment_of(request)
        return row

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The version is raised by the database, as others may be changing the list too."""
        if change:
            obj.save(update_fields=["name", "strategy"])
        else:
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Whatever was changed, it is another version."""
        super().save_related(request, form, formsets, change)
        if change and (form.has_changed() or any(formset.has_changed() for formset in formsets)):
            price_lists.changed(form.instance)

    @display(description="Rules", ordering="rule_total")
    def rule_count(self, row: Any) -> int:
        return int(row.rule_total)

    @display(description="Stores", ordering="store_total")
    def store_count(self, row: Any) -> int:
        return int(row.store_total)

    @display(description="3 km with 2 packages cost")
    def tried(self, row: Any) -> str:
        """What the list as saved makes of a usual delivery, with the reasons."""
        try:
            price = counting.price(price_lists.read(row), _sample(row.tried_at), vat=settings.RELAIS_VAT_PERCENT)
        except Refused as refusal:
            return str(refusal)
        reasons = ", ".join(line.label for line in price.lines)
        return f"{wording.money(price.amount_cents)}, of which tax {wording.money(price.tax_cents)}: {reasons}"


def _sample(at: Any) -> Facts:
    pickup = Stop(StopType.PICKUP, NOWHERE, at, at + timedelta(minutes=45), at + timedelta(hours=1))
    dropoff = Stop(StopType.DROPOFF, NOWHERE, at, at + timedelta(minutes=75), at + timedelta(minutes=90), packages=SAMPLE)
    return Facts(distance=SAMPLE_DISTANCE_M, stops=[pickup, dropoff], tz=ZoneInfo(settings.TIME_ZONE), packages=SAMPLE)
