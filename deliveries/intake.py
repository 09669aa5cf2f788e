"""Orders and quotes come in from outside: taken, amended, offered, and told to the log in the same transaction."""

from datetime import datetime
from typing import Any

from deliveries import events
from deliveries.events import Happening
from quotes import offers
from quotes.models import DeliveryQuote
from quotes.offers import Offer
from stores import effects, orders
from stores.actors import Actor
from stores.models import Order, Store
from stores.orders import OrderDraft


def take_order(store: Store, draft: OrderDraft, *, by: Actor, at: datetime) -> Order:
    """Keep a new order of a store."""
    with effects.atomic():
        order = orders.create(store=store, draft=draft, by=by, at=at)
        events.record([Happening(kind="order.created", order=order)], by=by, at=at)
    return order


def amend_order(order: Order, changes: dict[str, Any], *, by: Actor, at: datetime) -> Order:
    """Change an order's open fields and append to its elements (see `orders.amend`); silent when nothing changes."""
    with effects.atomic():
        locked = Order.objects.select_for_update(of=("self",)).select_related("store__account", "created_by").get(pk=order.pk)
        effects.locked()
        changed = orders.amend(locked, changes, by=by, at=at)
        if changed:
            events.record([Happening(kind="order.updated", order=locked, data={"fields": changed})], by=by, at=at)
    return locked


def offer_quote(order: Order, offer: Offer, *, by: Actor, at: datetime) -> DeliveryQuote:
    """Keep a carrier's quote for an order that is to be delivered."""
    with effects.atomic():
        quote = offers.make(order, offer, by=by, at=at)
        events.record([Happening(kind="quote.created", quote=quote, data={"carrier": quote.carrier})], by=by, at=at)
    return quote
