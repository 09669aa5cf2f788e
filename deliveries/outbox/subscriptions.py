"""Who wants to be told: subscribed, switched off and on again, given another secret."""

import base64
import logging
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from deliveries.models import DisabledWhy, Subscription
from deliveries.outbox import pacing, targets
from stores import credentials, effects
from stores.actors import Actor
from stores.models import ApiClient, Connection, Store
from stores.refusals import NotFound, Refused

logger = logging.getLogger(__name__)

MOST = 100
"""Webhooks that one client may have: what each is owed takes room and work."""


AFRESH: dict[str, Any] = {"failing_since": None, "failed_at": None, "paused_until": None, "disabled_at": None, "disabled_why": ""}
"""What is forgotten when a subscription is switched on."""


class TooManyWebhooks(Refused):
    """A client has as many webhooks as anybody may have."""

    code = "too_many_webhooks"


def new_secret() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def subscribe(
    client: ApiClient, store: Store, url: str, names: Sequence[str], *, key: Connection | None = None, by: Actor, at: datetime
) -> tuple[Subscription, str]:
    """A webhook with a secret of its own, which is returned in clear for the one time it is shown.

    One that was asked for with an API key ends when that is revoked. Raises `UnsafeTarget`, and `TooManyWebhooks`.
    """
    targets.check(url)
    secret = new_secret()
    with effects.atomic():
        # Held so that two at once do not both get the last place.
        ApiClient.objects.select_for_update(no_key=True).get(pk=client.pk)
        if Subscription.objects.filter(client=client).count() >= MOST:
            raise TooManyWebhooks(f"There are {MOST} webhooks already, which is as many as a client may have. Delete one first.")
        made = Subscription.objects.create(
            client=client,
            key=key,
            store=store,
            url=url,
            names=list(names),
            sealed_secret=credentials.seal(secret),
            created_at=at,
        )
    logger.info("%s has subscription %d to %s", by.name, made.pk, ", ".join(names))
    return made, secret


def call_back(connection: Connection, url: str, names: Sequence[str], *, follows_positions: bool, by: Actor, at: datetime) -> Subscription:
    """The one callback of a connection, made or replaced; without a `url` it is read by polling. Raises `UnsafeTarget`."""
    if url:
        targets.check(url)
    given: dict[str, Any] = {"url": url, "names": list(names), "follows_positions": follows_positions}
    bound: dict[str, Any] = {"client": connection.client, "store": connection.store, "account": connection.account, "created_at": at}
    with effects.atomic():
        # There may be no callback yet to be held by whoever acts only on what they have seen.
        Connection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        effects.locked()
        kept, _ = Subscription.objects.update_or_create(
            connection=connection, defaults=given | AFRESH, create_defaults=given | bound | {"connection": connection}
        )
        pacing.hurry(kept, at=at)
        pacing.release(kept, at=at)
    logger.info("%s has subscription %d to %s", by.name, kept.pk, ", ".join(names))
    return kept


def unsubscribe(subscription: Subscription, *, by: Actor) -> None:
    """End a subscription with everything it is owed."""
    with effects.atomic():
        _hold(subscription)
        logger.info("%s ended subscription %d", by.name, subscription.pk)
        subscription.delete()


def rotate(subscription: Subscription, *, by: Actor, at: datetime) -> str:
    """Give a webhook another secret, returned in clear; the one before is signed with as well for `credentials.BOTH_SIGN`."""
    secret = new_secret()
    with effects.atomic():
        held = _hold(subscription)
        held.sealed_previous_secret, held.sealed_secret = held.sealed_secret, credentials.seal(secret)
        held.previous_until = at + credentials.BOTH_SIGN
        held.save(update_fields=["sealed_previous_secret", "sealed_secret", "previous_until"])
    logger.info("%s gave subscription %d another secret", by.name, subscription.pk)
    return secret


def disable(subscription: Subscription, *, by: Actor, at: datetime) -> None:
    """Send nothing any more until it is switched on again. What is owed by now waits; more is owed to a callback alone."""
    with effects.atomic():
        _hold(subscription)
        Subscription.objects.filter(pk=subscription.pk, disabled_at=None).update(disabled_at=at, disabled_why=DisabledWhy.BY_HAND)
    logger.info("%s switched off subscription %d", by.name, subscription.pk)


def enable(subscription: Subscription, *, by: Actor, at: datetime) -> None:
    """Send again, beginning with what waits."""
    with effects.atomic():
        _hold(subscription)
        Subscription.objects.filter(pk=subscription.pk).update(**AFRESH)
        pacing.hurry(subscription, at=at)
        pacing.release(subscription, at=at)
    logger.info("%s switched on subscription %d", by.name, subscription.pk)


def _hold(subscription: Subscription) -> Subscription:
    """Lock it, and look again for whoever acts only on what they have seen; raises `NotFound` when it has ended meanwhile."""
    held = pacing.hold(subscription)
    if held is None:
        raise NotFound("The subscription has ended.")
    effects.locked()
    return held
