"""The desk's first page: what goes wrong, today in figures, what is most urgent, and who is out."""

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest

from deliveries import queries
from deliveries.admin import columns, facets
from deliveries.admin.couriers import with_load
from deliveries.admin.deliveries import URGENT_FIRST, carried_by, failure, lateness, looked_at, recipient, windows
from deliveries.admin.desk import actor_of, may, moment_of
from deliveries.admin.notices import notices
from deliveries.models import Courier, Delivery, Task
from deliveries.statuses import COLORS, OVER, DeliveryStatus

URGENT = 8


def index(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows besides the navigation, for whoever asks; the same few queries whatever there is."""
    context["notices"] = notices(request)
    context["figures"] = figures(request)
    context["statuses"] = statuses(request)
    context["urgent"] = urgent(request)
    context["may_book"] = may(request, "add", "deliveries.delivery")
    if actor_of(request).runs_the_desk:
        context["couriers"] = couriers(request)
    return context


def figures(request: HttpRequest) -> list[dict[str, Any]]:
    """The cards: a number, what it counts, and where to see them; one query."""
    to_review = Task.objects.filter(delivery=OuterRef("pk"), address__needs_review=True)
    # What is over is no longer late or unassigned: the dear conditions are asked of the few that are open.
    counted = (
        Delivery.objects.visible_to(actor_of(request))
        .exclude(status__in=OVER)
        .aggregate(
            open=Count("pk"),
            late=Count("pk", filter=facets.late_deliveries(moment_of(request))),
            failed=Count("pk", filter=Q(pk__in=Delivery.objects.needing_attention().order_by().values("pk"))),
            unassigned=Count("pk", filter=Q(pk__in=Delivery.objects.unassigned().order_by().values("pk"))),
            review=Count("pk", filter=Exists(to_review)),
        )
    )
    return [
        _card("Open", counted["open"], "local_shipping", "", open="yes"),
        _card("Late", counted["late"], "alarm", columns.RED, late="yes"),
        _card("Failed, still open", counted["failed"], "report", columns.RED, failed="yes"),
        _card("With nobody yet", counted["unassigned"], "person_search", columns.AMBER, unassigned="yes"),
        _card("Addresses to review", counted["review"], "wrong_location", columns.AMBER, review="yes", open="yes"),
    ]


def _card(label: str, count: int, icon: str, alarming: str, **facet: str) -> dict[str, Any]:
    return {"label": label, "count": count, "icon": icon, "classes": alarming if count else "", "url": facets.deliveries_where(**facet)}


def statuses(request: HttpRequest) -> list[dict[str, Any]]:
    """How far the deliveries of today have come; one query."""
    today = queries.on_day(Task.objects.filter(delivery=OuterRef("pk")), facets.here_on(request))
    rows = Delivery.objects.visible_to(actor_of(request)).filter(Exists(today)).order_by().values_list("status")
    counts: dict[str, int] = dict(rows.annotate(Count("pk")))
    return [
        {
            "label": status.label,
            "color": COLORS[status],
            "count": counts.get(status, 0),
            "url": facets.deliveries_where(day="today", status__exact=status.value),
        }
        for status in DeliveryStatus
    ]


def urgent(request: HttpRequest) -> list[dict[str, Any]]:
    """The deliveries to look at first; two queries."""
    now = moment_of(request)
    rows = looked_at(Delivery.objects.visible_to(actor_of(request)).exclude(status__in=OVER), now).order_by(*URGENT_FIRST)[:URGENT]
    return [
        {
            "row": columns.link(delivery, f"#{delivery.pk}"),
            "status": delivery.get_status_display(),
            "color": COLORS[delivery.status],
            "windows": windows(delivery),
            "lateness": columns.lines(failure(delivery), lateness(delivery)),
            "store": delivery.store,
            "recipient": recipient(delivery),
            "carried_by": carried_by(delivery),
        }
        for delivery in rows
    ]


def couriers(request: HttpRequest) -> list[dict[str, Any]]:
    """Who is out today, and how much they have left; one query."""
    rows = with_load(Courier.objects.filter(user__is_active=True), now=moment_of(request)).order_by("-left", "user__username")
    return [
        {
            "row": columns.link(courier),
            "swatch": columns.swatch(courier.color),
            "left": courier.left,
            "over": courier.over,
            "late": courier.late,
            "percent": round(100 * courier.over / (courier.left + courier.over)) if courier.left + courier.over else 0,
            "seen": columns.ago(courier.located_at, now=moment_of(request)) if courier.located_at else "",
        }
        for courier in rows
    ]
