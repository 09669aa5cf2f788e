"""Orders and quotes come in from outside, stores change: taken, amended, offered, and told to the log in the same transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from deliveries import events, history
from deliveries.events import Happening
from quotes import offers
from quotes.models import DeliveryQuote
from quotes.offers import Offer
from stores import effects, orders
from stores.actors import Actor
from stores.models import Address, Order, Store
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
        seen = history.seen(locked)
        changed = orders.amend(locked, changes, by=by, at=at)
        if changed:
            told = {"fields": changed, "before": history.changed(locked, seen)}
            events.record([Happening(kind="order.updated", order=locked, data=told)], by=by, at=at)
    return locked


def offer_quote(order: Order, offer: Offer, *, by: Actor, at: datetime) -> DeliveryQuote:
    """Keep a carrier's quote for an order that is to be delivered."""
    with effects.atomic():
        quote = offers.make(order, offer, by=by, at=at)
        events.record([Happening(kind="quote.created", quote=quote, data={"carrier": quote.carrier})], by=by, at=at)
    return quote


def amend_store(store: Store, *, by: Actor, at: datetime) -> None:
    """Save a store whose columns were set anew; silent when clients see no difference."""
    with effects.atomic():
        held = Store.objects.select_for_update(of=("self",)).select_related("address").get(pk=store.pk)
        effects.locked()
        store.save()
        events.record(_store_changes([(store, history.store_seen(held))]), by=by, at=at)


def amend_address(address: Address, *, by: Actor, at: datetime) -> None:
    """Save an address whose columns were set anew; the stores that are there have changed with it."""
    with effects.atomic():
        there = list(Store.objects.select_for_update(of=("self",)).select_related("address").filter(address_id=address.pk).order_by("pk"))
        effects.locked()
        seen = [history.store_seen(store) for store in there]
        address.save()
        for store in there:
            store.address = address
        events.record(_store_changes(zip(there, seen, strict=True)), by=by, at=at)


def _store_changes(stores: Iterable[tuple[Store, history.Values]]) -> list[Happening]:
    """What to tell of stores that were as they were `seen`."""
    differing = [(store, history.store_changed(store, seen)) for store, seen in stores]
    return [Happening(kind="store.updated", store=store, data={"before": before}) for store, before in differing if before]
