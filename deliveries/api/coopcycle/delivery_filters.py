"""The parameters that order and filter a store's deliveries: by when their first pickup and last dropoff are due."""

from datetime import datetime

from django.db.models import Case, OuterRef, QuerySet, Subquery, When
from rest_framework.request import Request

from deliveries.api.coopcycle.inputs import TZ
from deliveries.models import Delivery, Task
from deliveries.statuses import TaskStatus, TaskType
from stores import schedules

SIDES = {"pickup": (TaskType.PICKUP, "position"), "dropoff": (TaskType.DROPOFF, "-position")}
"""A side of a delivery is one stop: its first pickup or its last dropoff, a cancelled one only for want of others."""

ENDS = ("before", "after")
COMPARISONS = {"before": "lte", "strictly_before": "lt", "after": "gte", "strictly_after": "gt"}
ORDERS = ("order[dropoff.before]", "order[createdAt]")

FILTERS = {f"{side}.{end}[{word}]": (side, end, lookup) for side in SIDES for end in ENDS for word, lookup in COMPARISONS.items()}
NAMES = (*ORDERS, *FILTERS)


def filtered(rows: QuerySet[Delivery], request: Request, *, now: datetime) -> QuerySet[Delivery]:
    """The deliveries asked for, in the order asked for; raises `BadMoment`."""
    given = request._request.GET
    for name, (side, end, lookup) in FILTERS.items():
        if given.get(name):
            moment = schedules.parse_moment(given[name], tz=TZ, now=now)
            rows = rows.alias(**{f"{side}_{end}": _due(side, end)}).filter(**{f"{side}_{end}__{lookup}": moment})
    return _ordered(rows, by_dropoff=given.get(ORDERS[0], "").lower(), by_creation=given.get(ORDERS[1], "").lower())


def _ordered(rows: QuerySet[Delivery], *, by_dropoff: str, by_creation: str) -> QuerySet[Delivery]:
    if by_dropoff in ("asc", "desc"):
        sign = "-" if by_dropoff == "desc" else ""
        return rows.alias(due=_due("dropoff", "before")).order_by(f"{sign}due", f"{sign}id")
    sign = "" if by_creation == "asc" else "-"
    return rows.order_by(f"{sign}created_at", f"{sign}id")


def _due(side: str, end: str) -> Subquery:
    """When the stop of a side is due: its window's `end`."""
    kind, order = SIDES[side]
    out = Case(When(status=TaskStatus.CANCELLED, then=1), default=0)
    return Subquery(Task.objects.filter(delivery=OuterRef("pk"), type=kind).order_by(out, order).values(end)[:1])
