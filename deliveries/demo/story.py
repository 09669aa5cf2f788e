"""One delivery of the demo's day as it unfolds, from order to door."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings

from deliveries import booking, intake, transitions
from deliveries.booking import Request
from deliveries.demo import city
from deliveries.demo.cast import WINDOW, Cast, Step, customer, offer, receipt
from deliveries.demo.clock import Clock
from deliveries.demo.day import Scene, Way
from deliveries.models import Delivery, Task
from deliveries.statuses import DeliveryStatus, TaskType
from deliveries.stops import AddressDraft, StopDraft
from quotes.models import DeliveryQuote
from quotes.offers import Offer
from stores.actors import Actor
from stores.models import Order, OrderStatus, ServiceType

REPORTS = (
    (-44, DeliveryStatus.PICKUP_ENROUTE),
    (-34, DeliveryStatus.PICKUP_APPROACHING),
    (-30, DeliveryStatus.PICKUP_WAITING),
    (-25, DeliveryStatus.DROPOFF_ENROUTE),
    (-8, DeliveryStatus.DROPOFF_APPROACHING),
    (-3, DeliveryStatus.DROPOFF_WAITING),
    (0, DeliveryStatus.DELIVERED),
)
"""What an outside carrier reports, in minutes from the promise."""

BRIDGED = {DeliveryStatus.DROPOFF_ENROUTE: OrderStatus.IN_DELIVERY, DeliveryStatus.DELIVERED: OrderStatus.COMPLETED}
"""Where the till takes its order when an outside carrier reports this; the house does it by itself."""


class Story:
    """One scene as it unfolds: each method is a step, and leaves behind what the next one needs."""

    def __init__(self, cast: Cast, clock: Clock, scene: Scene, number: int) -> None:
        self.cast, self.clock, self.scene, self.number = cast, clock, scene, number
        self.shop = city.SHOPS[scene.shop]
        self.store = cast.stores[self.shop.public_id]
        self.order: Order
        self.quote: DeliveryQuote
        self.delivery: Delivery

    def steps(self) -> Iterator[Step]:
        """All of it, as if no present cut it short, some seconds early: nobody does anything on the full minute."""
        for position, (minutes, act) in enumerate(self._plot()):
            yield minutes - (self.number * 17 % 45 + position * 11 % 9) / 60, act

    def _plot(self) -> Iterator[Step]:
        due = self.scene.due
        ordered = min(due - (180 if self.scene.way in (Way.PLUGIN, Way.OWNER) else 75), -3.0 - self.number % 19)
        if self.scene.way == Way.CARRIER:
            yield from self._by_carrier(due, min(ordered, due - 75.0))
            return
        if self.scene.way == Way.TILL:
            yield ordered, self.take_order
            if self.number % 3 == 0 and any(carrier.store == self.shop.public_id for carrier in city.CARRIERS):
                yield ordered + 0.3, self.quote_by_carrier
            yield ordered + 0.5, self.quote_by_house
            yield ordered + 1, self.accept
            yield ordered + 1.3, lambda at: self.move_order(OrderStatus.ACCEPTED, at)
        else:
            yield ordered, self.request
        yield from self._by_house(due, ordered + 1.8)

    def _by_house(self, due: float, booked: float) -> Iterator[Step]:
        scene = self.scene
        if scene.cancelled is not None:
            yield max(due - scene.cancelled, booked), self.cancel
            return
        if not scene.courier:
            return
        door = due - 6 + scene.late
        yield max(booked, min(due - 60, -1.0)), lambda at: self.assign(scene.courier, at)
        yield door - 28, lambda at: self.start(TaskType.PICKUP, at)
        yield door - 20, lambda at: self.complete(TaskType.PICKUP, at)
        yield door - 19, lambda at: self.start(TaskType.DROPOFF, at)
        if scene.fails is None:
            yield door, lambda at: self.complete(TaskType.DROPOFF, at)
            return
        yield door, self.fail
        if scene.again is not None:
            later, other = scene.again
            yield door + 14, lambda at: self.reschedule(later, at)
            yield door + 16, lambda at: self.assign(other, at)
            yield later - 22, lambda at: self.start(TaskType.DROPOFF, at)
            yield later - 7, lambda at: self.complete(TaskType.DROPOFF, at)

    def _by_carrier(self, due: float, ordered: float) -> Iterator[Step]:
        ordered = min(ordered, -2.0)
        yield ordered, self.take_order
        yield ordered + 0.4, self.quote_by_house
        yield ordered + 0.7, self.quote_by_carrier
        yield ordered + 1.2, self.accept
        yield ordered + 1.5, lambda at: self.move_order(OrderStatus.ACCEPTED, at)
        yield ordered + 1.8, self.attach
        if self.scene.cancelled is not None:
            yield due - self.scene.cancelled, lambda at: self.report(DeliveryStatus.CANCELLED, at)
            yield due - self.scene.cancelled + 4, lambda at: self.move_order(OrderStatus.DELIVERY_FAILED, at)
            return
        for minutes, status in REPORTS:
            yield due + minutes, lambda at, status=status: self.report(status, at)  # type: ignore[misc]  # bound now, not at the end
            if status in BRIDGED:
                yield due + minutes + 0.3, lambda at, status=status: self.move_order(BRIDGED[status], at)  # type: ignore[misc]  # as above

    # Orders and quotes

    def take_order(self, at: datetime) -> None:
        fields = {"expected_time": self.clock.promise(self.scene.due), "customer_notes": self.scene.comments}
        draft = receipt(self.shop, self.number, status=OrderStatus.NEW, service_type=ServiceType.DELIVERY, **fields)
        draft.fields["customer"] = customer(self.scene.to, self.cast.gazetteer)
        self.order = intake.take_order(self.store, draft, by=self._till(), at=at)

    def quote_by_house(self, at: datetime) -> None:
        house = settings.HOUSE_CARRIER
        self.quote = intake.offer_quote(self.order, self._offer(house["name"], house["ref"], 390), by=self._till(), at=at)

    def quote_by_carrier(self, at: datetime) -> None:
        carrier = self._carrier()
        self.quote = intake.offer_quote(self.order, self._offer(carrier.name, carrier.ref, 450), by=self._carrier_actor(), at=at)

    def _offer(self, carrier: str, ref: str, fee_cents: int) -> Offer:
        return offer(carrier, ref, self.number, fee_cents=fee_cents, clock=self.clock, due=self.scene.due)

    def accept(self, at: datetime) -> None:
        booking.accept_quote(self.quote, by=self._till(), at=at)
        if self.quote.by_house:
            self.delivery = Delivery.objects.get(order=self.order)

    def move_order(self, to: OrderStatus, at: datetime) -> None:
        self.order = intake.amend_order(self.order, {"status": to}, by=self._till(), at=at)

    # Deliveries

    def request(self, at: datetime) -> None:
        promised, goods = self.clock.promise(self.scene.due), self.scene.goods
        pickup = StopDraft(
            type=TaskType.PICKUP, after=self.clock.promise(self.scene.due - 2 * WINDOW), before=self.clock.promise(self.scene.due - WINDOW)
        )
        dropoff = StopDraft(
            type=TaskType.DROPOFF,
            address=self._address(),
            after=self.clock.promise(self.scene.due - WINDOW),
            before=promised,
            comments=self.scene.comments,
            weight=goods.get("weight"),
            packages=[_package(name, quantity) for name, quantity in goods.get("packages", {}).items()],
            tags=goods.get("tags", []),
        )
        self.delivery = booking.request(Request(store=self.store, stops=[pickup, dropoff]), by=self._asker(), at=at)

    def attach(self, at: datetime) -> None:
        carrier = self._carrier()
        fields = {
            "carrier": carrier.name,
            "carrier_ref": carrier.ref,
            "ref": self.quote.ref,
            "fee_cents": self.quote.fee_cents,
            "estimated_pickup_at": self.clock.promise(self.scene.due - WINDOW),
            "estimated_dropoff_at": self.clock.promise(self.scene.due),
            "tracking_url": f"{carrier.site}/track/{self.quote.ref}",
        }
        self.delivery = booking.attach(self.order, fields, status=DeliveryStatus.PENDING, by=self._carrier_actor(), at=at)

    def report(self, status: DeliveryStatus, at: datetime) -> None:
        changes: dict[str, Any] = {"status": status}
        if status == DeliveryStatus.PICKUP_ENROUTE:
            drivers = self._carrier().drivers
            changes["driver_name"], changes["driver_phone"] = drivers[self.number % len(drivers)]
        if status not in (DeliveryStatus.DELIVERED, DeliveryStatus.CANCELLED):
            here = self.delivery.tasks.get(type=TaskType.DROPOFF if status.startswith("dropoff_") else TaskType.PICKUP).address
            away = 0.004 if status.endswith("_enroute") else 0.0012 if status.endswith("_approaching") else 0.0
            changes["driver_latitude"] = round(here.latitude + away, 6)
            changes["driver_longitude"] = round(here.longitude - away, 6)
        transitions.report(self.delivery, changes, by=self._carrier_actor(), at=at)

    def assign(self, courier: str, at: datetime) -> None:
        transitions.assign(self._task(TaskType.DROPOFF), self.cast.riders[courier][0], by=self.cast.desk, at=at)

    def start(self, of: TaskType, at: datetime) -> None:
        task = self._task(of)
        transitions.start(task, by=self._rider(task), at=at)

    def complete(self, of: TaskType, at: datetime) -> None:
        task = self._task(of)
        notes = ("", "Handed over in person", "Left with the caretaker", "")[self.number % 4] if of == TaskType.DROPOFF else ""
        transitions.complete(task, by=self._rider(task), at=at, notes=notes)

    def fail(self, at: datetime) -> None:
        assert self.scene.fails is not None
        task, (reason, notes) = self._task(TaskType.DROPOFF), self.scene.fails
        transitions.fail(task, by=self._rider(task), at=at, reason=reason, notes=notes)

    def reschedule(self, later: int, at: datetime) -> None:
        window = {"after": self.clock.promise(later - WINDOW), "before": self.clock.promise(later)}
        transitions.reschedule(self._task(TaskType.DROPOFF), **window, by=self.cast.desk, at=at)

    def cancel(self, at: datetime) -> None:
        transitions.cancel_delivery(self.delivery, by=self._asker(), at=at)

    # Who and where

    def _asker(self) -> Actor:
        key = self.shop.public_id
        askers = {Way.PLUGIN: self.cast.plugins[key], Way.OWNER: self.cast.owners[key], Way.TILL: self.cast.tills[key]}
        return askers.get(self.scene.way, self.cast.desk)

    def _till(self) -> Actor:
        return self.cast.tills[self.shop.public_id]

    def _carrier(self) -> city.Carrier:
        return next(carrier for carrier in city.CARRIERS if carrier.store == self.shop.public_id)

    def _carrier_actor(self) -> Actor:
        return self.cast.carriers[self._carrier().ref]

    def _task(self, of: TaskType) -> Task:
        return Task.objects.select_related("courier__user").get(delivery=self.delivery, type=of)

    def _rider(self, task: Task) -> Actor:
        assert task.courier is not None
        return self.cast.riders[task.courier.user.username][1]

    def _address(self) -> AddressDraft:
        to = self.scene.to
        place = self.cast.gazetteer.locate(to.street_address)
        known = {} if place is None else {"postal_code": place.postal_code, "locality": place.locality, "country": place.country}
        return AddressDraft(
            street_address=to.street_address,
            point=None if place is None or place.point is None else (place.point.latitude, place.point.longitude),
            fields={"contact_name": to.name, "telephone": to.telephone, "description": to.note, **known},
        )


def _package(name: str, quantity: int) -> dict[str, Any]:
    short_code, volume = next((short_code, volume) for known, short_code, volume, _ in city.PACKAGES if known == name)
    return {"name": name, "short_code": short_code, "volume": volume, "quantity": quantity}
