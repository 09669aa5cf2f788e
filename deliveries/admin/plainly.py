"""Subscriptions in plain words: what they tell of, how they stand, and what to do about it."""

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from deliveries.admin import columns, watching
from deliveries.models import DisabledWhy
from deliveries.outbox import timetable

TOLD: Mapping[str, str] = {
    "order.created": "new orders",
    "delivery.assigned": "couriers assigned",
    "delivery.started": "couriers setting out",
    "delivery.picked": "pickups",
    "delivery.in_transit": "goods on their way",
    "delivery.completed": "arrivals",
    "delivery.failed": "failures",
    "delivery.cancelled": "cancellations",
    "order.create": "new orders",
    "order.update": "changed orders",
    "delivery.create": "new deliveries",
    "delivery.update": "progress of deliveries",
    "customer.create": "new customers",
    "customer.update": "changed customers",
}
"""The events of both dialects, as people at a desk call what they are about."""
MOST = 3

BECAUSE: Mapping[str, str] = {
    DisabledWhy.BY_HAND: "somebody switched it off",
    DisabledWhy.GONE: "its address answered that it is gone (410)",
    DisabledWhy.FAILING: f"nothing had arrived for {timetable.DISABLE_AFTER.days} days",
}


def told_of(names: Iterable[str]) -> str:
    """Names of events as "new orders, arrivals and 2 other things"."""
    words = list(dict.fromkeys(TOLD.get(name, name) for name in names))
    rest = words[MOST:]
    if rest:
        return f"{', '.join(words[:MOST])} and {len(rest)} other thing{'' if len(rest) == 1 else 's'}"
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "nothing"


def title(row: Any) -> str:
    """What tells a subscription from others of the same client: its name, and its events where they are few."""
    return f"{row} · {', '.join(row.names) if len(row.names) <= 2 else f'{len(row.names)} events'}"


def situation(row: Any) -> list[str]:
    """How a subscription stands, what that means, and what to do; of a row of `watching.watched`, a sentence or more each."""
    if row.revoked_at is not None:
        held, again = ("key", "subscribed") if row.connection is None else ("token", "connected")
        return [f"Nothing is sent to it: its {held} was revoked.", f"It is told again once the client has {again} anew."]
    if row.disabled_at is not None:
        return _off(row)
    if row.is_passive:
        return _passive(row)
    return [*_on(row), *_lost(row)]


def _off(row: Any) -> list[str]:
    since, because = columns.clock(row.disabled_at, ZoneInfo(settings.TIME_ZONE), now=row.looked_at), BECAUSE[row.disabled_why]
    of_webhook = "is not sent to it later and stands in the feed of events only"
    meanwhile = of_webhook if row.connection is None else "waits with the rest, and can be read meanwhile"
    waits = f" What it was owed by then waits: {_owed(row)}." if row.owed else ""
    mended = "" if row.disabled_why == DisabledWhy.BY_HAND else f"Have {row.client} mended by whoever runs it, then switch"
    return [
        f"It was switched off, {since}, because {because}. Deliveries go on; it is not told of them.",
        f"What happens meanwhile {meanwhile}.{waits}",
        f"{mended or 'Switch'} it on: what waits goes out first. Then send a test event, and look at its answer here.",
    ]


def _passive(row: Any) -> list[str]:
    waits = f"To be read: {_owed(row)}." if row.owed else "Nothing waits to be read."
    return ["Nothing is sent to it: it asks for what it is owed whenever it likes.", waits]


def _on(row: Any) -> list[str]:
    if row.failing_since is not None:
        since = columns.clock(row.failing_since, ZoneInfo(settings.TIME_ZONE), now=row.looked_at)
        return [
            f"Nothing has arrived since {since}. Deliveries go on; what it is owed is kept, and tried again without anybody's doing.",
            f"If that lasts, have {row.client} looked at by whoever runs it: after {timetable.DISABLE_AFTER.days} days it is switched off.",
        ]
    again = watching.to_retry(row)
    if again:
        them = "1 call is" if again == 1 else f"{again} calls are"
        return [f"It can be reached, but {them} to be tried again, which happens by itself. Look below at what was answered."]
    newest = watching.newest_answer(row)
    if newest is None:
        return ["It is on, and nothing was sent to it yet: send a test event to see whether it answers."]
    if newest["status"] is None or not 200 <= newest["status"] < 300:
        return ["It is on, but the last answer is one from before: send a test event to see whether it answers now."]
    return ["All is well: it is told of what happens when it happens."]


def _lost(row: Any) -> list[str]:
    if not row.lost:
        return []
    count = row.lost["count"]
    calls, them = ("1 call was", "it") if count == 1 else (f"{count} calls were", "them")
    return [f"{calls} given up. “Resend everything given up” sends {them} once more."]


def _owed(row: Any) -> str:
    count = watching.owed_count(row)
    return "1 call" if count == 1 else f"{count} calls"
