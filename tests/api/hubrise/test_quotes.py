"""Quotes: what they need, whose acceptance books, and that accepting cannot be undone."""

from datetime import timedelta
from typing import Any

import pytest
from time_machine import Traveller

from deliveries.models import Delivery, Event, Task
from quotes.models import DeliveryQuote
from tests.api.hubrise.till import DELIVERY, QUOTE, Scene, scene

pytestmark = pytest.mark.django_db

NOW = "2026-11-20T12:00:00+01:00"


@pytest.fixture
def shop(noon: Traveller) -> Scene:
    return scene()


def offer(shop: Scene, **fields: Any) -> dict[str, Any]:
    reply = shop.till.post(f"{shop.path}/delivery_quotes", QUOTE | fields)
    assert reply.status == 200, reply.raw
    answered: dict[str, Any] = reply.json
    return answered


def accept(shop: Scene, quote: dict[str, Any], body: Any = None) -> dict[str, Any]:
    reply = shop.till.post(f"{shop.path}/delivery_quotes/{quote['id']}/accept", body)
    assert reply.status == 200, reply.raw
    answered: dict[str, Any] = reply.json
    return answered


def test_carrier_and_fee_are_enough(shop: Scene) -> None:
    reply = shop.till.post(f"{shop.path}/delivery_quotes", {"carrier": "UPS", "fee": "0.00 EUR"})
    assert reply.status == 200
    assert {name for name, value in reply.json.items() if value is not None} == {"id", "order_id", "location_id", "carrier", "fee"}


@pytest.mark.parametrize("missing", ["carrier", "fee"])
def test_carrier_and_fee_are_required(shop: Scene, missing: str) -> None:
    reply = shop.till.post(f"{shop.path}/delivery_quotes", {name: value for name, value in QUOTE.items() if name != missing})
    assert (reply.status, reply.fields) == (422, [f"/{missing}"])
    assert not DeliveryQuote.objects.exists()


def test_a_status_is_ignored_whatever_it_says(shop: Scene) -> None:
    assert "status" not in offer(shop, status={"any": ["thing"]})


@pytest.mark.parametrize("body", [None, {}])
def test_accepting_again_keeps_the_first_time(noon: Traveller, body: Any) -> None:
    shop = scene()
    quote = offer(shop)
    first = accept(shop, quote, body)
    noon.shift(timedelta(minutes=10))
    assert accept(shop, quote, body) == first == quote | {"accepted_at": NOW}
    assert Event.objects.filter(kind="quote.accepted").count() == 1


def test_several_quotes_may_be_accepted(shop: Scene) -> None:
    quotes = [offer(shop, carrier=carrier) for carrier in ("UPS", "FedEx")]
    assert [accept(shop, quote)["accepted_at"] for quote in quotes] == [NOW, NOW]
    assert not Delivery.objects.exists()


def test_accepting_with_a_delivery_there_changes_nothing_else(shop: Scene) -> None:
    quote = offer(shop, carrier_ref="relais")
    shop.till.post(f"{shop.path}/delivery", DELIVERY)
    assert accept(shop, quote)["accepted_at"] == NOW
    assert Delivery.objects.get().carrier_ref == "ups"


def test_the_houses_quote_books_its_delivery(shop: Scene) -> None:
    quote = offer(shop, carrier="Relais", carrier_ref="relais", estimated_pickup_at=None)
    accept(shop, quote)
    shown = shop.till.get(f"{shop.path}/delivery").json
    assert (shown["carrier"], shown["status"], shown["fee"]) == ("Relais", "pending", "4.50 EUR")
    assert Delivery.objects.get().quote == DeliveryQuote.objects.get()
    assert Task.objects.count() == 2


def test_a_body_that_is_no_json_is_refused_here_too(shop: Scene) -> None:
    quote = offer(shop)
    reply = shop.till.call("POST", f"{shop.path}/delivery_quotes/{quote['id']}/accept", raw=b"{")
    assert (reply.status, reply.json["error_type"]) == (400, "bad_request")
    assert DeliveryQuote.objects.get().accepted_at is None
