"""Book a delivery at the desk: a plain form, and one call of the core."""

import re
from datetime import datetime
from itertools import chain
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from deliveries import booking
from deliveries.admin import columns
from deliveries.admin.asking import BACKWARDS, OVER_ALREADY, CourierField, WallClockField, couriers_at
from deliveries.admin.desk import actor_of, may, moment_of
from deliveries.booking import Request
from deliveries.models import Courier
from deliveries.statuses import TaskType
from deliveries.stops import AddressDraft, StopDraft
from stores import phones, schedules
from stores.actors import Actor
from stores.models import Package, Store, Tag
from stores.refusals import Invalid, Path, Refused

PACKAGE_LINE = re.compile(r"(?:(\d{1,4})\s*(?:[x×*]\s*)?)?(\S.*)")
FIELDS: dict[Path, str] = {
    (0, "address"): "pickup_address",
    (0, "before"): "pickup_before",
    (1, "address"): "dropoff_address",
    (1, "before"): "before",
}
"""Where the form shows what the core says of a stop."""

NO_SUCH_PACKAGE = "“{}” is no package of this store."
NO_TIME = "Choose a slot, or write until when."
GRAMS_PER_KILOGRAM = 1000
CENTS = 100
WINDOWS = (("pickup_after", "pickup_before"), ("after", "before"))
CHOOSING = "choosing"
"""Sent instead of booking when somebody has chosen another store, and the form is to follow it."""


class NewDeliveryForm(forms.Form):
    """What the desk must know to book a delivery; the pickup's time follows from the dropoff's unless it is written."""

    store = forms.ModelChoiceField(queryset=Store.objects.none(), widget=UnfoldAdminSelectWidget, empty_label="Choose a store")
    pickup_address = forms.CharField(
        required=False, max_length=512, widget=UnfoldAdminTextInputWidget, help_text="Leave it empty to pick up at the store."
    )
    dropoff_address = forms.CharField(
        max_length=512, widget=UnfoldAdminTextInputWidget, help_text="Street and number, postal code, town: as on a letter."
    )
    contact_name = forms.CharField(label="Recipient", required=False, max_length=255, widget=UnfoldAdminTextInputWidget)
    telephone = forms.CharField(
        label="Phone", required=False, max_length=64, widget=UnfoldAdminTextInputWidget(attrs={"type": "tel", "autocomplete": "off"})
    )
    pickup_after = WallClockField(label="Pick up from", required=False)
    pickup_before = WallClockField(label="Pick up until", required=False, help_text="Left empty, in time for the dropoff.")
    slot = forms.ChoiceField(label="Time slot", required=False, widget=UnfoldAdminSelectWidget)
    after = WallClockField(label="Drop off from", required=False)
    before = WallClockField(label="Drop off until", help_text="Without a beginning, the last 15 minutes before it.")
    comments = forms.CharField(
        label="For the courier", required=False, max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    weight = forms.DecimalField(
        label="Weight in kg",
        required=False,
        min_value=0,
        max_value=10_000,
        max_digits=8,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    price = forms.DecimalField(
        required=False, min_value=0, max_digits=10, decimal_places=2, widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"})
    )
    packages = forms.CharField(required=False, max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))
    tags = forms.ModelMultipleChoiceField(
        queryset=Tag.objects.all(), required=False, to_field_name="slug", widget=UnfoldAdminSelectMultipleWidget
    )
    courier = CourierField(queryset=Courier.objects.none(), required=False, empty_label="Nobody yet, or the store's usual one")

    def __init__(self, data: Any = None, *, actor: Actor, now: datetime, store_id: str = "", initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.now = now
        stores = (
            Store.objects.visible_to(actor)
            .filter(enabled=True)
            .select_related("account", "address", "time_slot", "package_set", "pricing_rule_set")
        )
        self._fields["store"].queryset = stores
        if actor.runs_the_desk:
            self._fields["courier"].queryset = couriers_at(now)
        else:
            del self.fields["courier"]
        chosen = self._chosen_store(store_id, stores)
        self.offered: dict[str, schedules.Range] = {}
        self.known: dict[str, Package] = {}
        if chosen is None:
            del self.fields["slot"], self.fields["packages"]
        else:
            self.initial["store"] = chosen.pk
            self._offer(chosen, now)

    @property
    def _fields(self) -> dict[str, Any]:
        return self.fields

    def _chosen_store(self, store_id: str, stores: Any) -> Store | None:
        """The store asked for, or the only one there is."""
        if store_id.isdecimal() and len(store_id) <= 18:
            chosen: Store | None = stores.filter(pk=int(store_id)).first()
            return chosen
        two = list(stores[:2])
        return two[0] if len(two) == 1 else None

    def _offer(self, store: Store, now: datetime) -> None:
        """What this store offers: its slots, its packages, and the clock on its wall."""
        self.fields["price"].help_text = f"In {store.account.currency}, taxes included. Left empty, what the store's price list says."
        for name in chain(*WINDOWS):
            self.fields[name].help_text = f"{self.fields[name].help_text} Time of {store.timezone}.".strip()
        if store.time_slot is not None:
            offered = schedules.choices(store.time_slot.rules, now=now, tz=store.tz, country=settings.RELAIS_COUNTRY)
            self.offered = {f"{start.isoformat()}/{end.isoformat()}": (start, end) for start, end in offered}
        if store.package_set_id is not None:
            self.known = {package.name.lower(): package for package in Package.objects.filter(package_set_id=store.package_set_id)}
        self._fields["slot"].choices = [
            ("", "Choose a slot, or write a time below"),
            *((key, columns.window(start, end, store.tz, now=now)) for key, (start, end) in self.offered.items()),
        ]
        self.fields["before"].required = not self.offered
        if not self.offered:
            del self.fields["slot"]
        if self.known:
            names = ", ".join(package.name for package in self.known.values())
            self.fields["packages"].help_text = f"One kind on each line, as “2 × {next(iter(self.known.values())).name}”. Known: {names}."
        else:
            del self.fields["packages"]

    def clean_telephone(self) -> str:
        """The number in E.164."""
        try:
            return phones.parse(self.cleaned_data["telephone"], country=settings.RELAIS_COUNTRY)
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal

    def clean_packages(self) -> list[dict[str, Any]]:
        """Packages as a task keeps them."""
        packages = []
        for line in filter(str.strip, self.cleaned_data["packages"].splitlines()):
            match = PACKAGE_LINE.fullmatch(line.strip())
            package = match and self.known.get(match[2].strip().lower())
            if not match or not package:
                raise forms.ValidationError(NO_SUCH_PACKAGE.format(line.strip()))
            packages.append(
                {
                    "name": package.name,
                    "short_code": package.short_code,
                    "volume": package.volume_units,
                    "quantity": int(match[1] or 1),
                }
            )
        return packages

    def clean(self) -> dict[str, Any]:
        """One window, from the slot or from the two times; none that is over."""
        given = self.cleaned_data
        store = given.get("store")
        if store is None:
            return given
        for name in chain(*WINDOWS):
            given[name] = given[name].replace(tzinfo=store.tz) if given.get(name) else None
        if given.get("slot"):
            given["after"], given["before"] = self.offered[given["slot"]]
        elif given["before"] is None and "before" not in self.errors:
            self.add_error("before", NO_TIME)
        for after, before in WINDOWS:
            if given.get(after) and given.get(before) and given[before] <= given[after]:
                self.add_error(before, BACKWARDS)
            elif given.get(before) and given[before] <= self.now:
                self.add_error(before, OVER_ALREADY)
        return given

    def request(self) -> Request:
        """The delivery asked for, in the words of the core."""
        given = self.cleaned_data
        pickup = AddressDraft(street_address=given["pickup_address"]) if given["pickup_address"] else None
        contact = {name: given[name] for name in ("contact_name", "telephone")}
        dropoff = StopDraft(
            type=TaskType.DROPOFF,
            address=AddressDraft(street_address=given["dropoff_address"], fields=contact),
            after=given["after"],
            before=given["before"],
            comments=given["comments"],
            weight=None if given["weight"] is None else int(given["weight"] * GRAMS_PER_KILOGRAM),
            packages=given.get("packages") or [],
            tags=[tag.slug for tag in given["tags"]],
            courier=given.get("courier"),
        )
        price = None if given["price"] is None else int(given["price"] * CENTS)
        first = StopDraft(type=TaskType.PICKUP, address=pickup, after=given["pickup_after"], before=given["pickup_before"])
        return Request(store=given["store"], stops=[first, dropoff], price_cents=price)

    def refuse(self, refusal: Refused) -> None:
        """Show what the core said at the field it is about."""
        for problem in refusal.problems if isinstance(refusal, Invalid) else (refusal,):
            self.add_error(FIELDS.get(problem.path[1:]), str(problem))


def route(admin: ModelAdmin) -> URLPattern:
    """Where the page stands."""

    def view(request: HttpRequest) -> HttpResponseBase:
        return new_delivery(admin, request)

    return path("new/", admin.admin_site.admin_view(view), name="deliveries_delivery_new")


def new_delivery(admin: ModelAdmin, request: HttpRequest) -> HttpResponseBase:
    """The form, and the one call it leads to."""
    if not may(request, "add", admin.opts.label_lower):
        raise PermissionDenied
    posted = request.method == "POST"
    sent = posted and CHOOSING not in request.POST
    typed = {name: values if name == "tags" else values[-1] for name, values in request.POST.lists()} if posted and not sent else None
    form = NewDeliveryForm(
        request.POST if sent else None,
        actor=actor_of(request),
        now=moment_of(request),
        store_id=(request.POST if posted else request.GET).get("store", ""),
        initial=typed,
    )
    if sent and form.is_valid():
        try:
            delivery = booking.request(form.request(), by=actor_of(request), at=moment_of(request))
        except Refused as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, f"{delivery} is booked.")
            return HttpResponseRedirect(reverse("admin:deliveries_delivery_change", args=[delivery.pk]))
    context = {
        **admin.admin_site.each_context(request),
        "title": "New delivery",
        "opts": admin.opts,
        "form": form,
        "media": admin.media + form.media,
        "sections": _sections(form),
    }
    return TemplateResponse(request, "admin/deliveries/delivery/new.html", context)


def _sections(form: NewDeliveryForm) -> list[dict[str, Any]]:
    """The fields in the order somebody on the phone asks for them."""
    wanted = (
        ("Who sends", ("store", "pickup_address", "pickup_after", "pickup_before")),
        ("Who receives", ("dropoff_address", "contact_name", "telephone")),
        ("When", ("slot", "after", "before")),
        ("What", ("packages", "weight", "price", "tags", "comments")),
        ("Who carries", ("courier",)),
    )
    rows = [{"title": title, "fields": [form[name] for name in names if name in form.fields]} for title, names in wanted]
    return [row for row in rows if row["fields"]]
