"""Every call that makes something, in both dialects: who sends it, and what, in a world where it succeeds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps

from deliveries.models import Call as OwedCall
from deliveries.models import CallState
from tests import factories
from tests.api.coopcycle import prices, webhooks
from tests.api.coopcycle.knocking import World, build_world
from tests.api.hubrise.till import DELIVERY, POSITION, QUOTE, Reply, Scene, Till, scene
from tests.factories import NOON

DOCUMENT = {
    "pickup": {"address": "24, Rue de la Paix, Paris, France", "before": "2026-11-21 12:00"},
    "dropoff": {"address": "48, Rue de Rivoli, Paris, France", "before": "2026-11-21 13:30"},
}
HOUSE = {"carrier": "Relais", "carrier_ref": "relais", "status": "pending"}


@dataclass(frozen=True)
class Call:
    """One request that can be sent any number of times."""

    method: str
    path: str
    body: Any
    send: Callable[..., Reply] = field(repr=False)

    def __call__(self, key: str | None = None, /, **headers: str) -> Reply:
        sent = headers if key is None else {**headers, "idempotency_key": key}
        return self.send(self.method, self.path, self.body, **sent)


Made = Callable[[], Call]


def knocking(world: World, caller: str) -> Callable[..., Reply]:
    """A caller under `/api` who gets what a till gets."""

    def send(method: str, path: str, body: Any, **headers: str) -> Reply:
        answer = world[caller].call(method, path, body, **headers)
        return Reply(answer.status_code, dict(answer.headers), answer.content)

    return send


def _knock(caller: str, method: str, path: str | Callable[[World], str], body: Any) -> Made:
    def made() -> Call:
        world = build_world()
        return Call(method, path if isinstance(path, str) else path(world), body, knocking(world, caller))

    return made


def _ring(method: str, path: Callable[[Scene], str], body: Any) -> Made:
    def made() -> Call:
        shop = scene()
        return Call(method, path(shop), body, shop.till.call)

    return made


def _delivered(shop: Scene) -> str:
    path = f"{shop.path}/delivery"
    assert shop.till.post(path, DELIVERY).status == 200
    return path


def _quoted(shop: Scene) -> str:
    quote = shop.till.post(f"{shop.path}/delivery_quotes", QUOTE | {"carrier_ref": "relais"}).json["id"]
    return f"{shop.path}/delivery_quotes/{quote}/accept"


def _hooked(rest: str) -> Callable[[World], str]:
    """A webhook with a call that was given up."""

    def made(world: World) -> str:
        hook = webhooks.subscribed(world)
        call = webhooks.owed(hook)
        OwedCall.objects.filter(pk=call.pk).update(state=CallState.FAILED, settled_at=NOON)
        return f"/api/webhooks/{hook.pk}{rest.format(call=call.pk)}"

    return made


def _called_back(rest: str) -> Callable[[Scene], str]:
    """A callback with an event that is acknowledged."""

    def made(shop: Scene) -> str:
        assert shop.till.post("/callback", CALLBACK).status == 200
        event = shop.till.post("/callback/test", {}).json["id"]
        OwedCall.objects.update(state=CallState.ACKNOWLEDGED, settled_at=NOON)
        return f"/callback{rest.format(event=event)}"

    return made


CALLBACK = {"url": webhooks.URL, "events": {"order": ["create"]}}
ORDER = "/orders/<name:order_id>"
KNOCKS: dict[str, list[Made]] = {
    "POST /api/deliveries": [_knock("client", "POST", "/api/deliveries", DOCUMENT)],
    "POST /api/me/location": [
        _knock("courier", "POST", "/api/me/location", [{"latitude": 48.86, "longitude": 2.35, "time": "2026-11-20T10:59:00Z"}])
    ],
    "POST /api/pricing_rule_sets": [_knock("admin", "POST", "/api/pricing_rule_sets", prices.ASKED)],
    "POST /api/webhooks": [_knock("client", "POST", "/api/webhooks", webhooks.ASKED)],
    **{
        f"POST /api/webhooks/<id:pk>{rest}": [_knock("client", "POST", _hooked(rest.replace("<id:call_id>", "{call}")), b"")]
        for rest in ("/rotate", "/test", "/resend", "/calls/<id:call_id>/resend")
    },
}
"""By method and route; whoever adds a call adds a row."""

RINGS: dict[str, list[Made]] = {
    "POST /orders": [_ring("POST", lambda _: "/location/orders", {"status": "new", "items": []})],
    f"PATCH {ORDER}": [_ring("PATCH", lambda shop: shop.path, {"charges": [{"name": "Bag", "price": "0.10 EUR"}]})],
    f"PUT {ORDER}": [_ring("PUT", lambda shop: shop.path, {"charges": [{"name": "Bag", "price": "0.10 EUR"}]})],
    f"POST {ORDER}/delivery_quotes": [_ring("POST", lambda shop: f"{shop.path}/delivery_quotes", QUOTE)],
    f"POST {ORDER}/delivery_quotes/<name:quote_id>/accept": [_ring("POST", _quoted, {})],
    f"POST {ORDER}/delivery": [
        _ring("POST", lambda shop: f"{shop.path}/delivery", DELIVERY),
        _ring("POST", lambda shop: f"{shop.path}/delivery", HOUSE),
    ],
    f"PATCH {ORDER}/delivery": [
        _ring("PATCH", _delivered, {"status": "delivered"}),
        _ring("PATCH", _delivered, POSITION | {"driver_latitude": "48.9"}),
    ],
    "POST /callback": [_ring("POST", lambda _: "/callback", CALLBACK)],
    "POST /callback/test": [_ring("POST", _called_back("/test"), {})],
    "POST /callback/events/<name:event_id>/resend": [_ring("POST", _called_back("/events/{event}/resend"), {})],
}
"""By method and route, without its version and its location."""

MADE: list[Any] = [
    (f"{name} #{number}", made) for calls in (KNOCKS, RINGS) for name, rows in calls.items() for number, made in enumerate(rows, 1)
]


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of the project, and of the queue."""
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()}


def other_till(shop: Scene) -> Till:
    """Another program of the same store."""
    return Till(factories.hubrise_token(store=shop.store))
