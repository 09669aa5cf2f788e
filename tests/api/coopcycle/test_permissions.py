"""Who may do what: every endpoint, every caller."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from deliveries.api.coopcycle.urls import urlpatterns
from tests.api.coopcycle import prices, webhooks
from tests.api.coopcycle.knocking import World

CALLERS = (
    *("nobody", "till", "client", "key", "creating client", "following client", "seeing client", "neighbour's client"),
    *("neighbour's key", "owner", "neighbour", "courier", "other courier", "dispatcher", "admin"),
)

Call = Callable[[World], tuple[str, str, Any]]
ANYBODY = dict.fromkeys(CALLERS, 200)
NEVER_IN = {"nobody": 401, "till": 401}


def only(status: int = 200, *callers: str, otherwise: int = 403) -> dict[str, int]:
    """These callers get `status`, all others `otherwise`; without a token it is 401 for everybody."""
    return {caller: status if caller in callers else otherwise for caller in CALLERS} | NEVER_IN


DESK = ("dispatcher", "admin")
RIDERS = ("courier", "other courier")
PROGRAMS = ("client", "key", "creating client")
SENDERS = ("client", "key", "creating client", "owner", *DESK)
FOLLOWERS = ("client", "key", "following client", "seeing client", "owner", *DESK)
PEOPLE = ("owner", "neighbour", "courier", "other courier", *DESK)
KNOWN = tuple(caller for caller in CALLERS if caller not in NEVER_IN)

BODY = {"dropoff": {"address": "48, Rue de Rivoli, Paris", "before": "tomorrow 13:30"}}


def delivery(method: str, path: str, body: Any = b"") -> Call:
    return lambda world: (method, f"/api/deliveries/{world.delivery.pk}{path}", body)


def pickup(method: str, path: str, body: Any = b"") -> Call:
    return lambda world: (method, f"/api/tasks/{world.task_ids(world.delivery)[0]}{path}", body)


def held(method: str, path: str, body: Any = b"") -> Call:
    return lambda world: (method, f"/api/tasks/{world.task_ids(world.held)[0]}{path}", body)


def of_store(path: str) -> Call:
    return lambda world: ("GET", f"/api/stores/{world.store.pk}{path}", b"")


def fixed(method: str, path: str, body: Any = b"") -> Call:
    return lambda world: (method, path, body)


def listed(method: str, path: str = "", body: Any = b"") -> Call:
    """A call on the price list of the store."""
    return lambda world: (method, f"/api/pricing_rule_sets/{prices.rule(world).rule_set_id}{path}", body)


def hook(method: str, path: str = "", body: Any = b"") -> Call:
    """A call on a webhook of the client's, which has a call."""

    def call(world: World) -> tuple[str, str, Any]:
        made = webhooks.subscribed(world)
        return method, f"/api/webhooks/{made.pk}{path.format(call=webhooks.owed(made).pk)}", body

    return call


MATRIX: dict[str, tuple[Call, dict[str, int]]] = {
    "POST /api/deliveries naming the store": (
        lambda world: ("POST", "/api/deliveries", {**BODY, "store": f"/api/stores/{world.store.pk}"}),
        only(201, *SENDERS),
    ),
    "POST /api/deliveries naming none": (
        fixed("POST", "/api/deliveries", BODY),
        only(201, "client", "creating client", "neighbour's client") | {"dispatcher": 400, "admin": 400},
    ),
    "GET /api/deliveries/{id}": (delivery("GET", ""), only(200, *SENDERS)),
    "PUT /api/deliveries/{id}": (delivery("PUT", "", {}), only(200, *SENDERS)),
    "DELETE /api/deliveries/{id}": (delivery("DELETE", ""), only(204, *SENDERS)),
    "PUT /api/deliveries/{id}/pick": (delivery("PUT", "/pick", {}), only(200, *SENDERS)),
    "PUT /api/deliveries/{id}/drop": (delivery("PUT", "/drop", {}), only(400, *SENDERS)),
    "GET /api/stores/{id}/deliveries": (of_store("/deliveries"), only(200, *SENDERS)),
    "GET /api/stores/{id}": (
        of_store(""),
        only(200, *SENDERS, "following client", "seeing client", "courier", "other courier"),
    ),
    "GET /api/stores": (fixed("GET", "/api/stores"), only(200, *DESK)),
    "GET /api/me/stores": (fixed("GET", "/api/me/stores"), only(200, *KNOWN)),
    "GET /api/me": (fixed("GET", "/api/me"), only(200, *KNOWN)),
    "GET /api/me/tasks/{date}": (fixed("GET", "/api/me/tasks/2026-11-20"), only(200, "courier", "other courier", *DESK)),
    "POST /api/me/location": (
        fixed("POST", "/api/me/location", [{"latitude": 48.86, "longitude": 2.36}]),
        only(200, "courier", "other courier", *DESK),
    ),
    "GET /api/token/check": (fixed("GET", "/api/token/check"), only(200, *KNOWN)),
    "GET /api/addresses/{id}": (
        lambda world: ("GET", f"/api/addresses/{world.delivery.tasks.order_by('position')[0].address_id}", b""),
        only(200, *SENDERS, "following client", "seeing client"),
    ),
    "GET /api/orders/{id}": (lambda world: ("GET", f"/api/orders/{world.delivery.order_id}", b""), only(200, *SENDERS)),
    "GET /api/tasks": (fixed("GET", "/api/tasks"), only(200, "seeing client", "courier", "other courier", *DESK)),
    "GET /api/tasks/{id}": (pickup("GET", ""), only(200, *FOLLOWERS)),
    "GET /api/tasks/{id}, held": (held("GET", ""), only(200, *FOLLOWERS, "courier")),
    "GET /api/tasks/{id}/events": (pickup("GET", "/events"), only(200, *FOLLOWERS)),
    "PUT /api/tasks/{id}/start": (pickup("PUT", "/start", {}), only(200, *DESK)),
    "PUT /api/tasks/{id}/start, held": (held("PUT", "/start", {}), only(200, "courier", *DESK)),
    "PUT /api/tasks/{id}/done": (pickup("PUT", "/done", {}), only(200, *DESK)),
    "PUT /api/tasks/{id}/done, held": (held("PUT", "/done", {}), only(200, "courier", *DESK)),
    "PUT /api/tasks/{id}/failed": (pickup("PUT", "/failed", {}), only(200, *DESK)),
    "PUT /api/tasks/{id}/failed, held": (held("PUT", "/failed", {}), only(200, "courier", *DESK)),
    "PUT /api/tasks/{id}/unassign": (pickup("PUT", "/unassign", {}), only(200, *DESK)),
    "PUT /api/tasks/{id}/unassign, held": (held("PUT", "/unassign", {}), only(200, "courier", *DESK)),
    "PUT /api/tasks/{id}/assign": (
        pickup("PUT", "/assign", {"username": "bob"}),
        only(200, "courier", "other courier", *DESK),
    ),
    "PUT /api/tasks/{id}/assign, held": (
        held("PUT", "/assign", {"username": "eve"}),
        only(200, *DESK) | {"courier": 400, "other courier": 400},
    ),
    "PUT /api/tasks/{id}/cancel": (pickup("PUT", "/cancel", {}), only(200, *DESK)),
    "PUT /api/tasks/{id}/restore": (pickup("PUT", "/restore", {}), only(200, *DESK)),
    "PUT /api/tasks/{id}/reschedule": (
        pickup("PUT", "/reschedule", {"after": "tomorrow 9:00", "before": "tomorrow 10:00"}),
        only(200, *DESK),
    ),
    "GET /api/webhooks": (fixed("GET", "/api/webhooks"), only(200, *PROGRAMS, "neighbour's client", "neighbour's key")),
    "POST /api/webhooks": (
        fixed("POST", "/api/webhooks", webhooks.ASKED),
        only(201, *PROGRAMS, "neighbour's client", "neighbour's key"),
    ),
    "GET /api/webhooks/{id}": (hook("GET"), only(200, *PROGRAMS)),
    "DELETE /api/webhooks/{id}": (hook("DELETE"), only(204, *PROGRAMS)),
    "GET /api/webhooks/{id}/state": (hook("GET", "/state"), only(200, *PROGRAMS)),
    "PUT /api/webhooks/{id}/enable": (hook("PUT", "/enable"), only(200, *PROGRAMS)),
    "PUT /api/webhooks/{id}/disable": (hook("PUT", "/disable"), only(200, *PROGRAMS)),
    "POST /api/webhooks/{id}/rotate": (hook("POST", "/rotate"), only(200, *PROGRAMS)),
    "POST /api/webhooks/{id}/test": (hook("POST", "/test"), only(202, *PROGRAMS)),
    "POST /api/webhooks/{id}/resend": (hook("POST", "/resend"), only(202, *PROGRAMS)),
    "GET /api/webhooks/{id}/calls": (hook("GET", "/calls"), only(200, *PROGRAMS)),
    "GET /api/webhooks/{id}/calls/{call_id}": (hook("GET", "/calls/{call}"), only(200, *PROGRAMS)),
    "POST /api/webhooks/{id}/calls/{call_id}/resend": (hook("POST", "/calls/{call}/resend"), only(202, *PROGRAMS)),
    "GET /api/events": (
        fixed("GET", "/api/events"),
        only(200, *SENDERS, "neighbour", "neighbour's client", "neighbour's key"),
    ),
    "GET /api/events/{key}": (lambda world: ("GET", webhooks.happened(world), b""), only(200, *SENDERS)),
    "POST /api/retail_prices/calculate": (
        lambda world: ("POST", "/api/retail_prices/calculate", {**BODY, "store": prices.priced(world)}),
        only(200, *SENDERS),
    ),
    "POST /api/pricing_rules/{id}/evaluate": (
        lambda world: ("POST", f"/api/pricing_rules/{prices.rule(world).pk}/evaluate", {**BODY, "store": prices.priced(world)}),
        only(200, *SENDERS),
    ),
    "POST /api/pricing_rules/{id}/evaluate, of another's list": (
        lambda world: ("POST", f"/api/pricing_rules/{prices.strange(world).pk}/evaluate", {**BODY, "store": prices.priced(world)}),
        only(200, *DESK),
    ),
    "GET /api/pricing_rule_sets": (fixed("GET", "/api/pricing_rule_sets"), only(200, *RIDERS, *DESK)),
    "POST /api/pricing_rule_sets": (fixed("POST", "/api/pricing_rule_sets", prices.ASKED), only(201, "admin")),
    "GET /api/pricing_rule_sets/{id}": (listed("GET"), only(200, *RIDERS, *DESK)),
    "PUT /api/pricing_rule_sets/{id}": (listed("PUT", "", {"name": "Other"}), only(200, "admin")),
    "DELETE /api/pricing_rule_sets/{id}": (
        lambda world: ("DELETE", f"/api/pricing_rule_sets/{prices.strange(world).rule_set_id}", b""),
        only(204, "admin"),
    ),
    "GET /api/pricing_rule_sets/{id}/applications": (listed("GET", "/applications"), only(200, *RIDERS, *DESK)),
    "GET /api": (fixed("GET", "/api"), ANYBODY),
    "GET /api/contexts/{name}": (fixed("GET", "/api/contexts/Delivery"), ANYBODY),
    "GET /api/docs": (fixed("GET", "/api/docs"), ANYBODY),
    "GET /api/docs.jsonld": (fixed("GET", "/api/docs.jsonld"), ANYBODY),
    "GET /api/docs.json": (fixed("GET", "/api/docs.json"), ANYBODY),
    "GET /api/settings": (fixed("GET", "/api/settings"), ANYBODY),
    "GET /api/routing/route/{points}": (fixed("GET", "/api/routing/route/48.86,2.35;48.87,2.36"), ANYBODY),
    "POST /api/login_check": (fixed("POST", "/api/login_check"), dict.fromkeys(CALLERS, 401)),
    "POST /api/token/refresh": (fixed("POST", "/api/token/refresh"), dict.fromkeys(CALLERS, 401)),
    "POST /oauth2/token": (fixed("POST", "/oauth2/token"), dict.fromkeys(CALLERS, 400)),
}


@pytest.mark.parametrize("name", MATRIX)
def test_everybody_gets_what_is_theirs(world: World, name: str) -> None:
    call, expected = MATRIX[name]
    method, path, body = call(world)
    got: dict[str, int] = {}
    for caller in CALLERS:
        with transaction.atomic():
            got[caller] = world[caller].call(method, path, body).status_code
            transaction.set_rollback(True)
    assert got == expected


def test_every_endpoint_has_its_row() -> None:
    served = set()
    for pattern in urlpatterns:
        path = re.sub(r"<(\w+:)?(\w+)>", lambda found: "{" + NAMES.get(found[2], found[2]) + "}", str(pattern.pattern))
        view = getattr(pattern.callback, "view_class", None)
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(view, method):
                served.add(f"{method.upper()} /{path}")
    rows = {re.split("[ ,]", row)[0] + " " + re.split("[ ,]", row)[1] for row in MATRIX}
    assert rows == served


NAMES = {"pk": "id"}
