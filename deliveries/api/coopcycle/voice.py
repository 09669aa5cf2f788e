"""What CoopCycle clients are told by webhook: the names of events, the few words, and the signature."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import orjson

from deliveries.models import Event, Subscription
from deliveries.outbox import signing, subscriptions
from deliveries.outbox.voices import Message
from deliveries.statuses import TaskType

NAMES: dict[str, str] = {
    "delivery.assigned": "delivery.assigned",
    "delivery.started": "delivery.started",
    "delivery.picked": "delivery.picked",
    "delivery.completed": "delivery.completed",
    "delivery.failed": "delivery.failed",
    "delivery.cancelled": "delivery.cancelled",
    "task.failed": "delivery.failed",
    "order.created": "order.created",
}
IN_TRANSIT = "delivery.in_transit"
ALL_NAMES = tuple(dict.fromkeys([*NAMES.values(), IN_TRANSIT]))


def named(batch: Sequence[Event]) -> list[tuple[str, Event]]:
    """What one change is called here, each name once and with the first event that it is the name of."""
    found: dict[str, Event] = {}
    for event in batch:
        name = _name(event)
        if name is not None:
            found.setdefault(name, event)
    return list(found.items())


def subject(event: Event) -> str:
    """The IRI of what an event is about."""
    return f"/api/deliveries/{event.delivery_id}" if event.delivery_id is not None else f"/api/orders/{event.order_id}"


class CoopCycleVoice:
    """See `outbox.voices.Voice`."""

    def messages(self, batch: Sequence[Event], subscription: Subscription) -> Iterable[Message]:
        """A webhook asks for one event, and gets the IRI of what it is about."""
        for name, event in named(batch):
            if name in subscription.names:
                yield Message(event=event, name=name, body=_body(subject(event), name))

    def test(self, subscription: Subscription, *, at: datetime) -> tuple[str, str]:
        """The event asked for, about a delivery that does not exist."""
        name = subscription.names[0]
        return name, _body("/api/deliveries/0", name)

    def headers(self, subscription: Subscription, body: bytes) -> Mapping[str, str]:
        """`X-CoopCycle-Signature`, made with the secret as text."""
        secret = subscriptions.secret_of(subscription)
        return {"X-CoopCycle-Signature": signing.hmac_base64(secret.encode(), body)}

    def keys(self, subscription: Subscription, *, at: datetime) -> Sequence[bytes]:
        """Standard Webhooks takes the bytes that the secret is the base64 of."""
        return [base64.b64decode(secret) for secret in subscriptions.secrets_of(subscription, at=at)]

    def acknowledges(self, status: int) -> bool:
        """Anything in the 200s."""
        return 200 <= status < 300


def _name(event: Event) -> str | None:
    if event.kind == "task.started" and event.task is not None and event.task.type == TaskType.DROPOFF:
        return IN_TRANSIT
    name = NAMES.get(event.kind)
    # A lone task, or one whose delivery nobody knows, is none of this dialect's deliveries.
    return name if event.delivery_id is not None or event.order_id is not None else None


def _body(iri: str, name: str) -> str:
    return orjson.dumps({"data": {"object": iri, "event": name}}).decode()
