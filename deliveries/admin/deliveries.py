"""Deliveries at the desk: what is urgent, who carries it, and everything that happened to one."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Case, DateTimeField, Exists, F, Min, OuterRef, Prefetch, QuerySet, Subquery, Value, When
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from deliveries import queries, transitions
from deliveries.admin import columns, creating, facets, telling
from deliveries.admin.acts import Act, ActingAdmin
from deliveries.admin.asking import AssignForm, FailForm
from deliveries.admin.desk import actor_of, may, moment_of
from deliveries.models import Courier, Delivery, Task
from deliveries.statuses import COLORS, OPEN, OVER, TO_DROPOFF, DeliveryStatus, TaskType
from deliveries.tracking_links import tracking_url
from stores.actors import Actor


def _done(singular: str, plural: str) -> Any:
    return lambda count: ngettext(singular, plural, count) % {"count": count}


def _is_open(delivery: Delivery) -> bool:
    return delivery.status not in OVER


def _next_stop(delivery: Delivery) -> Task:
    """The stop to be made next; refuses when there is none."""
    stop = delivery.tasks.filter(status__in=OPEN).order_by("position").first()
    if stop is None:
        raise transitions.IllegalMove("Nothing is left to do in this delivery.")
    return stop


def assign(delivery: Delivery, *, courier: Courier, by: Actor, at: datetime) -> Task:
    """Give a courier the delivery: its next stop, and with it all the others."""
    return transitions.assign(_next_stop(delivery), courier, by=by, at=at)


def unassign(delivery: Delivery, *, by: Actor, at: datetime) -> Task:
    """Take the delivery from its courier."""
    return transitions.unassign(_next_stop(delivery), by=by, at=at)


def start(delivery: Delivery, *, by: Actor, at: datetime) -> Task:
    """Start the next stop."""
    return transitions.start(_next_stop(delivery), by=by, at=at)


def fail(delivery: Delivery, *, reason: str, notes: str, by: Actor, at: datetime) -> Task:
    """Fail the next stop."""
    return transitions.fail(_next_stop(delivery), reason=reason, notes=notes, by=by, at=at)


def cancel(delivery: Delivery, *, by: Actor, at: datetime) -> Delivery:
    """Cancel the delivery; the desk does so even when somebody has it in hand."""
    return transitions.cancel_delivery(delivery, by=by, at=at, even_assigned=by.runs_the_desk)


ACTS = (
    Act(
        name="assign",
        label="Assign",
        icon="person_add",
        call=assign,
        form=AssignForm,
        fits=lambda delivery: _is_open(delivery) and delivery.by_house,
        done=_done("%(count)d delivery assigned.", "%(count)d deliveries assigned."),
    ),
    Act(
        name="unassign",
        label="Unassign",
        icon="person_remove",
        call=unassign,
        fits=lambda delivery: _is_open(delivery) and delivery.courier_id is not None,
        done=_done("%(count)d delivery is free again.", "%(count)d deliveries are free again."),
    ),
    Act(
        name="start",
        label="Start",
        icon="play_arrow",
        call=start,
        fits=lambda delivery: delivery.status == DeliveryStatus.PENDING,
        done=_done("%(count)d delivery is on its way.", "%(count)d deliveries are on their way."),
    ),
    Act(
        name="pick",
        label="Picked up",
        icon="package_2",
        call=transitions.pick,
        fits=lambda delivery: _is_open(delivery) and delivery.status not in TO_DROPOFF,
        done=_done("%(count)d delivery picked up.", "%(count)d deliveries picked up."),
    ),
    Act(
        name="drop",
        label="Delivered",
        icon="check",
        call=transitions.drop,
        fits=lambda delivery: delivery.status in TO_DROPOFF,
        done=_done("%(count)d delivery made.", "%(count)d deliveries made."),
    ),
    Act(
        name="restore",
        label="Restore",
        icon="restore",
        call=transitions.restore_delivery,
        fits=lambda delivery: delivery.status == DeliveryStatus.CANCELLED,
        done=_done("%(count)d delivery is to be made again.", "%(count)d deliveries are to be made again."),
    ),
    Act(
        name="fail",
        label="Fail the next stop",
        icon="report",
        call=fail,
        form=FailForm,
        fits=_is_open,
        done=_done("%(count)d stop failed.", "%(count)d stops failed."),
    ),
    Act(
        name="cancel",
        label="Cancel",
        icon="block",
        call=cancel,
        grave=True,
        for_stores=True,
        fits=_is_open,
        done=_done("%(count)d delivery cancelled.", "%(count)d deliveries cancelled."),
    ),
)


def looked_at(rows: QuerySet[Any], now: datetime) -> Any:
    """Deliveries as lists of the desk show them, in two queries, with the moment they are looked at.

    `next_due` is when the next open stop is to be done; it is not asked for what is over, which is most of the table.
    """
    stops = Task.objects.filter(delivery=OuterRef("pk"), status__in=OPEN).order_by()
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
    """The house's courier, or the carrier."""
    if not delivery.by_house:
        return str(delivery.carrier)
    if delivery.courier is not None:
        return str(delivery.courier)
    return columns.flag("nobody yet", columns.AMBER) if _is_open(delivery) else "–"


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
    )
    search_help_text = "Name, phone, address, order or task reference"
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
            "shortcuts": facets.shortcuts(request),
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
        return lateness(delivery)

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
        known = " · ".join(part for part in (delivery.driver_name, delivery.driver_phone) if part)
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
