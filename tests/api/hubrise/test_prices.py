"""What each call costs in queries, and that no list costs more when it grows."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliveries import transitions
from deliveries.models import Delivery, Task
from stores.actors import SYSTEM
from tests import factories
from tests.api.hubrise.till import DELIVERY, POSITION, QUOTE, Scene, Till, scene
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.fixture
def shop() -> Scene:
    """A store's order with a quote of each kind and a delivery."""
    place = scene()
    place.till.post(f"{place.path}/delivery_quotes", QUOTE)
    place.till.post(f"{place.path}/delivery", DELIVERY)
    return place


def price(till: Till, method: str, path: str, body: Any = None) -> int:
    """How many statements a call sends that reach a table; savepoints do not."""
    with CaptureQueriesContext(
        connection,
    ) as told:
        reply = till.call(method, path, body)
    assert reply.status == 200, reply.raw
    return len([query for query in told.captured_queries if "SAVEPOINT" not in query["sql"]])


@pytest.mark.parametrize(
    ("method", "path", "body", "most"),
    [
        ("GET", "/delivery", None, 2),
        ("PATCH", "/delivery", POSITION, 3),
        ("PATCH", "/delivery", {"status": "pickup_enroute"}, 7),
        ("PATCH", "/delivery", {"status": "delivered"}, 8),
        ("PATCH", "/delivery", {"ref": "x"}, 6),
        ("GET", "/delivery_quotes", None, 3),
        ("POST", "/delivery_quotes", QUOTE, 4),
        ("GET", "", None, 2),
        ("PATCH", "", {"status": "accepted"}, 6),
    ],
)
def test_calls_on_an_order(shop: Scene, method: str, path: str, body: Any, most: int) -> None:
    owner = Till(factories.hubrise_token(account=shop.store.account))
    assert price(shop.till, method, shop.path + path, body) == most
    if method == "GET":
        assert price(owner, method, shop.long_path + path, body) == most


def test_a_quote_and_its_acceptance(shop: Scene) -> None:
    quote = shop.till.post(f"{shop.path}/delivery_quotes", QUOTE).json["id"]
    assert price(shop.till, "GET", f"{shop.path}/delivery_quotes/{quote}") == 2
    assert price(shop.till, "POST", f"{shop.path}/delivery_quotes/{quote}/accept") == 6


def test_creating(shop: Scene) -> None:
    order = shop.till.post("/location/orders", {"status": "new", "service_type": "delivery"}).json["id"]
    assert price(shop.till, "POST", "/location/orders", {"status": "new"}) <= 6
    assert price(shop.till, "POST", f"/location/orders/{order}/delivery", DELIVERY) <= 12


def test_places(shop: Scene) -> None:
    owner = Till(factories.hubrise_token(account=shop.store.account))
    assert price(shop.till, "GET", "/location") == 2
    assert price(owner, "GET", "/account") == 1
    assert price(owner, "GET", "/locations") <= 3


def test_a_delivery_of_the_house_costs_no_more() -> None:
    place = scene()
    place.till.post(f"{place.path}/delivery", {"carrier": "Relais", "carrier_ref": "relais", "status": "pending"})
    transitions.assign(Task.objects.get(type="PICKUP"), factories.CourierFactory.create(), by=SYSTEM, at=NOON)
    assert price(place.till, "GET", f"{place.path}/delivery") == 2
    assert price(place.till, "PATCH", f"{place.path}/delivery", POSITION) == 3
    assert Delivery.objects.get().courier is not None


@pytest.mark.parametrize("rows", [2, 20])
def test_lists_cost_the_same_however_long(shop: Scene, rows: int) -> None:
    for _ in range(rows):
        order = factories.order(shop.store)
        shop.till.post(f"/location/orders/{order.public_id}/delivery", {"carrier": "Relais", "carrier_ref": "relais", "status": "pending"})
        transitions.assign(Task.objects.filter(delivery__order=order)[0], factories.CourierFactory.create(), by=SYSTEM, at=NOON)
        shop.till.post(f"{shop.path}/delivery_quotes", QUOTE)
    owner = Till(factories.hubrise_token(account=shop.store.account))
    assert len(shop.till.get("/location/orders").json) == rows + 1
    assert price(shop.till, "GET", "/location/orders") == 3
    assert price(shop.till, "GET", "/location/orders?status=new&count=1") == 3
    assert price(owner, "GET", "/account/orders") <= 3
    assert price(shop.till, "GET", f"{shop.path}/delivery_quotes") == 3
