"""Lists of orders and of events: which are asked for, and which page of them."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError

from deliveries.api.hubrise import formats
from deliveries.models import Call
from stores.models import Order, OrderStatus
from stores.refusals import Refused

PAGE = 100
LONGEST = 255
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

PAGING = (
    OpenApiParameter("count", {"type": "integer", "minimum": 1, "default": PAGE}, description="At most 100 are listed"),
    OpenApiParameter("cursor", str, description="`X-Cursor-Next` of the page before"),
)
PARAMETERS = (
    OpenApiParameter("status", str, enum=OrderStatus.values),
    OpenApiParameter("private_ref", str, description="The caller's own reference"),
    OpenApiParameter("created_by", str, description="Name of the client that created the order"),
    OpenApiParameter("customer_id", str, description="No guest has one"),
    OpenApiParameter("after", {"type": "string", "format": "date-time"}, description="Created at or after this time"),
    OpenApiParameter("before", {"type": "string", "format": "date-time"}, description="Created before this time"),
    *PAGING,
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A page: what the rows must be like, how many, and the moment and the id after which it begins."""

    where: Q = field(default_factory=Q)
    count: int = PAGE
    start: tuple[datetime, int] | None = None


def read_paging(query: QueryDict) -> Wanted:
    """Which page a query string asks for; raises `ValidationError`."""
    paging = QueryDict(mutable=True)
    for name in ("count", "cursor"):
        if name in query:
            paging[name] = query.get(name) or ""
    return read(paging, tz=ZoneInfo(settings.TIME_ZONE), client_id=None)


def read(query: QueryDict, *, tz: ZoneInfo, client_id: int | None) -> Wanted:
    """What a query string asks for; raises `ValidationError` naming every parameter that cannot be read."""
    problems: dict[str, list[str]] = {}
    where, count, start = Q(), PAGE, None
    for name in query:
        text = query.get(name) or ""
        try:
            if name == "count":
                count = min(_count(text), PAGE)
            elif name == "cursor":
                start = _start(text)
            else:
                where &= _condition(name, text, tz=tz, client_id=client_id)
        except (Refused, ValueError, OverflowError) as problem:
            problems[name] = [str(problem)]
    if problems:
        raise ValidationError(problems)
    return Wanted(where=where, count=count, start=start)


def page(rows: QuerySet[Order], wanted: Wanted) -> tuple[Sequence[Order], str | None]:
    """The rows of a page, the newest first, and the cursor of the next one; None when it is the last."""
    rows = rows.filter(wanted.where)
    if wanted.start is not None:
        at, pk = wanted.start
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=pk))
    found = list(rows.order_by("-created_at", "-id")[: wanted.count + 1])
    shown = found[: wanted.count]
    return shown, _cursor(shown[-1]) if len(found) > wanted.count else None


def page_of_calls(rows: QuerySet[Call], wanted: Wanted) -> tuple[Sequence[Call], str | None]:
    """The same of calls, but the oldest first, as they are to be read in the order in which things happened."""
    if wanted.start is not None:
        rows = rows.filter(pk__gt=wanted.start[1])
    found = list(rows.order_by("id")[: wanted.count + 1])
    shown = found[: wanted.count]
    return shown, _cursor(shown[-1]) if len(found) > wanted.count else None


def _condition(name: str, text: str, *, tz: ZoneInfo, client_id: int | None) -> Q:
    """What one parameter asks for; unknown ones ask for nothing."""
    if len(text) > LONGEST or "\0" in text:
        raise ValueError("is too long, or no text")
    match name:
        case "status":
            if text not in OrderStatus:
                raise ValueError(f"must be one of {', '.join(OrderStatus.values)} ('{text}' given)")
            return Q(status=text)
        case "private_ref":
            return Q(private_refs__contains={str(client_id): text})
        case "created_by":
            return Q(created_by__name=text) | (Q(created_by__isnull=True) if text == settings.RELAIS_BRAND else Q())
        case "customer_id":
            return Q(pk__in=())
        case "after":
            return Q(created_at__gte=formats.read_query_moment(text, tz=tz))
        case "before":
            return Q(created_at__lt=formats.read_query_moment(text, tz=tz))
    return Q()


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise ValueError("must be a whole number above zero")
    return int(text)


def _cursor(row: Order | Call) -> str:
    micros = (row.created_at - EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{micros}.{row.pk}".encode()).decode().rstrip("=")


def _start(text: str) -> tuple[datetime, int]:
    try:
        micros, pk = map(int, base64.urlsafe_b64decode(text.encode() + b"==").decode("ascii").split("."))
    except (binascii.Error, ValueError) as error:
        raise ValueError("is not a cursor of ours") from error
    if abs(pk) > 2**62:
        raise ValueError("is not a cursor of ours")
    return EPOCH + timedelta(microseconds=micros), pk
