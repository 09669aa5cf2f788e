"""Take in and amend the orders of a store; the only module that assigns an order's status."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import connection

from stores import compiled
from stores.actors import Actor
from stores.models import Order, OrderStatus, ServiceType, Store
from stores.money import LIMIT, BadMoney
from stores.refusals import Invalid, NotFound, Path, Refused

Element = dict[str, Any]

ELEMENTS = ("items", "discounts", "charges", "payments")
OPEN_FIELDS = ("status", "confirmed_time", "seller_notes", "collection_code")
MOST_BYTES_OF_CUSTOM_FIELDS = 8 * 1024
MOST_ELEMENTS = 500


class TooMuch(Refused):
    """More than one order can hold."""

    code = "too_much"


class NameTaken(Refused):
    """Another order of the store already has this private reference of the same client."""

    code = "name_taken"


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
    """Store a new order with its total; `draft.fields` holds further columns of `Order` by name.

    Belongs into a transaction. Raises `NameTaken` when one of its `private_refs` names another order of the store.
    """
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
    _check_total(order)
    _check_names(order, order.private_refs)
    compiled.insert([order])
    return order


def amend(order: Order, changes: dict[str, Any], *, by: Actor, at: datetime) -> list[str]:
    """Change what may change in a locked order; returns the names of the columns that did, none when nothing did.

    `changes` holds `OPEN_FIELDS` by name; `custom_fields`, merged key by key, null taking a key away; `private_ref`, what
    the client of `by` calls the order; and lists of elements, of which one without `id` is appended and one with `id` is
    amended: `deleted` takes it out for good, `private_ref` names it. Raises `Invalid` naming every element that is not there,
    and `NameTaken`.
    """
    client = str(by.client_id)
    before = {name: getattr(order, name) for name in (*OPEN_FIELDS, "custom_fields", "private_refs", *ELEMENTS)}
    for name in OPEN_FIELDS:
        if name in changes:
            setattr(order, name, changes[name])
    order.custom_fields = _merged(order.custom_fields, changes.get("custom_fields") or {})
    if "private_ref" in changes:
        order.private_refs = _merged(order.private_refs, {client: changes["private_ref"]})
    problems: list[Refused] = []
    for name in ELEMENTS:
        setattr(order, name, _amended(before[name], changes.get(name) or [], client=client, path=(name,), problems=problems))
    if len(json.dumps(order.custom_fields)) > MOST_BYTES_OF_CUSTOM_FIELDS and "custom_fields" in changes:
        problems.append(TooMuch("must not be larger than 8 KB", path=("custom_fields",)))
    if problems:
        raise Invalid(*problems)
    order.total_cents = total(order)
    _check_total(order)
    changed = [name for name, value in before.items() if getattr(order, name) != value]
    if "private_refs" in changed:
        _check_names(order, {client: changes["private_ref"]})
    if changed:
        order.updated_at = at
        order.save(update_fields=[*changed, "total_cents", "updated_at"])
    return changed


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


def _merged(known: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**known, **changes}.items() if value is not None}


def _amended(elements: list[Element], changes: list[Element], *, client: str, path: Path, problems: list[Refused]) -> list[Element]:
    """The elements after the changes, as a new list; what goes wrong is added to `problems`."""
    known = {element["id"]: dict(element) for element in elements}
    new: list[Element] = []
    for number, change in enumerate(changes):
        if "id" not in change:
            new.append(change)
        elif change["id"] not in known:
            problems.append(NotFound(f"not found ('{change['id']}' given)", path=(*path, number, "id")))
        else:
            element = known[change["id"]]
            element["deleted"] = element.get("deleted", False) or change.get("deleted", False)
            if "private_ref" in change:
                element["private_refs"] = _merged(element.get("private_refs", {}), {client: change["private_ref"]})
    if len(elements) + len(new) > MOST_ELEMENTS:
        problems.append(TooMuch(f"must not have more than {MOST_ELEMENTS} items", path=path))
    return [*known.values(), *_numbered(new, after=len(elements))]


def _check_total(order: Order) -> None:
    if abs(order.total_cents) >= LIMIT:
        raise Invalid(BadMoney("adds up to more than can be counted", path=("items",)))


def _check_names(order: Order, names: dict[str, str | None]) -> None:
    """Raise when a client calls another order of the store the same; whoever asks for that name at once has to wait."""
    for client, name in names.items():
        if not name:
            continue
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{order.store_id} {client} {name}"])
        if Order.objects.for_store(order.store_id).filter(private_refs__contains={client: name}).exclude(pk=order.pk).exists():
            raise NameTaken(f"is already used ('{name}' given)", path=("private_ref",))
