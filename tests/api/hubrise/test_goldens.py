"""The whole answer of every call, byte for byte, kept in `golden/`; ids that are random are named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings

from deliveries import couriers, intake, transitions
from deliveries.models import Delivery, Task
from stores.actors import SYSTEM
from stores.models import Order
from stores.places import Point
from tests import factories
from tests.api.hubrise.listening import listener, tell
from tests.api.hubrise.test_openapi import ORDER
from tests.api.hubrise.till import DELIVERY, POSITION, QUOTE, Reply, Till
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

FOLDER = Path(__file__).parent / "golden"
WRITTEN = orjson.OPT_INDENT_2


class Shop:
    """A store called 3r4s3-1 and its tills; what is made gets a name in the order of its making."""

    def __init__(self) -> None:
        address = factories.AddressFactory.create(street_address="24, Rue de la Paix", postal_code="75002", locality="Paris", country="FR")
        account = factories.AccountFactory.create(public_id="3r4s3", name="Chez Ada")
        self.store = factories.StoreFactory.create(public_id="3r4s3-1", account=account, name="Chez Ada Paix", address=address)
        self.till = Till(factories.hubrise_token(store=self.store))
        self.owner = Till(factories.hubrise_token(account=account))
        self.reader = Till(factories.hubrise_token(store=self.store, scopes="orders.read"))
        self.names = {settings.BASE_URL: "<site>"}

    def made(self, kind: str, reply: Reply) -> str:
        """The id in an answer, to be called `kind` from now on."""
        assert reply.status == 200, reply.raw
        self.names[reply.json["id"]] = f"<{kind}>"
        return str(reply.json["id"])

    def order(self) -> str:
        return "/location/orders/" + self.made("order", self.till.post("/location/orders", ORDER | {"private_ref": "till-7"}))

    def quote(self, order: str) -> str:
        return f"{order}/delivery_quotes/" + self.made("quote", self.till.post(f"{order}/delivery_quotes", QUOTE))

    def delivery(self, order: str, **fields: Any) -> str:
        self.made("delivery", self.till.post(f"{order}/delivery", DELIVERY | fields))
        return f"{order}/delivery"

    def attached(self) -> None:
        self.delivery(f"/location/orders/{Order.objects.get().public_id}")

    def delivered(self) -> None:
        self.till.patch(f"/location/orders/{Order.objects.get().public_id}/delivery", {"status": "delivered", "driver_name": "Bea"})

    def events(self, *changes: Callable[["Shop"], Any]) -> Reply:
        """What another client of the store is told of these changes."""
        self.other = listener(self.store)
        for change in changes:
            change(self)
            tell()
        for number, head in enumerate(self.other.heads(), start=1):
            self.names[head["id"]] = f"<event {number}>"
        return self.other.till.get("/callback/events")

    def event(self, resource: str, kind: str, *changes: Callable[["Shop"], Any]) -> Reply:
        """What another client of the store is told last of a resource, after these changes."""
        heads = self.events(*changes).json
        head = next(head for head in reversed(heads) if (head["resource_type"], head["event_type"]) == (resource, kind))
        return self.other.till.get(f"/callback/events/{head['id']}")

    def renamed(self) -> None:
        self.store.name, self.store.enabled = "Chez Ada Opera", False
        intake.amend_store(self.store, by=SYSTEM, at=NOON)

    def by_house(self) -> str:
        """A delivery of the house, with a courier who was just seen."""
        order = self.order()
        self.made("delivery", self.till.post(f"{order}/delivery", {"carrier": "Relais", "carrier_ref": "relais", "status": "pending"}))
        courier = factories.CourierFactory.create(user__first_name="Ana", user__last_name="Lima", user__telephone="+33611111111")
        couriers.locate(courier, Point(48.86, 2.35), at=NOON)
        transitions.assign(Task.objects.get(type="PICKUP"), courier, by=SYSTEM, at=NOON)
        self.names[Delivery.objects.get().tracking_token] = "<token>"
        return f"{order}/delivery"


CALLS: dict[str, Callable[[Shop], Reply]] = {
    "create_order": lambda shop: shop.till.post("/location/orders", ORDER | {"private_ref": "till-7"}),
    "get_order": lambda shop: shop.till.get(shop.order()),
    "get_order_with_delivery": lambda shop: shop.till.get(shop.delivery(shop.order()).removesuffix("/delivery")),
    "list_orders": lambda shop: (shop.order(), shop.till.get("/location/orders"))[1],
    "list_orders_of_account": lambda shop: (shop.order(), shop.owner.get("/account/orders"))[1],
    "patch_order": lambda shop: shop.till.patch(
        shop.order(), {"status": "accepted", "custom_fields": {"epos": {"id": 7}}, "items": [{"id": "1", "deleted": True}]}
    ),
    "create_quote": lambda shop: shop.till.post(f"{shop.order()}/delivery_quotes", QUOTE),
    "get_quote": lambda shop: shop.till.get(shop.quote(shop.order())),
    "list_quotes": lambda shop: shop.till.get(shop.quote(shop.order()).rpartition("/")[0]),
    "accept_quote": lambda shop: shop.till.post(f"{shop.quote(shop.order())}/accept", {}),
    "create_delivery": lambda shop: shop.till.post(f"{shop.order()}/delivery", DELIVERY),
    "get_delivery": lambda shop: shop.till.get(shop.delivery(shop.order())),
    "get_delivery_of_the_house": lambda shop: shop.till.get(shop.by_house()),
    "patch_delivery_position": lambda shop: shop.till.patch(shop.delivery(shop.order()), POSITION),
    "patch_delivery_status": lambda shop: shop.till.patch(shop.delivery(shop.order()), {"status": "delivered"}),
    "get_callback": lambda shop: shop.till.get("/callback"),
    "create_callback": lambda shop: shop.till.post("/callback", {"url": None, "events": {"order": ["create"], "delivery": ["update"]}}),
    "event_order_create": lambda shop: shop.event("order", "create", Shop.order),
    "event_order_update": lambda shop: shop.event("order", "update", Shop.order, Shop.attached),
    "event_delivery_create": lambda shop: shop.event("delivery", "create", Shop.order, Shop.attached),
    "event_delivery_update": lambda shop: shop.event("delivery", "update", Shop.order, Shop.attached, Shop.delivered),
    "event_location_update": lambda shop: shop.event("location", "update", Shop.renamed),
    "list_events": lambda shop: shop.events(Shop.order, Shop.attached),
    "error_422_callback": lambda shop: shop.till.post("/callback", {"url": "x", "events": {"order": ["delete"], "quote": []}}),
    "get_location": lambda shop: shop.till.get("/location"),
    "list_locations": lambda shop: shop.owner.get("/locations"),
    "get_account": lambda shop: shop.owner.get("/account"),
    "error_400": lambda shop: shop.till.call("POST", "/location/orders", raw=b"{"),
    "error_401": lambda shop: Till("x").get("/location/orders"),
    "error_403_scope": lambda shop: shop.reader.post("/location/orders", {"status": "new"}),
    "error_403_level": lambda shop: shop.owner.get("/location/orders"),
    "error_404": lambda shop: shop.till.get("/location/orders/none/delivery"),
    "error_404_route": lambda shop: shop.till.get("/deliveries/1"),
    "error_405": lambda shop: shop.till.call("DELETE", "/location/orders"),
    "error_415": lambda shop: shop.till.call("POST", "/location/orders", raw=b"a=b", media_type="application/x-www-form-urlencoded"),
    "error_422": lambda shop: shop.till.post(f"{shop.order()}/delivery_quotes", {"fee": "4.50 USD"}),
    "error_422_second_delivery": lambda shop: shop.till.post(shop.delivery(shop.order()), DELIVERY),
}


def named(shop: Shop, reply: Reply) -> bytes:
    """Status, type and body of an answer, with its random ids named."""
    body = reply.json
    if isinstance(body, dict) and not body.get("id", "3r4s3").startswith("3r4s3"):
        shop.names.setdefault(body["id"], "<new>")
    shown = orjson.dumps({"status": reply.status, "type": reply.headers["Content-Type"], "body": body}, option=WRITTEN) + b"\n"
    for made, name in shop.names.items():
        shown = shown.replace(made.encode(), name.encode())
    return shown


@pytest.mark.parametrize("name", CALLS)
def test_answers_stay_as_they_are(name: str) -> None:
    """A first run without the file writes it, and fails so that somebody reads it."""
    shop = Shop()
    got = named(shop, CALLS[name](shop))
    path = FOLDER / f"{name}.json"
    if not path.exists():
        path.write_bytes(got)
        raise AssertionError(f"{path.name} was written: read it, and keep it if it is right")
    assert got.decode() == path.read_text()


def test_no_answer_is_kept_that_nobody_asks_for() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(CALLS)
