"""The parameters that order and filter a store's deliveries: by when their first pickup and last dropoff are due (sheet 2.7)."""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from rest_framework.request import Request

from deliveries.api.coopcycle.inputs import TZ
from deliveries.models import Delivery, Task
from deliveries.statuses import TaskType
from stores import schedules

SIDES = {"pickup": TaskType.PICKUP, "dropoff": TaskType.DROPOFF}
ENDS = ("before", "after")
COMPARISONS = {"before": "lte", "strictly_before": "lt", "after": "gte", "strictly_after": "gt"}
ORDERS = ("order[dropoff.before]", "order[createdAt]")

FILTERS = {
    f"{side}.{end}[{word}]": (kind, f"{end}__{lookup}")
    for side, kind in SIDES.items()
    for end in ENDS
    for word, lookup in COMPARISONS.items()
}
NAMES = (*ORDERS, *FILTERS)


def filtered(rows: QuerySet[Delivery], request: Request, *, now: datetime) -> QuerySet[Delivery]:
    """The deliveries asked for, in the order asked for; raises `BadMoment`."""
    given = request._request.GET
    for name, (kind, lookup) in FILTERS.items():
        if given.get(name):
            moment = schedules.parse_moment(given[name], tz=TZ, now=now)
            rows = rows.filter(Exists(Task.objects.filter(delivery=OuterRef("pk"), type=kind, **{lookup: moment})))
    return _ordered(rows, by_dropoff=given.get(ORDERS[0], "").lower(), by_creation=given.get(ORDERS[1], "").lower())


def _ordered(rows: QuerySet[Delivery], *, by_dropoff: str, by_creation: str) -> QuerySet[Delivery]:
    if by_dropoff in ("asc", "desc"):
        last = Task.objects.filter(delivery=OuterRef("pk"), type=TaskType.DROPOFF).order_by("-position").values("before")[:1]
        sign = "-" if by_dropoff == "desc" else ""
        return rows.annotate(due=Subquery(last)).order_by(f"{sign}due", f"{sign}id")
    sign = "" if by_creation == "asc" else "-"
    return rows.order_by(f"{sign}created_at", f"{sign}id")
