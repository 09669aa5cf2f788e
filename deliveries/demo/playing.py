"""Let the day happen, through the core: every step that lies in the past is taken, in order of time, by whoever takes it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from deliveries import couriers, intake
from deliveries.demo import city, day
from deliveries.demo.cast import Cast, Step, customer, offer, receipt
from deliveries.demo.clock import Clock
from deliveries.demo.founding import City
from deliveries.demo.story import Story
from stores import places
from stores.models import Order, OrderStatus, ServiceType


def play(founded: City, *, clock: Clock) -> None:
    """Everything that happened up to the clock's present, and where the couriers are now."""
    cast = Cast.of(founded)
    steps = [step for number, scene in enumerate(day.SCENES) for step in Story(cast, clock, scene, number).steps()]
    steps += [step for row in day.UNDECIDED for step in _undecided(cast, clock, *row)]
    steps += [step for row in day.NOT_CARRIED for step in _not_carried(cast, *row)]
    for minutes, act in sorted(steps, key=lambda step: step[0]):
        if minutes <= 0:
            act(clock.moment(minutes))
    for number, person in enumerate(city.COURIERS):
        assert person.position is not None
        seen = clock.now - timedelta(seconds=20 + 35 * number)
        couriers.locate(founded.couriers[person.username], places.Point(*person.position), at=seen)


def _undecided(cast: Cast, clock: Clock, shop_number: int, to: city.Recipient, minutes: int) -> Iterator[Step]:
    """An order that waits for somebody to choose between two quotes."""
    shop, number, due = city.SHOPS[shop_number], 80 - minutes, minutes + 90
    till, house = cast.tills[shop.public_id], settings.HOUSE_CARRIER
    carriers = [carrier for carrier in city.CARRIERS if carrier.store == shop.public_id]
    taken: list[Order] = []

    def order(at: datetime) -> None:
        fields = {"customer": customer(to, cast.gazetteer), "expected_time": clock.promise(due)}
        draft = receipt(shop, number, status=OrderStatus.NEW, service_type=ServiceType.DELIVERY, **fields)
        taken.append(intake.take_order(cast.stores[shop.public_id], draft, by=till, at=at))

    def quote(at: datetime) -> None:
        intake.offer_quote(taken[0], offer(house["name"], house["ref"], number, fee_cents=390, clock=clock, due=due), by=till, at=at)
        for carrier in carriers:
            offered = offer(carrier.name, carrier.ref, number, fee_cents=450, clock=clock, due=due)
            intake.offer_quote(taken[0], offered, by=cast.carriers[carrier.ref], at=at)

    yield minutes, order
    yield minutes + 1, quote


def _not_carried(cast: Cast, shop_number: int, service_type: ServiceType, minutes: int) -> Iterator[Step]:
    """An order that is collected, or eaten in."""
    shop = city.SHOPS[shop_number]
    draft = receipt(shop, 80 - minutes, status=OrderStatus.ACCEPTED, service_type=service_type)
    yield minutes, lambda at: intake.take_order(cast.stores[shop.public_id], draft, by=cast.tills[shop.public_id], at=at)
