"""Deliveries at the desk: what is urgent, who carries it, and everything that happened to one."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Case, DateTimeField, Exists, F, Min, OuterRef, Prefetch, QuerySet, Subquery, Value, When
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from deliveries import queries
from deliveries.admin import columns, creating, facets, telling
from deliveries.admin.acts import ActingAdmin
from deliveries.admin.delivery_acts import ACTS, failed_stop
from deliveries.admin.desk import actor_of, may, moment_of
from deliveries.models import Delivery, Task
from deliveries.statuses import COLORS, OPEN, OVER, DeliveryStatus, TaskType
from deliveries.tracking_links import tracking_url


def looked_at(rows: QuerySet[Any], now: datetime) -> Any:
    """Deliveries as lists of the desk show them, in two queries, with the moment they are looked at.

    `next_due` is when the next stop, open or failed, is to be done; it is not asked for what is over, which is most of the table.
    """
    stops = Task.objects.filter(delivery=OuterRef("pk"), status__in=facets.UNDONE).order_by()
    next_due = Subquery(stops.values("delivery").annotate(due=Min("before")).values("due"), output_field=DateTimeField())
    to_review = Task.objects.filter(delivery=OuterRef("pk"), address__needs_review=True)
    return (
        rows.select_related("order", "store__account", "courier__user")
        .prefetch_related(Prefetch("tasks", queryset=Task.objects.select_related("address", "courier__user").order_by("position")))
        .annotate(
            looked_at=Value(now, output_field=DateTimeField()),
            next_due=Case(When(status__in=OVER, then=None), default=next_due),
            to_review=Exists(to_review),
        )
    )


def windows(delivery: Any) -> SafeString:
    """The first and the last stop's window, one below the other; of a row of `looked_at`, as all of these."""
    now, zone, stops = delivery.looked_at, delivery.store.tz, list(delivery.tasks.all())
    ends = [(stops[0], "↑")] + [(stops[-1], "↓")] * (len(stops) > 1) if stops else []
    return columns.unbroken(*(f"{arrow} {columns.window(stop.after, stop.before, zone, now=now)}" for stop, arrow in ends))


def lateness(delivery: Any) -> SafeString | str:
    """How late the next stop is, or how late the last one was."""
    if delivery.status == DeliveryStatus.DELIVERED:
        stops = list(delivery.tasks.all())
        return columns.lateness(stops[-1].before, delivery.delivered_at, now=delivery.looked_at) if stops else ""
    return columns.lateness(delivery.next_due, None, now=delivery.looked_at)


def recipient(delivery: Any) -> SafeString | str:
    """Who receives it, where, and whether the address was found."""
    dropoffs = [task for task in delivery.tasks.all() if task.type == TaskType.DROPOFF]
    if not dropoffs:
        return ""
    address = dropoffs[-1].address
    more = f"and {len(dropoffs) - 1} more" if len(dropoffs) > 1 else ""
    review = columns.flag("address to be reviewed", columns.AMBER) if delivery.to_review else ""
    who = address.contact_name or address.name or address.company
    return columns.lines(who or address.street_address, address.street_address if who else "", more, review)


def carried_by(delivery: Any) -> SafeString | str:
    """The house's courier, or the carrier; and whether a stop is left to nobody."""
    if not delivery.by_house:
        return str(delivery.carrier)
    free = delivery.status not in OVER and any(stop.courier_id is None and stop.status in OPEN for stop in delivery.tasks.all())
    known = str(delivery.courier or "")
    if free:
        words = "nobody yet" if not known else "a stop with nobody yet"
        return columns.lines(known, columns.flag(words, columns.AMBER))
    return known or "–"


def failure(delivery: Any) -> SafeString | str:
    """In red, which stop of an open delivery could not be made; "" for none."""
    stop = None if delivery.status in OVER else failed_stop(delivery)
    return "" if stop is None else columns.flag(f"{stop.get_type_display()} failed")


def told_recipient(delivery: Any) -> str:
    """Who receives it and where, in one line."""
    dropoffs = [task.address for task in delivery.tasks.all() if task.type == TaskType.DROPOFF]
    return ", ".join(filter(None, (dropoffs[-1].contact_name, dropoffs[-1].street_address))) if dropoffs else ""


def told_window(delivery: Any) -> str:
    """When it is to be dropped off."""
    last = max(delivery.tasks.all(), key=lambda task: task.position, default=None)
    return "" if last is None else columns.window(last.after, last.before, delivery.store.tz, now=delivery.looked_at)


URGENT_FIRST: tuple[Any, ...] = (F("next_due").asc(nulls_last=True), "-updated_at", "-id")


@admin.register(Delivery)
class DeliveryAdmin(ActingAdmin):
    """Every delivery; its status is moved by acts alone, and new ones are booked on a page of their own."""

    by_hand = False
    acts = ACTS
    change_form_template = "admin/deliveries/delivery/change_form.html"
    list_before_template: Any = "admin/deliveries/delivery/shortcuts.html"
    list_display = ("name", "shown_status", "shown_windows", "shown_lateness", "carried_by", "recipient", "store")
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        facets.OpenFacet,
        facets.DayFacet,
        facets.DateFacet,
        facets.LateFacet,
        facets.UnassignedFacet,
        facets.AttentionFacet,
        facets.StoreFacet,
        facets.CourierFacet,
        facets.HouseFacet,
        facets.ReviewFacet,
    )
    search_fields = (
        "=id",
        "ref",
        "=public_id",
        "order__ref",
        "order__public_id",
        "tasks__ref",
        "tasks__address__contact_name",
        "tasks__address__name",
        "tasks__address__company",
        "tasks__address__street_address",
        "tasks__address__telephone",
        "courier__user__username",
        "courier__user__first_name",
        "courier__user__last_name",
        "driver_name",
    )
    search_help_text = "Name, phone, address, courier, order or task reference"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("badge", "shown_lateness"),
                    ("store_link", "order_link"),
                    ("carried_by", "driver"),
                    ("estimates", "fee"),
                    ("way", "carrier_name"),
                    "tracking",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Deliveries with their stops, and the moment they are looked at."""
        return looked_at(super().get_queryset(request), moment_of(request))

    def get_ordering(self, request: HttpRequest) -> Any:
        """The most urgent first, then the latest of those that are over."""
        return URGENT_FIRST

    def get_urls(self) -> list[Any]:
        """The page that books a delivery, before Django's own."""
        return [creating.route(self), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with its way to book another."""
        context = {
            "may_book": may(request, "add", self.opts.label_lower),
            "shortcuts": facets.shortcuts(request, Delivery),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The page of a delivery, with its stops, the quotes of its order, and its log."""
        context = dict(extra_context or {})
        delivery = None if object_id is None else self.get_object(request, object_id)
        if delivery is not None:
            now, zone = moment_of(request), delivery.store.tz
            quotes = delivery.order.quotes.all()
            context |= {
                "stops": [columns.stop(task, zone, now=now) for task in delivery.tasks.all()],
                "quotes": [
                    {"quote": quote, "fee": columns.price(quote.fee_cents, delivery.store.account.currency), "row": columns.link(quote)}
                    for quote in quotes
                ],
                "timeline": telling.timeline(queries.timeline(delivery), zone, now=now),
                "timeline_zone": delivery.store.timezone,
                "runs_the_desk": actor_of(request).runs_the_desk,
            }
        return super().changeform_view(request, object_id, form_url, context)

    @display(description="Delivery", ordering="id")
    def name(self, delivery: Any) -> SafeString:
        return columns.unbroken(f"#{delivery.pk}", f"order {delivery.order.ref or delivery.order.public_id}")

    @display(description="Status", label=COLORS, ordering="status")
    def shown_status(self, delivery: Any) -> tuple[str, str]:
        return delivery.status, delivery.get_status_display()

    @display(description="Status")
    def badge(self, delivery: Any) -> SafeString:
        return columns.badge(delivery.get_status_display(), COLORS[delivery.status])

    @display(description="Pickup and dropoff", ordering="next_due")
    def shown_windows(self, delivery: Any) -> SafeString:
        return windows(delivery)

    @display(description="Late?", ordering="next_due")
    def shown_lateness(self, delivery: Any) -> SafeString | str:
        return columns.lines(failure(delivery), lateness(delivery))

    def describe(self, row: Any) -> str:
        """Number, order, recipient, window and status."""
        parts = (self.told_order(row), told_recipient(row), told_window(row), row.get_status_display())
        return " · ".join((str(row), *filter(None, parts)))

    def told_order(self, delivery: Any) -> str:
        return f"order {delivery.order.ref or delivery.order.public_id}"

    @display(description="Recipient")
    def recipient(self, delivery: Any) -> SafeString | str:
        return recipient(delivery)

    @display(description="Carried by", ordering="courier__user__username")
    def carried_by(self, delivery: Any) -> SafeString | str:
        return carried_by(delivery)

    @display(description="Store")
    def store_link(self, delivery: Any) -> SafeString | str:
        return columns.link(delivery.store)

    @display(description="Order")
    def order_link(self, delivery: Any) -> SafeString | str:
        return columns.link(delivery.order)

    @display(description="Driver")
    def driver(self, delivery: Any) -> SafeString | str:
        position = queries.live_position(delivery, at=delivery.looked_at)
        where = columns.on_map(position[0], position[1], "on the map") if position else ""
        names = (delivery.driver_name, delivery.driver_phone)
        if delivery.by_house and delivery.courier is not None:
            names = (str(delivery.courier), delivery.courier.user.telephone)
        known = " · ".join(part for part in names if part)
        return columns.lines(known, where) if known or where else "–"

    @display(description="Estimates")
    def estimates(self, delivery: Any) -> str:
        now, zone = delivery.looked_at, delivery.store.tz
        told = (("pickup", delivery.estimated_pickup_at), ("dropoff", delivery.estimated_dropoff_at))
        return ", ".join(f"{word} {columns.clock(moment, zone, now=now)}" for word, moment in told if moment) or "–"

    @display(description="Fee")
    def fee(self, delivery: Any) -> str:
        return columns.price(delivery.fee_cents, delivery.store.account.currency) or "–"

    @display(description="The carrier's name for it")
    def carrier_name(self, delivery: Any) -> str:
        return delivery.ref or "–"

    @display(description="Way")
    def way(self, delivery: Any) -> str:
        return f"{delivery.distance / 1000:.1f} km, {columns.minutes(delivery.duration)}" if delivery.distance else "–"

    @display(description="Recipient's page")
    def tracking(self, delivery: Any) -> SafeString | str:
        return columns.lines(
            columns.outside(tracking_url(delivery)),
            columns.outside(delivery.tracking_url, "the carrier's own") if delivery.tracking_url else "",
        )
