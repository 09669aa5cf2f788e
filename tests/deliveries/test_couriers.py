"""Where couriers are: the newest position wins, whatever order reports arrive in."""

from datetime import timedelta

import pytest

from deliveries import couriers, queries, transitions
from deliveries.models import Courier
from stores.actors import SYSTEM
from stores.places import Point
from tests import factories
from tests.deliveries import rows
from tests.factories import NOON

pytestmark = pytest.mark.django_db

HERE, THERE = Point(48.85, 2.35), Point(48.86, 2.36)


def where(courier: Courier) -> tuple[float | None, float | None]:
    courier.refresh_from_db()
    return courier.latitude, courier.longitude


@pytest.mark.parametrize(("minutes", "kept"), [(1, True), (0, False), (-1, False)])
def test_only_a_newer_position_is_kept(minutes: int, kept: bool) -> None:
    courier, other = factories.CourierFactory.create(), factories.CourierFactory.create()
    assert couriers.locate(courier, HERE, at=NOON)
    assert couriers.locate(courier, THERE, at=NOON + timedelta(minutes=minutes)) == kept
    at = THERE if kept else HERE
    assert where(courier) == (at.latitude, at.longitude)
    assert courier.located_at == NOON + timedelta(minutes=minutes if kept else 0)
    assert where(other) == (None, None)


def test_a_delivery_is_where_its_courier_was_seen_lately() -> None:
    delivery, courier = rows.booked("PD"), factories.CourierFactory.create()
    assert queries.live_position(delivery, at=NOON) is None
    transitions.assign(rows.tasks(delivery)[0], courier, by=SYSTEM, at=NOON)
    delivery.refresh_from_db()
    assert queries.live_position(delivery, at=NOON) is None
    couriers.locate(courier, HERE, at=NOON)
    delivery.refresh_from_db()
    assert queries.live_position(delivery, at=NOON) == (HERE.latitude, HERE.longitude, NOON)
    lasts = queries.POSITION_LASTS
    assert queries.live_position(delivery, at=NOON + lasts) is not None
    assert queries.live_position(delivery, at=NOON + lasts + timedelta(seconds=1)) is None


def test_a_delivery_of_an_outside_carrier_is_where_that_says() -> None:
    delivery = rows.carried()
    assert queries.live_position(delivery, at=NOON) is None
    transitions.report(delivery, {"driver_latitude": 48.85, "driver_longitude": 2.35}, by=SYSTEM, at=NOON)
    assert queries.live_position(delivery, at=NOON) == (48.85, 2.35, None)
