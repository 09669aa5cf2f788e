"""What every call costs in queries, the same however many rows there are."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliveries import transitions
from deliveries.api.coopcycle.urls import urlpatterns
from deliveries.models import Call, CallState
from stores.actors import SYSTEM
from stores.models import Order
from tests import factories
from tests.api.coopcycle import prices, webhooks
from tests.api.coopcycle.knocking import World
from tests.factories import NOON

DOCUMENT = {
    "pickup": {"address": "24, Rue de la Paix, Paris, France", "before": "tomorrow 12:00"},
    "dropoff": {"address": "48, Rue de Rivoli, Paris, France", "before": "tomorrow 13:30"},
}
WINDOW = {"after": "2026-11-21 10:00", "before": "2026-11-21 11:00"}
TODAY = f"{NOON:%Y-%m-%d}"

Before = Callable[[World], object]


def nothing(world: World) -> None:
    """The call finds the rows as they are."""


def finish_pickup(world: World) -> None:
    transitions.complete(world.held.tasks.order_by("position")[0], by=SYSTEM, at=NOON)


def cancel_pickup(world: World) -> None:
    transitions.cancel(world.held.tasks.order_by("position")[0], by=SYSTEM, at=NOON)


def settle(world: World) -> None:
    """No call is under way, so that there is room for another."""
    Call.objects.update(state=CallState.FAILED, settled_at=NOON)


def tell_all(world: World) -> None:
    for pk in Order.objects.values_list("pk", flat=True):
        webhooks.tell(f"order {pk}")


PRICES: list[tuple[str, str, str, Any, int, Before]] = [
    ("nobody", "GET", "/api", None, 0, nothing),
    ("nobody", "GET", "/api/contexts/Task", None, 0, nothing),
    ("nobody", "GET", "/api/docs.jsonld", None, 0, nothing),
    ("nobody", "GET", "/api/docs", None, 0, nothing),
    ("nobody", "GET", "/api/docs.json", None, 0, nothing),
    ("nobody", "GET", "/api/settings", None, 1, nothing),
    ("nobody", "GET", "/api/routing/route/48.86,2.33;48.85,2.36", None, 0, nothing),
    ("dispatcher", "GET", "/api/token/check", None, 1, nothing),
    ("client", "GET", "/api/me", None, 1, nothing),
    ("dispatcher", "GET", "/api/me", None, 1, nothing),
    ("courier", "POST", "/api/me/location", [{"latitude": 48.86, "longitude": 2.35, "time": "2026-11-20T10:59:00Z"}], 3, nothing),
    ("owner", "GET", "/api/me/stores", None, 3, nothing),
    ("courier", "GET", f"/api/me/tasks/{TODAY}", None, 4, nothing),
    ("dispatcher", "GET", "/api/stores", None, 3, nothing),
    ("client", "GET", "/api/stores/{store}", None, 2, nothing),
    ("client", "GET", "/api/stores/{store}/deliveries", None, 5, nothing),
    ("client", "GET", "/api/addresses/{address}", None, 2, nothing),
    ("client", "GET", "/api/orders/{order}", None, 2, nothing),
    ("client", "POST", "/api/deliveries", DOCUMENT, 10, nothing),
    ("client", "GET", "/api/deliveries/{held}", None, 3, nothing),
    ("client", "PUT", "/api/deliveries/{held}", {"dropoff": {"comments": "Ring twice"}}, 15, nothing),
    ("client", "DELETE", "/api/deliveries/{free}", None, 11, nothing),
    ("client", "PUT", "/api/deliveries/{held}/pick", {}, 12, nothing),
    ("client", "PUT", "/api/deliveries/{held}/drop", {}, 12, finish_pickup),
    ("dispatcher", "GET", "/api/tasks", None, 2, nothing),
    ("client", "GET", "/api/tasks/{pickup}", None, 2, nothing),
    ("client", "GET", "/api/tasks/{pickup}/events", None, 3, nothing),
    ("courier", "PUT", "/api/tasks/{pickup}/start", {}, 9, nothing),
    ("courier", "PUT", "/api/tasks/{pickup}/done", {}, 10, nothing),
    ("courier", "PUT", "/api/tasks/{pickup}/failed", {"reason": "DAMAGED"}, 9, nothing),
    ("dispatcher", "PUT", "/api/tasks/{loose}/assign", {"username": "bob"}, 14, nothing),
    ("courier", "PUT", "/api/tasks/{pickup}/unassign", {}, 10, nothing),
    ("dispatcher", "PUT", "/api/tasks/{pickup}/cancel", {}, 9, nothing),
    ("dispatcher", "PUT", "/api/tasks/{pickup}/restore", {}, 9, cancel_pickup),
    ("dispatcher", "PUT", "/api/tasks/{pickup}/reschedule", WINDOW, 10, nothing),
    ("client", "GET", "/api/webhooks", None, 3, nothing),
    ("client", "POST", "/api/webhooks", webhooks.ASKED, 5, nothing),
    ("client", "GET", "/api/webhooks/{webhook}", None, 2, nothing),
    ("client", "DELETE", "/api/webhooks/{webhook}", None, 7, nothing),
    ("client", "GET", "/api/webhooks/{webhook}/state", None, 3, nothing),
    ("client", "PUT", "/api/webhooks/{webhook}/enable", None, 10, settle),
    ("client", "PUT", "/api/webhooks/{webhook}/disable", None, 6, nothing),
    ("client", "POST", "/api/webhooks/{webhook}/rotate", None, 4, nothing),
    ("client", "POST", "/api/webhooks/{webhook}/test", None, 8, settle),
    ("client", "POST", "/api/webhooks/{webhook}/resend", None, 4, nothing),
    ("client", "GET", "/api/webhooks/{webhook}/calls", None, 4, nothing),
    ("client", "GET", "/api/webhooks/{webhook}/calls/{call}", None, 4, nothing),
    ("client", "POST", "/api/webhooks/{webhook}/calls/{call}/resend", None, 8, nothing),
    ("client", "POST", "/api/retail_prices/calculate", DOCUMENT, 4, prices.priced),
    ("client", "POST", "/api/pricing_rules/{rule}/evaluate", DOCUMENT, 3, prices.priced),
    ("client", "POST", "/api/deliveries", DOCUMENT, 11, prices.priced),
    ("courier", "GET", "/api/pricing_rule_sets", None, 4, prices.priced),
    ("admin", "POST", "/api/pricing_rule_sets", prices.ASKED, 6, nothing),
    ("courier", "GET", "/api/pricing_rule_sets/{rules}", None, 3, prices.priced),
    ("admin", "PUT", "/api/pricing_rule_sets/{rules}", prices.ASKED, 9, prices.priced),
    ("admin", "DELETE", "/api/pricing_rule_sets/{unused}", None, 7, prices.priced),
    ("courier", "GET", "/api/pricing_rule_sets/{rules}/applications", None, 4, prices.priced),
    ("client", "GET", "/api/events", None, 2, tell_all),
    ("owner", "GET", "/api/events", None, 2, tell_all),
    ("dispatcher", "GET", "/api/events?cursor=latest", None, 3, tell_all),
    ("client", "GET", "/api/events/evt_{event}_order_created", None, 4, tell_all),
]
IDS = [f"{method} {path} by {caller}" for caller, method, path, *_ in PRICES]


def price(world: World, caller: str, method: str, path: str, body: Any) -> int:
    """How many statements a call sends that reach a table; those that only begin and end a transaction do not count."""
    pickup, _ = world.task_ids(world.held)
    loose, _ = world.task_ids(world.delivery)
    hook = world.client.subscriptions.order_by("pk")[0]
    known = {"store": world.store.pk, "held": world.held.pk, "free": world.delivery.pk, "pickup": pickup, "loose": loose}
    known |= {"webhook": hook.pk, "call": hook.calls.order_by("pk")[0].pk, "event": world.held.order.events.order_by("pk")[0].pk}
    if "{rule" in path or "{unused}" in path:
        rule = prices.rule(world)
        known |= {"rule": rule.pk, "rules": rule.rule_set_id, "unused": prices.strange(world).rule_set_id}
    at = path.format(**known, order=world.held.order_id, address=world.held.tasks.order_by("position")[0].address_id)
    world[caller].call(method, "/api/settings")  # what a process does once, such as reading the urls, is no part of a call's price
    with CaptureQueriesContext(connection) as told:
        answer = world[caller].call(method, at, b"" if body is None else body)
    assert answer.status_code < 300, answer.content
    return len([query for query in told.captured_queries if "SAVEPOINT" not in query["sql"]])


def grow(world: World) -> None:
    """Twenty more deliveries, half of them the courier's, and as many stores, webhooks and calls."""
    for number in range(20):
        more = factories.delivery(world.store)
        if number % 2:
            transitions.assign(more.stops[0], world.courier, by=SYSTEM, at=NOON)
        webhooks.owed(webhooks.subscribed(world))
        webhooks.owed(world.client.subscriptions.order_by("pk")[0])
        factories.price_list(*[("distance < 0", "1")] * number)
    factories.StoreFactory.create_batch(20, pricing_rule_set_id=prices.strange(world).rule_set_id)


@pytest.mark.parametrize("many", [False, True], ids=["few rows", "many rows"])
@pytest.mark.parametrize(("caller", "method", "path", "body", "cost", "before"), PRICES, ids=IDS)
def test_what_a_call_costs(world: World, caller: str, method: str, path: str, body: Any, cost: int, before: Before, many: bool) -> None:
    webhooks.owed(webhooks.subscribed(world))
    if many:
        grow(world)
    before(world)
    assert price(world, caller, method, path, body) == cost


def test_every_call_has_a_price() -> None:
    forms = {"/api/login_check", "/api/token/refresh", "/oauth2/token"}  # priced by hashing secrets, not by queries
    named = {path.split("?")[0] for _, _, path, *_ in PRICES}
    for pattern in urlpatterns[:-1]:
        route = "/" + str(pattern.pattern)
        wanted = re.compile(re.sub(r"<[^>]+>", "[^/]+", route))
        assert route in forms or any(wanted.fullmatch(path) for path in named), route
