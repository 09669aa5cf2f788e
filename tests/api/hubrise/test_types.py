"""A field takes the type it is described with and no other; addresses of pages lead to pages."""

from typing import Any

import pytest

from stores.models import Order
from tests.api.hubrise.till import DELIVERY, QUOTE, Scene, scene

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

ITEM = {"product_name": "Pizza", "price": "1.00 EUR", "quantity": "1"}
OPTION = {"option_list_name": "Size", "name": "L"}


@pytest.fixture
def shop() -> Scene:
    return scene()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("/ref", 5),
        ("/private_ref", 1.5),
        ("/channel", 5),
        ("/seller_notes", 5),
        ("/expected_time_pickup", "yes"),
        ("/asap", 1),
        ("/coupon_codes/0", [5]),
        ("/customer/phone", {"phone": 5}),
        ("/customer/postal_code", {"postal_code": 75002}),
        ("/customer/sms_marketing", {"sms_marketing": "on"}),
        ("/items/0/product_name", [ITEM | {"product_name": 5}]),
        ("/items/0/sku_ref", [ITEM | {"sku_ref": 5}]),
        ("/items/0/options/0/name", [ITEM | {"options": [OPTION | {"name": 5}]}]),
        ("/items/0/options/0/quantity", [ITEM | {"options": [OPTION | {"quantity": "2"}]}]),
        ("/items/0/options/0/removed", [ITEM | {"options": [OPTION | {"removed": 1}]}]),
        ("/deals/0/name", {"0": {"name": 5}}),
        ("/charges/0/name", [{"name": 5, "price": "1.00 EUR"}]),
        ("/status", 5),
        ("/service_type", 5),
    ],
    ids=str,
)
def test_orders_are_not_guessed_at(shop: Scene, field: str, value: Any) -> None:
    reply = shop.till.post("/location/orders", {"status": "new", field.split("/")[1]: value})
    assert (reply.status, reply.fields) == (422, [field])
    assert Order.objects.count() == 1


@pytest.mark.parametrize("name", ["ref", "tracking_url", "driver_pickup_url", "driver_name", "driver_phone", "driver_phone_access_code"])
def test_reports_are_not_guessed_at(shop: Scene, name: str) -> None:
    shop.till.post(f"{shop.path}/delivery", DELIVERY)
    reply = shop.till.patch(f"{shop.path}/delivery", {name: 5})
    assert (reply.status, reply.json["errors"]) == (422, [{"field": f"/{name}", "message": "must be a string"}])


@pytest.mark.parametrize("name", ["carrier", "carrier_ref", "ref"])
def test_offers_are_not_guessed_at(shop: Scene, name: str) -> None:
    for path, body in (("delivery_quotes", QUOTE), ("delivery", DELIVERY)):
        reply = shop.till.post(f"{shop.path}/{path}", body | {name: 5})
        assert (reply.status, reply.fields) == (422, [f"/{name}"])


@pytest.mark.parametrize(
    ("field", "change"), [("/items/0/id", {"id": 1, "deleted": True}), ("/items/0/deleted", {"id": "1", "deleted": 1})]
)
def test_amendments_are_not_guessed_at(shop: Scene, field: str, change: Any) -> None:
    order = shop.till.post("/location/orders", {"status": "new", "items": [ITEM]}).json["id"]
    reply = shop.till.patch(f"/location/orders/{order}", {"items": [change]})
    assert (reply.status, reply.fields) == (422, [field])


def test_numbers_may_stand_for_decimals(shop: Scene) -> None:
    order = shop.till.post("/location/orders", {"status": "new", "items": [ITEM | {"quantity": 2, "options": [OPTION | {"quantity": 2}]}]})
    assert (order.status, order.json["items"][0]["quantity"]) == (200, "2.0")
    delivery = shop.till.post(f"{shop.path}/delivery", DELIVERY | {"driver_latitude": 48.5, "driver_longitude": 2})
    assert (delivery.status, delivery.json["driver_latitude"]) == (200, "48.5")


NO_PAGES = [
    "javascript:alert(1)",
    "ftp://ups.com/1",
    "//ups.com/1",
    "ups.com/1",
    "https://",
    "https:///1",
    "http://a b",
    "http://[",
    "https://a:b/",
]


@pytest.mark.parametrize("name", ["tracking_url", "driver_pickup_url"])
@pytest.mark.parametrize("url", [*NO_PAGES, "https://ups.com/" + "x" * 2048])
def test_addresses_lead_to_pages(shop: Scene, name: str, url: str) -> None:
    reply = shop.till.post(f"{shop.path}/delivery", DELIVERY | {name: url})
    assert (reply.status, reply.fields) == (422, [f"/{name}"])
    shop.till.post(f"{shop.path}/delivery", DELIVERY)
    reply = shop.till.patch(f"{shop.path}/delivery", {name: url})
    assert (reply.status, reply.fields) == (422, [f"/{name}"])


@pytest.mark.parametrize(
    "url", ["https://ups.com", "HTTP://ups.com:8080/a?b=c#d", "http://127.0.0.1/1", "https://livré.example/é", "", None]
)
def test_pages_of_any_kind(shop: Scene, url: str | None) -> None:
    delivery = shop.till.post(f"{shop.path}/delivery", DELIVERY | {"tracking_url": url, "driver_pickup_url": url})
    assert (delivery.status, delivery.json["tracking_url"], delivery.json["driver_pickup_url"]) == (200, url or None, url or None)
