"""What can be seen on the pages: deliveries in every state, and a courier's day, all moved through the core."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from deliveries import booking, couriers, transitions
from deliveries.models import Courier, Delivery, Task
from deliveries.statuses import DeliveryStatus, TaskType
from deliveries.stops import AddressDraft, StopDraft
from stores.actors import SYSTEM, Role
from stores.models import Store
from stores.places import Point
from tests.factories import NOON, CourierFactory, StoreFactory, UserFactory, delivery, order

HOME = "48, Rue de Rivoli, 75004 Paris"
RECIPIENT = {
    "name": "Hôtel Rivoli",
    "contact_name": "Ada Lovelace",
    "telephone": "+33612345678",
    "description": "Second courtyard, door code 12A4, third floor.",
}
SENDER_PHONE = "+33140506070"
CARRIER_PAGE = "https://carrier.example/track/1"
DUE = NOON + timedelta(minutes=30)


def bakery() -> Store:
    """A store with a phone."""
    store = StoreFactory.create(name="Boulangerie du Marais")
    store.address.telephone = SENDER_PHONE
    store.address.save()
    return store


def rider(username: str = "") -> Courier:
    """A courier with a surname and a phone that are nobody's business."""
    username = username or f"jeanne{Courier.objects.count()}"
    user = UserFactory.create(username=username, role=Role.COURIER, first_name="Jeanne", last_name="Quichaud", telephone="+33698765432")
    return CourierFactory.create(user=user)


def parcel(store: Store | None = None, *, due: datetime = DUE, street: str = HOME, **dropoff: Any) -> Delivery:
    """A delivery of the house from the bakery to a hotel, in the quarter of an hour before `due`, booked at 11:15."""
    pickup = StopDraft(type=TaskType.PICKUP, before=due - timedelta(minutes=20))
    home = StopDraft(type=TaskType.DROPOFF, address=AddressDraft(street_address=street, fields=dict(RECIPIENT)), before=due, **dropoff)
    return delivery(store or bakery(), at=NOON - timedelta(minutes=45), stops=[pickup, home])


def stops_of(made: Delivery) -> tuple[Task, Task]:
    """The pickup and the last dropoff."""
    every = list(made.tasks.order_by("position"))
    return every[0], every[-1]


def given(made: Delivery, courier: Courier, *, minutes_ago: float = 40) -> Delivery:
    """Handed to a courier."""
    transitions.assign(stops_of(made)[0], courier, by=SYSTEM, at=NOON - timedelta(minutes=minutes_ago))
    return made


def booked() -> Delivery:
    return parcel()


def collecting() -> Delivery:
    courier = rider()
    made = given(parcel(), courier)
    transitions.start(stops_of(made)[0], by=SYSTEM, at=NOON - timedelta(minutes=12))
    couriers.locate(courier, Point(48.8606, 2.3376), at=NOON - timedelta(minutes=3))
    return made


def underway() -> Delivery:
    made = collecting()
    transitions.pick(made, by=SYSTEM, at=NOON - timedelta(minutes=4))
    return made


def late() -> Delivery:
    courier = rider()
    made = given(parcel(due=NOON - timedelta(minutes=8)), courier)
    transitions.pick(made, by=SYSTEM, at=NOON - timedelta(minutes=20))
    return made


def delivered() -> Delivery:
    made = underway()
    transitions.drop(made, by=SYSTEM, at=NOON - timedelta(minutes=1))
    return made


def cancelled() -> Delivery:
    made = parcel()
    transitions.cancel_delivery(made, by=SYSTEM, at=NOON - timedelta(minutes=10))
    return made


def failed() -> Delivery:
    made = underway()
    transitions.fail(stops_of(made)[1], by=SYSTEM, at=NOON - timedelta(minutes=1), reason="NOT_AT_HOME", notes="Dog barked at me")
    return made


def uncollected() -> Delivery:
    """The pickup was begun and failed; the dropoff is still to be made."""
    made = collecting()
    transitions.fail(stops_of(made)[0], by=SYSTEM, at=NOON - timedelta(minutes=1), reason="CLOSED_STORE")
    return made


def tried_again() -> Delivery:
    made = failed()
    tomorrow = NOON + timedelta(days=1)
    transitions.reschedule(stops_of(made)[1], after=tomorrow, before=tomorrow + timedelta(minutes=30), by=SYSTEM, at=NOON)
    return made


def carried_by(status: DeliveryStatus, *, url: str = CARRIER_PAGE, **fields: Any) -> Delivery:
    """A till's order, carried by somebody else."""
    outside = {"carrier": "Vélo Express", "carrier_ref": "velo", "tracking_url": url, **fields}
    early = NOON - timedelta(minutes=20)
    return booking.attach(order(bakery(), at=early), outside, status=status, by=SYSTEM, at=early)


def outside() -> Delivery:
    return carried_by(
        DeliveryStatus.DROPOFF_APPROACHING,
        driver_name="Zoltan Magyar",
        driver_phone="+33655443322",
        driver_latitude=48.86,
        driver_longitude=2.35,
    )


def several() -> Delivery:
    """Two recipients, one of them served."""
    homes = [
        StopDraft(type=TaskType.DROPOFF, address=AddressDraft(street_address=street, fields={"name": name}), before=DUE)
        for street, name in ((HOME, "Hôtel Rivoli"), ("24, Rue de la Paix, Paris", "Chez Swann"))
    ]
    made = delivery(bakery(), stops=[StopDraft(type=TaskType.PICKUP, before=NOON), *homes])
    transitions.pick(made, by=SYSTEM, at=NOON)
    transitions.complete(list(made.tasks.order_by("position"))[1], by=SYSTEM, at=NOON)
    return made


STATES: dict[str, tuple[Callable[[], Delivery], str]] = {
    "booked": (booked, "Your delivery is booked"),
    "collecting": (collecting, "A courier is on the way to collect it"),
    "at the pickup": (lambda: carried_by(DeliveryStatus.PICKUP_WAITING), "The courier is there to collect it"),
    "near the pickup": (lambda: carried_by(DeliveryStatus.PICKUP_APPROACHING), "The courier is about to collect it"),
    "underway": (underway, "It is on its way to you"),
    "late": (late, "It is on its way to you"),
    "outside": (outside, "It is nearly with you"),
    "at the door": (lambda: carried_by(DeliveryStatus.DROPOFF_WAITING), "The courier is at your door"),
    "delivered": (delivered, "It has been delivered"),
    "cancelled": (cancelled, "This delivery was cancelled"),
    "failed": (failed, "We are sorry: it could not be delivered"),
    "uncollected": (uncollected, "It could not be collected yet"),
    "tried again": (tried_again, "There will be another attempt"),
    "several": (several, "It is on its way to you"),
}
"""Every state a recipient can see: how to make it, and its headline."""


def working_day(courier: Courier) -> list[Delivery]:
    """A day with something of everything: left from yesterday, late, under way, to come, done, failed, and tomorrow."""
    store = bakery()
    quince = [{"name": "Cargo crate", "short_code": "CC", "volume": 4, "quantity": 2}]
    left = given(parcel(store, due=NOON - timedelta(days=1), street="12, Rue des Rosiers, 75004 Paris"), courier, minutes_ago=30)
    done = given(parcel(store, due=NOON - timedelta(minutes=30)), courier)
    transitions.pick(done, by=SYSTEM, at=NOON - timedelta(minutes=50))
    transitions.drop(done, by=SYSTEM, at=NOON - timedelta(minutes=35))
    failing = given(parcel(store, due=NOON - timedelta(minutes=20)), courier)
    transitions.pick(failing, by=SYSTEM, at=NOON - timedelta(minutes=30))
    transitions.fail(stops_of(failing)[1], by=SYSTEM, at=NOON - timedelta(minutes=15), reason="REFUSED")
    behind = given(
        parcel(store, due=NOON - timedelta(minutes=12), comments="Fragile: the cake on top.", packages=quince, weight=6500), courier
    )
    transitions.pick(behind, by=SYSTEM, at=NOON - timedelta(minutes=25))
    transitions.start(stops_of(behind)[1], by=SYSTEM, at=NOON - timedelta(minutes=20))
    coming = given(parcel(store, packages=quince, weight=12000, street="24, Rue de la Paix, 75002 Paris"), courier)
    later = given(parcel(store, due=NOON + timedelta(days=1)), courier)
    return [left, done, failing, behind, coming, later]


def round_trip(homes: int) -> list[StopDraft]:
    """One pickup and so many dropoffs."""
    pickup = StopDraft(type=TaskType.PICKUP, before=NOON)
    return [pickup, *(StopDraft(type=TaskType.DROPOFF, address=AddressDraft(street_address=HOME), before=DUE) for _ in range(homes))]


def two_pickups() -> list[StopDraft]:
    """Two places to collect from, and one dropoff."""
    pickups = [StopDraft(type=TaskType.PICKUP, before=NOON + timedelta(minutes=minutes)) for minutes in (10, 15)]
    return [*pickups, StopDraft(type=TaskType.DROPOFF, address=AddressDraft(street_address=HOME), before=DUE)]
