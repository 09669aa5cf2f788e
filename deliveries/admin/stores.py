"""Accounts, stores and addresses at the desk."""

import re
import zoneinfo
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q
from django.db.models.functions import Length
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminURLInputWidget

from deliveries import intake, relocating
from deliveries.admin import columns, facets
from deliveries.admin.acts import Act, ActingAdmin
from deliveries.admin.asking import PlaceForm
from deliveries.admin.desk import DeskAdmin, actor_of, moment_of
from deliveries.statuses import OPEN
from stores.actors import Actor
from stores.models import Account, Address, Store
from stores.places import Point


@admin.register(Account)
class AccountAdmin(DeskAdmin):
    """The businesses that own stores."""

    list_display = ("name", "public_id", "currency", "store_count", "created_at")
    search_fields = ("name", "=public_id")
    fields = ("name", "currency", "public_id", "created_at")
    readonly_fields = ("public_id", "created_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Accounts with the number of their stores."""
        return super().get_queryset(request).annotate(store_total=Count("stores"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Amounts are kept without their currency: once there are stores, it stays."""
        return (*self.readonly_fields, "currency") if obj and obj.store_total else self.readonly_fields

    @display(description="Stores", ordering="store_total")
    def store_count(self, account: Any) -> int:
        return int(account.store_total)


class StoreForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when Django runs
    """A store, its time zone chosen from those there are."""

    timezone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in sorted(zoneinfo.available_timezones())], widget=UnfoldAdminSelect2Widget
    )

    default_document_url = forms.URLField(
        required=False,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget,
        help_text="Joined to the documents of every pickup.",
    )

    class Meta:
        model = Store
        fields = "__all__"  # noqa: DJ007 - the admin's own fieldsets say which


@admin.register(Store)
class StoreAdmin(DeskAdmin):
    """The places that send."""

    form = StoreForm
    list_display = ("name", "public_id", "account", "shown_address", "timezone", "left", "usual_courier", "enabled")
    list_filter = ("enabled", ("account", RelatedDropdownFilter))
    list_select_related = ("account", "address", "default_courier")
    search_fields = ("name", "=public_id", "address__street_address", "account__name")
    autocomplete_fields = ("account", "address", "owners", "default_courier", "default_tags")
    readonly_fields = ("public_id", "created_at")
    fieldsets = (
        (None, {"fields": ("name", ("account", "public_id"), "address", "timezone", "enabled")}),
        ("Who", {"fields": ("owners", "default_courier")}),
        (
            "What it sends",
            {
                "fields": (
                    "pricing_rule_set",
                    "package_set",
                    "time_slot",
                    "default_tags",
                    "preparation_minutes",
                    "cash_on_delivery",
                    "default_document_url",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Stores with how many deliveries are under way."""
        rows = super().get_queryset(request)
        return rows.annotate(open_tasks=Count("tasks", filter=Q(tasks__status__in=OPEN)))

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Owners see no list of other people's accounts."""
        return self.list_filter if self.has_change_permission(request) else ("enabled",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The account is part of the public id, so a store does not change hands."""
        return (*self.readonly_fields, "account") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new store gets the next number of its account; of a change, whoever subscribed is told."""
        if change:
            intake.amend_store(obj, by=actor_of(request), at=moment_of(request))
            return
        obj.public_id = next_public_id(obj.account)
        super().save_model(request, obj, form, change)

    @display(description="Address", ordering="address__street_address")
    def shown_address(self, store: Any) -> str:
        return str(store.address)

    @display(description="Open tasks", ordering="open_tasks")
    def left(self, store: Any) -> int:
        return int(store.open_tasks)

    @display(description="Usual courier")
    def usual_courier(self, store: Any) -> str:
        return str(store.default_courier or "–")


def next_public_id(account: Account) -> str:
    """The id of an account's next store: "3r4s3-2" after "3r4s3-1"; the account is held, so that no two get the same."""
    Account.objects.select_for_update().get(pk=account.pk)
    ids = Store.objects.filter(account=account).order_by(Length("public_id").desc(), "-public_id").values_list("public_id", flat=True)
    last = ids.first()
    number = re.search(r"(\d+)$", last) if last else None
    return f"{account.public_id}-{int(number[1]) + 1 if number else 1}"


def put_at(address: Address, *, point: Point, by: Actor, at: datetime) -> None:
    """Say where an address is; the deliveries that go there are measured anew."""
    relocating.put_at(address, point, by=by, at=at)


PLACE = Act(
    name="place",
    label="Set its place",
    icon="location_on",
    call=put_at,
    form=PlaceForm,
    done=lambda count: ngettext("%(count)d address is in its place.", "%(count)d addresses are in their place.", count) % {"count": count},
)


@admin.register(Address)
class AddressAdmin(ActingAdmin):
    """Where things are picked up and dropped off; the point is set by an act, as deliveries are measured anew."""

    acts = (PLACE,)
    ordering = ("-id",)
    list_display = ("shown", "contact", "telephone", "place", "review", "store")
    list_filter = (facets.AddressReviewFacet, facets.StoreFacet)
    list_select_related = ("store",)
    search_fields = ("street_address", "name", "company", "contact_name", "telephone", "postal_code", "locality")
    search_help_text = "Street, name, phone, town"
    autocomplete_fields = ("store",)
    fieldsets = (
        (None, {"fields": ("street_address", ("postal_code", "locality"), ("region", "country"), "store")}),
        ("Who", {"fields": (("name", "company"), "contact_name", ("telephone", "access_code"), "description")}),
        ("Where", {"fields": (("latitude", "longitude"), "place", "review")}),
    )
    readonly_fields = ("place", "review")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "latitude", "longitude") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new address has its point written by hand."""
        if obj:
            return self.fieldsets
        return (*self.fieldsets[:2], ("Where", {"fields": (("latitude", "longitude"),)}))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The stores that are there change with their address."""
        if change:
            intake.amend_address(obj, by=actor_of(request), at=moment_of(request))
        else:
            super().save_model(request, obj, form, change)

    @display(description="Address", header=True, ordering="street_address")
    def shown(self, address: Any) -> list[str]:
        # A street that was written in one line with its town says both already.
        town = [part for part in (address.postal_code, address.locality) if part and part.lower() not in address.street_address.lower()]
        return [address.street_address, " ".join(town)]

    @display(description="Contact", ordering="contact_name")
    def contact(self, address: Any) -> str:
        return address.contact_name or address.company or address.name or "–"

    @display(description="Place")
    def place(self, address: Any) -> SafeString | str:
        return columns.on_map(address.latitude, address.longitude)

    @display(description="Found?", ordering="needs_review")
    def review(self, address: Any) -> SafeString | str:
        return columns.flag("to be reviewed", columns.AMBER) if address.needs_review else "yes"
