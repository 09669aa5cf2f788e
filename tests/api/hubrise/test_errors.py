"""Every way to be refused: the status, the error type, the field, and that nothing is left behind."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.test import Client

import deliveries
import quotes
import stores
from deliveries.api.hubrise import errors
from deliveries.api.hubrise.quotes import Quotes
from deliveries.models import Delivery
from quotes.models import DeliveryQuote
from quotes.offers import NotForDelivery
from stores.models import Order
from stores.refusals import Invalid, Refused
from tests.api.hubrise.till import DELIVERY, QUOTE, Scene, scene

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

HUGE = "9" * 400
LONG = "x" * 20_000


@pytest.fixture
def shop() -> Scene:
    return scene()


def counts() -> tuple[int, int, int]:
    return Order.objects.count(), DeliveryQuote.objects.count(), Delivery.objects.count()


# The table


def refusals(of: type[Refused] = Refused) -> Iterator[type[Refused]]:
    """Every class of the core that says no."""
    for child in of.__subclasses__():
        if not child.__module__.startswith(("deliveries.api.", "tests.")):
            yield child
        yield from refusals(child)


def test_every_refusal_of_the_core_has_a_word() -> None:
    for package in (stores, quotes, deliveries):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".api" not in module.name and "migrations" not in module.name:
                importlib.import_module(module.name)
    assert {refusal.__name__ for refusal in refusals()} - {refusal.__name__ for refusal in errors.WORDS} == set()
    assert all(error_type in errors.ERROR_TYPES.values() for _, error_type in errors.WORDS.values())


@pytest.mark.parametrize(("refusal", "word"), errors.WORDS.items())
def test_refusals_are_put_into_words(refusal: type[Refused], word: tuple[int, str]) -> None:
    bare = refusal("no") if refusal is not Invalid else Invalid(*[])
    named = (
        refusal("no", path=("items", 0, "fee_cents"))
        if refusal is not Invalid
        else Invalid(NotForDelivery("no", path=("items", 0, "fee_cents")))
    )
    status, body = errors.explain(bare)
    assert (status, body["error_type"]) == word
    assert errors.explain(named)[1]["errors"] == [{"field": "/items/0/fee", "message": "no"}]


# Paths and methods


NO_ROUTES = """
    /v1 /v1/ /v1/nothing /v1/deliveries/1 /v1/user /v1/location/ /v1/locations/ /v1/location/orders/ /locations/1/nothing
    /location/orders/1/deliveries/2 /v1/location/orders/1/delivery/ /v1/location/orders/1/delivery_quotes/2/reject
"""


@pytest.mark.parametrize("path", NO_ROUTES.split())
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_paths_are_routing_errors(shop: Scene, path: str, method: str) -> None:
    response = Client().generic(method, path)
    assert (response.status_code, orjson.loads(response.content)) == (404, {"error_type": "routing_error"})
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("", "DELETE", "GET, PUT, PATCH, HEAD, OPTIONS"),
        ("/delivery", "PUT", "GET, POST, PATCH, HEAD, OPTIONS"),
        ("/delivery_quotes", "PATCH", "GET, POST, HEAD, OPTIONS"),
    ],
)
def test_other_methods_name_those_that_are(shop: Scene, path: str, method: str, allowed: str) -> None:
    reply = shop.till.call(method, shop.path + path, {})
    assert (reply.status, reply.json["error_type"]) == (405, "routing_error")
    assert set(reply.headers["Allow"].split(", ")) == set(allowed.split(", "))


@pytest.mark.parametrize("override", ["DELETE", "GET", "HEAD", "OPTIONS", "TRACE", "no method"])
def test_a_post_that_stands_for_anything_else_does_nothing(shop: Scene, override: str) -> None:
    before = counts()
    reply = shop.till.call("POST", "/location/orders", {"status": "new"}, X_Http_Method_Override=override)
    assert (reply.status, reply.json["error_type"], counts()) == (405, "routing_error", before)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/locations/none/orders/{order}/delivery", "Location does not exist"),
        ("/locations/{LOCATION}/orders/{order}", "Location does not exist"),
        ("/locations/none", "Location does not exist"),
        ("/locations/none/orders", "Location does not exist"),
        ("/location/orders/none", "Order does not exist"),
        ("/location/orders/none/delivery", "Order does not exist"),
        ("/location/orders/none/delivery_quotes", "Order does not exist"),
        ("/location/orders/none/delivery_quotes/none", "Order does not exist"),
        ("/location/orders/{order}/delivery", "Delivery does not exist"),
        ("/location/orders/{order}/delivery_quotes/none", "Delivery quote does not exist"),
        ("/location/orders/{ORDER}", "Order does not exist"),
        ("/location/orders/" + "x" * 3000, "Order does not exist"),
        ("/location/orders/%E2%82%AC%FF", "Order does not exist"),
    ],
)
def test_what_is_not_there(shop: Scene, path: str, message: str) -> None:
    order, location = shop.order.public_id, shop.store.public_id
    reply = shop.till.get(path.format(order=order, ORDER=order.upper() + "A", LOCATION=location.upper()))
    assert (reply.status, reply.json) == (404, {"message": message, "error_type": "not_found"})


def test_an_id_with_a_nul_is_no_route(shop: Scene) -> None:
    assert shop.till.get("/location/orders/%00").json == {"error_type": "routing_error"}


def test_an_order_of_another_location_is_not_there(shop: Scene) -> None:
    other = scene()
    for path in ("", "/delivery", "/delivery_quotes"):
        reply = shop.till.get(f"/location/orders/{other.order.public_id}{path}")
        assert (reply.status, reply.json["message"]) == (404, "Order does not exist")


def test_a_quote_of_another_order_is_not_there(shop: Scene) -> None:
    other = scene()
    quote = other.till.post(f"{other.path}/delivery_quotes", QUOTE).json["id"]
    for path in (f"/delivery_quotes/{quote}", f"/delivery_quotes/{quote}/accept"):
        reply = shop.till.call("POST" if "accept" in path else "GET", shop.path + path)
        assert (reply.status, reply.json["message"]) == (404, "Delivery quote does not exist")


# Bodies

BODIES = [
    ("POST", "/location/orders"),
    ("PATCH", "{order}"),
    ("PUT", "{order}"),
    ("POST", "{order}/delivery"),
    ("POST", "{order}/delivery_quotes"),
]


@pytest.mark.parametrize(("method", "path"), BODIES)
@pytest.mark.parametrize(
    "raw", [b"{", b'{"status": new}', b'{"a": "\\ud800"}', b"\xff", b"[" * 2000, b'{"a": NaN}', b'{"a": 1e999}', b"null null"]
)
def test_bodies_that_are_no_json(shop: Scene, method: str, path: str, raw: bytes) -> None:
    before = counts()
    reply = shop.till.call(method, path.format(order=shop.path), raw=raw)
    assert (reply.status, reply.json["error_type"]) == (400, "bad_request")
    assert counts() == before


@pytest.mark.parametrize(("method", "path"), BODIES)
@pytest.mark.parametrize("raw", [b"[]", b"null", b'"text"', b"1"])
def test_bodies_that_are_no_object(shop: Scene, method: str, path: str, raw: bytes) -> None:
    reply = shop.till.call(method, path.format(order=shop.path), raw=raw)
    assert (reply.status, reply.json) == (422, {"message": "The body must be a JSON object", "error_type": "unprocessable_entity"})


@pytest.mark.parametrize(("method", "path"), BODIES)
@pytest.mark.parametrize(
    "media_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "application/xml", "application/ld+json"],
)
def test_bodies_of_another_type(shop: Scene, method: str, path: str, media_type: str) -> None:
    reply = shop.till.call(method, path.format(order=shop.path), raw=b"{}", media_type=media_type)
    assert (reply.status, reply.json["error_type"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", ""])
def test_json_by_any_of_its_names(shop: Scene, media_type: str) -> None:
    assert shop.till.call("PATCH", shop.path, {"status": "accepted"}, media_type=media_type).status == 200


def test_a_body_too_large_to_read(shop: Scene) -> None:
    raw = b'{"status": "new", "seller_notes": "' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    reply = shop.till.call("POST", "/location/orders", raw=raw)
    assert (reply.status, reply.json["error_type"]) == (413, "payload_too_large")


def test_nothing_at_all_counts_as_an_empty_object(shop: Scene) -> None:
    assert set(shop.till.call("POST", f"{shop.path}/delivery").fields) == {"/carrier", "/status"}


# Fields

BAD_TIMES: list[Any] = [
    "tomorrow",
    "2023-01-01",
    "2023-13-01T00:00:00Z",
    "2023-01-01T25:00:00Z",
    "0001-01-01T00:00:00Z",
    5,
    True,
    {},
    [],
    "",
    LONG,
]
BAD_FEES: list[Any] = [
    "4.50",
    "4.5 EUR",
    "4,50 EUR",
    "4.50 XXXX",
    "4.50 ZZZ",
    "4.50 eur",
    "4.50 USD",
    "-1.00 EUR",
    f"{HUGE}.00 EUR",
    4.5,
    True,
    {},
    [],
    "",
]
BAD_DEGREES: list[Any] = ["200", "x", {}, [], True, HUGE, "1" * 4000]
BAD_STATUSES: list[Any] = ["assigned", "", None, 5, {}, [], "PENDING", LONG]
BAD_TEXTS: list[Any] = [{}, [], True, LONG, "a\0b"]
QUOTE_CASES: list[tuple[str, Any]] = [
    *(("fee", value) for value in [*BAD_FEES, None]),
    *(("estimated_pickup_at", value) for value in BAD_TIMES),
    *(("estimated_dropoff_at", value) for value in BAD_TIMES),
    *(("carrier", value) for value in [*BAD_TEXTS, None, "", "   ", "x" * 256]),
    *(("carrier_ref", value) for value in [*BAD_TEXTS, "x" * 65]),
    *(("ref", value) for value in [*BAD_TEXTS, "x" * 256]),
]
DELIVERY_CASES: list[tuple[str, Any]] = [
    *(("fee", value) for value in BAD_FEES),
    *(("status", value) for value in BAD_STATUSES),
    *((name, value) for name in ("estimated_pickup_at", "assigned_at", "pickup_at", "delivered_at", "cancelled_at") for value in BAD_TIMES),
    *((name, value) for name in ("tracking_url", "driver_pickup_url") for value in [*BAD_TEXTS, "x" * 2049]),
    *((name, value) for name in ("driver_phone", "driver_phone_access_code") for value in [*BAD_TEXTS, "x" * 65]),
    *(("driver_name", value) for value in [*BAD_TEXTS, "x" * 256]),
    *((name, value) for name in ("driver_latitude", "driver_longitude") for value in BAD_DEGREES),
]
ITEM = {"product_name": "Pizza", "price": "1.00 EUR", "quantity": "1"}
ORDER_CASES: list[tuple[str, Any]] = [
    ("/status", "open"),
    ("/service_type", "drone"),
    ("/ref", "x" * 256),
    ("/private_ref", LONG),
    ("/expected_time", "soon"),
    ("/expected_time_pickup", "perhaps"),
    ("/asap", {}),
    ("/coupon_codes", "SUMMER"),
    ("/coupon_codes/1", ["a", {}]),
    ("/coupon_codes", ["a"] * 501),
    ("/items", {}),
    ("/items", [ITEM] * 501),
    ("/items/0", ["pizza"]),
    ("/items/1/price", [ITEM, ITEM | {"price": "1 EUR"}]),
    ("/items/0/price", [ITEM | {"price": f"{HUGE}.00 EUR"}]),
    ("/items/0/quantity", [ITEM | {"quantity": "many"}]),
    ("/items/0/quantity", [ITEM | {"quantity": HUGE}]),
    ("/items/0/quantity", [ITEM | {"quantity": 1e300}]),
    ("/items/0/options/0/name", [ITEM | {"options": [{"option_list_name": "Size"}]}]),
    ("/items/0/options/0/quantity", [ITEM | {"options": [{"option_list_name": "Size", "name": "L", "quantity": 10**15}]}]),
    ("/items/0/deal_line/deal_key", [ITEM | {"deal_line": {"deal_key": "none"}}]),
    ("/items", [ITEM | {"price": "9999999999.00 EUR", "quantity": "99999"}]),
    ("/deals/a~1b/name", {"a/b": {}}),
    ("/deals", {str(number): {"name": "x"} for number in range(501)}),
    ("/discounts/0/price_off", [{"name": "x", "price_off": "1.00 USD"}]),
    ("/charges/0/name", [{"price": "1.00 EUR"}]),
    ("/payments/0/amount", [{"amount": None}]),
    ("/payments/0/info", [{"amount": "1.00 EUR", "info": []}]),
    ("/customer", "Ada"),
    ("/customer/latitude", {"latitude": "91"}),
    ("/customer/birth_date", {"birth_date": "yesterday"}),
    ("/customer/postal_code", {"postal_code": LONG}),
    ("/customer_id", "abc"),
    ("/customer_private_ref", "abc"),
    ("/custom_fields", []),
    ("/custom_fields", {"a": LONG}),
    ("/custom_fields", {"a": 1e300}),
    ("/custom_fields", {"a": 10**30}),
    ("/custom_fields/a/0", {"a": ["\0"]}),
    ("/custom_fields/a", {"a\0": 1}),
    ("/seller_notes", "a\0b"),
]


@pytest.mark.parametrize(("name", "value"), QUOTE_CASES, ids=lambda value: repr(value)[:40])
def test_quotes_name_the_field_at_fault(shop: Scene, name: str, value: Any) -> None:
    reply = shop.till.post(f"{shop.path}/delivery_quotes", QUOTE | {name: value})
    assert (reply.status, reply.json["error_type"], reply.fields) == (422, "unprocessable_entity", [f"/{name}"])
    assert counts() == (1, 0, 0)


@pytest.mark.parametrize(("name", "value"), DELIVERY_CASES, ids=lambda value: repr(value)[:40])
def test_deliveries_name_the_field_at_fault(shop: Scene, name: str, value: Any) -> None:
    body = {"carrier": "UPS", "status": "pending"}
    reply = shop.till.post(f"{shop.path}/delivery", body | {name: value})
    assert (reply.status, reply.json["error_type"], reply.fields) == (422, "unprocessable_entity", [f"/{name}"])
    assert counts() == (1, 0, 0)
    before = shop.till.post(f"{shop.path}/delivery", body).json
    reply = shop.till.patch(f"{shop.path}/delivery", {"ref": "changed", name: value})
    assert (reply.status, reply.fields) == (422, [f"/{name}"])
    assert shop.till.get(f"{shop.path}/delivery").json == before


@pytest.mark.parametrize(("field", "value"), ORDER_CASES, ids=lambda value: repr(value)[:40])
def test_orders_name_the_field_at_fault(shop: Scene, field: str, value: Any) -> None:
    reply = shop.till.call("POST", "/location/orders", raw=json.dumps({"status": "new", field.split("/")[1]: value}).encode())
    assert (reply.status, reply.json["error_type"], reply.fields) == (422, "unprocessable_entity", [field])
    assert len(reply.raw) < 2000
    assert counts() == (1, 0, 0)


@pytest.mark.parametrize("depth", [33, 200, 900])
def test_nested_junk_is_refused(shop: Scene, depth: int) -> None:
    raw = b'{"status": "new", "custom_fields": {"a": ' + b"[" * depth + b"]" * depth + b"}}"
    reply = shop.till.call("POST", "/location/orders", raw=raw)
    assert (reply.status, reply.fields) == (422, ["/custom_fields"])


def test_a_nul_far_down_is_found(shop: Scene) -> None:
    raw = b'{"status": "new", "x": ' + b"[" * 900 + b'"\\u0000"' + b"]" * 900 + b"}"
    assert shop.till.call("POST", "/location/orders", raw=raw).status == 422


def test_both_money_messages(shop: Scene) -> None:
    said = [shop.till.post(f"{shop.path}/delivery_quotes", QUOTE | {"fee": fee}).json for fee in ("abc", "4.50 USD", "-4.50 EUR")]
    assert said == [
        {"message": "Validation failed", "errors": [{"field": "/fee", "message": message}], "error_type": "unprocessable_entity"}
        for message in ("'abc' is not a valid monetary amount", "must be in 'EUR' ('USD' given)", "must be positive ('-4.50 EUR' given)")
    ]


def test_all_problems_are_named_at_once(shop: Scene) -> None:
    reply = shop.till.post(f"{shop.path}/delivery", DELIVERY | {"status": "x", "fee": "x", "driver_latitude": "x", "pickup_at": "x"})
    assert set(reply.fields) == {"/status", "/fee", "/driver_latitude", "/pickup_at"}


# What nobody foresaw


def test_surprises_are_told_to_nobody(shop: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fall_over(*_: Any, **__: Any) -> None:
        raise RuntimeError("password of the database")

    monkeypatch.setattr(Quotes, "get", fall_over)
    response = Client(raise_request_exception=False).get(
        f"/v1{shop.path}/delivery_quotes", headers={"X-Access-Token": str(shop.till.token)}
    )
    assert response.status_code == 500
    assert response.json() == {"message": "Something went wrong on our side", "error_type": "internal_error"}
    assert "password of the database" in caplog.text


# Other sites' pages


def test_any_page_may_call(shop: Scene) -> None:
    for reply in (shop.till.get(shop.path), shop.till.get("/location/orders/none"), shop.till.get("/nothing")):
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
    asked = Client().options(f"/v1{shop.path}/delivery")
    assert asked.status_code == 200
    assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
    assert "X-Access-Token" in asked.headers["Access-Control-Allow-Headers"]
