"""The feed: `/api/events`, what webhooks would have told, for programs that nobody can call and people who look things up.

It is read like a book that is still being written. Each answer names the place to go on from, in `hydra:next`, also when
there is nothing new yet; asked for again and again, it gives every event once and none is missed, whatever was committed
in which order (`outbox.feed` and `outbox.telling` say how that holds). The events of one delivery come in their order, and
each bears the id that a webhook is sent with.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from django.http import HttpResponse
from rest_framework.request import Request

from deliveries.api.coopcycle import collections, forms, payloads, rights, voice
from deliveries.api.coopcycle.collections import BadParameter
from deliveries.api.coopcycle.describing import described, query
from deliveries.api.coopcycle.endpoint import Endpoint
from deliveries.models import Event
from deliveries.outbox import feed
from deliveries.outbox.voices import message_id
from stores.actors import Actor
from stores.models import Store
from stores.refusals import NotAllowed, NotFound

IRI = "/api/events"
LATEST = "latest"
PER_PAGE, MOST_PER_PAGE = 100, 500
ROWS_PER_NAME = 3
"""A name is found by two or three events of its change: read at once what probably fills a page."""

PARAMETERS = (
    query("cursor", description="Where to go on, from `hydra:next`; `latest`: from now on; absent: from the beginning."),
    query("itemsPerPage", int, description="100, at most 500."),
)
SEARCH = collections.Search(IRI, ("cursor",))

_PLACE = re.compile(r"([0-9]{1,18})\.([0-9]{1,4})", re.ASCII)
_KEY = re.compile(r"evt_([0-9]{1,18})_([a-z_]{1,48})", re.ASCII)

Told = tuple[str, Event]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the feed: behind an entry, and behind some of the names of the change that follows it."""

    after: int = 0
    skipped: int = 0

    @classmethod
    def read(cls, text: str) -> Self:
        """What `text` was printed from; raises `BadParameter`."""
        try:
            plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            plain = ""
        found = _PLACE.fullmatch(plain)
        if found is None:
            raise BadParameter("This is not a cursor; take it from hydra:next.", path=("cursor",))
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(f"{self.after}.{self.skipped}".encode()).decode().rstrip("=")


class FeedView(Endpoint):
    """What happened."""

    right = rights.sends

    @described("list_events", "List what happened, from a place on", tag="Webhooks", follows="Event", parameters=PARAMETERS)
    def get(self, request: Request) -> HttpResponse:
        """What webhooks would have told, oldest first; ask for `hydra:next` next, also when nothing is new."""
        asked, size = request._request.GET.get("cursor", ""), _size(request)
        place = Cursor(feed.end()) if asked == LATEST else Cursor.read(asked) if asked else Cursor()
        told, onward = page(self.by, place, size)
        limit = f"&itemsPerPage={size}" if size != PER_PAGE else ""
        following = f"{IRI}?cursor={onward}{limit}"
        response = self.answer(
            {
                "@context": "/api/contexts/Event",
                "@id": IRI,
                "@type": "hydra:Collection",
                "hydra:member": [member(name, event) for name, event in told],
                "hydra:view": {
                    "@id": f"{IRI}?cursor={quote(str(place))}{limit}",
                    "@type": "hydra:PartialCollectionView",
                    "hydra:next": following,
                },
                "hydra:search": SEARCH.payload,
            }
        )
        # A plain list has no room for it.
        response.headers["Link"] = f'<{following}>; rel="next"'
        return response


class EventView(Endpoint):
    """One of the things that happened."""

    right = rights.sends

    @described("get_event", "Get one thing that happened", tag="Webhooks", gives="Event")
    def get(self, request: Request, key: str) -> HttpResponse:
        """As the feed lists it; `key` is the `webhook-id` it is sent with."""
        found = _KEY.fullmatch(key)
        event = Event.objects.filter(pk=int(found[1])).exclude(feed_entry=None).first() if found else None
        if event is None:
            raise NotFound("Not Found")
        change = Event.objects.about(event.chain).filter(transaction_id=event.transaction_id).select_related("task")
        told = next((pair for pair in voice.named(list(change)) if message_id(pair[1], pair[0]) == key), None)
        if told is None:
            raise NotFound("Not Found")
        if not Store.objects.visible_to(self.by).filter(pk=event.store_id).exists():
            raise NotAllowed("Access Denied.")
        return self.resource({"@context": "/api/contexts/Event", **member(*told)})


def page(by: Actor, place: Cursor, size: int) -> tuple[list[Told], Cursor]:
    """Up to `size` events from a place on, as (name, event), and the place behind them; none only at the end of the feed."""
    told: list[Told] = []
    while True:
        stretch = feed.read(by, after=place.after, kinds=voice.KINDS, most=ROWS_PER_NAME * size + 1)
        for change in stretch.changes:
            names = voice.named([entry.event for entry in change])[place.skipped :]
            room = size - len(told)
            told += names[:room]
            if len(names) > room:
                return told, Cursor(place.after, place.skipped + room)
            place = Cursor(change[-1].pk)
        if told or not stretch.more:
            return told, place


def member(name: str, event: Event) -> dict[str, Any]:
    """An event in a collection."""
    key = message_id(event, name)
    return {
        "@id": f"{IRI}/{key}",
        "@type": "Event",
        "id": key,
        "event": name,
        "object": voice.subject(event),
        "happenedAt": payloads.moment(event.happened_at),
        "recordedAt": payloads.moment(event.recorded_at),
    }


def _size(request: Request) -> int:
    wanted = request._request.GET.get("itemsPerPage")
    return min(forms.whole(wanted, ("itemsPerPage",), least=1, most=collections.LAST_PAGE), MOST_PER_PAGE) if wanted else PER_PAGE
