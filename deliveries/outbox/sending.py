"""One call goes out, is answered or not, and is settled."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from django.db.models import Q, QuerySet

from deliveries.models import Attempt, Call, CallState, Subscription
from deliveries.outbox import posting, queue, signing, timetable
from deliveries.outbox.pacing import AT_FIRST, AT_MOST, GONE, QUICK_MS, enqueue, hold, judge, let_go, release
from deliveries.outbox.posting import Outcome
from deliveries.outbox.voices import Voice
from stores import effects
from stores.actors import Actor
from stores.public_ids import new_public_id

logger = logging.getLogger(__name__)

SPREAD = timedelta(seconds=30)
"""Over how long the attempts are scattered that an endpoint's pause has put off."""
OVERDUE = timedelta(minutes=5)
"""How long after its time a call may lie there before its job counts as lost."""


def send(call_id: int, turn: int, *, voices: Mapping[str, Voice], at: datetime, chance: float) -> None:
    """Make a call, unless it was overtaken, and settle it; `chance`, from 0 up to 1, scatters the next attempt.

    The network is outside every transaction. Killed in between, it is made again, with the same message id.
    """
    call = (
        Call.objects.select_related("subscription__client", "subscription__connection", "event")
        .filter(pk=call_id, turn=turn, state=CallState.QUEUED)
        .first()
    )
    if call is None or _is_put_off(call, at=at, chance=chance):
        return
    voice, body = voices[call.subscription.client.dialect], call.body.encode()
    try:
        headers = _headers(call, voice, body, at=at)
    except InvalidToken:
        outcome = Outcome(status=None, duration_ms=0, error="it cannot be signed: ENCRYPTION_KEY is not the one that sealed the secret")
    else:
        effects.idle()
        outcome = posting.post(call.subscription.url, body, headers)
    _settle(call, outcome, arrived=outcome.status is not None and voice.acknowledges(outcome.status), at=at, chance=chance)


def send_test(subscription: Subscription, *, voice: Voice, at: datetime) -> Call:
    """Owe a subscription an event that did not happen, at once, so that whoever receives it can see that all is well."""
    token = new_public_id()
    name, body = voice.test(subscription, message_id=f"test_{token}", at=at)
    with effects.atomic():
        made = Call.objects.create(
            subscription=subscription, name=name, message_id=f"test_{token}", chain=f"test {token}", body=body, created_at=at
        )
        let_go(made, at=at)
    return made


def acknowledge(call: Call, *, by: Actor, at: datetime) -> None:
    """Whoever was owed it has it, having read it themselves."""
    with effects.atomic():
        hold(call.subscription)
        effects.locked()
        owed = Call.objects.exclude(state=CallState.ACKNOWLEDGED).filter(pk=call.pk)
        if owed.update(state=CallState.ACKNOWLEDGED, settled_at=at, due_at=None):
            logger.info("%s acknowledged call %d", by.name, call.pk)
            release(call.subscription, at=at)


def resend(call: Call, *, by: Actor, at: datetime) -> None:
    """Send what was sent or given up once more, at once, and so what waits for its next attempt; what is under way stays as it is."""
    with effects.atomic():
        hold(call.subscription)
        effects.locked()
        again = Call.objects.filter(pk=call.pk).exclude(Q(state=CallState.WAITING) | Q(state=CallState.QUEUED, due_at=None))
        if _owe_again(again.exclude(state=CallState.QUEUED, due_at__lte=at)):
            logger.info("%s has call %d sent again", by.name, call.pk)
        let_go(call, at=at)


def resend_failed(subscription: Subscription, *, by: Actor, at: datetime) -> int:
    """Send everything that was given up once more; returns how many calls."""
    with effects.atomic():
        hold(subscription)
        effects.locked()
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
                    enqueue(held, due_at=None)
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


def _is_put_off(call: Call, *, at: datetime, chance: float) -> bool:
    """Whether a call must not be made now: its subscription is off, or is to be left alone for a while."""
    subscription = call.subscription
    if not Subscription.objects.active().filter(pk=subscription.pk).exclude(url="").exists():
        _put_back(call, at=at)
        return True
    # What somebody asked for has no time at which it is due, and is not put off.
    if subscription.paused_until is None or subscription.paused_until <= at or call.due_at is None:
        return False
    with effects.atomic():
        hold(subscription)
        for held in Call.objects.filter(pk=call.pk, turn=call.turn, state=CallState.QUEUED):
            enqueue(held, due_at=subscription.paused_until + SPREAD * chance)
    return True


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
        judge(subscription, outcome, arrived=arrived, at=ended)
        release(subscription, at=ended, most=AT_MOST if arrived and outcome.duration_ms <= QUICK_MS else AT_FIRST)


def _end(call: Call, state: CallState, *, at: datetime) -> None:
    call.state, call.settled_at, call.due_at = state, at, None
    call.save(update_fields=["state", "settled_at", "due_at", "tries"])


def _try_again(call: Call, outcome: Outcome, *, at: datetime, chance: float) -> None:
    wait = timetable.next_wait(call.tries, chance=chance, retry_after_s=outcome.retry_after_s)
    said = outcome.status or outcome.error
    if wait is None or outcome.status == GONE:
        logger.warning("gave up call %d to subscription %d after %d attempts: %s", call.pk, call.subscription_id, call.tries, said)
        _end(call, CallState.FAILED, at=at)
    else:
        logger.info("attempt %d at call %d to subscription %d failed: %s", call.tries, call.pk, call.subscription_id, said)
        enqueue(call, due_at=at + wait)


def _put_back(call: Call, *, at: datetime) -> None:
    """A subscription that was switched off keeps what it is owed; one that was switched on again meanwhile goes on."""
    with effects.atomic():
        hold(call.subscription)
        Call.objects.filter(pk=call.pk, turn=call.turn, state=CallState.QUEUED).update(state=CallState.WAITING, due_at=None)
        release(call.subscription, at=at)


def _owe_again(calls: QuerySet[Call]) -> int:
    return calls.update(state=CallState.WAITING, tries=0, due_at=None, settled_at=None)
