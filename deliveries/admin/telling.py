"""The event log in words: who did what to which stop, when it happened and when we heard of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from deliveries.admin import columns
from deliveries.models import Event
from deliveries.reasons import FailureReason
from deliveries.statuses import COLORS, DeliveryStatus, TaskStatus
from stores.models import OrderStatus, User

REASONS: dict[str, str] = {reason.value: str(reason.label) for reason in FailureReason}
HEARD_LATER = timedelta(minutes=1)
"""Beyond how long after it happened it is worth telling when something was recorded."""

SENTENCES: dict[str, str] = {
    "order.created": "Order taken in",
    "order.updated": "Order changed",
    "quote.created": "Quote offered",
    "quote.accepted": "Quote accepted",
    "delivery.created": "Delivery booked",
    "delivery.assigned": "Delivery given to a courier",
    "delivery.started": "On the way to the pickup",
    "delivery.picked": "On the way to the recipient",
    "delivery.completed": "Delivered",
    "delivery.cancelled": "Delivery cancelled",
    "delivery.failed": "Delivery failed",
    "delivery.updated": "Delivery updated",
    "delivery.moved": "Driver's position reported",
    "task.created": "planned",
    "task.assigned": "assigned",
    "task.unassigned": "taken from its courier",
    "task.started": "started",
    "task.done": "done",
    "task.failed": "failed",
    "task.cancelled": "cancelled",
    "task.restored": "to be done again",
    "task.rescheduled": "moved to another time",
    "task.updated": "changed",
    "task.incident-reported": "incident reported",
    "store.updated": "Store changed",
}

TONES: dict[str, str] = {
    "delivery.completed": COLORS[DeliveryStatus.DELIVERED],
    "delivery.cancelled": COLORS[DeliveryStatus.CANCELLED],
    "delivery.failed": COLORS[DeliveryStatus.CANCELLED],
    "task.done": COLORS[TaskStatus.DONE],
    "task.failed": COLORS[TaskStatus.FAILED],
    "task.cancelled": COLORS[DeliveryStatus.CANCELLED],
    "task.incident-reported": COLORS[TaskStatus.FAILED],
    "task.started": COLORS[TaskStatus.DOING],
}


@dataclass(frozen=True)
class Line:
    """One line of a timeline."""

    when: str
    recorded: str
    what: str
    detail: str
    who: str
    tone: str


def sentence(event: Event) -> str:
    """What happened, with the stop it happened to."""
    said = SENTENCES.get(event.kind, event.kind.replace(".", " ").replace("-", " "))
    if event.task is None:
        return said
    return f"{event.task.get_type_display()} #{event.task.pk} {said}"


def detail(event: Event, zone: ZoneInfo, *, now: datetime, names: Mapping[str, str]) -> str:
    """What the log knows besides, "" for nothing; `names` calls people by their names instead of their user names."""
    data: dict[str, Any] = event.data or {}
    named = names.get(data.get("username", ""), data.get("username", ""))
    window = [_moment(data.get(f"rescheduled_{end}")) for end in ("after", "before")]
    parts = [
        f"to {named}" if event.kind.endswith(".assigned") and "username" in data else "",
        f"from {named}" if event.kind.endswith(".unassigned") and "username" in data else "",
        f"{_status(data['from'])} → {_status(data['to'])}" if _says_more(event.kind, data) else "",
        _status(data.get("status", "")),
        str(data.get("carrier") or ""),
        REASONS.get(data.get("reason", ""), str(data.get("reason") or "")),
        str(data.get("notes") or "") if data.get("notes") != data.get("reason") else "",
        ", ".join(str(name).replace("_", " ") for name in data.get("fields", ())),
        columns.window(window[0], window[1], zone, now=now) if window[0] and window[1] else "",
        "address to be reviewed" if data.get("needs_review") else "",
        "address found" if data.get("located") else "",
    ]
    return " · ".join(part for part in parts if part)


def timeline(events: QuerySet[Event], zone: ZoneInfo, *, now: datetime) -> list[Line]:
    """The lines of a log, in the order given, nothing told twice; two queries."""
    told = _once(list(events.select_related("task", "user")))
    usernames = {str(event.data["username"]) for event in told if "username" in (event.data or {})}
    names = {user.username: str(user) for user in User.objects.filter(username__in=usernames)}
    return [
        Line(
            when=columns.clock(event.happened_at, zone, now=now),
            recorded=_recorded(event, zone, now=now),
            what=sentence(event),
            detail=detail(event, zone, now=now, names=names),
            who=str(event.user or event.actor_name),
            tone=TONES.get(event.kind, "default"),
        )
        for event in told
    ]


def _once(events: list[Event]) -> list[Event]:
    """Without what another event of the same moment says as well.

    An incident goes with the failure it was reported by; a stop that is given or taken, with the whole delivery.
    """
    failed = {(event.task_id, event.happened_at) for event in events if event.kind == "task.failed"}
    given = {event.happened_at for event in events if event.kind == "delivery.assigned"}
    taken: set[tuple[int | None, datetime]] = set()
    told = []
    for event in events:
        if event.kind == "task.incident-reported" and (event.task_id, event.happened_at) in failed:
            continue
        if event.kind == "task.assigned" and event.happened_at in given:
            continue
        if event.kind == "task.unassigned" and event.delivery_id is not None:
            if (event.delivery_id, event.happened_at) in taken:
                continue
            taken.add((event.delivery_id, event.happened_at))
        told.append(event)
    return told


def _says_more(kind: str, data: dict[str, Any]) -> bool:
    """Whether a move is worth spelling out: the sentences of the usual ones name where they lead already."""
    return "from" in data and "to" in data and (kind == "delivery.updated" or kind not in SENTENCES or not kind.startswith("delivery."))


def _recorded(event: Event, zone: ZoneInfo, *, now: datetime) -> str:
    late = abs(event.recorded_at - event.happened_at) > HEARD_LATER
    return f"recorded {columns.clock(event.recorded_at, zone, now=now)}" if late else ""


def _status(value: str) -> str:
    for statuses in (DeliveryStatus, OrderStatus):
        if value in statuses.values:
            return str(statuses(value).label)
    return str(value)


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
