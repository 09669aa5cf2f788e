"""Orders: what a till may send, what comes back, which are listed, and what may still change."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from time_machine import Traveller

from deliveries.models import Event
from stores.models import Order, OrderStatus, Store
from tests import factories
from tests.api.hubrise.till import DELIVERY, Scene, Till, scene
from tests.factories import NOON

pytestmark = pytest.mark.django_db

NOW = "2026-11-20T12:00:00+01:00"
PIZZA = {
    "product_name": "Pizza",
    "price": "11.90 EUR",
    "quantity": "1",
    "options": [
        {"option_list_name": "Size", "name": "Large", "price": "3.00 EUR", "quantity": 2},
        {"option_list_name": "Sauce", "name": "Hot", "price": "0.50 EUR", "quantity": 2},
        {"option_list_name": "Extra", "name": "Napkins"},
    ],
}


@pytest.fixture
def shop(noon: Traveller) -> Scene:
    return scene()


def create(shop: Scene, **fields: Any) -> dict[str, Any]:
    reply = shop.till.post("/location/orders", {"status": "new"} | fields)
    assert reply.status == 200, reply.raw
    answered: dict[str, Any] = reply.json
    return answered


def change(shop: Scene, order: dict[str, Any], **fields: Any) -> dict[str, Any]:
    reply = shop.till.patch(f"/location/orders/{order['id']}", fields)
    assert reply.status == 200, reply.raw
    answered: dict[str, Any] = reply.json
    return answered


# Creating


def test_a_status_is_enough(shop: Scene) -> None:
    answered = create(shop)
    assert answered["total"] == "0.00 EUR"
    assert (answered["channel"], answered["created_by"]) == ("Till", "Till")
    assert (answered["customer"], answered["items"], answered["deals"], answered["custom_fields"]) == (None, [], {}, {})
    assert "delivery" not in answered
    assert shop.till.get(f"/location/orders/{answered['id']}").json == answered


def test_a_status_is_required(shop: Scene) -> None:
    reply = shop.till.post("/location/orders", {})
    assert (reply.status, reply.fields) == (422, ["/status"])


@pytest.mark.parametrize("status", OrderStatus.values)
def test_every_status_is_taken_and_may_follow(shop: Scene, status: str) -> None:
    order = create(shop)
    assert change(shop, order, status=status)["status"] == status
    assert create(shop, status=status)["status"] == status


def test_totals_are_added_up(shop: Scene) -> None:
    answered = create(
        shop,
        items=[PIZZA],
        discounts=[{"name": "Friend", "price_off": "2.00 EUR"}],
        charges=[{"name": "Delivery", "price": "2.00 EUR", "tax_rate": "20.0"}],
        payments=[{"amount": "18.00 EUR", "name": "Card", "info": {"last": "4242"}}],
    )
    assert (answered["total"], answered["payment_discrepancy"]) == ("18.90 EUR", "0.90 EUR")
    item = answered["items"][0]
    assert (item["id"], item["deleted"], item["quantity"], item["subtotal"]) == ("1", False, "1.0", "18.90 EUR")
    assert [option["price"] for option in item["options"]] == ["3.00 EUR", "0.50 EUR", "0.00 EUR"]
    assert answered["payments"][0]["info"] == {"last": "4242"}


def test_deals_are_numbered_afresh(shop: Scene) -> None:
    line = {"deal_key": "lunch", "label": "Main", "pricing_effect": "unchanged"}
    answered = create(
        shop, deals={"dinner": {"name": "Dinner"}, "lunch": {"name": "Lunch", "ref": "L"}}, items=[PIZZA | {"deal_line": line}]
    )
    assert list(answered["deals"]) == ["0", "1"]
    assert answered["items"][0]["deal_line"] == line | {"deal_key": "1", "pricing_value": None}


def test_a_guest_is_kept_as_sent(shop: Scene) -> None:
    guest = {
        "first_name": "Ada",
        "phone": "06 12 34 56 78",
        "birth_date": "1990-02-01",
        "latitude": "48.85",
        "longitude": 2.35,
        "sms_marketing": True,
    }
    customer = create(shop, customer=guest, service_type="delivery")["customer"]
    assert customer["id"] is None
    assert {name: customer[name] for name in guest} == guest | {"longitude": "2.35"}
    assert customer["email"] is None
    assert (customer["loyalty_cards"], customer["custom_fields"]) == ([], {})
    assert [customer[name] for name in ("nb_orders", "order_total", "first_order_date", "last_order_date")] == [None] * 4


def test_times_come_back_on_the_locations_clock(noon: Traveller) -> None:
    store = factories.StoreFactory.create(timezone="Europe/Lisbon")
    till = Till(factories.hubrise_token(store=store))
    body = {"status": "new", "expected_time": "2026-07-01T12:00:00Z", "confirmed_time": "2026-07-01T12:00:00"}
    answered = till.post("/location/orders", body).json
    assert answered["created_at"] == "2026-11-20T11:00:00+00:00"
    assert (answered["expected_time"], answered["confirmed_time"]) == ("2026-07-01T13:00:00+01:00", "2026-07-01T12:00:00+01:00")


def test_money_is_in_the_accounts_currency(noon: Traveller) -> None:
    store = factories.StoreFactory.create(account__currency="JPY")
    till = Till(factories.hubrise_token(store=store))
    item = {"product_name": "Ramen", "price": "900.00 JPY", "quantity": "2"}
    assert till.post("/location/orders", {"status": "new", "items": [item]}).json["total"] == "1800.00 JPY"
    reply = till.post("/location/orders", {"status": "new", "items": [item | {"price": "9.00 EUR"}]})
    assert reply.json["errors"] == [{"field": "/items/0/price", "message": "must be in 'JPY' ('EUR' given)"}]


def test_each_client_has_private_refs_of_its_own(shop: Scene) -> None:
    order = create(shop, private_ref="mine", items=[PIZZA | {"private_ref": "p1"}])
    other = Till(factories.hubrise_token(store=shop.store))
    seen = other.get(f"/location/orders/{order['id']}").json
    assert (order["private_ref"], seen["private_ref"]) == ("mine", None)
    assert (order["items"][0]["private_ref"], seen["items"][0]["private_ref"]) == ("p1", None)
    assert other.patch(f"/location/orders/{order['id']}", {"private_ref": "theirs"}).json["private_ref"] == "theirs"
    assert shop.till.get(f"/location/orders/{order['id']}").json["private_ref"] == "mine"
    assert [found["id"] for found in other.get("/location/orders?private_ref=theirs").json] == [order["id"]]
    assert shop.till.get("/location/orders?private_ref=theirs").json == []


def test_the_delivery_is_shown_without_its_position(shop: Scene) -> None:
    delivery = shop.till.post(f"{shop.path}/delivery", DELIVERY).json
    shown = shop.till.get(shop.path).json["delivery"]
    assert shown == {name: value for name, value in delivery.items() if name not in ("driver_latitude", "driver_longitude")}


def test_a_delivery_asked_for_in_the_other_dialect_has_an_order_here(shop: Scene) -> None:
    delivery = factories.delivery(shop.store, price_cents=499)
    order = shop.till.get(f"/location/orders/{delivery.order.public_id}").json
    assert (order["total"], order["charges"][0]["name"], order["created_by"]) == ("4.99 EUR", "Delivery", "Relais")
    assert order["delivery"]["id"] == delivery.public_id
    assert shop.till.get(f"/location/orders/{order['id']}/delivery").json["status"] == "pending"


# Changing


def test_what_may_change_changes(shop: Scene) -> None:
    order = create(shop, custom_fields={"keep": 1, "drop": 2}, private_ref="a", seller_notes="old")
    changes = {"status": "accepted", "confirmed_time": NOW, "seller_notes": "new", "collection_code": "A7", "private_ref": "b"}
    answered = change(shop, order, **changes, custom_fields={"drop": None, "add": {"deep": [1]}})
    assert answered == order | changes | {"custom_fields": {"keep": 1, "add": {"deep": [1]}}}
    assert shop.till.get(f"/location/orders/{order['id']}").json == answered
    assert Event.objects.filter(kind="order.updated").count() == 1


def test_null_clears_what_may_be_empty(shop: Scene) -> None:
    order = create(shop, confirmed_time=NOW, seller_notes="x", collection_code="y", private_ref="z", custom_fields={"a": 1})
    cleared = {"confirmed_time": None, "seller_notes": None, "collection_code": None, "private_ref": None}
    assert change(shop, order, **cleared, custom_fields=None) == order | cleared
    reply = shop.till.patch(f"/location/orders/{order['id']}", {"status": None})
    assert (reply.status, reply.fields) == (422, ["/status"])


def test_what_is_fixed_stays(shop: Scene) -> None:
    order = create(shop, ref="A", service_type="delivery")
    assert change(shop, order, ref="B", service_type="eat_in", created_by="me", total="0.00 EUR") == order
    assert not Event.objects.filter(kind="order.updated").exists()


def test_elements_are_appended_and_taken_out(shop: Scene) -> None:
    order = create(shop, items=[PIZZA])
    cola = {"product_name": "Cola", "price": "2.00 EUR", "quantity": "2"}
    grown = change(shop, order, items=[cola], charges=[{"name": "Bag", "price": "0.10 EUR"}])
    assert [item["id"] for item in grown["items"]] == ["1", "2"]
    assert grown["total"] == "23.00 EUR"
    shrunk = change(shop, order, items=[{"id": "1", "deleted": True}, {"id": "2", "private_ref": "c"}])
    assert [(item["deleted"], item["private_ref"]) for item in shrunk["items"]] == [(True, None), (False, "c")]
    assert shrunk["total"] == "4.10 EUR"
    assert change(shop, order, items=[{"id": "1", "deleted": False}])["items"] == shrunk["items"]
    assert change(shop, order, items=[{"id": "2", "private_ref": None}])["items"][1]["private_ref"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "9", "deleted": True}, "/items/1/id"),
        ({"id": "1", "price": "1.00 EUR"}, "/items/1/price"),
        ({"price": "1.00 EUR"}, "/items/1/product_name"),
    ],
)
def test_elements_themselves_do_not_change(shop: Scene, change: dict[str, Any], field: str) -> None:
    order = create(shop, items=[PIZZA])
    reply = shop.till.patch(f"/location/orders/{order['id']}", {"items": [PIZZA, change]})
    assert reply.status == 422
    assert field in reply.fields
    assert shop.till.get(f"/location/orders/{order['id']}").json == order


def test_there_is_room_for_so_much_and_no_more(shop: Scene) -> None:
    order = create(shop, custom_fields={"a": "x" * 4000}, charges=[{"name": "Bag", "price": "0.10 EUR"}])
    too_long = shop.till.patch(f"/location/orders/{order['id']}", {"custom_fields": {"b": "x" * 5000}})
    too_many = shop.till.patch(f"/location/orders/{order['id']}", {"charges": [{"name": "Bag", "price": "0.10 EUR"}] * 500})
    assert (too_long.status, too_long.fields) == (422, ["/custom_fields"])
    assert (too_many.status, too_many.fields) == (422, ["/charges"])
    assert shop.till.get(f"/location/orders/{order['id']}").json == order


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_post_may_stand_for_another_method(shop: Scene, method: str) -> None:
    reply = shop.till.call("POST", shop.path, {"status": "accepted"}, X_Http_Method_Override=method)
    assert (reply.status, reply.json["status"]) == (200, "accepted")


def test_put_is_patch(shop: Scene) -> None:
    answered = [shop.till.call("PUT", shop.path, {"status": "accepted"}) for _ in range(2)]
    assert [reply.status for reply in answered] == [200, 200]
    assert answered[0].json == answered[1].json


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_only_a_post_stands_for_another_method(shop: Scene, method: str) -> None:
    reply = shop.till.call(method, shop.path, {"status": "accepted"}, X_Http_Method_Override="PATCH")
    assert reply.status == (200 if method == "GET" else 405)
    assert Order.objects.get().status == "new"


# Listing


@pytest.fixture
def evening(shop: Scene) -> list[Order]:
    """Five orders ten minutes apart, the last two at the same moment, the newest first."""
    wanted = [("accepted", 10), ("accepted", 20), ("cancelled", 30), ("new", 30)]
    rows = [factories.order(shop.store, status=OrderStatus(status), at=NOON + timedelta(minutes=late)) for status, late in wanted]
    rows.insert(0, shop.order)
    return rows[::-1]


def ids(till: Till, query: str = "") -> list[str]:
    reply = till.get(f"/location/orders{query}")
    assert reply.status == 200, reply.raw
    return [order["id"] for order in reply.json]


def at(minutes: int) -> str:
    return quote((NOON + timedelta(minutes=minutes)).isoformat())


def test_all_orders_are_listed_newest_first(shop: Scene, evening: list[Order]) -> None:
    factories.order(factories.StoreFactory.create(account=shop.store.account))
    assert ids(shop.till) == [order.public_id for order in evening]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("?status=new", [0, 4]),
        (f"?after={at(10)}", [0, 1, 2, 3]),
        (f"?before={at(10)}", [4]),
        (f"?after={at(10)}&before={at(30)}", [2, 3]),
        ("?after=2026-11-20T12:10:00+01:00", [0, 1, 2, 3]),
        ("?after=2026-11-20T12:10:00", [0, 1, 2, 3]),
        ("?created_by=Relais", [0, 1, 2, 3, 4]),
        ("?created_by=Till", []),
        ("?customer_id=abc", []),
        ("?private_ref=none", []),
        ("?unknown=1", [0, 1, 2, 3, 4]),
    ],
)
def test_filters(shop: Scene, evening: list[Order], query: str, places: list[int]) -> None:
    assert ids(shop.till, query) == [evening[place].public_id for place in places]


def test_created_by_names_the_client(shop: Scene) -> None:
    order = create(shop)
    assert ids(shop.till, "?created_by=Till") == [order["id"]]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_pages_follow_each_other_to_the_end(shop: Scene, evening: list[Order], count: int) -> None:
    seen: list[str] = []
    query = f"?count={count}"
    while True:
        reply = shop.till.get(f"/location/orders{query}")
        seen += [order["id"] for order in reply.json]
        if "X-Cursor-Next" not in reply.headers:
            break
        assert len(reply.json) == count
        query = f"?count={count}&cursor={quote(reply.headers['X-Cursor-Next'])}"
    assert seen == [order.public_id for order in evening]


def test_filters_stand_beside_the_cursor(shop: Scene, evening: list[Order]) -> None:
    first = shop.till.get("/location/orders?count=1&status=new")
    assert ids(shop.till, f"?count=1&status=new&cursor={first.headers['X-Cursor-Next']}") == [evening[4].public_id]


@pytest.mark.parametrize("count", ["5", "100", "1000"])
def test_a_page_that_holds_all_is_the_last(shop: Scene, evening: list[Order], count: str) -> None:
    reply = shop.till.get(f"/location/orders?count={count}")
    assert len(reply.json) == 5
    assert "X-Cursor-Next" not in reply.headers


def test_pages_hold_a_hundred_at_most(shop: Scene) -> None:
    Order.objects.bulk_create(Order(store=shop.store, status="new", created_at=NOON, updated_at=NOON) for _ in range(100))
    for query in ("", "?count=1000"):
        reply = shop.till.get(f"/location/orders{query}")
        assert len(reply.json) == 100
        assert "X-Cursor-Next" in reply.headers


UNREADABLE = ["count=0", "count=-1", "count=x", "count=1.5", "count=", f"count={'9' * 400}", "status=open", "private_ref=%00"]
UNREADABLE += ["cursor=x", "cursor=", "cursor=MTIz", "cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OS4x", "cursor=%E2%82%AC", "cursor=%00"]
UNREADABLE += ["after=yesterday", "before=", "after=9999-99-99", f"created_by={'x' * 300}"]


@pytest.mark.parametrize("query", UNREADABLE)
def test_queries_that_cannot_be_read_name_the_parameter(shop: Scene, query: str) -> None:
    reply = shop.till.get(f"/location/orders?{query}")
    assert (reply.status, reply.fields) == (422, [f"/{query.partition('=')[0]}"])


def test_an_unknown_status_is_told_the_known_ones(shop: Scene) -> None:
    told = shop.till.get("/location/orders?status=open").json["errors"]
    assert told == [{"field": "/status", "message": f"must be one of {', '.join(OrderStatus.values)} ('open' given)"}]


def test_an_account_lists_the_orders_of_its_locations(shop: Scene) -> None:
    sister: Store = factories.StoreFactory.create(account=shop.store.account)
    other = factories.order(sister, at=NOON + timedelta(minutes=1))
    factories.order()
    till = Till(factories.hubrise_token(account=shop.store.account))
    expected = [other.public_id, shop.order.public_id]
    for path in ("/account/orders", f"/accounts/{shop.store.account.public_id}/orders"):
        assert [order["id"] for order in till.get(path).json] == expected


# Places


@pytest.mark.parametrize(
    ("street_address", "postal_code", "locality", "shown"),
    [
        ("24, Rue de la Paix", "75002", "Paris", "24, Rue de la Paix"),
        ("24, Rue de la Paix, Paris, France", "75002", "Paris", "24, Rue de la Paix"),
        ("24, Rue de la Paix, 75002 Paris, France", "75002", "Paris", "24, Rue de la Paix"),
        ("272, rue Saint Honoré 75001 Paris 1er", "75001", "Paris", "272, rue Saint Honoré"),
        ("3, Rue de Paris, 93100 Montreuil", "93100", "Montreuil", "3, Rue de Paris"),
        ("3, Rue de Paris, Montreuil", "", "Paris", "3, Rue de Paris, Montreuil"),
        ("24, Rue de la Paix, Paris, France", "", "", "24, Rue de la Paix, Paris, France"),
        ("Paris", "75002", "Paris", "Paris"),
    ],
)
def test_a_location_shows_its_street_alone(noon: Traveller, street_address: str, postal_code: str, locality: str, shown: str) -> None:
    address = factories.AddressFactory.create(street_address=street_address, postal_code=postal_code, locality=locality)
    store = factories.StoreFactory.create(address=address)
    location = Till(factories.hubrise_token(store=store)).get("/location").json
    assert (location["address"], location["postal_code"], location["city"]) == (shown, postal_code or None, locality or None)


def test_places(shop: Scene) -> None:
    account = {"id": shop.store.account.public_id, "name": shop.store.account.name, "currency": "EUR"}
    owner = Till(factories.hubrise_token(account=shop.store.account, scopes=""))
    location = shop.till.get("/location").json
    assert (location["id"], location["account"], location["timezone"]) == (shop.store.public_id, account, {"name": "Europe/Paris"})
    assert shop.till.get(f"/locations/{shop.store.public_id}").json == location
    assert owner.get("/locations").json == [location]
    assert owner.get("/account").json == owner.get(f"/accounts/{account['id']}").json == account
    assert owner.get("/accounts/nobody").status == 404
