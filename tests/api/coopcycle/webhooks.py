"""Webhooks of the world's client, with things to tell."""

from deliveries import jobs
from deliveries.models import Call, Subscription
from deliveries.outbox import sending, subscriptions, telling
from deliveries.outbox.voices import message_id
from stores.actors import SYSTEM
from tests.api.coopcycle.knocking import World
from tests.factories import NOON

URL = "http://127.0.0.1:9/hook"
ASKED = {"event": "delivery.completed", "url": URL}


def subscribed(world: World, event: str = "order.created") -> Subscription:
    """A webhook of the client's."""
    return subscriptions.subscribe(world.client, world.store, URL, [event], by=SYSTEM, at=NOON)[0]


def owed(made: Subscription) -> Call:
    """A call of a webhook, queued."""
    return sending.send_test(made, voice=jobs.VOICES["coopcycle"], at=NOON)


def tell(*chains: str) -> None:
    """Do what the worker does of what happened."""
    for chain in chains:
        telling.tell(chain, voices=jobs.VOICES, at=NOON)


def happened(world: World) -> str:
    """The IRI of an event of the store."""
    tell(f"order {world.held.order_id}")
    return f"/api/events/{message_id(world.held.order.events.get(kind='order.created'), 'order.created')}"
