"""How a client sets its callback, reads what it is told, acknowledges it, and verifies what it is sent."""

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.conf import LazySettings
from standardwebhooks import Webhook

from deliveries.api.hubrise.voice import HubRiseVoice
from deliveries.models import Call, CallState, Subscription
from deliveries.outbox import posting, sending
from deliveries.outbox.posting import Outcome
from stores import credentials
from stores.models import Store
from tests import factories
from tests.api.hubrise.listening import ALL, connected, listener
from tests.api.hubrise.till import Till, scene
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


class World:
    """A store that has just taken an order, of which somebody wants to know everything."""

    def __init__(self) -> None:
        self.store: Store = factories.StoreFactory.create()
        self.listener = listener(self.store)
        factories.order(self.store)


# --- Setting a callback --------------------------------------------------------------------------------------------------------


@pytest.fixture
def till() -> Till:
    return scene().till


def test_there_is_none_at_first(till: Till) -> None:
    assert till.get("/callback").json == {"url": None, "events": {}}
    assert till.get("/callback/events").json == []
    assert till.call("DELETE", "/callback").json == {"url": None, "events": {}}
    assert till.post("/callback/test").json == {"message": "Callback does not exist", "error_type": "not_found"}


def test_it_is_set_and_replaced_whole(till: Till, settings: LazySettings) -> None:
    settings.ALLOW_PRIVATE_TARGETS = True
    first = {"url": "http://127.0.0.1:9/hook", "events": {"order": ["create", "update"], "delivery": ["update"]}}
    assert till.post("/callback", first).json == till.get("/callback").json == first
    assert Subscription.objects.get().follows_positions
    second = {"url": None, "events": {"location": ["update"]}}
    assert till.post("/callback", second).json == Till(till.token, prefix="").get("/callback").json == second
    assert not Subscription.objects.get().follows_positions
    assert till.post("/callback", {"url": "", "events": {"order": []}}).json == {"url": None, "events": {}}
    assert till.call("DELETE", "/callback").json == {"url": None, "events": {}}
    assert not Subscription.objects.exists()


def test_replacing_keeps_what_is_owed_and_deleting_ends_it() -> None:
    world = World()
    assert world.listener.names() == ["order.create"]
    assert world.listener.till.post("/callback", {"events": {"delivery": ["create"]}}).status == 200
    assert world.listener.names() == ["order.create"]
    world.listener.till.call("DELETE", "/callback")
    assert (world.listener.heads(), Call.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["/events"]),
        ({"events": None}, ["/events"]),
        ({"events": ["order"]}, ["/events"]),
        ({"events": {"order": "create"}}, ["/events/order"]),
        (
            {"events": {"order": ["create", "delete", 7, None, {}]}},
            ["/events/order/1", "/events/order/2", "/events/order/3", "/events/order/4"],
        ),
        ({"events": {"delivery_quote": ["create"], "location": ["create"]}}, ["/events/delivery_quote", "/events/location/0"]),
        ({"url": 7, "events": {}}, ["/url"]),
        ({"url": "nonsense", "events": {}}, ["/url"]),
        ({"url": "http://example.org/hook", "events": {}}, ["/url"]),
        ({"url": "https://127.0.0.1/hook", "events": {}}, ["/url"]),
        ({"url": "https://[::1]/hook", "events": {}}, ["/url"]),
        ({"url": "https://user:secret@example.org/", "events": {}}, ["/url"]),
        ({"url": f"https://example.org/{'x' * 2000}", "events": {}}, ["/url"]),
    ],
)
def test_what_cannot_be_set_is_refused_by_field(till: Till, settings: LazySettings, body: Any, fields: list[str]) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False
    reply = till.post("/callback", body)
    assert (reply.status, reply.json["error_type"], reply.fields) == (422, "unprocessable_entity", fields)
    assert not Subscription.objects.exists()


# --- Reading and acknowledging -------------------------------------------------------------------------------------------------


def test_events_are_listed_without_states_page_by_page() -> None:
    world = World()
    for _ in range(4):
        factories.order(world.store)
    heads = world.listener.heads()
    assert set(heads[0]) == {"id", "resource_type", "event_type", "created_at", "order_id", "location_id"}
    assert heads[0]["created_at"] == "2026-11-20T12:00:00+01:00"
    first = world.listener.till.get("/callback/events?count=2")
    second = world.listener.till.get(f"/callback/events?count=2&cursor={first.headers['X-Cursor-Next']}")
    last = world.listener.till.get(f"/callback/events?count=2&cursor={second.headers['X-Cursor-Next']}")
    assert [*first.json, *second.json, *last.json] == heads
    assert "X-Cursor-Next" not in last.headers
    assert world.listener.till.get("/callback/events?count=0&cursor=x").fields == ["/count", "/cursor"]


def test_an_event_is_there_until_it_is_acknowledged() -> None:
    world = World()
    (event,) = world.listener.events()
    path = f"/callback/events/{event['id']}"
    assert world.listener.till.call("DELETE", path).json == event
    assert world.listener.heads() == []
    for method in ("GET", "DELETE"):
        reply = world.listener.till.call(method, path)
        assert (reply.status, reply.json["message"]) == (404, "Event does not exist")
    assert world.listener.till.post(f"{path}/resend").json == event
    assert world.listener.events() == [event]


def test_what_was_given_up_is_listed_and_can_be_sent_again() -> None:
    world = World()
    (event,) = world.listener.events()
    Call.objects.update(state=CallState.FAILED, settled_at=NOON)
    assert world.listener.events() == [event]
    assert world.listener.till.post(f"/callback/events/{event['id']}/resend", {}).status == 200
    assert Call.objects.get().state == CallState.WAITING
    assert world.listener.till.call("DELETE", f"/callback/events/{event['id']}").status == 200


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("DELETE", ""), ("POST", "/resend")])
def test_nobody_reaches_the_events_of_others(method: str, rest: str) -> None:
    world = World()
    (event,) = world.listener.events()
    strangers = [
        listener(world.store).till,
        listener(account=world.store.account).till,
        connected(world.listener.client, store=world.store),
    ]
    for stranger in strangers:
        assert stranger.call(method, f"/callback/events/{event['id']}{rest}").status == 404
    assert world.listener.events() == [event]


@pytest.mark.parametrize("wanted", [ALL, {"delivery": ["update"]}, {"location": ["update"]}, {"inventory": ["patch"]}, {}])
def test_a_test_event_appears_like_any_other(wanted: Any) -> None:
    made = listener(factories.StoreFactory.create(), events=wanted)
    event = made.till.post("/callback/test").json
    assert made.till.get(f"/callback/events/{event['id']}").json == event
    assert [head["id"] for head in made.heads()] == [event["id"]]
    assert event["new_state"] is None
    assert made.till.call("DELETE", f"/callback/events/{event['id']}").status == 200


# --- Sending -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> list[tuple[bytes, dict[str, str]]]:
    """What was sent, instead of sending it."""
    settings.ALLOW_PRIVATE_TARGETS = True
    sent: list[tuple[bytes, dict[str, str]]] = []

    def post(url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        sent.append((body, headers))
        return Outcome(status=404, duration_ms=5, excerpt="", error="", retry_after_s=None)

    monkeypatch.setattr(posting, "post", post)
    return sent


def test_what_is_sent_is_signed_with_the_clients_secret(posted: list[tuple[bytes, dict[str, str]]]) -> None:
    store = factories.StoreFactory.create()
    active = listener(store, url="http://127.0.0.1:9/hook")
    old = credentials.unseal(active.client.sealed_secret)
    factories.order(store)
    (event,) = active.events()
    call = Call.objects.get()
    new = credentials.renew_secret(active.client, at=NOON)
    sending.send(call.pk, call.turn, voices={"hubrise": HubRiseVoice()}, at=NOON, chance=0.5)
    ((body, headers),) = posted
    assert orjson.loads(body) == event
    assert headers["webhook-id"] == event["id"] == call.message_id
    assert headers["X-HubRise-Hmac-SHA256"] == hmac.new(new.encode(), body, hashlib.sha256).hexdigest()
    for secret in (old, new):
        Webhook(base64.b64encode(secret.encode()).decode()).verify(body, headers)
    assert HubRiseVoice().keys(Subscription.objects.get(), at=NOON + timedelta(hours=25)) == [new.encode()]
    call.refresh_from_db()
    assert call.state == CallState.ACKNOWLEDGED, "a 404 is an answer"
    assert active.heads() == []


@pytest.mark.parametrize(
    ("status", "arrived"), [(200, True), (204, True), (302, True), (404, True), (499, True), (500, False), (503, False)]
)
def test_what_counts_as_an_acknowledgement(status: int, arrived: bool) -> None:
    assert HubRiseVoice().acknowledges(status) is arrived
