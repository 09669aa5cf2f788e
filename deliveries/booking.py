"""A bare request, an accepted quote of the house, or a carrier's own word becomes a delivery with its tasks.

Places are looked up and the way is measured before the transaction begins; then everything is written at once: the
order (when there is none yet), the addresses, the delivery, its tasks, and the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from deliveries import events, loads, pricing, transitions
from deliveries.events import Happening
from deliveries.models import Courier, Delivery, Task
from deliveries.statuses import DeliveryStatus, TaskType
from deliveries.stops import AddressDraft, Located, StopDraft, check_windows, fill_windows, locate
from quotes import offers, price_lists
from quotes.models import DeliveryQuote
from quotes.pricing.counting import NoRuleMatches, Price
from quotes.pricing.facts import Facts
from quotes.pricing.operators import RuleFailed
from stores import compiled, distances, effects, orders, phones
from stores.actors import Actor
from stores.compiled import Compiled
from stores.models import Address, Order, OrderStatus, ServiceType, Store, Tag
from stores.orders import OrderDraft
from stores.refusals import Refused

REQUEST_CHANNEL = "Relais"

CUSTOMER_COLUMNS = {
    "company": "company_name",
    "access_code": "phone_access_code",
    "description": "delivery_notes",
    "postal_code": "postal_code",
    "locality": "city",
    "country": "country",
}
"""Columns of an address, and where an order's customer has them."""


class AlreadyDelivered(Refused):
    """The order has its delivery already, be it cancelled."""

    code = "delivery_exists"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A delivery asked for without an order: `stops` in the order of travel, `price_cents` VAT included.

    Without a price it costs what the store's price list says, with `supplements` of (rule id, quantity).
    """

    store: Store
    stops: list[StopDraft]
    price_cents: int | None = None
    tax_cents: int = 0
    supplements: list[tuple[int, int]] = field(default_factory=list)
    price_name: str = "Delivery"
    payment_gateway: str = "card"


@dataclass(frozen=True)
class _Cost:
    """What the order of a bare request is made out for, and what it keeps of the reasons."""

    cents: int
    tax_cents: int
    pricing: dict[str, Any]


@dataclass
class _Plan:
    """Stops with their places and windows settled, and the way between them."""

    store: Store
    stops: list[StopDraft]
    located: list[Located]
    route: distances.Route
    fields: dict[str, Any] = field(default_factory=dict)
    enters: DeliveryStatus = DeliveryStatus.PENDING


def request(wanted: Request, *, by: Actor, at: datetime) -> Delivery:
    """Book a delivery of the house that nobody ordered through a till; its order is made with it.

    Raises `Invalid` with every problem at once: windows missing or turned round, a stop without address, an address
    that a real geocoder does not know. When the store's price list does not foresee such a delivery, `NoRuleMatches` or
    `RuleFailed`; for the desk it is booked all the same, at no price. It is returned with its `stops`, ready to be shown.
    """
    plan = _plan(wanted.store, wanted.stops)
    cost = _cost(wanted, plan, by=by, at=at)
    plan.fields = {
        "by_house": True,
        "carrier": settings.HOUSE_CARRIER["name"],
        "carrier_ref": settings.HOUSE_CARRIER["ref"],
        "fee_cents": cost.cents or None,
    }
    with effects.atomic():
        order = orders.create(store=wanted.store, draft=_order_of(wanted, plan, cost, by=by), by=by, at=at)
        return _write(order, plan, by=by, at=at, first=[Happening(kind="order.created", order=order)])


def price(wanted: Request, *, at: datetime) -> Price:
    """What a delivery would cost by its store's price list; nothing is written. Raises as `request` does, and `NoPriceList`."""
    return _priced(wanted, _plan(wanted.store, wanted.stops), at=at)


def facts(wanted: Request, *, at: datetime) -> Facts:
    """A delivery as the rules of price lists see it; nothing is written. Raises `Invalid` as `request` does."""
    plan = _plan(wanted.store, wanted.stops)
    return pricing.facts(plan.store, plan.stops, plan.located, plan.route.distance_m, at=at, with_slots=True)


def _priced(wanted: Request, plan: _Plan, *, at: datetime) -> Price:
    return pricing.price(plan.store, plan.stops, plan.located, plan.route.distance_m, at=at, supplements=wanted.supplements)


def _cost(wanted: Request, plan: _Plan, *, by: Actor, at: datetime) -> _Cost:
    """What somebody named, else what the store's price list says; a gap in it must not keep the desk from working."""
    if wanted.price_cents is not None or wanted.store.pricing_rule_set_id is None:
        price_lists.supplements(None, wanted.supplements if wanted.price_cents is None else ())
        return _Cost(wanted.price_cents or 0, wanted.tax_cents, {})
    try:
        priced = _priced(wanted, plan, at=at)
    except (NoRuleMatches, RuleFailed) as refusal:
        if not by.runs_the_desk:
            raise
        return _Cost(0, 0, {"rule_set": wanted.store.pricing_rule_set_id, "lines": [], "problem": refusal.code})
    return _Cost(priced.amount_cents, priced.tax_cents, priced.as_json())


def attach(order: Order, fields: dict[str, Any], *, status: DeliveryStatus, by: Actor, at: datetime) -> Delivery:
    """Give an order the delivery that a carrier makes of it; `fields` holds columns of `Delivery`, `carrier` at least.

    The order must be for delivery and have none yet, be it cancelled.
    """
    offers.check_carrier(order, fields.get("carrier_ref", ""), by=by)
    _check_first(order)
    plan = _plan_order(order, pickup_at=fields.get("estimated_pickup_at"), dropoff_at=fields.get("estimated_dropoff_at"), at=at)
    plan.fields, plan.enters = {**fields, "by_house": offers.is_house(fields.get("carrier_ref", ""))}, status
    with effects.atomic():
        locked = Order.objects.select_for_update().get(pk=order.pk)
        effects.locked()
        _check_first(locked)
        return _write(locked, plan, by=by, at=at)


def accept_quote(quote: DeliveryQuote, *, by: Actor, at: datetime) -> DeliveryQuote:
    """Accept a carrier's quote. One of the house is booked in the same transaction; an outside carrier books its own.

    Accepting again changes nothing. When the order has a delivery already, nothing more is booked.
    """
    plan = None
    if quote.by_house and quote.accepted_at is None and not Delivery.objects.filter(order_id=quote.order_id).exists():
        plan = _plan_order(quote.order, pickup_at=quote.estimated_pickup_at, dropoff_at=quote.estimated_dropoff_at, at=at)
        plan.fields = {
            "by_house": True,
            "quote": quote,
            **{
                name: getattr(quote, name)
                for name in ("carrier", "carrier_ref", "fee_cents", "estimated_pickup_at", "estimated_dropoff_at")
            },
        }
    with effects.atomic():
        order = Order.objects.select_for_update().select_related("store").get(pk=quote.order_id)
        effects.locked()
        if offers.accept(quote, at=at):
            accepted = Happening(kind="quote.accepted", quote=quote, data={"carrier": quote.carrier, "ref": quote.ref})
            if plan is not None and not Delivery.objects.filter(order_id=order.pk).exists():
                _write(order, plan, by=by, at=at, first=[accepted])
            else:
                events.record([accepted], by=by, at=at)
    return quote


def _check_first(order: Order) -> None:
    if Delivery.objects.filter(order_id=order.pk).exists():
        raise AlreadyDelivered("The order already has a delivery.")


def _plan(store: Store, stops: list[StopDraft]) -> _Plan:
    located = locate(store, stops)
    route = distances.router().route([place.point for place in located])
    fill_windows(stops, seconds=route.duration_s)
    check_windows(stops)
    return _Plan(store, stops, located, route)


def _plan_order(order: Order, *, pickup_at: datetime | None, dropoff_at: datetime | None, at: datetime) -> _Plan:
    """The two stops of a till's order: from its store to its customer; an unknown address never refuses it."""
    store = order.store
    pickup = StopDraft(type=TaskType.PICKUP, address=store.address, before=pickup_at)
    dropoff = StopDraft(
        type=TaskType.DROPOFF, address=_customer_address(order), before=dropoff_at, comments=_for_the_courier(order), forgiving=True
    )
    located = locate(store, [pickup, dropoff])
    route = distances.router().route([place.point for place in located])
    ready = max(at, order.created_at) + timedelta(minutes=store.preparation_minutes)
    way = timedelta(seconds=route.duration_s)
    if order.expected_time and order.expected_time_pickup:
        ready = order.expected_time
    if pickup.before is None:
        wished = dropoff.before or (None if order.expected_time_pickup else order.expected_time)
        pickup.before = wished - way if wished else ready
    if dropoff.before is None or dropoff.before < pickup.before:
        dropoff.before = pickup.before + way
    fill_windows([pickup, dropoff], seconds=route.duration_s)
    return _Plan(store, [pickup, dropoff], located, route)


def _customer_address(order: Order) -> AddressDraft:
    customer: dict[str, Any] = order.customer or {}
    telephone = phones.lenient(customer.get("phone"), country=settings.RELAIS_COUNTRY)
    street = ", ".join(part for part in (customer.get("address_1"), customer.get("address_2")) if part)
    locality = " ".join(part for part in (customer.get("postal_code"), customer.get("city")) if part)
    return AddressDraft(
        street_address=_fitting("street_address", ", ".join(part for part in (street, locality) if part) or "Address not given"),
        point=_customer_point(customer),
        fields={
            "contact_name": _fitting("contact_name", order.customer_name),
            "telephone": _fitting("telephone", telephone),
            **{column: _fitting(column, customer.get(name) or "") for column, name in CUSTOMER_COLUMNS.items()},
        },
    )


def _fitting(column: str, text: str) -> str:
    """As much of a till's text as an address keeps: the order has it whole, and is not lost for a long name."""
    width: int | None = Address._meta.get_field(column).max_length  # type: ignore[union-attr]  # a column, never a relation back
    return text[:width]


def _customer_point(customer: dict[str, Any]) -> tuple[float, float] | None:
    """Where the till says the customer lives; (0, 0) is what tills send that do not know."""
    north, east = customer.get("latitude"), customer.get("longitude")
    if north is None or east is None:
        return None
    latitude, longitude = float(north), float(east)
    on_earth = abs(latitude) <= 90 and abs(longitude) <= 180
    return (latitude, longitude) if on_earth and (latitude, longitude) != (0.0, 0.0) else None


def _for_the_courier(order: Order) -> str:
    parts = [f"Code {order.collection_code}" if order.collection_code else "", order.customer_notes]
    return "\n".join(part for part in parts if part)


def _order_of(wanted: Request, plan: _Plan, cost: _Cost, *, by: Actor) -> OrderDraft:
    last = plan.stops[-1]
    return OrderDraft(
        status=OrderStatus.ACCEPTED if by.runs_the_desk else OrderStatus.NEW,
        service_type=ServiceType.DELIVERY,
        charges=[{"name": wanted.price_name, "price": cost.cents}],
        fields={
            "made_for_delivery": True,
            "channel": by.name if by.client_id else REQUEST_CHANNEL,
            "customer": plan.located[-1].as_customer(),
            "customer_notes": last.comments,
            "expected_time": last.before,
            "tax_cents": cost.tax_cents,
            "pricing": cost.pricing,
            "payment_gateway": wanted.payment_gateway,
        },
    )


def _write(order: Order, plan: _Plan, *, by: Actor, at: datetime, first: Sequence[Happening] = ()) -> Delivery:
    delivery = Delivery(
        store=plan.store,
        order=order,
        distance=plan.route.distance_m,
        duration=plan.route.duration_s,
        polyline=plan.route.polyline,
        created_at=at,
        updated_at=at,
        **plan.fields,
    )
    tasks = _tasks(plan, at=at)
    if delivery.by_house:
        for name, due in transitions.promised(tasks).items():
            setattr(delivery, name, getattr(delivery, name) or due)
    moved = transitions.enter_first(delivery, tasks, plan.enters, by=by, at=at, given=frozenset(plan.fields))
    compiled.insert([delivery])
    for task in tasks:
        task.delivery = delivery
    compiled.insert(tasks)
    _tag(plan, tasks)
    delivery.stops = tasks
    told = [*first, Happening(kind="delivery.created", delivery=delivery, data={"status": delivery.status})]
    told += [
        Happening(kind="task.created", task=task, delivery=delivery, data={"needs_review": True} if task.address.needs_review else {})
        for task in tasks
    ]
    told += moved
    events.record(told, by=by, at=at)
    courier = _courier(plan)
    if courier is not None and delivery.by_house:
        transitions.hand_to(delivery, tasks, courier, by=by, at=at)
    return delivery


def _tasks(plan: _Plan, *, at: datetime) -> list[Task]:
    _save_addresses(plan.located)
    ids = _reserve(len(plan.stops))
    pickups = [pk for pk, stop in zip(ids, plan.stops, strict=True) if stop.type == TaskType.PICKUP]
    lone = pickups[0] if len(pickups) == 1 else None
    tasks = [
        Task(
            pk=pk,
            store=plan.store,
            position=position,
            type=stop.type,
            address=place.address,
            after=stop.window[0],
            before=stop.window[1],
            comments=stop.comments,
            weight=stop.weight,
            packages=stop.packages,
            metadata=stop.metadata,
            doorstep=stop.doorstep,
            previous_id=lone if stop.type == TaskType.DROPOFF else None,
            next_id=sum(ids) - pk if lone == pk and len(ids) == 2 else None,
            created_at=at,
            updated_at=at,
        )
        for position, (pk, stop, place) in enumerate(zip(ids, plan.stops, plan.located, strict=True), start=1)
    ]
    _tell_pickups(plan, tasks)
    return tasks


def _tell_pickups(plan: _Plan, tasks: list[Task]) -> None:
    """The courier reads at the pickup what to take along."""
    document = plan.store.default_document_url
    for task in tasks:
        if task.type == TaskType.PICKUP:
            task.comments = "\n\n".join(part for part in (task.comments, loads.summary(loads.shown(task, tasks))) if part)
            if document:
                task.metadata = {**task.metadata, "documents": [*task.metadata.get("documents", []), document]}


def _save_addresses(located: list[Located]) -> None:
    new = {id(place.address): place.address for place in located if place.address.pk is None}
    compiled.insert(list(new.values()))


def _reserve(count: int) -> list[int]:
    """Ids for tasks to come, so that they can point at each other in the one statement that writes them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [Task._meta.db_table, count])
        return [row[0] for row in cursor.fetchall()]


def _tag(plan: _Plan, tasks: list[Task]) -> None:
    """Write the tags of each task: the store's usual ones, and those of its own that exist."""
    usual = [pair.tag for pair in _USUAL_TAGS.fetch(store=plan.store.pk)]
    named = {slug for stop in plan.stops for slug in stop.tags}
    known = list(Tag.objects.filter(slug__in=named)) if named else []
    pairs = Task.tags.through
    rows = []
    for task, stop in zip(tasks, plan.stops, strict=True):
        tags = {tag.slug: tag for tag in (*usual, *(tag for tag in known if tag.slug in stop.tags))}
        task.tag_rows = [{"name": tag.name, "slug": slug, "color": tag.color} for slug, tag in sorted(tags.items())]
        rows += [pairs(task_id=task.pk, tag_id=tag.pk) for tag in tags.values()]
    if rows:
        pairs.objects.bulk_create(rows)


_USUAL_TAGS: Compiled[Any] = Compiled(
    lambda store: Store.default_tags.through.objects.select_related("tag").filter(store_id=store), store=int
)


def _courier(plan: _Plan) -> Courier | None:
    """Whoever the request names, else the store's usual courier."""
    named = next((stop.courier for stop in plan.stops if stop.courier is not None), None)
    if named is not None or plan.store.default_courier_id is None:
        return named
    return Courier.objects.select_related("user").filter(user_id=plan.store.default_courier_id).first()
