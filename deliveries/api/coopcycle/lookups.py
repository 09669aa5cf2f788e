"""Names in a request become rows: the store, addresses, packages, slots and couriers, each kind in one query."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from deliveries import queries
from deliveries.api.coopcycle.auth import Caller
from deliveries.api.coopcycle.errors import PaymentNotOffered, SlotNotOffered
from deliveries.api.coopcycle.forms import not_found
from deliveries.api.coopcycle.inputs import SentAddress, SentDelivery, SentStop
from deliveries.booking import Request
from deliveries.models import Courier
from deliveries.statuses import TaskType
from deliveries.stops import AddressDraft, StopDraft
from stores import schedules
from stores.actors import ActorKind
from stores.models import Address, Package, Store, TimeSlot
from stores.refusals import Missing, NotAllowed

PackageRow = dict[str, object]


def store_for(caller: Caller, store_id: int | None) -> Store:
    """The store a delivery is for: named by people and keys, understood for a program (sheet 1.2, 1.6)."""
    by = caller.actor
    if store_id is None:
        if by.runs_the_desk:
            raise Missing("This value should not be blank.", path=("store",))
        if by.kind is not ActorKind.CLIENT or caller.by_key:
            raise NotAllowed("Access Denied.")
        store_id = by.only_store_id
    store = Store.objects.select_related("address", "package_set").filter(pk=store_id).first()
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
        price_cents=sent.price_cents or 0,
        price_name=sent.price_name or "Delivery",
        payment_gateway="cash_on_delivery" if sent.cash_on_delivery else "card",
    )


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

    def draft(self, stop: SentStop, number: int) -> StopDraft:
        """One stop as a new task."""
        return StopDraft(
            type=stop.type or TaskType.DROPOFF,
            address=self._address(stop, number),
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

    def _address(self, stop: SentStop, number: int) -> Address | AddressDraft | None:
        if stop.address is None:
            return None
        known, draft = self.known(stop.address), stop.address.draft
        if known is not None:
            return changed(known, draft)
        if draft is not None and not draft.street_address:
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
        names = {stop.assigned_to.lower() for stop in self._stops if stop.assigned_to} if self._by.runs_the_desk else set()
        return {courier.user.username.lower(): courier for courier in queries.couriers_named(names)} if names else {}

    def _check_slots(self) -> None:
        wanted = {stop.slot_id for stop in self._stops if stop.slot_id is not None}
        slots = {slot.pk: slot for slot in TimeSlot.objects.filter(pk__in=wanted)} if wanted else {}
        for stop in self._stops:
            if stop.slot_id is None:
                continue
            if stop.slot_id not in slots:
                raise not_found(f"/api/time_slots/{stop.slot_id}")
            if stop.slot is not None and stop.slot not in self._choices(slots[stop.slot_id]):
                raise SlotNotOffered("task.timeSlot.invalid")

    def _choices(self, slot: TimeSlot) -> list[schedules.Range]:
        return schedules.choices(slot.rules, now=self._at, tz=ZoneInfo(settings.TIME_ZONE), country=settings.RELAIS_COUNTRY)


ADDRESS_COLUMNS = (
    *("postal_code", "locality", "region", "country", "post_office_box", "provider", "name", "company", "contact_name"),
    *("telephone", "access_code", "description"),
)


def changed(known: Address, draft: AddressDraft | None) -> Address | AddressDraft:
    """A known address with new values is another one, for this delivery; with none, it is itself."""
    if draft is None:
        return known
    fields = {column: getattr(known, column) for column in ADDRESS_COLUMNS}
    same_street = draft.street_address in ("", known.street_address)
    same_point = draft.point in (None, (known.latitude, known.longitude))
    if same_street and same_point and all(fields[column] == value for column, value in draft.fields.items()):
        return known
    point = draft.point or ((known.latitude, known.longitude) if same_street else None)
    return AddressDraft(street_address=draft.street_address or known.street_address, point=point, fields={**fields, **draft.fields})
