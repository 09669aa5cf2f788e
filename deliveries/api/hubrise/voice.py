"""What HubRise clients are told by callback: one event for each resource that a change touched, with its states."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import orjson

from deliveries.models import Event, Subscription
from deliveries.outbox import signing
from deliveries.outbox.voices import Message
from stores import credentials


class HubRiseVoice:
    """See `outbox.voices.Voice`."""

    def messages(self, batch: Sequence[Event], subscription: Subscription) -> Iterable[Message]:
        """Nothing yet."""
        return ()

    def test(self, subscription: Subscription, *, at: datetime) -> tuple[str, str]:
        """An event of the first sort asked for."""
        name = subscription.names[0]
        return name, orjson.dumps({"event_type": name}).decode()

    def headers(self, subscription: Subscription, body: bytes) -> Mapping[str, str]:
        """`X-HubRise-Hmac-SHA256`, made with the client's secret."""
        secret = credentials.unseal(subscription.client.sealed_secret)
        return {"X-HubRise-Hmac-SHA256": signing.hmac_hex(secret.encode(), body)}

    def keys(self, subscription: Subscription, *, at: datetime) -> Sequence[bytes]:
        """Standard Webhooks signs with the client's secret as well."""
        return [credentials.unseal(subscription.client.sealed_secret).encode()]

    def acknowledges(self, status: int) -> bool:
        """Whatever is no fault of the receiver's server."""
        return 200 <= status < 500
