"""What each call costs in queries, and that no list costs more when it grows."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliveries import transitions
from deliveries.api.hubrise.voice import HubRiseVoice
from deliveries.models import Delivery, Event, Subscription, Task
from stores.actors import SYSTEM
from tests import factories
from tests.api.hubrise.listening import ALL, listener
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
        ("PATCH", "/delivery", {"status": "pickup_enroute"}, 8),
        ("PATCH", "/delivery", {"status": "delivered"}, 9),
        ("PATCH", "/delivery", {"ref": "x"}, 7),
        ("GET", "/delivery_quotes", None, 3),
        ("POST", "/delivery_quotes", QUOTE, 5),
        ("GET", "", None, 2),
        ("PATCH", "", {"status": "accepted"}, 7),
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
    assert price(shop.till, "POST", f"{shop.path}/delivery_quotes/{quote}/accept") == 7


def test_creating(shop: Scene) -> None:
    order = shop.till.post("/location/orders", {"status": "new", "service_type": "delivery"}).json["id"]
    assert price(shop.till, "POST", "/location/orders", {"status": "new"}) <= 7
    assert price(shop.till, "POST", f"/location/orders/{order}/delivery", DELIVERY) <= 13


def test_callbacks(shop: Scene) -> None:
    assert price(shop.till, "GET", "/callback") == 2
    assert price(shop.till, "POST", "/callback", {"events": {"order": ["update"]}}) == 6
    other = listener(shop.store)
    shop.till.patch(shop.path, {"status": "accepted"})
    event = other.heads()[0]["id"]
    assert price(other.till, "GET", "/callback/events") == 2
    assert price(other.till, "GET", f"/callback/events/{event}") == 2
    assert price(other.till, "DELETE", f"/callback/events/{event}") == 5
    assert price(other.till, "POST", f"/callback/events/{event}/resend") == 5
    assert price(other.till, "POST", "/callback/test") == 4
    assert price(other.till, "DELETE", "/callback") == 7


def test_a_position_that_somebody_follows(shop: Scene) -> None:
    """Nobody follows: see above. Somebody does: the rows are locked, and what was before is written into the log."""
    listener(shop.store, events={"delivery": ["update"]})
    assert price(shop.till, "PATCH", f"{shop.path}/delivery", {"driver_latitude": "1.5"}) == 8


@pytest.mark.parametrize("changes", [1, 10])
def test_states_cost_two_queries_however_late_they_are_told(shop: Scene, changes: int) -> None:
    shop.till.call("POST", "/callback", {"events": ALL})
    for number in range(changes):
        transitions.report(Delivery.objects.get(), {"ref": str(number)}, by=SYSTEM, at=NOON)
    made = Subscription.objects.select_related("client").get()
    events = list(Event.objects.filter(kind="delivery.updated").order_by("id"))
    with CaptureQueriesContext(
        connection,
    ) as told:
        assert len(list(HubRiseVoice().messages(events[:1], made))) == 2
    assert len(told.captured_queries) == 2


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
