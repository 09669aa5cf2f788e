"""Subscriptions as every page of the desk shows them: how they stand, what they are owed, what was answered last."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, DateTimeField, Max, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils.safestring import SafeString

from deliveries.admin import columns
from deliveries.admin.shown_once import kept_back
from deliveries.models import UNSETTLED, Attempt, Call, CallState, DisabledWhy, Subscription
from stores.models import ApiClient, Connection
from stores.refusals import Refused

CLIENTS_SECRET = [*kept_back(Subscription), *kept_back(ApiClient, "client__")]
SECRET = [*CLIENTS_SECRET, *kept_back(Connection, "connection__"), *kept_back(Connection, "key__")]
"""What no page shows, and so no page asks for."""

NAMED = 1

ON = Q(disabled_at=None, connection__revoked_at=None, key__revoked_at=None)
STATES: Mapping[str, tuple[str, Q]] = {
    "on": ("On", ON & Q(failing_since=None) & ~Q(url="")),
    "failing": ("Failing", ON & Q(failing_since__isnull=False)),
    "given_up": ("Switched off, having failed", Q(disabled_why__in=[DisabledWhy.GONE, DisabledWhy.FAILING])),
    "by_hand": ("Switched off by hand", Q(disabled_why=DisabledWhy.BY_HAND)),
    "passive": ("Read by polling", ON & Q(url="")),
    "closed": ("Connection closed", Q(connection__revoked_at__isnull=False) | Q(key__revoked_at__isnull=False)),
}
"""How a subscription may stand, under the names that facets know."""

TO_READ, RETRY = "to_read", "retry"
PROGRESS: Mapping[str, tuple[str, str]] = {
    CallState.WAITING: (str(CallState.WAITING.label), "default"),
    TO_READ: ("Waiting to be read", "default"),
    CallState.QUEUED: (str(CallState.QUEUED.label), "info"),
    RETRY: ("To be tried again", "warning"),
    CallState.ACKNOWLEDGED: (str(CallState.ACKNOWLEDGED.label), "success"),
    CallState.FAILED: (str(CallState.FAILED.label), "danger"),
}
"""How far a call may have come, in words and the colour of them: what a call's state means depends on its subscription and the clock."""
PROGRESS_OWED = (CallState.WAITING, TO_READ, CallState.QUEUED, RETRY)

WHY: Mapping[str, str] = {
    DisabledWhy.BY_HAND: "by hand",
    DisabledWhy.GONE: "the endpoint is gone (410)",
    DisabledWhy.FAILING: "it failed for days",
}


def watched(rows: QuerySet[Any], now: datetime) -> Any:
    """Subscriptions as pages of the desk show them, in one query, without what is secret, with the moment they are looked at.

    `owed` and `lost` are objects of counts, None when there is nothing. The last answer is the newest of three: to what is
    owed, to the newest call that has arrived, and to the newest that was given up.
    """
    calls = Call.objects.filter(subscription=OuterRef("pk")).order_by().values("subscription")
    owed = {state.value: Count("pk", filter=Q(state=state)) for state in UNSETTLED}
    owed["retry"] = Count("pk", filter=Q(state=CallState.QUEUED, tries__gt=0, due_at__gt=now))
    return (
        rows.select_related("client", "store", "account", "connection", "key")
        .defer(*SECRET)
        .annotate(
            looked_at=Value(now, output_field=DateTimeField()),
            owed=Subquery(
                calls.filter(state__in=UNSETTLED).annotate(json=JSONObject(**owed, since=Min("created_at"))).values("json"),
            ),
            lost=Subquery(
                calls.filter(state=CallState.FAILED).annotate(json=JSONObject(count=Count("pk"), last=Max("settled_at"))).values("json")
            ),
            owed_answer=_answer(Attempt.objects.filter(call__subscription=OuterRef("pk"), call__state__in=UNSETTLED)),
            arrived_answer=_answer(Attempt.objects.filter(call=_newest(CallState.ACKNOWLEDGED))),
            lost_answer=_answer(Attempt.objects.filter(call=_newest(CallState.FAILED))),
        )
    )


def _newest(state: CallState) -> Subquery:
    return Subquery(Call.objects.filter(subscription=OuterRef(OuterRef("pk")), state=state).order_by("-pk").values("pk")[:1])


def _answer(attempts: QuerySet[Any]) -> Subquery:
    told = JSONObject(status="status", error="error", at="started_at", ms="duration_ms")
    return Subquery(attempts.order_by("-started_at", "-pk").annotate(json=told).values("json")[:1])


def reach(subscription: Any) -> str:
    """The store, or all the stores, whose events it is told of."""
    return str(subscription.store or f"every store of {subscription.account}")


def names(subscription: Any, most: int = NAMED) -> str:
    """The first of its events, and how many there are besides."""
    rest = len(subscription.names) - most
    return ", ".join(subscription.names[:most]) + (f" and {rest} more" if rest > 0 else "")


def state(subscription: Any) -> tuple[str, str, str]:
    """How it stands: in a word, the colour of that, and since when or why; of a row of `watched`, as all of these."""
    now, zone = subscription.looked_at, ZoneInfo(settings.TIME_ZONE)
    if subscription.revoked_at is not None:
        held = "key" if subscription.connection is None else "token"
        return "Closed", "default", f"since {columns.clock(subscription.revoked_at, zone, now=now)}, its {held} was revoked"
    if subscription.disabled_at is not None:
        color = "default" if subscription.disabled_why == DisabledWhy.BY_HAND else "danger"
        return "Off", color, f"since {columns.clock(subscription.disabled_at, zone, now=now)}, {WHY[subscription.disabled_why]}"
    if subscription.failing_since is not None:
        return "Failing", "warning", f"since {columns.clock(subscription.failing_since, zone, now=now)}"
    if subscription.is_passive:
        return "Polled", "default", "calls wait to be read"
    return ("On", "warning", "a call is to be tried again") if to_retry(subscription) else ("On", "success", "")


def shown_state(subscription: Any) -> SafeString:
    """Its state as a badge, with since when or why below."""
    word, color, more = state(subscription)
    return columns.lines(columns.badge(word, color), more)


def to_retry(subscription: Any) -> int:
    """How many calls were tried in vain and are to be tried again."""
    return 0 if subscription.owed is None else int(subscription.owed["retry"])


def owed_count(subscription: Any) -> int:
    """How many calls it is owed."""
    return 0 if subscription.owed is None else sum(int(subscription.owed[state]) for state in UNSETTLED)


def newest_answer(subscription: Any) -> dict[str, Any] | None:
    """What came of the last attempt at any call, as `status`, `error` and when (`at`, ISO); None before the first."""
    known = [told for told in (subscription.owed_answer, subscription.arrived_answer, subscription.lost_answer) if told]
    return max(known, key=lambda told: datetime.fromisoformat(told["at"]), default=None)


def shown_owed(subscription: Any) -> SafeString | str:
    """What it is owed, since when, and what came of the last attempt at that if it is to be made again; "–" for nothing."""
    if not subscription.owed:
        return "–"
    since = datetime.fromisoformat(subscription.owed["since"])
    oldest = f"oldest {columns.ago(since, now=subscription.looked_at)}"
    if subscription.is_passive:
        return columns.unbroken(columns.to(calls_of(subscription, *PROGRESS_OWED), f"{owed_count(subscription)} to be read"), oldest)
    again = to_retry(subscription)
    waiting, moving = int(subscription.owed[CallState.WAITING]), int(subscription.owed[CallState.QUEUED]) - again
    counted = ((waiting, "waiting"), (moving, "on the way"), (again, "to be tried again"))
    # What was said last stands beside it.
    told = subscription.owed_answer if again and subscription.owed_answer != newest_answer(subscription) else None
    return columns.lines(
        columns.to(calls_of(subscription, *PROGRESS_OWED), ", ".join(f"{count} {words}" for count, words in counted if count)),
        answer(told["status"], told["error"]) if told else "",
        oldest,
    )


def last_answer(subscription: Any) -> SafeString | str:
    """What the endpoint said to the last call, and how long ago that was."""
    told = newest_answer(subscription)
    if told is None:
        return "–"
    word = answer(told["status"], told["error"])
    return columns.lines(word, columns.ago(datetime.fromisoformat(told["at"]), now=subscription.looked_at))


def answer(status: int | None, error: str) -> SafeString | str:
    """A status that was answered, or what kept an answer away; in red what is no success."""
    if status is None:
        return columns.flag(error, columns.ALARMING)
    return str(status) if 200 <= status < 300 else columns.flag(str(status), columns.ALARMING)


def calls_of(subscription: Subscription, *progress: str) -> str:
    """The list of the calls of a subscription: of some of `PROGRESS`, or all."""
    asked = {"subscription": subscription.pk, **({"progress": list(progress)} if progress else {})}
    return f"{reverse('admin:deliveries_call_changelist')}?{urlencode(asked, doseq=True)}"


def is_on(subscription: Any) -> bool:
    """Whether anything is sent, or can be read; of a row loaded with its connection and key."""
    return subscription.disabled_at is None and subscription.revoked_at is None


def only_on(subscription: Any) -> None:
    """Refuse what would not go out."""
    if not is_on(subscription):
        raise Refused("Nothing is sent to it as long as it is off: switch it on first.")
