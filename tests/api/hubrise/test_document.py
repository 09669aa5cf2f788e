"""Every example request of the Deliveries document, word for word, under each form of its path."""

import pytest

from deliveries.models import Delivery
from quotes.models import DeliveryQuote
from tests.api.hubrise.till import DELIVERY, POSITION, QUOTE, Scene, Till, scene

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

FORMS = [("/v1", "short"), ("/v1", "long"), ("", "short"), ("", "long")]


@pytest.fixture(params=FORMS, ids=lambda form: f"{form[0]}-{form[1]}")
def shop(request: pytest.FixtureRequest) -> tuple[Till, str, Scene]:
    """A till that writes its paths in one of the four forms, and the path of its order in that form."""
    prefix, form = request.param
    place = scene()
    return Till(place.till.token, prefix=prefix), place.path if form == "short" else place.long_path, place


def test_create_a_quote(shop: tuple[Till, str, Scene]) -> None:
    till, path, place = shop
    reply = till.post(f"{path}/delivery_quotes", QUOTE)
    assert reply.status == 200
    quote = DeliveryQuote.objects.get()
    assert reply.json == {
        "id": quote.public_id,
        "order_id": place.order.public_id,
        "location_id": place.store.public_id,
        "carrier": "UPS",
        "carrier_ref": "ups",
        "ref": "1Z12345E0291980793",
        "fee": "4.50 EUR",
        "estimated_pickup_at": "2023-01-01T12:00:00+01:00",
        "estimated_dropoff_at": "2023-01-01T12:30:00+01:00",
        "accepted_at": None,
    }


def test_accept_a_quote(shop: tuple[Till, str, Scene]) -> None:
    till, path, _ = shop
    quote = till.post(f"{path}/delivery_quotes", QUOTE).json
    reply = till.call("POST", f"{path}/delivery_quotes/{quote['id']}/accept", media_type="")
    assert (reply.status, reply.json) == (200, quote | {"accepted_at": "2026-11-20T12:00:00+01:00"})
    assert not Delivery.objects.exists()


def test_retrieve_a_quote(shop: tuple[Till, str, Scene]) -> None:
    till, path, _ = shop
    quote = till.post(f"{path}/delivery_quotes", QUOTE).json
    reply = till.get(f"{path}/delivery_quotes/{quote['id']}")
    assert (reply.status, reply.json) == (200, quote)


def test_list_quotes(shop: tuple[Till, str, Scene]) -> None:
    till, path, _ = shop
    assert till.get(f"{path}/delivery_quotes").json == []
    quotes = [till.post(f"{path}/delivery_quotes", QUOTE | {"carrier": carrier}).json for carrier in ("UPS", "FedEx")]
    reply = till.get(f"{path}/delivery_quotes")
    assert (reply.status, reply.json) == (200, quotes)


def test_create_a_delivery(shop: tuple[Till, str, Scene]) -> None:
    till, path, place = shop
    reply = till.post(f"{path}/delivery", DELIVERY)
    assert reply.status == 200
    delivery = Delivery.objects.get()
    ids = {"id": delivery.public_id, "order_id": place.order.public_id, "location_id": place.store.public_id}
    assert reply.json == ids | DELIVERY | {"assigned_at": None, "pickup_at": None, "delivered_at": None, "cancelled_at": None}
    assert not delivery.by_house


def test_retrieve_a_delivery(shop: tuple[Till, str, Scene]) -> None:
    till, path, _ = shop
    assert till.get(f"{path}/delivery").status == 404
    delivery = till.post(f"{path}/delivery", DELIVERY).json
    reply = till.get(f"{path}/delivery")
    assert (reply.status, reply.json) == (200, delivery)


def test_update_a_delivery(shop: tuple[Till, str, Scene]) -> None:
    till, path, _ = shop
    assert till.patch(f"{path}/delivery", POSITION).status == 404
    delivery = till.post(f"{path}/delivery", DELIVERY | {"driver_latitude": None, "driver_longitude": None}).json
    reply = till.patch(f"{path}/delivery", POSITION)
    assert (reply.status, reply.json) == (200, delivery | POSITION)
    assert till.get(f"{path}/delivery").json == reply.json
