"""One call at a time goes out, is answered or not, and is settled; a few of each subscription are under way at once."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from deliveries.models import UNSETTLED, Attempt, Call, CallState, DisabledWhy, Subscription
from deliveries.outbox import posting, queue, signing, timetable
from deliveries.outbox.posting import Outcome
from deliveries.outbox.voices import Voice
from stores import effects
from stores.actors import Actor
from stores.public_ids import new_public_id

logger = logging.getLogger(__name__)

GONE = 410
AT_ONCE = 4
"""Calls of one subscription that are under way at the same time."""
LONGEST_PAUSE = timedelta(minutes=5)
"""How long at most an endpoint that fails is left alone between the first attempts of two calls."""
OUTAGE = timedelta(minutes=1)
"""How long nothing may have arrived to call it an outage, and not a single call that the endpoint cannot digest."""
OVERDUE = timedelta(minutes=5)
"""How long after its time a call may lie there before its job counts as lost."""


def release(subscription: Subscription, *, at: datetime) -> None:
    """Queue as many calls of a subscription as may be under way, of each thing the oldest; belongs into a transaction.

    Called whenever something was owed or settled, so nothing waits for a clock. An endpoint that fails is tried with one
    call after the other, at growing intervals, lest those that hang occupy every worker.
    """
    held = Subscription.objects.active().select_for_update(no_key=True, of=("self",)).filter(pk=subscription.pk).exclude(url="").first()
    if held is None:
        return
    queued = held.calls.filter(state=CallState.QUEUED)
    if held.failing_since is None:
        free, due_at = AT_ONCE - queued.filter(Q(due_at=None) | Q(due_at__lte=at)).count(), None
    else:
        free = 1 - queued.filter(Q(due_at=None) | Q(due_at__lte=at) | Q(tries=0)).count()
        due_at = at + min((at - held.failing_since) / 4, LONGEST_PAUSE)
    if free <= 0:
        return
    before = Call.objects.filter(subscription=OuterRef("subscription"), chain=OuterRef("chain"), pk__lt=OuterRef("pk"), state__in=UNSETTLED)
    for call in held.calls.filter(~Exists(before), state=CallState.WAITING).order_by("pk")[:free]:
        _enqueue(call, due_at=due_at)


def hold(subscription: Subscription) -> Subscription | None:
    """Lock a subscription, before any call of it, for the rest of the transaction; None when it has ended."""
    return Subscription.objects.select_for_update(no_key=True).filter(pk=subscription.pk).first()


def send(call_id: int, turn: int, *, voices: Mapping[str, Voice], at: datetime, chance: float) -> None:
    """Make a call, unless it was overtaken, and settle it; `chance`, from 0 up to 1, scatters the next attempt.

    The network is outside every transaction. Killed in between, it is made again, with the same message id.
    """
    call = (
        Call.objects.select_related("subscription__client", "subscription__connection", "event")
        .filter(pk=call_id, turn=turn, state=CallState.QUEUED)
        .first()
    )
    if call is None:
        return
    subscription = call.subscription
    if not Subscription.objects.active().filter(pk=subscription.pk).exclude(url="").exists():
        _put_back(call, at=at)
        return
    voice = voices[subscription.client.dialect]
    body = call.body.encode()
    outcome = posting.post(subscription.url, body, _headers(call, voice, body, at=at))
    _settle(call, outcome, arrived=outcome.status is not None and voice.acknowledges(outcome.status), at=at, chance=chance)


def send_test(subscription: Subscription, *, voices: Mapping[str, Voice], at: datetime) -> Call:
    """Owe a subscription an event that did not happen, so that whoever receives it can see that all is well."""
    token = new_public_id()
    name, body = voices[subscription.client.dialect].test(subscription, message_id=f"test_{token}", at=at)
    with effects.atomic():
        made = Call.objects.create(
            subscription=subscription, name=name, message_id=f"test_{token}", chain=f"test {token}", body=body, created_at=at
        )
        release(subscription, at=at)
    return made


def acknowledge(call: Call, *, by: Actor, at: datetime) -> None:
    """Whoever was owed it has it, having read it themselves."""
    with effects.atomic():
        hold(call.subscription)
        owed = Call.objects.exclude(state=CallState.ACKNOWLEDGED).filter(pk=call.pk)
        if owed.update(state=CallState.ACKNOWLEDGED, settled_at=at, due_at=None):
            logger.info("%s acknowledged call %d", by.name, call.pk)
            release(call.subscription, at=at)


def resend(call: Call, *, by: Actor, at: datetime) -> None:
    """Send what was sent or given up once more, with all its attempts before it; what is still owed stays as it is."""
    with effects.atomic():
        hold(call.subscription)
        if _owe_again(Call.objects.exclude(state__in=UNSETTLED).filter(pk=call.pk)):
            logger.info("%s has call %d sent again", by.name, call.pk)
            release(call.subscription, at=at)


def resend_failed(subscription: Subscription, *, by: Actor, at: datetime) -> int:
    """Send everything that was given up once more; returns how many calls."""
    with effects.atomic():
        hold(subscription)
        count = _owe_again(subscription.calls.filter(state=CallState.FAILED))
        if count:
            logger.info("%s has %d calls of subscription %d sent again", by.name, count, subscription.pk)
            release(subscription, at=at)
    return count


def sweep(*, at: datetime) -> None:
    """Let go what nobody lets go, and queue again what has lost its job, as after a restored backup."""
    lost = Call.objects.filter(state=CallState.QUEUED).filter(Q(due_at__lt=at - OVERDUE) | Q(due_at=None, created_at__lt=at - OVERDUE))
    for call in lost.select_related("subscription").order_by("pk").iterator():
        if not queue.has_send(call.pk, call.turn):
            with effects.atomic():
                hold(call.subscription)
                for held in Call.objects.filter(pk=call.pk, turn=call.turn, state=CallState.QUEUED):
                    _enqueue(held, due_at=None)
    for subscription in Subscription.objects.active().filter(calls__state=CallState.WAITING).exclude(url="").distinct():
        with effects.atomic():
            release(subscription, at=at)


def _headers(call: Call, voice: Voice, body: bytes, *, at: datetime) -> dict[str, str]:
    request_id = call.event.request_id if call.event else ""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Relais",
        **({"X-Request-ID": request_id} if request_id else {}),
        **voice.headers(call.subscription, body),
        **signing.headers(call.message_id, at, body, voice.keys(call.subscription, at=at)),
    }


def _settle(call: Call, outcome: Outcome, *, arrived: bool, at: datetime, chance: float) -> None:
    ended = at + timedelta(milliseconds=outcome.duration_ms)
    with effects.atomic():
        subscription = hold(call.subscription)
        if subscription is None:
            return
        Attempt.objects.create(
            call=call,
            started_at=at,
            duration_ms=outcome.duration_ms,
            status=outcome.status,
            excerpt=outcome.excerpt,
            error=outcome.error[:255],
        )
        held = Call.objects.select_for_update().filter(pk=call.pk, turn=call.turn, state=CallState.QUEUED).first()
        if held is not None:
            held.tries += 1
            if arrived:
                _end(held, CallState.ACKNOWLEDGED, at=ended)
            else:
                _try_again(held, outcome, at=ended, chance=chance)
        _judge(subscription, outcome, arrived=arrived, at=ended)
        release(subscription, at=ended)


def _end(call: Call, state: CallState, *, at: datetime) -> None:
    call.state, call.settled_at, call.due_at = state, at, None
    call.save(update_fields=["state", "settled_at", "due_at", "tries"])


def _try_again(call: Call, outcome: Outcome, *, at: datetime, chance: float) -> None:
    wait = timetable.next_wait(call.tries, chance=chance, retry_after_s=outcome.retry_after_s)
    if wait is None or outcome.status == GONE:
        logger.warning("gave up %s after %d attempts: %s", call, call.tries, outcome.status or outcome.error)
        _end(call, CallState.FAILED, at=at)
    else:
        _enqueue(call, due_at=at + wait)


def _put_back(call: Call, *, at: datetime) -> None:
    """A subscription that was switched off keeps what it is owed; one that was switched on again meanwhile goes on."""
    with effects.atomic():
        hold(call.subscription)
        Call.objects.filter(pk=call.pk, turn=call.turn, state=CallState.QUEUED).update(state=CallState.WAITING, due_at=None)
        release(call.subscription, at=at)


def _owe_again(calls: QuerySet[Call]) -> int:
    return calls.update(state=CallState.WAITING, tries=0, due_at=None, settled_at=None)


def _enqueue(call: Call, *, due_at: datetime | None) -> None:
    call.state, call.turn, call.due_at = CallState.QUEUED, call.turn + 1, due_at
    call.save(update_fields=["state", "turn", "due_at", "tries"])
    queue.send(call.pk, call.turn, at=due_at)


def _judge(subscription: Subscription, outcome: Outcome, *, arrived: bool, at: datetime) -> None:
    """Remember since when an endpoint has been failing, and switch off one that is gone or has failed for days."""
    if outcome.status == GONE:
        _disable(subscription, DisabledWhy.GONE, at=at)
    elif arrived and subscription.failing_since is not None:
        _recover(subscription, since=subscription.failing_since, at=at)
    elif not arrived and subscription.failing_since is None:
        subscription.failing_since = at
        subscription.save(update_fields=["failing_since"])
    elif not arrived and subscription.failing_since is not None and at - subscription.failing_since >= timetable.DISABLE_AFTER:
        _disable(subscription, DisabledWhy.FAILING, at=at)


def _recover(subscription: Subscription, *, since: datetime, at: datetime) -> None:
    """After an outage nothing waits for its next attempt any longer: the endpoint is there."""
    if at - since >= OUTAGE:
        subscription.calls.filter(state=CallState.QUEUED, due_at__gt=at).update(state=CallState.WAITING, due_at=None)
    subscription.failing_since = None
    subscription.save(update_fields=["failing_since"])


def _disable(subscription: Subscription, why: DisabledWhy, *, at: datetime) -> None:
    if subscription.disabled_at is not None:
        return
    logger.warning("switched off %s: %s", subscription, why.label)
    subscription.disabled_at, subscription.disabled_why = at, why
    subscription.save(update_fields=["disabled_at", "disabled_why"])
