"""The page on which a recipient follows a delivery, with nothing but the link that was sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from deliveries import queries
from deliveries.models import Delivery, Event, Task
from deliveries.pages import addresses, wording
from deliveries.pages.wording import ProgressStep
from deliveries.statuses import FINISHED, OPEN, OVER, TO_DROPOFF, TO_PICKUP, DeliveryStatus, TaskStatus, TaskType, needs_attention

REFRESH_SECONDS = 60
TOLD_KINDS = ("task.failed", "task.restored", "task.rescheduled")
"""What a recipient is told beside the moments of the delivery itself."""

# The link is the only key to the page: no search engine keeps it, no site linked from here learns it, no proxy shares it.
HEADERS = {"Cache-Control": "private, no-cache", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history: when, and what, in words."""

    at: datetime
    when: str
    words: str


@dataclass(frozen=True, slots=True)
class Position:
    """Where it was last seen: "3 min ago" or "", and a map of the place."""

    ago: str
    map_url: str


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Everything the page shows, in words; what is not here, a recipient does not see."""

    headline: str
    subline: str
    tone: str
    over: bool
    store: str
    carrier: str
    carrier_url: str
    window: str
    delivered: str
    expected: str
    late: bool
    trouble: bool
    dropoff: str
    dropoff_place: str
    stops: int
    stops_done: int
    steps: list[ProgressStep]
    history: list[Entry]
    position: Position | None
    zone: str
    refresh: int = field(default=REFRESH_SECONDS)


@require_safe
def tracking(request: HttpRequest, locale: str, token: str) -> HttpResponse:
    """Show a delivery to whoever holds its token, in the language that the link names."""
    with translation.override(locale):
        return _answer(request, locale, token)


def _answer(request: HttpRequest, locale: str, token: str) -> HttpResponse:
    headers = HEADERS | {"Content-Language": locale}
    delivery = queries.deliveries().select_related("store").filter(tracking_token=token).first()
    if delivery is None:
        return HttpResponse(render_to_string("pages/tracking_unknown.html", request=request), status=404, headers=headers)
    seen = see(delivery, list(queries.timeline(delivery).filter(kind__in=TOLD_KINDS)), at=timezone.now())
    shown = {"seen": seen, "token": token, "locale": locale}
    return HttpResponse(render_to_string("pages/tracking.html", shown, request), headers=headers)


def see(delivery: Delivery, events: Sequence[Event], *, at: datetime) -> Seen:
    """What a recipient may know of a delivery at a moment; `events` are those of `TOLD_KINDS`."""
    status, tasks, zone = DeliveryStatus(delivery.status), delivery.stops, delivery.store.tz
    dropoffs = _wanted([task for task in tasks if task.type == TaskType.DROPOFF])
    failed = any(task.status == TaskStatus.FAILED for task in tasks)
    over = status in OVER
    headline, subline = _headline(status, tasks, events)
    after, before = min(task.after for task in dropoffs), max(task.before for task in dropoffs)
    arrived = delivery.delivered_at if status == DeliveryStatus.DELIVERED else None
    expected = None if over else delivery.estimated_dropoff_at
    alone = dropoffs[0].address if len(dropoffs) == 1 else None
    return Seen(
        headline=headline,
        subline=subline,
        tone="good" if status == DeliveryStatus.DELIVERED else "bad" if over else "going",
        over=over,
        store=delivery.store.name,
        carrier=delivery.carrier,
        carrier_url="" if delivery.by_house else _safe_url(delivery.tracking_url),
        window="" if over else wording.window_words(after, before, zone=zone, at=at),
        delivered=wording.moment_words(arrived, zone=zone, at=at) if arrived else "",
        expected=wording.moment_words(expected, zone=zone, at=at) if expected and not after <= expected <= before else "",
        late=not over and any(task.before < at for task in dropoffs if task.status in OPEN),
        trouble=not over and failed and not _uncollected(status, tasks),
        dropoff=(alone.company or alone.name) if alone else "",
        dropoff_place=_place(dropoffs[0]) if alone else "",
        stops=len(dropoffs),
        stops_done=sum(task.status in FINISHED for task in dropoffs),
        steps=wording.progress(status),
        history=_history(delivery, events, alone=alone is not None, at=at),
        position=_position(delivery, at=at) if status in TO_PICKUP | TO_DROPOFF else None,
        zone=zone.key,
    )


def _headline(status: DeliveryStatus, tasks: Sequence[Task], events: Sequence[Event]) -> tuple[str, str]:
    chosen = wording.HEADLINES[status]
    resting = all(task.status != TaskStatus.DOING for task in tasks)
    if status == DeliveryStatus.CANCELLED and any(task.status == TaskStatus.FAILED for task in tasks):
        chosen = wording.UNDELIVERED
    elif _uncollected(status, tasks):
        chosen = wording.UNCOLLECTED
    elif status == DeliveryStatus.DROPOFF_ENROUTE and resting and events and events[-1].kind != "task.failed":
        chosen = wording.AGAIN
    return str(chosen[0]), str(chosen[1])


def _uncollected(status: DeliveryStatus, tasks: Sequence[Task]) -> bool:
    """Whether every pickup failed and nobody has it, though it is still to be delivered."""
    pickups = {task.status for task in tasks if task.type == TaskType.PICKUP} - {TaskStatus.CANCELLED}
    return status not in TO_DROPOFF | OVER and needs_attention(tasks) and pickups == {TaskStatus.FAILED}


def _wanted(dropoffs: list[Task]) -> list[Task]:
    """The stops that are still meant, or all of them when none is: what was taken out is nobody's concern."""
    return [task for task in dropoffs if task.status != TaskStatus.CANCELLED] or dropoffs


def _place(task: Task) -> str:
    return ", ".join(addresses.lines(task.address))


def _safe_url(url: str) -> str:
    """A carrier's page, when it is one: carriers send free text."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def _history(delivery: Delivery, events: Sequence[Event], *, alone: bool, at: datetime) -> list[Entry]:
    zone = delivery.store.tz
    told = sorted([*_moments(delivery, events), *_happenings(events, alone=alone)], key=lambda entry: entry[0])
    return [Entry(moment, wording.moment_words(moment, zone=zone, at=at), words) for moment, words in told]


def _moments(delivery: Delivery, events: Sequence[Event]) -> Iterator[tuple[datetime, str]]:
    """The moments that the present status stands on: a carrier that stepped back leaves the later ones behind."""
    status = DeliveryStatus(delivery.status)
    reached = ["created_at"]
    reached += ["assigned_at"] if status != DeliveryStatus.PENDING else []
    reached += ["pickup_at"] if status in TO_DROPOFF | OVER else []
    reached += ["delivered_at"] if status == DeliveryStatus.DELIVERED else []
    # A failure closes the story itself, by the event that says why.
    reached += ["cancelled_at"] if status == DeliveryStatus.CANCELLED and not any(e.kind == "task.failed" for e in events) else []
    for name in reached:
        moment: datetime | None = getattr(delivery, name)
        if moment is not None:
            yield moment, str(wording.MOMENT_WORDS[name])


def _happenings(events: Sequence[Event], *, alone: bool) -> Iterator[tuple[datetime, str]]:
    """Failures and new attempts; with several recipients, why it failed is only for the one concerned."""
    for event in events:
        if event.kind == "task.failed" and event.task is not None:
            yield event.happened_at, wording.attempt(event.task.type, event.data.get("reason", "") if alone else "")
        elif event.kind == "task.restored":
            yield event.happened_at, _("There will be another attempt")
        elif event.kind == "task.rescheduled":
            yield event.happened_at, _("It was given another time")


def _position(delivery: Delivery, *, at: datetime) -> Position | None:
    seen = queries.live_position(delivery, at=at)
    if seen is None:
        return None
    latitude, longitude, since = seen
    url = f"https://www.openstreetmap.org/?mlat={latitude:.5f}&mlon={longitude:.5f}#map=16/{latitude:.5f}/{longitude:.5f}"
    return Position(_("%(span)s ago") % {"span": wording.span_words(at - since)} if since else "", url)
