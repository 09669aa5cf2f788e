"""Take in and amend the orders of a store; the only module that assigns an order's status."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stores.actors import Actor
from stores.models import Order, OrderStatus, ServiceType, Store

Element = dict[str, Any]


@dataclass(kw_only=True)
class OrderDraft:
    """An order as it comes in, already read and checked by whoever received it; money in hundredths."""

    status: OrderStatus
    service_type: ServiceType | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    items: list[Element] = field(default_factory=list)
    charges: list[Element] = field(default_factory=list)
    discounts: list[Element] = field(default_factory=list)
    payments: list[Element] = field(default_factory=list)


def create(*, store: Store, draft: OrderDraft, by: Actor, at: datetime) -> Order:
    """Store a new order with its total; `draft.fields` holds further columns of `Order` by name."""
    order = Order(
        store=store,
        status=draft.status,
        service_type=draft.service_type,
        items=_numbered(draft.items),
        charges=_numbered(draft.charges),
        discounts=_numbered(draft.discounts),
        payments=_numbered(draft.payments),
        created_by_id=by.client_id,
        created_at=at,
        updated_at=at,
        **draft.fields,
    )
    order.total_cents = total(order)
    order.save(force_insert=True)
    return order


def move(order: Order, to: OrderStatus, *, at: datetime) -> bool:
    """Give an order another status; True when that changed anything. Any status may follow any."""
    if order.status == to:
        return False
    order.status = to
    order.updated_at = at
    order.save(update_fields=["status", "updated_at"])
    return True


def subtotal(item: Element) -> int:
    """(price + options) x quantity of one item, in hundredths, rounded half up."""
    options = sum(option["price"] * option["quantity"] for option in item.get("options", ()) if not option.get("removed"))
    return int(((item["price"] + options) * Decimal(item["quantity"])).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def total(order: Order) -> int:
    """Live items and charges less live discounts, in hundredths."""
    items: int = sum(subtotal(item) for item in order.items if not item.get("deleted"))
    charges: int = sum(charge["price"] for charge in order.charges if not charge.get("deleted"))
    discounts: int = sum(discount["price_off"] for discount in order.discounts if not discount.get("deleted"))
    return items + charges - discounts


def _numbered(elements: list[Element], *, after: int = 0) -> list[Element]:
    """Give each element the id that later amendments name it by, counting on from `after`."""
    return [{"id": str(number), "deleted": False, **element} for number, element in enumerate(elements, start=after + 1)]
