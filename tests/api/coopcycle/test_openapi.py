"""The OpenAPI document is valid, is open to all, and tells the truth about the answers."""

import re
from typing import Any

import orjson
import pytest
from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # published without types
from openapi_spec_validator import validate

from deliveries.api.coopcycle.openapi import document
from tests.api.coopcycle import prices, webhooks
from tests.api.coopcycle.knocking import LD, World
from tests.api.coopcycle.test_document import REQUEST
from tests.api.coopcycle.test_goldens import FULL
from tests.api.coopcycle.test_permissions import MATRIX

NOT_DESCRIBED = {"GET /api/docs", "GET /api/docs.json"}


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(document())
    return read


def conforms(openapi: dict[str, Any], method: str, path: str, response: Any, *, form: str = LD) -> list[str]:
    """What is wrong with an answer, by the document."""
    content = openapi["paths"][path][method]["responses"][str(response.status_code)]["content"]
    schema = {**content[form]["schema"], "components": openapi["components"]}
    return [f"{list(error.absolute_path)}: {error.message}" for error in Draft202012Validator(schema).iter_errors(response.json())]


def test_the_document_is_valid(openapi: dict[str, Any]) -> None:
    validate(openapi)
    assert openapi["openapi"].startswith("3.1")


def test_it_describes_every_call_of_this_dialect_and_no_other(openapi: dict[str, Any]) -> None:
    told = {f"{method.upper()} {path}" for path, methods in openapi["paths"].items() for method in methods}
    rows = {row.partition(",")[0].partition(" naming")[0] for row in MATRIX} - NOT_DESCRIBED
    assert told == rows


def test_every_call_has_a_name_of_its_own(openapi: dict[str, Any]) -> None:
    names = [call["operationId"] for methods in openapi["paths"].values() for call in methods.values()]
    assert len(names) == len(set(names))


def test_every_call_says_what_it_does(openapi: dict[str, Any]) -> None:
    verbs = {"Assign", "Cancel", "Change", "Check", "Complete", "Create", "Get", "List", "Log", "Mark", "Report", "Reschedule"}
    verbs |= {"Restore", "Start", "Unassign", "Delete", "Enable", "Disable", "Rotate", "Test", "Resend"}
    calls = [call for methods in openapi["paths"].values() for call in methods.values()]
    assert {call["summary"].split()[0] for call in calls} <= verbs
    assert all(call["description"] for call in calls)
    assert not re.search(rb"\b(sheets?|doors?)\b", document())


ANSWERS: dict[str, tuple[str, str, str]] = {
    # call: caller, path in the document, path asked for
    "delivery": ("client", "/api/deliveries/{id}", "/api/deliveries/{held}"),
    "task": ("client", "/api/tasks/{id}", "/api/tasks/{task}"),
    "tasks": ("dispatcher", "/api/tasks", "/api/tasks?pagination=true"),
    "events": ("client", "/api/tasks/{id}/events", "/api/tasks/{task}/events"),
    "a courier's day": ("courier", "/api/me/tasks/{date}", "/api/me/tasks/2026-11-20"),
    "an empty day": ("courier", "/api/me/tasks/{date}", "/api/me/tasks/2026-11-28"),
    "store": ("client", "/api/stores/{id}", "/api/stores/{store}"),
    "stores": ("dispatcher", "/api/stores", "/api/stores"),
    "my stores": ("owner", "/api/me/stores", "/api/me/stores"),
    "a store's deliveries": ("client", "/api/stores/{id}/deliveries", "/api/stores/{store}/deliveries?page=1"),
    "address": ("client", "/api/addresses/{id}", "/api/addresses/{address}"),
    "order": ("client", "/api/orders/{id}", "/api/orders/{order}"),
    "me, a person": ("owner", "/api/me", "/api/me"),
    "me, a program": ("client", "/api/me", "/api/me"),
    "webhooks": ("client", "/api/webhooks", "/api/webhooks"),
    "webhook": ("client", "/api/webhooks/{id}", "/api/webhooks/{hook}"),
    "how a webhook does": ("client", "/api/webhooks/{id}/state", "/api/webhooks/{hook}/state"),
    "calls": ("client", "/api/webhooks/{id}/calls", "/api/webhooks/{hook}/calls"),
    "call": ("client", "/api/webhooks/{id}/calls/{call_id}", "/api/webhooks/{hook}/calls/{call}"),
    "price lists": ("courier", "/api/pricing_rule_sets", "/api/pricing_rule_sets"),
    "price list": ("courier", "/api/pricing_rule_sets/{id}", "/api/pricing_rule_sets/{rules}"),
    "who is priced": ("courier", "/api/pricing_rule_sets/{id}/applications", "/api/pricing_rule_sets/{rules}/applications"),
    "what happened": ("client", "/api/events", "/api/events"),
    "nothing happened": ("client", "/api/events", "/api/events?cursor=latest"),
    "one thing that happened": ("client", "/api/events/{key}", "{event}"),
    "no cursor": ("client", "/api/events", "/api/events?cursor=x"),
    "no token": ("nobody", "/api/me", "/api/me"),
    "a bad token": ("till", "/api/tasks", "/api/tasks"),
    "no right": ("client", "/api/tasks", "/api/tasks"),
    "nothing there": ("client", "/api/tasks/{id}", "/api/tasks/123456"),
    "a bad parameter": ("dispatcher", "/api/tasks", "/api/tasks?date=x"),
}


@pytest.mark.parametrize("form", [LD, "application/json"])
@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_as_described(world: World, openapi: dict[str, Any], name: str, form: str) -> None:
    caller, path, asked = ANSWERS[name]
    pks = {"held": world.held.pk, "task": world.task_ids(world.held)[0], "store": world.store.pk, "address": world.store.address_id}
    hook = webhooks.subscribed(world)
    told = {"hook": hook.pk, "call": webhooks.owed(hook).pk, "event": webhooks.happened(world)}
    pks |= {"rules": prices.rule(world).rule_set_id, "order": world.held.order_id}
    response = world[caller].get(asked.format(**pks, **told), accept=form)
    assert conforms(openapi, "get", path, response, form=form) == []


@pytest.mark.parametrize(("body", "status"), [(REQUEST, 201), (FULL, 201), ({}, 400), (b"{", 400)])
@pytest.mark.parametrize("form", [LD, "application/json"])
def test_a_new_delivery_is_as_described(world: World, openapi: dict[str, Any], body: Any, status: int, form: str) -> None:
    response = world["client"].post("/api/deliveries", body, accept=form)
    assert response.status_code == status
    assert conforms(openapi, "post", "/api/deliveries", response, form=form) == []


@pytest.mark.parametrize(("body", "status"), [(prices.ASKED, 201), (b"{}", 400), ({"name": "Bad", "rules": [{"expression": "("}]}, 400)])
@pytest.mark.parametrize("form", [LD, "application/json"])
def test_a_new_price_list_is_as_described(world: World, openapi: dict[str, Any], body: Any, status: int, form: str) -> None:
    response = world["admin"].post("/api/pricing_rule_sets", body, accept=form)
    assert response.status_code == status
    assert conforms(openapi, "post", "/api/pricing_rule_sets", response, form=form) == []


@pytest.mark.parametrize("form", [LD, "application/json"])
@pytest.mark.parametrize("path", ["/api/retail_prices/calculate", "/api/pricing_rules/{id}/evaluate"])
def test_prices_are_as_described(world: World, openapi: dict[str, Any], path: str, form: str) -> None:
    known = prices.rule(world)
    for body, status in ((REQUEST, 200), (b"{}", 400)):
        response = world["client"].post(path.format(id=known.pk), body, accept=form)
        assert response.status_code == status
        assert conforms(openapi, "post", path, response, form=form) == []


@pytest.mark.parametrize(("body", "status"), [(webhooks.ASKED, 201), ({}, 400)])
@pytest.mark.parametrize("form", [LD, "application/json"])
def test_a_new_webhook_is_as_described(world: World, openapi: dict[str, Any], body: Any, status: int, form: str) -> None:
    response = world["client"].post("/api/webhooks", body, accept=form)
    assert response.status_code == status
    assert conforms(openapi, "post", "/api/webhooks", response, form=form) == []


@pytest.mark.parametrize(
    "call",
    ["put /enable", "put /disable", "post /rotate", "post /test", "post /resend", "post /calls/{call_id}/resend"],
)
def test_what_is_done_with_a_webhook_is_as_described(world: World, openapi: dict[str, Any], call: str) -> None:
    method, _, path = call.partition(" ")
    hook = webhooks.subscribed(world)
    asked = f"/api/webhooks/{hook.pk}{path.format(call_id=webhooks.owed(hook).pk)}"
    response = world["client"].call(method.upper(), asked)
    assert conforms(openapi, method, f"/api/webhooks/{{id}}{path}", response) == []


def test_the_examples_are_bodies_as_described(openapi: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/DeliveryInput", "components": openapi["components"]}
    for body in (orjson.loads(REQUEST), FULL):
        assert list(Draft202012Validator(schema).iter_errors(body)) == []


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "application/vnd.openapi+json", "text/html"])
def test_the_document_is_given_whatever_is_asked_for(accept: str) -> None:
    response = Client().get("/api/docs.json", headers={"accept": accept} if accept else {})
    assert response.status_code == 200
    assert response["Content-Type"] == ("application/vnd.openapi+json" if "openapi" in accept else "application/json")
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", LD, "text/html", "image/png"])
def test_the_page_is_given_whatever_is_asked_for(accept: str) -> None:
    page = Client().get("/api/docs", headers={"accept": accept})
    assert (page.status_code, page["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert b"<title>Relais \xc2\xb7 CoopCycle API</title>" in page.content
    assert orjson.loads(document())["info"]["title"] == "Relais · CoopCycle API"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api", "/api/settings", "/api/docs.json", "/api/docs.jsonld", "/api/contexts/Task", "/api/nowhere"])
def test_an_empty_accept_asks_for_anything(path: str) -> None:
    empty, anything = (Client().get(path, headers={"accept": accept}) for accept in ("", "*/*"))
    assert (empty.status_code, empty["Content-Type"]) == (anything.status_code, anything["Content-Type"])


def test_the_page_loads_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs")
    assert (page.status_code, page["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert b"//cdn" not in page.content
    script = Client().get("/api/docs?script=")
    assert b'"/api/docs.json"' in script.content
    assert script["Content-Type"].startswith("application/javascript")
