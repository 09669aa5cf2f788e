"""What must hold when everything is over; each check yields a sentence for whatever does not."""

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby

import httpx
import orjson
from django.conf import settings

from deliveries.api.coopcycle.voice import named
from deliveries.jobs import VOICES
from deliveries.models import Call, CallState, Event, FeedEntry, Subscription, Task
from deliveries.outbox.voices import message_id
from quotes.models import DeliveryQuote
from stores.models import Order
from tests.chaos.journal import Journal, Json
from tests.chaos.receiver import Arrival
from tests.chaos.scene import CALLBACK
from tests.chaos.site import Site


def doctor() -> Iterator[str]:
    """The doctor finds nothing."""
    ran = subprocess.run([sys.executable, "manage.py", "doctor"], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        yield from (f"doctor: {line}" for line in (ran.stdout or ran.stderr[-2000:]).splitlines())


def what_was_acknowledged_is_there(journal: Journal, site: Site) -> Iterator[str]:
    """Everything reads as it was acknowledged last."""
    with httpx.Client(base_url=site.base_url, timeout=30, trust_env=False) as client:
        for reading in journal.readings.values():
            answer = client.get(reading.path, headers=reading.headers)
            found: Json = answer.json() if answer.is_success else {}
            for name, value in reading.fields.items():
                if found.get(name) != value:
                    yield f"{reading.path} was acknowledged with {name} {value!r} and has {found.get(name)!r} ({answer.status_code})"


def nothing_was_done_twice(journal: Journal) -> Iterator[str]:
    """Every write left its mark once, and there is none that nobody was told of."""
    charges = [charge["name"] for row in Order.objects.values_list("charges", flat=True) for charge in row]
    rows = {
        "order": Counter(Order.objects.exclude(ref="").values_list("ref", flat=True)),
        "delivery": Counter(Task.objects.exclude(comments="").values_list("comments", flat=True)),
        "quote": Counter(DeliveryQuote.objects.values_list("ref", flat=True)),
        "charge": Counter(charges),
    }
    for kind, found in rows.items():
        marks = journal.marks.get(kind, set())
        for mark in sorted(marks | {mark for mark in found if mark.startswith("client-")}):
            if found[mark] != 1 or mark not in marks:
                told = "acknowledged" if mark in marks else "never acknowledged"
                yield f"the {kind} {mark} was {told}, and is there {found[mark]} times"


def everybody_was_told(journal: Journal, arrivals: list[Arrival], hooks: dict[str, int]) -> Iterator[str]:
    """Whatever happened arrived at whoever subscribed, at least once, in the same words, in order for each thing."""
    arrived: dict[str, dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for arrival in arrivals:
        arrived[arrival.hook][arrival.id].append(arrival.body)
    subscriptions = {row.pk: row for row in Subscription.objects.select_related("client", "connection")}
    for hook, pk in hooks.items():
        owed = _owed(subscriptions[pk])
        for missing in sorted(owed - arrived[hook].keys()):
            yield f"{missing} never came to {hook}"
        for surplus in sorted(arrived[hook].keys() - owed):
            yield f"{surplus} came to {hook}, and nobody knows why"
        yield from (f"{call_id} came to {hook} in other words" for call_id, bodies in arrived[hook].items() if len(set(bodies)) > 1)
        yield from _in_order(hook, pk, list(arrived[hook]))
    heard = {
        (hook, orjson.loads(body)["data"]["object"])
        for hook in hooks
        if hook in _coopcycle(subscriptions, hooks)
        for body in _bodies(arrived[hook])
    }
    for name, iri in journal.told:
        if (name, iri) not in heard:
            yield f"nobody was told of {name} of {iri}, which was acknowledged"
    called_back = [orjson.loads(body) for body in _bodies(arrived[CALLBACK])]
    refs = {told["new_state"]["ref"] for told in called_back if (told["resource_type"], told["event_type"]) == ("order", "create")}
    for mark in sorted(journal.marks.get("order", set()) - refs):
        yield f"nobody was called back about the order {mark}, which was acknowledged"
    if (unsettled := Call.objects.exclude(state=CallState.ACKNOWLEDGED).count()) > 0:
        yield f"{unsettled} calls were never acknowledged"


def the_feed_is_whole(read: list[str], store_id: int) -> Iterator[str]:
    """Every event has its entry, those of one thing in the order in which they happened; whoever followed missed none."""
    everything = Counter(message_id(event, name) for batch in _batches(store_id) for name, event in named(batch))
    for call_id in sorted(everything.keys() | set(read)):
        if (times := read.count(call_id)) != everything[call_id]:
            yield f"{call_id} was read {times} times in the feed, and is there {everything[call_id]} times"
    if (untold := Event.objects.untold().count()) > 0:
        yield f"{untold} events are not in the feed"
    last: dict[str, int] = {}
    for entry in FeedEntry.objects.select_related("event").order_by("pk").iterator():
        chain = entry.event.chain
        if last.get(chain, 0) > entry.event.pk:
            yield f"event {entry.event.pk} of {chain} stands after event {last[chain]} in the feed"
        last[chain] = entry.event.pk


def _owed(subscription: Subscription) -> set[str]:
    """The ids of what a subscription is to be told of everything that happened in its store."""
    assert subscription.store_id is not None
    voice = VOICES[subscription.client.dialect]
    return {message.id for batch in _batches(subscription.store_id) for message in voice.messages(batch, subscription)}


def _batches(store_id: int) -> list[list[Event]]:
    """Everything that happened in a store, the events of one change about one thing together."""
    events = Event.objects.filter(store_id=store_id).select_related("task", "quote")
    told = sorted(events, key=lambda event: (event.chain, event.pk))
    return [list(batch) for _, batch in groupby(told, key=lambda event: (event.chain, event.transaction_id))]


def _in_order(hook: str, subscription: int, ids: list[str]) -> Iterator[str]:
    """Whether what came first came first: of each chain, the calls in the order in which they were made."""
    calls = {call.message_id: call for call in Call.objects.filter(subscription=subscription)}
    last: dict[str, Call] = {}
    for call_id in ids:
        call = calls.get(call_id)
        if call is None:
            continue
        before = last.get(call.chain)
        if before is not None and before.pk > call.pk:
            yield f"{call_id} came to {hook} after {before.message_id}, which is later"
        last[call.chain] = call


def _coopcycle(subscriptions: dict[int, Subscription], hooks: dict[str, int]) -> set[str]:
    return {hook for hook, pk in hooks.items() if subscriptions[pk].connection_id is None}


def _bodies(arrived: dict[str, list[bytes]]) -> list[bytes]:
    return [bodies[0] for bodies in arrived.values()]
