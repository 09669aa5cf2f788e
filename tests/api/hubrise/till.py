"""A client of this dialect for tests, and the bodies of the Deliveries document as it prints them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from django.test import Client

from stores.models import Order, Store
from tests import factories

QUOTE = {
    "carrier": "UPS",
    "carrier_ref": "ups",
    "ref": "1Z12345E0291980793",
    "status": "pending",
    "fee": "4.50 EUR",
    "estimated_pickup_at": "2023-01-01T12:00:00+01:00",
    "estimated_dropoff_at": "2023-01-01T12:30:00+01:00",
}
DELIVERY = {
    "carrier": "UPS",
    "carrier_ref": "ups",
    "ref": "1Z12345E0291980793",
    "status": "pending",
    "fee": "4.50 EUR",
    "estimated_pickup_at": "2023-01-01T12:00:00+01:00",
    "estimated_dropoff_at": "2023-01-01T12:30:00+01:00",
    "tracking_url": "https://www.ups.com/track/1Z12345E0291980793",
    "driver_pickup_url": "https://driver.ups.com/pickup/1Z12345E0291980793",
    "driver_name": "John",
    "driver_phone": "+33612345678",
    "driver_phone_access_code": "1234",
    "driver_latitude": "48.856614",
    "driver_longitude": "2.3522219",
}
POSITION = {"driver_latitude": "48.856614", "driver_longitude": "2.3522219"}


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @cached_property
    def json(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def fields(self) -> list[str]:
        """The fields that a 422 names, each once."""
        return list(dict.fromkeys(problem["field"] for problem in self.json.get("errors", [])))


class Till:
    """Speaks the dialect with one token; paths are given without `/v1`."""

    def __init__(self, token: str | None, *, prefix: str = "/v1") -> None:
        self.token = token
        self.prefix = prefix
        self._client = Client()

    def call(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, media_type: str = "application/json", **headers: str
    ) -> Reply:
        content = raw if raw is not None else b"" if body is None else orjson.dumps(body)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            names["X-Access-Token"] = self.token
        response = self._client.generic(method, self.prefix + path, content, content_type=media_type, headers=names)
        return Reply(response.status_code, dict(response.headers), response.content)

    def get(self, path: str) -> Reply:
        return self.call("GET", path, media_type="")

    def post(self, path: str, body: Any = None) -> Reply:
        return self.call("POST", path, body)

    def patch(self, path: str, body: Any) -> Reply:
        return self.call("PATCH", path, body)


@dataclass(frozen=True)
class Scene:
    """A store with an order to deliver, and its till with a token of the store's."""

    store: Store
    order: Order
    till: Till

    @property
    def path(self) -> str:
        """The order, by the short path."""
        return f"/location/orders/{self.order.public_id}"

    @property
    def long_path(self) -> str:
        """The order, under the location's id."""
        return f"/locations/{self.store.public_id}/orders/{self.order.public_id}"


def scene(**order: Any) -> Scene:
    """A till at a store in Paris that has just taken an order."""
    store = factories.StoreFactory.create()
    return Scene(store, factories.order(store, **order), Till(factories.hubrise_token(store=store)))
