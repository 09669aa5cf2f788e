"""Deliveries in any shape and state, and everything the core has written, for tests of the verbs."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Model

from deliveries import booking, intake
from deliveries.models import Delivery, Event, Task, TaskList
from deliveries.statuses import FINISHED, DeliveryStatus, TaskStatus, TaskType, status_of
from deliveries.stops import AddressDraft, StopDraft
from quotes.models import DeliveryQuote
from quotes.offers import Offer
from stores import credentials
from stores.actors import SYSTEM, Actor, Role
from stores.models import Address, Order, Store
from tests import factories
from tests.factories import NOON

LATER = NOON + timedelta(minutes=20)
PARIS = (48.85, 2.35)
TYPES = {"P": TaskType.PICKUP, "D": TaskType.DROPOFF}


def stop(letter: str, *, due: datetime = NOON + timedelta(hours=2), **fields: Any) -> StopDraft:
    """A stop at a known point: "P" for a pickup, "D" for a dropoff due at `due`."""
    draft = AddressDraft(street_address="1, Rue de Rivoli, Paris", point=PARIS)
    return StopDraft(**{"type": TYPES[letter], "address": draft, "before": due if letter == "D" else None, **fields})


def stops(shape: str, **fields: Any) -> list[StopDraft]:
    """Stops as letters, "PDD" for a pickup and two dropoffs."""
    return [stop(letter, **fields) for letter in shape]


def booked(shape: str = "PD", *statuses: str, store: Store | None = None, **wanted: Any) -> Delivery:
    """A delivery of the house whose tasks stand at `statuses`, and it with them."""
    delivery = factories.delivery(store, stops=stops(shape, **wanted))
    if statuses:
        put(delivery, *statuses)
    return delivery


def put(delivery: Delivery, *statuses: str) -> None:
    """Put the tasks of a delivery at any statuses, however they may have come to be."""
    for task, status in zip(tasks(delivery), statuses, strict=True):
        Task.objects.filter(pk=task.pk).update(status=status, finished_at=NOON if status in FINISHED else None)
    now = status_of(tasks(delivery), now=DeliveryStatus.PENDING)
    Delivery.objects.filter(pk=delivery.pk).update(status=now)


def carried(status: str = "pending", /, **fields: Any) -> Delivery:
    """A delivery that its carrier, of outside or (`by_house`) of the house, reports for a till's order."""
    at, by_house = fields.pop("at", NOON), fields.pop("by_house", False)
    carrier = {"carrier": "House", "carrier_ref": "relais"} if by_house else {"carrier": "Coursier", "carrier_ref": "cours"}
    order = factories.order(at=at)
    return booking.attach(order, {**carrier, **fields}, status=DeliveryStatus(status), by=SYSTEM, at=at)


def attached(order: Order, *, status: str = "pending", by: Actor = SYSTEM, **fields: Any) -> Delivery:
    """The delivery that an outside carrier makes of an order, unless `fields` say otherwise."""
    given = {"carrier": "Coursier", "carrier_ref": "cours", **fields}
    return booking.attach(order, given, status=DeliveryStatus(status), by=by, at=NOON)


def quoted(order: Order, *, house: bool) -> DeliveryQuote:
    """A quote of 4.50 from the house or from an outside carrier, to be picked up half an hour after noon."""
    offer = Offer(
        carrier="House" if house else "Coursier",
        carrier_ref="relais" if house else "cours",
        ref="q1",
        fee_cents=450,
        estimated_pickup_at=NOON + timedelta(minutes=30),
        estimated_dropoff_at=NOON + timedelta(minutes=50),
    )
    return intake.offer_quote(order, offer, by=SYSTEM, at=NOON)


def alone(status: str = "TODO") -> Task:
    """A task that belongs to no delivery."""
    store = factories.StoreFactory.create()
    return Task.objects.create(
        store=store,
        address=store.address,
        status=status,
        after=NOON,
        before=NOON + timedelta(minutes=15),
        created_at=NOON,
        updated_at=NOON,
        finished_at=NOON if status in FINISHED else None,
    )


def tasks(delivery: Delivery) -> list[Task]:
    """The tasks of a delivery as they are now, in order."""
    return list(Task.objects.filter(delivery_id=delivery.pk).order_by("position"))


def statuses(delivery: Delivery) -> list[TaskStatus]:
    """How the tasks of a delivery stand, in order."""
    return [TaskStatus(task.status) for task in tasks(delivery)]


def person(role: Role) -> Actor:
    """Somebody of that role."""
    return credentials.user_actor(factories.UserFactory.create(role=role))


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row that a verb may write."""
    models: tuple[type[Model], ...] = (Address, Order, DeliveryQuote, Delivery, Task, TaskList, Event)
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def told(after: int = 0) -> list[Event]:
    """The log from an id on, without what was before each change."""
    events = list(Event.objects.filter(pk__gt=after).order_by("pk"))
    for event in events:
        event.data.pop("before", None)
    return events


def last_event() -> int:
    """The id of the newest line of the log."""
    newest = Event.objects.order_by("pk").last()
    return newest.pk if newest else 0
