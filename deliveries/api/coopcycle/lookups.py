"""Names in a request become rows: the store, addresses, packages, slots and couriers, each kind in one query."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from deliveries import queries
from deliveries.amending import StopChange
from deliveries.api.coopcycle.auth import Caller
from deliveries.api.coopcycle.errors import Malformed, PaymentNotOffered, SlotNotOffered
from deliveries.api.coopcycle.forms import not_found
from deliveries.api.coopcycle.inputs import SentAddress, SentDelivery, SentStop
from deliveries.booking import Request
from deliveries.models import Courier, Delivery, Task
from deliveries.statuses import TaskStatus, TaskType
from deliveries.stops import AddressDraft, StopDraft, changed
from stores import schedules
from stores.actors import ActorKind
from stores.compiled import Filtered
from stores.models import Address, Package, Store, TimeSlot
from stores.refusals import Invalid, Missing, NotAllowed

PackageRow = dict[str, object]


_STORE: Filtered[Store] = Filtered(lambda: Store.objects.select_related("address", "package_set", "pricing_rule_set"))


def store_for(caller: Caller, store_id: int | None) -> Store:
    """The store a delivery is for: named by people and keys, understood for a program."""
    by = caller.actor
    if store_id is None:
        if by.runs_the_desk:
            raise Missing("This value should not be blank.", path=("store",))
        if by.kind is not ActorKind.CLIENT or caller.key is not None:
            raise NotAllowed("Access Denied.")
        store_id = by.only_store_id or 0
    store = _STORE.first(pk=store_id)
    if store is None:
        raise not_found(f"/api/stores/{store_id}")
    if not by.runs_the_desk and store.pk not in by.store_ids:
        raise NotAllowed("Access Denied.")
    return store


def request(caller: Caller, sent: SentDelivery, *, at: datetime) -> Request:
    """A delivery as sent, ready to be booked."""
    store = store_for(caller, sent.store_id)
    if sent.cash_on_delivery and not store.cash_on_delivery:
        raise PaymentNotOffered("order.paymentMethod is not valid")
    return Request(
        store=store,
        stops=Lookups(caller, store, sent.stops, at=at).drafts(),
        price_cents=sent.price_cents,
        supplements=sent.supplements,
        price_name=sent.price_name or "Delivery",
        payment_gateway="cash_on_delivery" if sent.cash_on_delivery else "card",
    )


def changes(caller: Caller, delivery: Delivery, sent: SentDelivery, *, at: datetime) -> list[StopChange]:
    """What is to change in a delivery. Only the desk may take stops out, or put them back, by their status."""
    if sent.store_id not in (None, delivery.store_id):
        if not caller.actor.runs_the_desk:
            raise NotAllowed("Access Denied.")
        raise Malformed("A delivery does not change store.", path=("store",))
    rows = sorted(delivery.stops, key=lambda task: (task.status == TaskStatus.CANCELLED, task.position))
    stops = sent.stops if sent.listed else _paired(rows, sent.stops)
    known = Lookups(caller, delivery.store, stops, at=at)
    return [
        StopChange(
            task_id=stop.pk,
            draft=known.draft(stop, number, new=stop.pk is None),
            to=stop.status if caller.actor.runs_the_desk and stop.status in (TaskStatus.CANCELLED, TaskStatus.TODO) else None,
        )
        for number, stop in enumerate(stops)
    ]


def _paired(rows: list[Task], sent: list[SentStop]) -> list[SentStop]:
    """The first pickup and the last dropoff, in that order, each with what was sent for it."""
    pickup = next((task.pk for task in rows if task.type == TaskType.PICKUP), None)
    live = [task.pk for task in rows if task.type == TaskType.DROPOFF and task.status != TaskStatus.CANCELLED]
    dropoff = live[-1] if live else next((task.pk for task in rows if task.type == TaskType.DROPOFF), None)
    pair = []
    for kind, pk in ((TaskType.PICKUP, pickup), (TaskType.DROPOFF, dropoff)):
        stop = next((stop for stop in sent if stop.type == kind), SentStop(type=kind))
        stop.pk = pk
        pair.append(stop)
    return pair


class Lookups:
    """Everything that a list of stops names, looked up for one store."""

    def __init__(self, caller: Caller, store: Store, stops: list[SentStop], *, at: datetime) -> None:
        self._by = caller.actor
        self._store = store
        self._stops = stops
        self._at = at
        self._addresses = self._known_addresses()
        self._packages = self._known_packages()
        self._couriers = self._known_couriers()
        self._check_slots()

    def drafts(self) -> list[StopDraft]:
        """The stops as new tasks."""
        return [self.draft(stop, number) for number, stop in enumerate(self._stops)]

    def draft(self, stop: SentStop, number: int, *, new: bool = True) -> StopDraft:
        """One stop as a task; only a `new` one must say where."""
        return StopDraft(
            type=stop.type or TaskType.DROPOFF,
            address=self._address(stop, number, new=new),
            after=stop.after,
            before=stop.before,
            comments=stop.comments,
            weight=stop.weight,
            packages=self.packages(stop),
            tags=stop.tags,
            metadata=stop.metadata,
            doorstep=stop.doorstep,
            courier=self._couriers.get(stop.assigned_to.lower()),
        )

    def packages(self, stop: SentStop) -> list[dict[str, object]]:
        """The packages of a stop that its store knows, as a task keeps them."""
        counted: dict[str, int] = {}
        for name, quantity in stop.packages:
            counted[name] = counted.get(name, 0) + quantity
        return [
            {"name": name, "short_code": known.short_code, "volume": known.volume_units, "quantity": quantity}
            for name, quantity in counted.items()
            if quantity and (known := self._packages.get(name)) is not None
        ]

    def known(self, sent: SentAddress) -> Address | None:
        """The address that an IRI names."""
        if sent.pk is None:
            return None
        if sent.pk not in self._addresses:
            raise not_found(f"/api/addresses/{sent.pk}")
        return self._addresses[sent.pk]

    def _address(self, stop: SentStop, number: int, *, new: bool) -> Address | AddressDraft | None:
        if stop.address is None:
            return None
        known, draft = self.known(stop.address), stop.address.draft
        if known is not None:
            return known if draft is None else changed(known, draft)
        if new and draft is not None and not draft.street_address:
            if draft.point is None:
                raise Missing("This value should not be blank.", path=("tasks", number, "address", "streetAddress"))
            draft.street_address = str(draft.fields.get("name") or f"{draft.point[0]}, {draft.point[1]}")
        return draft

    def _known_addresses(self) -> dict[int, Address]:
        wanted = {stop.address.pk for stop in self._stops if stop.address is not None and stop.address.pk is not None}
        if wanted == {self._store.address_id}:
            return {self._store.address_id: self._store.address}
        rows = queries.addresses(self._by).filter(pk__in=wanted) if wanted else []
        return {row.pk: row for row in rows}

    def _known_packages(self) -> dict[str, Package]:
        if self._store.package_set_id is None or not any(stop.packages for stop in self._stops):
            return {}
        return {package.name: package for package in Package.objects.filter(package_set_id=self._store.package_set_id)}

    def _known_couriers(self) -> dict[str, Courier]:
        names = {stop.assigned_to.lower() for stop in self._stops if stop.assigned_to}
        found = {courier.user.username.lower(): courier for courier in queries.couriers_named(names)} if names else {}
        unknown = [
            Malformed(f"There is no courier “{stop.assigned_to}”.", path=("tasks", number, "assignedTo"))
            for number, stop in enumerate(self._stops)
            if stop.assigned_to and stop.assigned_to.lower() not in found
        ]
        if unknown:
            raise Invalid(*unknown)
        return found

    def _check_slots(self) -> None:
        """A stop may name its store's own time slot, and then keeps to it."""
        naming = [stop for stop in self._stops if stop.slot_id is not None]
        for stop in naming:
            if stop.slot_id != self._store.time_slot_id:
                raise not_found(f"/api/time_slots/{stop.slot_id}")
        ranges = [stop.slot for stop in naming if stop.slot is not None]
        slot = self._store.time_slot if ranges else None
        choices = [] if slot is None else self._choices(slot)
        if any(wanted not in choices for wanted in ranges):
            raise SlotNotOffered("task.timeSlot.invalid")

    def _choices(self, slot: TimeSlot) -> list[schedules.Range]:
        return schedules.choices(slot.rules, now=self._at, tz=ZoneInfo(settings.TIME_ZONE), country=settings.RELAIS_COUNTRY)
