"""What HubRise clients are told by callback: one event for each resource that a change touched, with its states."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings

from deliveries import history
from deliveries.api.hubrise import formats, payloads
from deliveries.history import State
from deliveries.models import Event, Subscription
from deliveries.outbox import signing
from deliveries.outbox.voices import Message, message_id
from stores import credentials
from stores.models import Store

Json = dict[str, Any]

IDS = {"order": ("order_id", "location_id"), "delivery": ("order_id", "location_id"), "location": ("location_id", "account_id")}
"""The ids beside the states: of what holds the resource, and of the resource where that is a page of its own."""

FOLLOWING = "delivery.update"
"""Whoever asked for this is told of a driver's position, too."""


class HubRiseVoice:
    """See `outbox.voices.Voice`."""

    def messages(self, batch: Sequence[Event], subscription: Subscription) -> Iterable[Message]:
        """One event at most for each resource, to everybody but the client that made the change."""
        first = batch[0]
        if first.client_id is not None and first.client_id == subscription.client_id:
            return ()
        if first.kind.startswith("store."):
            return _of_a_store(batch, subscription) if "location.update" in subscription.names else ()
        wanted = [resource for resource in ("order", "delivery") if {f"{resource}.create", f"{resource}.update"} & {*subscription.names}]
        if first.order_id is None or not wanted or not any(_alters(event) for event in batch):
            return ()
        return _of_an_order(batch, subscription, wanted)

    def test(self, subscription: Subscription, *, message_id: str, at: datetime) -> tuple[str, str]:
        """An event of the first sort asked for, about nothing."""
        name = subscription.names[0] if subscription.names else "order.create"
        resource, kind = name.split(".")
        states = ("previous_state", "new_state") if kind == "update" else ("new_state",)
        body = {
            "id": message_id,
            "resource_type": resource,
            "event_type": kind,
            "created_at": formats.moment(at, _zone_of(subscription)),
            **dict.fromkeys((*IDS.get(resource, ()), *states)),
        }
        return name, orjson.dumps(body).decode()

    def headers(self, subscription: Subscription, body: bytes) -> Mapping[str, str]:
        """`X-HubRise-Hmac-SHA256`, made with the client's newest secret."""
        secret = credentials.unseal(subscription.client.sealed_secret)
        return {"X-HubRise-Hmac-SHA256": signing.hmac_hex(secret.encode(), body)}

    def keys(self, subscription: Subscription, *, at: datetime) -> Sequence[bytes]:
        """Standard Webhooks signs with the client's secret as well, and for a day after a change with the one before."""
        return [secret.encode() for secret in credentials.signing_secrets(subscription.client, at=at)]

    def acknowledges(self, status: int) -> bool:
        """Whatever is no fault of the receiver's server."""
        return 200 <= status < 500


def _zone_of(subscription: Subscription) -> ZoneInfo:
    return subscription.store.tz if subscription.store is not None else ZoneInfo(settings.TIME_ZONE)


def _alters(event: Event) -> bool:
    """Whether rows are shown otherwise since this event."""
    return "before" in event.data or event.kind in {"order.created", "delivery.created"}


def _of_an_order(batch: Sequence[Event], subscription: Subscription, wanted: Sequence[str]) -> Iterator[Message]:
    before, after = history.states(batch)
    order = after.order
    assert order is not None, "what happened to it made it be there"
    altering = [event for event in batch if _alters(event)]
    for resource in wanted:
        previous, new = (_printed(resource, state, subscription, at=batch[0].happened_at) for state in (before, after))
        event = next((event for event in altering if event.kind.startswith(f"{resource}.")), altering[0])
        if new is not None and previous != new:
            ids = {"order_id": order.public_id, "location_id": order.store.public_id}
            yield from _told(resource, previous, new, ids, event, order.store, subscription)


def _of_a_store(batch: Sequence[Event], subscription: Subscription) -> Iterator[Message]:
    before, store = history.store_states(batch)
    previous, new = payloads.location(before), payloads.location(store)
    if previous != new:
        ids = {"location_id": store.public_id, "account_id": store.account.public_id}
        yield from _told("location", previous, new, ids, batch[0], store, subscription)


def _printed(resource: str, state: State, subscription: Subscription, *, at: datetime) -> Json | None:
    if state.order is None or (resource == "delivery" and state.delivery is None):
        return None
    if resource == "order":
        return payloads.order(state.order, client_id=subscription.client_id)
    assert state.delivery is not None
    return payloads.delivery(state.delivery, state.order.store, at=at)


def _told(
    resource: str, previous: Json | None, new: Json, ids: dict[str, str], event: Event, store: Store, subscription: Subscription
) -> Iterator[Message]:
    """The event that says how a resource came to be, or what it was and is; nothing when nobody asked for that."""
    kind = "create" if previous is None else "update"
    name = f"{resource}.{kind}"
    if name not in subscription.names:
        return
    body = {
        "id": message_id(event, name),
        "resource_type": resource,
        "event_type": kind,
        "created_at": formats.moment(event.happened_at, store.tz),
        **ids,
        **({} if previous is None else {"previous_state": previous}),
        "new_state": new,
    }
    yield Message(event=event, name=name, body=orjson.dumps(body).decode())
