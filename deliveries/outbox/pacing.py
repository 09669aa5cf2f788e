"""How many calls of a subscription are under way at once, and how an endpoint that fails is treated.

An endpoint gets two calls at once, and more only as quick answers come: one that suddenly hangs holds no more than two
places of a worker. One that cannot be reached is tried with a single call at growing intervals, and not before the time it
asked for. An answer that says no is another matter: it may be about that one call, and keeps no other waiting.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now

from deliveries.models import UNSETTLED, Attempt, Call, CallState, DisabledWhy, Subscription
from deliveries.outbox import queue, timetable
from deliveries.outbox.posting import Outcome

logger = logging.getLogger(__name__)

GONE = 410
AWAY = (429, 502, 503, 504)
"""Answers that say that nobody is there to take a call, or not now."""
AT_FIRST, AT_MOST = 2, 8
"""Calls of one subscription that are under way at once, before and after it has shown to be quick."""
QUICK_MS = 1000
LONGEST_PAUSE = timedelta(minutes=5)
FORGOTTEN_AFTER = timedelta(hours=36)
"""Longer than the longest wait between two attempts: whoever has not failed for so long is not failing all the while."""
HURRIED_TRIES = 5
LONG_OUTAGE = timedelta(hours=6)
"""After a short outage calls are hurried whose next attempt would be hours away, but only so often that a call which its
receiver cannot digest still has its three days; by the timetable, nothing has had more attempts before a long one is over."""


def hold(subscription: Subscription) -> Subscription | None:
    """Lock a subscription, before any call of it, for the rest of the transaction; None when it has ended."""
    return Subscription.objects.select_for_update(no_key=True).filter(pk=subscription.pk).first()


def occupying(at: datetime | Now) -> Q:
    """The calls that hold a place: under way, or the next to be."""
    return Q(state=CallState.QUEUED) & (Q(due_at=None) | Q(due_at__lte=at) | Q(tries=0))


def release(subscription: Subscription, *, at: datetime, most: int = AT_FIRST) -> None:
    """Queue calls of a subscription until `most` are under way, of each thing the oldest; belongs into a transaction.

    Called whenever something was owed or settled, so nothing waits for a clock.
    """
    held = Subscription.objects.active().select_for_update(no_key=True, of=("self",)).filter(pk=subscription.pk).exclude(url="").first()
    if held is None:
        return
    due_at = None
    if held.paused_until is not None:
        most = 1
        due_at = held.paused_until if held.paused_until > at else None
    free = most - held.calls.filter(occupying(at)).count()
    if free > 0:
        for call in held.calls.filter(~Exists(before()), state=CallState.WAITING).order_by("pk")[:free]:
            enqueue(call, due_at=due_at)


def let_go(call: Call, *, at: datetime) -> None:
    """Queue a call at once, whatever else is under way, because somebody asked for it; it must not overtake its chain."""
    ready = Call.objects.filter(~Exists(before()), pk=call.pk, state=CallState.WAITING)
    for held in ready.filter(subscription__in=Subscription.objects.active().exclude(url="")):
        enqueue(held, due_at=None)


def enqueue(call: Call, *, due_at: datetime | None) -> None:
    """Give a call its next turn, now or at a moment to come."""
    call.state, call.turn, call.due_at = CallState.QUEUED, call.turn + 1, due_at
    call.save(update_fields=["state", "turn", "due_at", "tries"])
    queue.send(call.pk, call.turn, at=due_at)


def hurry(subscription: Subscription, *, at: datetime) -> None:
    """Whatever waits for its next attempt need not wait any longer."""
    subscription.calls.filter(state=CallState.QUEUED, due_at__gt=at).update(state=CallState.WAITING, due_at=None)


def judge(subscription: Subscription, outcome: Outcome, *, arrived: bool, at: datetime) -> None:
    """Remember how an endpoint does: since when it has failed, until when it is left alone, and whether it is switched off.

    The subscription is locked.
    """
    if outcome.status == GONE:
        _disable(subscription, DisabledWhy.GONE, at=at)
    elif not arrived:
        _has_failed(subscription, outcome, at=at)
    elif subscription.failing_since is not None:
        _recover(subscription, outage=at - subscription.failing_since, at=at)


def before() -> QuerySet[Call]:
    """For a subquery of calls: those of the same subscription about the same thing that must be settled first."""
    return Call.objects.filter(subscription=OuterRef("subscription"), chain=OuterRef("chain"), pk__lt=OuterRef("pk"), state__in=UNSETTLED)


def _has_failed(subscription: Subscription, outcome: Outcome, *, at: datetime) -> None:
    if subscription.failing_since is None or subscription.failed_at is None or at - subscription.failed_at > FORGOTTEN_AFTER:
        subscription.failing_since = at
    outage = at - subscription.failing_since
    subscription.failed_at = at
    subscription.paused_until = at + _pause(outcome, outage) if outcome.status is None or outcome.status in AWAY else None
    subscription.save(update_fields=["failing_since", "failed_at", "paused_until"])
    if outage >= timetable.DISABLE_AFTER:
        _disable(subscription, DisabledWhy.FAILING, at=at)


def _pause(outcome: Outcome, outage: timedelta) -> timedelta:
    asked_for = timedelta(seconds=outcome.retry_after_s or 0)
    return max(min(outage / 4, LONGEST_PAUSE), min(asked_for, timetable.LONGEST_ASKED_FOR))


def _recover(subscription: Subscription, *, outage: timedelta, at: datetime) -> None:
    """The endpoint is there again: what did not reach it goes out now."""
    last = Attempt.objects.filter(call=OuterRef("pk")).order_by("-pk")
    waiting = subscription.calls.filter(state=CallState.QUEUED, due_at__gt=at).annotate(last=Subquery(last.values("status")[:1]))
    unreached = waiting.filter(Q(last=None) | Q(last__in=AWAY), tries__gt=0)
    if outage < LONG_OUTAGE:
        unreached = unreached.filter(tries__lte=HURRIED_TRIES)
    hurried = Call.objects.filter(pk__in=list(unreached.values_list("pk", flat=True)))
    probes = subscription.calls.filter(state=CallState.QUEUED, due_at__gt=at, tries=0)
    (hurried | probes).update(state=CallState.WAITING, due_at=None)
    subscription.failing_since = subscription.failed_at = subscription.paused_until = None
    subscription.save(update_fields=["failing_since", "failed_at", "paused_until"])


def _disable(subscription: Subscription, why: DisabledWhy, *, at: datetime) -> None:
    if subscription.disabled_at is None:
        logger.warning("switched off subscription %d: %s", subscription.pk, why.label)
        subscription.disabled_at, subscription.disabled_why = at, why
        subscription.save(update_fields=["disabled_at", "disabled_why"])
