"""From events to calls: whoever subscribed is owed what happened, and the feed gets its next entries.

The feed never skips. Transactions commit in another order than the one in which their events were numbered, so whoever
reads events by their ids may miss one that commits late. An entry of the feed is therefore written by `tell`, when the
event has been committed, and one writer at a time: it holds a lock from before its first entry gets an id until it has
committed. Whoever sees an entry can see every entry with a lower id. And a thing's events are entered in the order in
which they happened: a verb holds the lock of what it changes until it commits, so when one of them can be seen, so can
those before it, and `tell` takes up all that it sees, one thing at a time. The entries of one change stand together.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import connection

from deliveries.models import Call, Event, FeedEntry, Subscription
from deliveries.outbox import pacing, queue
from deliveries.outbox.voices import Message, Voice
from stores import effects

FEED = "the feed"
OVERDUE = timedelta(minutes=1)
LOOK_BACK = 10_000
"""How many events before the last one told a sweep looks at."""


def tell(chain: str, *, voices: Mapping[str, Voice], at: datetime) -> int:
    """Tell whoever subscribed of everything that happened to one thing and was not told yet; returns how many events.

    Safe to run again and at once in several places. `voices` goes by `Dialect`.
    """
    with effects.atomic():
        _hold(chain)
        events = list(Event.objects.untold().about(chain).select_related("task", "quote"))
        changed = _changes(events)
        owed = [message for batch in changed for message in _owed(batch, voices)]
        Call.objects.bulk_create(_call(subscription, message, chain, at=at) for subscription, message in owed)
        for subscription in sorted({subscription.pk: subscription for subscription, _ in owed}.values(), key=lambda each: each.pk):
            pacing.release(subscription, at=at)
        if events:
            _hold(FEED)
            FeedEntry.objects.bulk_create(FeedEntry(event=event, store_id=event.store_id) for change in changed for event in change)
    return len(events)


def sweep(*, at: datetime, whole: bool = False) -> int:
    """Queue what lies there untold although its job is gone, as after a restored backup; returns how many things.

    Looks at the newest events, or, when asked to, at the `whole` log.
    """
    lost = Event.objects.untold().filter(recorded_at__lt=at - OVERDUE).order_by("pk")
    if not whole:
        last = FeedEntry.objects.order_by("-event_id").values_list("event_id", flat=True).first() or 0
        lost = lost.filter(pk__gt=last - LOOK_BACK)
    chains = [chain for chain in dict.fromkeys(event.chain for event in lost.iterator()) if not queue.has_tell(chain)]
    queue.tell(chains)
    return len(chains)


def _hold(name: str) -> None:
    """Wait for, and keep until the transaction ends, the right to tell of one thing, or to write to the feed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _changes(events: Iterable[Event]) -> list[list[Event]]:
    """The events of each transaction together, even where those of another were numbered in between; oldest first."""
    batches: dict[int, list[Event]] = {}
    for event in events:
        batches.setdefault(event.transaction_id, []).append(event)
    return list(batches.values())


def _owed(batch: list[Event], voices: Mapping[str, Voice]) -> Iterable[tuple[Subscription, Message]]:
    wanting = Subscription.objects.owing().of_store(batch[0].store_id).select_related("client", "connection").order_by("pk")
    for subscription in wanting:
        for message in voices[subscription.client.dialect].messages(batch, subscription):
            yield subscription, message


def _call(subscription: Subscription, message: Message, chain: str, *, at: datetime) -> Call:
    return Call(
        subscription=subscription,
        event=message.event,
        name=message.name,
        message_id=message.id,
        chain=chain,
        body=message.body,
        created_at=at,
    )
