"""Every call that makes something, in both dialects: who sends it, and what, in a world where it succeeds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps

from tests import factories
from tests.api.coopcycle.knocking import World, build_world
from tests.api.hubrise.till import DELIVERY, POSITION, QUOTE, Reply, Scene, Till, scene

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


def _knock(caller: str, method: str, path: str, body: Any) -> Made:
    def made() -> Call:
        world = build_world()
        return Call(method, path, body, knocking(world, caller))

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


ORDER = "/orders/<name:order_id>"
KNOCKS: dict[str, list[Made]] = {
    "POST /api/deliveries": [_knock("client", "POST", "/api/deliveries", DOCUMENT)],
    "POST /api/me/location": [
        _knock("courier", "POST", "/api/me/location", [{"latitude": 48.86, "longitude": 2.35, "time": "2026-11-20T10:59:00Z"}])
    ],
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
        _ring("PATCH", _delivered, {name: f"{value}0" for name, value in POSITION.items()} | {"driver_latitude": "48.9"}),
    ],
}
"""By method and what follows the location in the route."""

MADE: list[Any] = [
    (f"{name} #{number}", made) for calls in (KNOCKS, RINGS) for name, rows in calls.items() for number, made in enumerate(rows, 1)
]


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of the project, and of the queue."""
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()}


def other_till(shop: Scene) -> Till:
    """Another program of the same store."""
    return Till(factories.hubrise_token(store=shop.store))
