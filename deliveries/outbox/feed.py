"""Reading what happened in the order of the feed: from a position on, as far as an actor may see, one change at a time.

That nothing is skipped is the writer's doing (see `outbox.telling`): whoever sees an entry sees every entry with a lower id,
now and ever after, so a reader may forget everything but the id of the last entry read.
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Max, QuerySet

from deliveries.models import FeedEntry
from stores.actors import Actor
from stores.models import Store

OF_EVENTS = ("kind", "data", "happened_at", "recorded_at", "transaction_id", "store_id", "order_id", "delivery_id", "task_id")
READ = ("store_id", *(f"event__{name}" for name in OF_EVENTS), "event__task__type")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the feed: whole changes, each with its entries, and whether there is more behind it by now."""

    changes: list[list[FeedEntry]]
    more: bool


def read(by: Actor, *, after: int, kinds: Collection[str], most: int) -> Stretch:
    """What comes after a position, of some kinds of events, in the order of the feed; about `most` entries.

    A change is never cut in two: the last of a stretch is left to the next one unless it is known to be whole, and one
    longer than `most` is read by itself. One query, or a few where a change is that long.
    """
    while True:
        entries = list(_entries(by, after=after, kinds=kinds, most=most))
        changes = [list(change) for _, change in groupby(entries, key=lambda entry: (entry.event.chain, entry.event.transaction_id))]
        if len(entries) < most:
            return Stretch(changes, more=False)
        if len(changes) > 1:
            return Stretch(changes[:-1], more=True)
        most *= 4


def end() -> int:
    """The position behind everything that can be read by now."""
    last: int | None = FeedEntry.objects.aggregate(last=Max("pk"))["last"]
    return last or 0


def _entries(by: Actor, *, after: int, kinds: Collection[str], most: int) -> QuerySet[FeedEntry]:
    """The next entries. Each store's are found by its own index, so that a quiet one does not pay for its neighbours.

    The stores are named in the statement, one by one: of a store that it does not know, the planner of the database would
    think that it is like all others.
    """
    rows = FeedEntry.objects.filter(pk__gt=after, event__kind__in=kinds).order_by("pk")
    if not by.runs_the_desk:
        stores = sorted(by.store_ids) if by.account_id is None else list(Store.objects.visible_to(by).values_list("pk", flat=True))
        nearest = [rows.filter(store=pk).values("pk")[:most] for pk in stores]
        several = len(stores) > 1
        rows = FeedEntry.objects.filter(pk__in=nearest[0].union(*nearest[1:], all=True)) if several else rows.filter(store__in=stores)
    return rows.select_related("event__task").only(*READ).order_by("pk")[:most]
