"""The OpenAPI document is valid, open to all, and says what is answered."""

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from rest_framework.views import APIView

from deliveries.api.hubrise import urls
from tests.api.hubrise.listening import listener
from tests.api.hubrise.till import DELIVERY, POSITION, QUOTE, Reply, scene

ORDER = {
    "status": "new",
    "service_type": "delivery",
    "customer": {"first_name": "Ada", "latitude": "48.85"},
    "deals": {"a": {"name": "Lunch"}},
    "items": [
        {
            "product_name": "Pizza",
            "price": "11.90 EUR",
            "quantity": "1",
            "tax_rate": "10.0",
            "options": [{"option_list_name": "Size", "name": "Large", "price": "1.00 EUR"}],
            "deal_line": {"deal_key": "a"},
        }
    ],
    "discounts": [{"name": "Friend", "price_off": "2.00 EUR"}],
    "charges": [{"name": "Delivery", "price": "2.00 EUR"}],
    "payments": [{"amount": "18.00 EUR", "info": {"last": "4242"}}],
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = Client().get("/v1/openapi.json").json()
    return found


def test_it_is_valid_and_of_this_dialect_alone(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"] == "3.1.0"
    assert all(path.startswith("/v1/") for path in document["paths"])
    assert document["components"]["securitySchemes"] == {"accessToken": {"type": "apiKey", "in": "header", "name": "X-Access-Token"}}


def view_of(callback: Any) -> type[APIView]:
    found: type[APIView] = callback.cls
    return found


def test_every_path_and_method_is_in_it(document: dict[str, Any]) -> None:
    routes = [pattern for pattern in get_resolver(urls.__name__).url_patterns if str(pattern.pattern).startswith(("v1/l", "v1/c"))]
    written = {f"/{pattern.pattern}".replace("<name:", "{").replace(">", "}"): view_of(pattern.callback) for pattern in routes}
    assert len(written) == 20
    for path, view in written.items():
        methods = {method for method in view.http_method_names if hasattr(view, method)} - {"head", "options"}
        assert set(document["paths"][path]) == methods


def test_every_operation_names_itself_and_its_refusals(document: dict[str, Any]) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        assert operation["description"]
        assert {"200", "401", "403", "404"} <= set(operation["responses"])


@pytest.mark.django_db
def test_answers_are_as_it_says(document: dict[str, Any], noon: Any) -> None:
    place = scene()

    def check(shape: str, reply: Reply, *, many: bool = False) -> Any:
        for row in reply.json if many else [reply.json]:
            schema = {"$ref": f"#/components/schemas/{shape}", "components": document["components"]}
            OAS31Validator(schema).validate(row)
            described = document["components"]["schemas"][shape]["properties"]
            assert set(row) <= set(described), set(row) - set(described)
        return reply.json

    order = check("Order", place.till.post("/location/orders", ORDER))
    path = f"/location/orders/{order['id']}"
    quote = check("Quote", place.till.post(f"{path}/delivery_quotes", QUOTE))
    check("Quote", place.till.post(f"{path}/delivery_quotes/{quote['id']}/accept"))
    check("Quote", place.till.get(f"{path}/delivery_quotes"), many=True)
    check("Delivery", place.till.post(f"{path}/delivery", DELIVERY))
    check("Delivery", place.till.patch(f"{path}/delivery", POSITION | {"status": "delivered"}))
    check("Order", place.till.patch(path, {"status": "completed"}))
    check("Order", place.till.get("/location/orders"), many=True)
    check("Location", place.till.get("/location"))
    check("Callback", place.till.get("/callback"))
    check("Callback", place.till.post("/callback", {"events": {"order": ["update"]}}))
    event = check("CallbackEvent", place.till.post("/callback/test"))
    check("CallbackEventHead", place.till.get("/callback/events"), many=True)
    check("CallbackEvent", place.till.post(f"/callback/events/{event['id']}/resend"))
    told = listener(place.store)
    place.till.patch(f"{path}/delivery", {"status": "pending"})
    for head in told.heads():
        check("CallbackEvent", told.till.get(f"/callback/events/{head['id']}"))
    check("Error", place.till.get("/location/orders/none"))
    check("Error", place.till.get("/nothing"))
    check("Error", place.till.post("/location/orders", {}))


def test_it_is_open_to_all(client: Client) -> None:
    assert client.get("/v1/openapi.json").headers["Access-Control-Allow-Origin"] == "*"


def test_the_page_needs_nobody_elses_server_and_no_script_inside(client: Client) -> None:
    page = client.get("/v1/docs", headers={"Accept": "text/html"})
    html = page.content.decode()
    assert page.status_code == 200
    assert "//cdn" not in html
    assert "https://" not in html
    assert html.count("<script") == html.count("<script src=") == 3
    assert "'unsafe-eval'" not in page.headers["Content-Security-Policy"]
    script = client.get("/v1/docs?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert "openapi.json" in script.content.decode()
