"""The rows that a caller's path names, each with all that is printed of it, in one query; or the right 404."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from deliveries.api.hubrise.auth import Caller
from deliveries.models import Delivery
from quotes.models import DeliveryQuote
from stores.compiled import Filtered
from stores.models import Account, Order, Store
from stores.models.order import OrderQuerySet
from stores.refusals import NotFound

M = TypeVar("M", bound=Model)


def store(caller: Caller, location_id: str | None) -> Store:
    """A location with its account and address."""
    reach = caller.reach(location_id)
    found = None if reach is None else _STORE.first(**reach)
    if found is None:
        raise NotFound("Location does not exist")
    return found


def stores(caller: Caller) -> QuerySet[Store]:
    """Every location of the caller's account, in the order of their ids."""
    return Store.objects.select_related("account", "address").filter(account=caller.connection.account).order_by("id")


def account(caller: Caller, account_id: str | None) -> Account:
    """The caller's own account; no `account_id` means just that."""
    found = caller.connection.account
    if found is None or account_id not in (None, found.public_id):
        raise NotFound("Account does not exist")
    return found


def orders() -> OrderQuerySet:
    """Orders with their store, account, maker and delivery."""
    return Order.objects.select_related("store__account", "created_by", "delivery__courier__user")


def order(caller: Caller, location_id: str | None, order_id: str) -> Order:
    """An order of a location."""
    found = _first(_ORDER, caller, location_id, through="store", public_id=order_id)
    if found is None:
        raise _missing(caller, location_id)
    return found


def delivery(caller: Caller, location_id: str | None, order_id: str) -> Delivery:
    """The delivery of an order, with the order, its location and the courier."""
    found = _first(_DELIVERY, caller, location_id, through="store", order__public_id=order_id)
    if found is None:
        raise _missing(caller, location_id, order_id, "Delivery")
    return found


def quote(caller: Caller, location_id: str | None, order_id: str, quote_id: str) -> DeliveryQuote:
    """A quote for an order, with the order and its location."""
    found = _first(_QUOTE, caller, location_id, through="order__store", public_id=quote_id, order__public_id=order_id)
    if found is None:
        raise _missing(caller, location_id, order_id, "Delivery quote")
    return found


_STORE: Filtered[Store] = Filtered(lambda: Store.objects.select_related("account", "address"))
_ORDER: Filtered[Order] = Filtered(orders)
_DELIVERY: Filtered[Delivery] = Filtered(lambda: Delivery.objects.select_related("order", "store__account", "courier__user"))
_QUOTE: Filtered[DeliveryQuote] = Filtered(lambda: DeliveryQuote.objects.select_related("order__store__account"))


def _first(rows: Filtered[M], caller: Caller, location_id: str | None, *, through: str, **wanted: str) -> M | None:
    reach = caller.reach(location_id, through=through)
    return None if reach is None else rows.first(**reach, **wanted)


def _missing(caller: Caller, location_id: str | None, order_id: str | None = None, noun: str = "Order") -> NotFound:
    """Name the outermost thing on the path that is not there."""
    reach = caller.reach(location_id)
    found = None if reach is None else Store.objects.filter(**reach).first()
    if found is None:
        return NotFound("Location does not exist")
    if order_id is not None and Order.objects.for_store(found.pk).filter(public_id=order_id).exists():
        return NotFound(f"{noun} does not exist")
    return NotFound("Order does not exist")
