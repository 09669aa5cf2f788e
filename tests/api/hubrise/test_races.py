"""Two at once, with real threads and real transactions: one wins, and nothing is made twice."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from deliveries import doctor
from deliveries.models import Delivery, Event, Task
from deliveries.statuses import DeliveryStatus, agree
from quotes.models import DeliveryQuote
from stores.models import Order
from tests.api.hubrise.till import DELIVERY, QUOTE, Reply, scene

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 4


@pytest.fixture(autouse=True)
def whole_afterwards(transactional_db: None) -> Iterator[None]:
    """Whatever raced, no rule is broken when it is over."""
    yield
    assert doctor.examine() == []


def at_once(call: Callable[[int], Reply]) -> list[int]:
    """The statuses of several calls that start together."""
    barrier = Barrier(AT_ONCE)

    def run(number: int) -> int:
        barrier.wait()
        try:
            return call(number).status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(pool.map(run, range(AT_ONCE)))


def test_an_order_gets_one_delivery() -> None:
    shop = scene()
    statuses = at_once(lambda _: shop.till.post(f"{shop.path}/delivery", DELIVERY))
    assert statuses == [200, 422, 422, 422]
    assert (Delivery.objects.count(), Task.objects.count()) == (1, 2)


def test_a_quote_of_the_house_books_once() -> None:
    shop = scene()
    quote = shop.till.post(f"{shop.path}/delivery_quotes", QUOTE | {"carrier_ref": "relais"}).json["id"]
    statuses = at_once(lambda _: shop.till.post(f"{shop.path}/delivery_quotes/{quote}/accept", {}))
    assert statuses == [200, 200, 200, 200]
    assert (Delivery.objects.count(), Event.objects.filter(kind="quote.accepted").count()) == (1, 1)
    assert DeliveryQuote.objects.get().accepted_at is not None


def test_reports_at_once_leave_one_story() -> None:
    shop = scene()
    shop.till.post(f"{shop.path}/delivery", DELIVERY)
    said = ["pickup_enroute", "dropoff_enroute", "delivered", "cancelled"]
    assert at_once(lambda number: shop.till.patch(f"{shop.path}/delivery", {"status": said[number]})) == [200] * AT_ONCE
    assert agree(DeliveryStatus(Delivery.objects.get().status), Task.objects.all())


def test_amendments_at_once_are_all_kept() -> None:
    shop = scene()
    charge = {"name": "Bag", "price": "0.10 EUR"}
    assert at_once(lambda number: shop.till.patch(shop.path, {"charges": [charge], "custom_fields": {str(number): 1}})) == [200] * AT_ONCE
    order = shop.till.get(shop.path).json
    assert [charge["id"] for charge in order["charges"]] == ["1", "2", "3", "4"]
    assert set(order["custom_fields"]) == {"0", "1", "2", "3"}


def test_a_private_ref_is_taken_once() -> None:
    shop = scene()
    assert at_once(lambda _: shop.till.post("/location/orders", {"status": "new", "private_ref": "pr1"})) == [200, 422, 422, 422]
    assert Order.objects.count() == 2
