"""Who may call what: every endpoint with every kind of token."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from deliveries.api.hubrise.voice import HubRiseVoice
from deliveries.models import Call, Delivery, Subscription
from deliveries.outbox import sending, subscriptions
from quotes.models import DeliveryQuote
from stores import credentials
from stores.actors import SYSTEM
from stores.models import Account, Connection, Dialect, Store
from tests import factories
from tests.api.hubrise.till import DELIVERY, POSITION, QUOTE, Till, scene
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

READS, WRITES, OWNS = "reads", "writes", "owns"

OF_AN_ORDER: list[tuple[str, str, Any, str]] = [
    ("GET", "", None, READS),
    ("PATCH", "", {"status": "accepted"}, WRITES),
    ("PUT", "", {"status": "accepted"}, WRITES),
    ("GET", "/delivery_quotes", None, READS),
    ("POST", "/delivery_quotes", QUOTE, WRITES),
    ("GET", "/delivery_quotes/{quote}", None, READS),
    ("POST", "/delivery_quotes/{quote}/accept", {}, WRITES),
    ("GET", "/delivery", None, READS),
    ("PATCH", "/delivery", POSITION, WRITES),
]
ENDPOINTS: list[tuple[str, str, str, Any, str]] = [
    *(
        (form, method, f"{{{form}}}/orders/{{order}}{path}", body, right)
        for form in ("short", "long")
        for method, path, body, right in OF_AN_ORDER
    ),
    *((form, "POST", f"{{{form}}}/orders/{{bare}}/delivery", DELIVERY, WRITES) for form in ("short", "long")),
    *((form, "GET", f"{{{form}}}/orders", None, READS) for form in ("short", "long")),
    *((form, "POST", f"{{{form}}}/orders", {"status": "new"}, WRITES) for form in ("short", "long")),
    *((form, "GET", f"{{{form}}}", None, OWNS) for form in ("short", "long")),
    ("account", "GET", "/account", None, OWNS),
    ("account", "GET", "/accounts/{account}", None, OWNS),
    ("account", "GET", "/locations", None, OWNS),
    ("account", "GET", "/account/orders", None, READS),
    ("account", "GET", "/accounts/{account}/orders", None, READS),
]


def revoked(store: Store) -> str:
    token = factories.hubrise_token(store=store)
    credentials.revoke(Connection.objects.get(digest=credentials.digest(token)), at=timezone.now())
    return token


def sister(store: Store) -> str:
    return factories.hubrise_token(store=factories.StoreFactory.create(account=store.account))


def neighbour(store: Store) -> str:
    return factories.hubrise_token(store=factories.StoreFactory.create())


def other_account(store: Store) -> str:
    account: Account = factories.AccountFactory.create()
    return factories.hubrise_token(account=account)


def of_scope(scopes: str) -> Callable[[Store], str]:
    return lambda store: factories.hubrise_token(store=store, scopes=scopes)


def of_account(scopes: str) -> Callable[[Store], str]:
    return lambda store: factories.hubrise_token(account=store.account, scopes=scopes)


TOKENS: dict[str, Callable[[Store], str | None]] = {
    "none": lambda store: None,
    "empty": lambda store: "",
    "unknown": lambda store: "0" * 40,
    "not even latin": lambda store: "\xe9\xff",
    "revoked": revoked,
    "CoopCycle key": factories.api_key,
    "own": of_scope("orders.write"),
    "own, both scopes": of_scope("orders.read orders.write"),
    "own, read only": of_scope("orders.read"),
    "own, other scopes": of_scope("catalog.write"),
    "own account's": of_account("orders.write"),
    "own account's, read only": of_account("orders.read"),
    "sister store's": sister,
    "neighbour's": neighbour,
    "other account's": other_account,
}


def expected(token: str, form: str, right: str, *, named: bool, of_an_order: bool) -> int:
    """What a token may: 200, or the status it is refused with. `named` paths carry the id of a location or an account."""
    if token in ("none", "empty", "unknown", "not even latin", "revoked", "CoopCycle key"):
        return 401
    of_account = "account" in token
    if (form == "short" and of_account) or (form == "account" and not of_account):
        return 403
    if right == WRITES and ("read only" in token or "other scopes" in token):
        return 403
    if right == READS and "other scopes" in token:
        return 403
    foreign = token in ("sister store's", "neighbour's", "other account's")
    return 404 if foreign and (named or of_an_order) else 200


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(("form", "method", "path", "body", "right"), ENDPOINTS, ids=lambda value: value if isinstance(value, str) else "")
def test_matrix(token: str, form: str, method: str, path: str, body: Any, right: str) -> None:
    place = scene()
    bare = factories.order(place.store)
    quote = place.till.post(f"{place.path}/delivery_quotes", QUOTE).json["id"]
    place.till.post(f"{place.path}/delivery", DELIVERY)
    before = Delivery.objects.count(), DeliveryQuote.objects.count(), list(DeliveryQuote.objects.values_list("accepted_at"))
    ids = {"order": place.order.public_id, "bare": bare.public_id, "quote": quote, "account": place.store.account.public_id}
    url = path.format(short="/location", long=f"/locations/{place.store.public_id}", **ids)
    reply = Till(TOKENS[token](place.store)).call(method, url, body)
    wanted = expected(token, form, right, named=form == "long" or "{account}" in path, of_an_order="/orders/" in path)
    assert reply.status == wanted, reply.raw
    if wanted != 200:
        words = {401: "unauthorized", 403: "forbidden", 404: "not_found"}
        assert reply.json["error_type"] == words[wanted]
        assert before == (Delivery.objects.count(), DeliveryQuote.objects.count(), list(DeliveryQuote.objects.values_list("accepted_at")))


OF_A_CONNECTION: list[tuple[str, str, Any]] = [
    ("GET", "/callback", None),
    ("POST", "/callback", {"events": {}}),
    ("DELETE", "/callback", None),
    ("POST", "/callback/test", None),
    ("GET", "/callback/events", None),
    ("GET", "/callback/events/{event}", None),
    ("DELETE", "/callback/events/{event}", None),
    ("POST", "/callback/events/{event}/resend", None),
]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(("method", "path", "body"), OF_A_CONNECTION, ids=lambda value: value if isinstance(value, str) else "")
def test_matrix_of_callbacks(token: str, method: str, path: str, body: Any) -> None:
    """Each connection has its own callback, for which the right to read orders will do."""
    held = TOKENS[token](factories.StoreFactory.create())
    connection = Connection.objects.filter(digest=credentials.digest(held or "")).first()
    event = "none"
    if connection is not None and connection.client.dialect == Dialect.HUBRISE:
        made = subscriptions.call_back(connection, "", ["order.update"], follows_positions=False, by=SYSTEM, at=NOON)
        event = sending.send_test(made, voice=HubRiseVoice(), at=NOON).message_id
    before = list(Subscription.objects.values()), list(Call.objects.values())
    reply = Till(held).call(method, path.format(event=event), body)
    wanted = expected(token, "", READS, named=False, of_an_order=False)
    assert reply.status == wanted, reply.raw
    if wanted != 200:
        assert before == (list(Subscription.objects.values()), list(Call.objects.values()))


def test_refusals_say_which_right_is_missing() -> None:
    place = scene()
    reader, nobody, owner = (Till(TOKENS[name](place.store)) for name in ("own, read only", "own, other scopes", "own account's"))
    assert reader.patch(place.path, {}).json == {"message": "An 'orders' write scope is required", "error_type": "forbidden"}
    assert nobody.get(place.path).json == {"message": "An 'orders' read scope is required", "error_type": "forbidden"}
    assert owner.get(place.path).json == {"message": "A location-level access token is required", "error_type": "forbidden"}
    assert place.till.get("/locations").json == {"message": "An account-level access token is required", "error_type": "forbidden"}
    assert Till("x").get(place.path).json == {
        "message": "The access token is invalid or the connection has been revoked",
        "error_type": "unauthorized",
    }


def test_an_account_reaches_every_location_of_its_own() -> None:
    place = scene()
    other = factories.order(factories.StoreFactory.create(account=place.store.account))
    owner = Till(factories.hubrise_token(account=place.store.account))
    path = f"/locations/{other.store.public_id}/orders/{other.public_id}"
    assert owner.get(path).status == 200
    assert owner.get(path.replace(other.store.public_id, place.store.public_id)).json["message"] == "Order does not exist"
