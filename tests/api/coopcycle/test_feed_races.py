"""Whoever polls the feed while many write, commit in any order and tell at once reads everything once, and in its order."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from deliveries import jobs, transitions
from deliveries.api.coopcycle.feed import Cursor, Told, page
from deliveries.models import Delivery, Event, FeedEntry
from deliveries.outbox import feed, telling
from stores import credentials
from stores.actors import SYSTEM, Actor
from stores.models import Store
from tests import factories
from tests.factories import NOON

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("whole_afterwards")]

WRITERS, TELLERS, ROUNDS = 8, 3, 6
PATIENCE_S = 120
STORY = ["order.created", "delivery.started", "delivery.picked", "delivery.in_transit", "delivery.completed"]


class Crowd:
    """Threads with connections of their own; what goes wrong in one comes out at the end."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.errors: list[BaseException] = []

    def begin(self, act: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                act()
            except BaseException as error:
                self.errors.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()
        return thread

    def end(self) -> None:
        for thread in self.threads:
            thread.join(PATIENCE_S)
        assert self.errors == []
        assert not any(thread.is_alive() for thread in self.threads)


def live(delivery: Delivery, dice: random.Random) -> None:
    """One delivery's story, each step in a transaction that may stay open while others overtake it."""
    pickup, dropoff = delivery.tasks.order_by("position")
    for step, task in [(step, task) for task in (pickup, dropoff) for step in (transitions.start, transitions.complete)]:
        with transaction.atomic():
            step(task, by=SYSTEM, at=NOON)
            time.sleep(dice.choice([0, 0, 0.01, 0.05]))


def write(store_id: int, lane: int) -> None:
    dice = random.Random(lane)  # noqa: S311 - scatters, guards nothing
    store = Store.objects.get(pk=store_id)
    for _ in range(ROUNDS):
        with transaction.atomic():
            delivery = factories.delivery(store)
            time.sleep(dice.choice([0, 0.02, 0.08]))
        live(delivery, dice)


def tell_until(over: threading.Event) -> None:
    """What workers do: whatever is untold, in several places at once."""
    while True:
        last = over.is_set()
        chains = list({event.chain for event in Event.objects.untold()})
        random.shuffle(chains)
        for chain in chains:
            telling.tell(chain, voices=jobs.VOICES, at=NOON)
        if last and not chains:
            return


def follow(by: Actor, told: threading.Event, found: list[Told], size: int) -> None:
    """Poll from the beginning until everything was told and there is nothing new."""
    place = Cursor()
    while True:
        last = told.is_set()
        new, place = page(by, Cursor.read(str(place)), size)
        found += new
        if last and not new:
            return


@pytest.mark.slow
def test_a_reader_misses_nothing_and_reads_nothing_twice() -> None:
    stores = [factories.StoreFactory.create(), factories.StoreFactory.create()]
    clients = [factories.coopcycle_client(store)[0] for store in stores]
    readers = [credentials.client_actor(client, scopes=frozenset(["deliveries"])) for client in clients]
    crowd, written, told = Crowd(), threading.Event(), threading.Event()
    found: dict[Actor, list[Told]] = {reader: [] for reader in (*readers, SYSTEM)}

    writers = [crowd.begin(lambda lane=lane: write(stores[lane % 2].pk, lane)) for lane in range(WRITERS)]  # type: ignore[misc]  # bound at once
    tellers = [crowd.begin(lambda: tell_until(written)) for _ in range(TELLERS)]
    for size, (reader, seen) in zip((1, 7, 100), found.items(), strict=True):
        crowd.begin(lambda reader=reader, seen=seen, size=size: follow(reader, told, seen, size))  # type: ignore[misc]  # as above
    for thread in writers:
        thread.join(PATIENCE_S)
    written.set()
    for thread in tellers:
        thread.join(PATIENCE_S)
    told.set()
    crowd.end()

    assert FeedEntry.objects.count() == Event.objects.count()
    assert sum(len(seen) for reader, seen in found.items() if reader is not SYSTEM) == WRITERS * ROUNDS * len(STORY)
    for reader, seen in found.items():
        keys = Counter((event.pk, name) for name, event in seen)
        assert max(keys.values()) == 1
        orders = {event.order_id for _, event in seen}
        assert len(orders) == WRITERS * ROUNDS // (1 if reader is SYSTEM else 2)
        for order in orders:
            assert [name for name, event in seen if event.order_id == order] == STORY


def test_an_event_that_commits_late_is_read_late_but_read() -> None:
    """The event with the lower id becomes visible after the reader has passed the one with the higher."""
    store = factories.StoreFactory.create()
    started, go_on = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            factories.order(store)
            started.set()
            assert go_on.wait(30)

    crowd = Crowd()
    crowd.begin(late)
    assert started.wait(30)
    early = factories.order(store)
    telling.tell(early.events.get().chain, voices=jobs.VOICES, at=NOON)
    (first,), place = page(SYSTEM, Cursor(), 100)
    go_on.set()
    crowd.end()
    (event,) = Event.objects.untold()
    assert event.pk < first[1].pk
    telling.tell(event.chain, voices=jobs.VOICES, at=NOON)
    (second,), place = page(SYSTEM, place, 100)
    assert (first[1].order_id, second[1].pk) == (early.pk, event.pk)
    assert page(SYSTEM, place, 100) == ([], place)
    assert place.after == feed.end()
