"""What a dialect brings to the outbox: which events it has a name for, in which words, under which signature."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from deliveries.models import Event, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a subscription is to be told: `body` is the JSON text that is sent, `event` the one it is about."""

    event: Event
    name: str
    body: str

    @property
    def id(self) -> str:
        """The same however often it is made or sent; no full stops, which Standard Webhooks keeps for itself."""
        return message_id(self.event, self.name)


class Voice(Protocol):
    """One dialect, as the outbox needs it."""

    def messages(self, batch: Sequence[Event], subscription: Subscription) -> Iterable[Message]:
        """What a subscription is told of the events of one change, oldest first; nothing when it did not ask for them."""

    def test(self, subscription: Subscription, *, message_id: str, at: datetime) -> tuple[str, str]:
        """The name and the body of an event that did not happen, to be sent under this id."""

    def headers(self, subscription: Subscription, body: bytes) -> Mapping[str, str]:
        """The dialect's own headers, its signature among them."""

    def keys(self, subscription: Subscription, *, at: datetime) -> Sequence[bytes]:
        """What Standard Webhooks signatures are made with: one key, or two while a secret is being changed."""

    def acknowledges(self, status: int) -> bool:
        """Whether an answer with this status means that it has arrived."""


def message_id(event: Event, name: str) -> str:
    """As "evt_1042_delivery_completed"."""
    return f"evt_{event.pk}_{name.replace('.', '_')}"
