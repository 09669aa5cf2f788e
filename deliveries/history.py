"""What the rows of an order, its delivery and its store were before each change: written into the log, and read back from it.

Whoever changes a row keeps what is shown of it as it was (`seen`), and what differs afterwards goes into the log as
`data["before"]`, columns with their old values (`changed`). From that the row can be shown as it was after any change, or
before it, however late somebody asks: the row as it is, with everything taken back that came later (`states`). A driver's
position that nobody follows is not in the log, so the row of then has the position of now.
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.db.models import Field, Model, Q

from deliveries.models import Courier, Delivery, Event
from stores.models import Address, Order, Store

M = TypeVar("M", bound=Model)
Values = dict[str, Any]

MOVED = "delivery.moved"
"""Nothing but the driver's position changed."""

POSITION = frozenset(["driver_latitude", "driver_longitude"])

SHOWN: dict[type[Model], tuple[str, ...]] = {
    Delivery: (
        *("status", "carrier", "carrier_ref", "courier", "ref", "fee_cents", "estimated_pickup_at", "estimated_dropoff_at"),
        *("tracking_url", "driver_pickup_url", "driver_name", "driver_phone", "driver_phone_access_code"),
        *("driver_latitude", "driver_longitude", "assigned_at", "pickup_at", "delivered_at", "cancelled_at"),
    ),
    Order: (
        *("status", "confirmed_time", "seller_notes", "collection_code", "custom_fields", "private_refs"),
        *("items", "discounts", "charges", "payments", "total_cents"),
    ),
    Store: ("name", "timezone", "enabled", "preparation_minutes"),
    Address: ("street_address", "postal_code", "locality", "country"),
}
"""The columns that change in the life of a row, and that clients are shown."""


@dataclass(frozen=True, kw_only=True)
class State:
    """An order with its delivery at one moment; None before there was one. The delivery is the order's own, too."""

    order: Order | None
    delivery: Delivery | None


def seen(row: Model) -> Values:
    """What is shown of a row, to be held against what becomes of it."""
    return {name: getattr(row, field.attname) for name, field in _fields(type(row))}


def changed(row: Model, before: Values) -> Values:
    """The columns of a row that are not what was `seen` of it, as the log keeps them: `{column: old value}`."""
    fields = _fields(type(row))
    return {name: _kept(before[name]) for name, field in fields if getattr(row, field.attname) != before[name]}


def states(batch: Sequence[Event]) -> tuple[State, State]:
    """An order with its delivery as they were before and after the events of one change; three queries at most.

    Before it was made there is none; it has its delivery from the event that made that on.
    """
    rows = Order.objects.select_related("store__account", "created_by", "delivery__courier__user")
    order = rows.get(pk=batch[0].order_id or 0)
    touching = Q(data__has_key="before") | Q(kind="delivery.created")
    later = list(Event.objects.filter(touching, order_id=order.pk, pk__gt=batch[-1].pk).order_by("pk"))
    couriers = _couriers([*batch, *later])
    after = _without(State(order=order, delivery=getattr(order, "delivery", None)), later, couriers)
    return _without(after, batch, couriers), after


def store_states(batch: Sequence[Event]) -> tuple[Store, Store]:
    """A store with its address as it was before and after the events of one change; two queries."""
    store = Store.objects.select_related("account", "address").get(pk=batch[0].store_id)
    later = list(Event.objects.filter(store_id=store.pk, kind="store.updated", pk__gt=batch[-1].pk).order_by("pk"))
    after = _store_without(store, later)
    return _store_without(after, batch), after


def store_seen(store: Store) -> Values:
    """What is shown of a store, with its address."""
    return seen(store) | {f"address.{name}": value for name, value in seen(store.address).items()}


def store_changed(store: Store, before: Values) -> Values:
    """What of a store, with its address, is not what was `store_seen`."""
    now = store_seen(store)
    return {name: _kept(value) for name, value in before.items() if now[name] != value}


@cache
def _fields(model: type[Model]) -> tuple[tuple[str, "Field[Any, Any]"], ...]:
    found: list[tuple[str, Field[Any, Any]]] = [(name, model._meta.get_field(name)) for name in SHOWN[model]]  # type: ignore[misc]  # columns, no relations back
    return tuple(found)


def _kept(value: Any) -> Any:
    """A value as JSON can hold it; `Field.to_python` reads it back."""
    return value.isoformat() if isinstance(value, datetime) else value


def _without(state: State, events: Sequence[Event], couriers: dict[int, Courier]) -> State:
    """A state with what these events changed taken back, the last one first."""
    if state.order is None:
        return state
    kinds = {event.kind for event in events}
    if "order.created" in kinds:
        return State(order=None, delivery=None)
    delivery = None
    if state.delivery is not None and "delivery.created" not in kinds:
        delivery = _rewound(state.delivery, _befores(events, "delivery."))
        if delivery.courier_id != state.delivery.courier_id:
            delivery.courier = couriers.get(delivery.courier_id or 0)
    order = _rewound(state.order, _befores(events, "order."))
    Order._meta.get_field("delivery").set_cached_value(order, delivery)
    return State(order=order, delivery=delivery)


def _store_without(store: Store, events: Sequence[Event]) -> Store:
    before = _befores(events, "store.")
    row = _rewound(store, {name: value for name, value in before.items() if not name.startswith("address.")})
    there = {name.removeprefix("address."): value for name, value in before.items() if name.startswith("address.")}
    row.address = _rewound(store.address, there)
    return row


def _befores(events: Iterable[Event], about: str) -> Values:
    """The values before the first of these events, oldest first, that changed each column."""
    values: Values = {}
    for event in events:
        if event.kind.startswith(about):
            values = event.data.get("before", {}) | values
    return values


def _rewound(row: M, values: Values) -> M:
    """A copy of a row with these columns as they were."""
    then = copy.copy(row)
    for name, field in _fields(type(row)):
        if name in values:
            setattr(then, field.attname, field.to_python(values[name]))
    return then


def _couriers(events: Iterable[Event]) -> dict[int, Courier]:
    """Whoever carried a delivery before one of these events; no query when that never changed."""
    ids = {event.data["before"]["courier"] for event in events if "courier" in event.data.get("before", {})} - {None}
    return {courier.pk: courier for courier in Courier.objects.select_related("user").filter(pk__in=ids)} if ids else {}
