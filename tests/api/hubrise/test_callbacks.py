"""Callbacks: who is told of what, with which states, and how a client sets one, reads, acknowledges and verifies."""

import base64
import hashlib
import hmac
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.conf import LazySettings
from standardwebhooks import Webhook

from deliveries import amending, booking, couriers, intake, transitions
from deliveries.amending import StopChange
from deliveries.api.hubrise.voice import HubRiseVoice
from deliveries.models import Call, CallState, Delivery, Event, Subscription, Task
from deliveries.outbox import posting, sending
from deliveries.outbox.posting import Outcome
from deliveries.statuses import DeliveryStatus
from deliveries.stops import StopDraft
from quotes.offers import Offer
from stores import credentials
from stores.actors import SYSTEM
from stores.models import Account, ApiClient, Order, Store
from stores.places import Point
from tests import factories
from tests.api.hubrise.listening import ALL, States, listener, tell
from tests.api.hubrise.till import DELIVERY, Till, scene
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

LATER = NOON + timedelta(minutes=20)
OUTSIDE = {"carrier": "UPS", "carrier_ref": "ups"}
BOTH = ["order.update", "delivery.update"]
POSITION_COLUMNS: dict[str, Any] = {"driver_latitude": 48.85, "driver_longitude": 2.35}


# --- What is told of which change ----------------------------------------------------------------------------------------------


class World:
    """A store of which somebody wants to know everything, with an order to deliver."""

    def __init__(self) -> None:
        self.store: Store = factories.StoreFactory.create()
        self.listener = listener(self.store)
        self.order = factories.order(self.store)

    @property
    def delivery(self) -> Delivery:
        return Delivery.objects.get(order=self.order)

    @property
    def pickup(self) -> Task:
        return self.delivery.tasks.get(type="PICKUP")

    @property
    def dropoff(self) -> Task:
        return self.delivery.tasks.get(type="DROPOFF")

    def carried(self, status: str = "pending", **fields: Any) -> "World":
        booking.attach(self.order, OUTSIDE | fields, status=DeliveryStatus(status), by=SYSTEM, at=NOON)
        return self

    def by_house(self) -> "World":
        booking.attach(self.order, {"carrier": "Relais", "carrier_ref": "relais"}, status=DeliveryStatus.PENDING, by=SYSTEM, at=NOON)
        return self

    def assigned(self) -> "World":
        self.by_house()
        transitions.assign(self.pickup, courier("Ana"), by=SYSTEM, at=NOON)
        return self

    def picked(self) -> "World":
        transitions.complete(self.assigned().pickup, by=SYSTEM, at=NOON)
        return self

    def quoted(self, ref: str) -> "World":
        offer = Offer(carrier=ref, carrier_ref=ref, ref="q", fee_cents=450, estimated_pickup_at=None, estimated_dropoff_at=None)
        intake.offer_quote(self.order, offer, by=SYSTEM, at=NOON)
        return self

    def report(self, **changes: Any) -> None:
        transitions.report(self.delivery, changes, by=SYSTEM, at=LATER)

    def amend(self, **fields: Any) -> None:
        task = self.dropoff
        change = StopChange(task_id=task.pk, draft=StopDraft(type="DROPOFF", **fields))  # type: ignore[arg-type]  # a word of the choices
        amending.amend(self.delivery, [change], whole=False, by=SYSTEM, at=LATER)

    def set_store(self, **columns: Any) -> None:
        store = Store.objects.get(pk=self.store.pk)
        for name, value in columns.items():
            setattr(store, name, value)
        intake.amend_store(store, by=SYSTEM, at=LATER)

    def set_address(self, **columns: Any) -> None:
        address = self.store.address
        for name, value in columns.items():
            setattr(address, name, value)
        intake.amend_address(address, by=SYSTEM, at=LATER)


def courier(first_name: str) -> Any:
    return factories.CourierFactory.create(user__first_name=first_name)


def amend(world: World, **changes: Any) -> None:
    intake.amend_order(world.order, changes, by=SYSTEM, at=LATER)


def accept(world: World) -> None:
    booking.accept_quote(world.order.quotes.get(), by=SYSTEM, at=LATER)


def cancelled(world: World) -> World:
    transitions.cancel_delivery(world.by_house().delivery, by=SYSTEM, at=NOON)
    return world


CHANGES: dict[str, tuple[Callable[[World], Any], Callable[[World], Any], list[str]]] = {
    "an order is taken": (lambda w: w, lambda w: factories.order(w.store), ["order.create"]),
    "a delivery is asked for": (lambda w: w, lambda w: factories.delivery(w.store), ["order.create", "delivery.create"]),
    "an order moves": (lambda w: w, lambda w: amend(w, status="accepted"), ["order.update"]),
    "an order grows": (lambda w: w, lambda w: amend(w, charges=[{"name": "Bag", "price": 10}]), ["order.update"]),
    "an order stays as it is": (lambda w: w, lambda w: amend(w, status="new"), []),
    "somebody names an order": (lambda w: w, lambda w: amend(w, private_ref="mine"), []),
    "a quote is offered": (lambda w: w, lambda w: w.quoted("ups"), []),
    "another's quote is accepted": (lambda w: w.quoted("ups"), accept, []),
    "the house's quote is accepted": (lambda w: w.quoted("relais"), accept, ["order.update", "delivery.create"]),
    "a delivery is attached": (lambda w: w, lambda w: w.carried(), ["order.update", "delivery.create"]),
    "a delivery is attached under way": (lambda w: w, lambda w: w.carried("delivered"), ["order.update", "delivery.create"]),
    "a carrier reports a status": (lambda w: w.carried(), lambda w: w.report(status="pickup_enroute"), BOTH),
    "a carrier reports a field": (lambda w: w.carried(), lambda w: w.report(driver_name="Bea"), BOTH),
    "a carrier reports where it is": (lambda w: w.carried(), lambda w: w.report(**POSITION_COLUMNS), ["delivery.update"]),
    "a carrier reports half of where it is": (lambda w: w.carried(), lambda w: w.report(driver_latitude=1.0), ["delivery.update"]),
    "a carrier is where it was": (lambda w: w.carried(**POSITION_COLUMNS), lambda w: w.report(**POSITION_COLUMNS), []),
    "a carrier reports both": (lambda w: w.carried(), lambda w: w.report(status="delivered", **POSITION_COLUMNS), BOTH),
    "a carrier says the rest again": (
        lambda w: w.carried(driver_name="Bea"),
        lambda w: w.report(status="pending", driver_name="Bea", **POSITION_COLUMNS),
        ["delivery.update"],
    ),
    "a carrier says nothing new": (lambda w: w.carried(driver_name="Bea"), lambda w: w.report(driver_name="Bea"), []),
    "a courier is given it": (lambda w: w.by_house(), lambda w: transitions.assign(w.pickup, courier("Ana"), by=SYSTEM, at=LATER), BOTH),
    "another courier is given it": (
        lambda w: w.assigned(),
        lambda w: transitions.assign(w.pickup, courier("Bea"), by=SYSTEM, at=LATER),
        BOTH,
    ),
    "it is taken from its courier": (lambda w: w.assigned(), lambda w: transitions.unassign(w.pickup, by=SYSTEM, at=LATER), BOTH),
    "a courier sets out": (lambda w: w.assigned(), lambda w: transitions.start(w.pickup, by=SYSTEM, at=LATER), BOTH),
    "a courier picks up": (lambda w: w.assigned(), lambda w: transitions.pick(w.delivery, by=SYSTEM, at=LATER), BOTH),
    "a courier sets out for the recipient": (lambda w: w.picked(), lambda w: transitions.start(w.dropoff, by=SYSTEM, at=LATER), []),
    "a courier delivers": (lambda w: w.picked(), lambda w: transitions.drop(w.delivery, by=SYSTEM, at=LATER), BOTH),
    "a courier fails": (lambda w: w.picked(), lambda w: transitions.fail(w.dropoff, by=SYSTEM, at=LATER), BOTH),
    "a delivery is cancelled": (
        lambda w: w.assigned(),
        lambda w: transitions.cancel_delivery(w.delivery, by=SYSTEM, at=LATER, even_assigned=True),
        BOTH,
    ),
    "a delivery is restored": (cancelled, lambda w: transitions.restore_delivery(w.delivery, by=SYSTEM, at=LATER), BOTH),
    "a stop is put off": (
        lambda w: w.assigned(),
        lambda w: transitions.reschedule(w.dropoff, after=LATER, before=LATER + timedelta(hours=4), by=SYSTEM, at=LATER),
        BOTH,
    ),
    "a stop is due at another time": (lambda w: w.by_house(), lambda w: w.amend(before=NOON + timedelta(hours=6)), BOTH),
    "a stop has another note": (lambda w: w.by_house(), lambda w: w.amend(comments="ring twice"), []),
    "a store is called otherwise": (lambda w: w, lambda w: w.set_store(name="Chez Bea"), ["location.update"]),
    "a store is closed": (lambda w: w, lambda w: w.set_store(enabled=False), ["location.update"]),
    "a store moves": (lambda w: w, lambda w: w.set_store(address=factories.AddressFactory.create()), ["location.update"]),
    "a store's street is put right": (lambda w: w, lambda w: w.set_address(street_address="2, Rue Neuve"), ["location.update"]),
    "a store's door code changes": (lambda w: w, lambda w: w.set_address(access_code="42"), []),
    "a store takes cash": (lambda w: w, lambda w: w.set_store(cash_on_delivery=True), []),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_told_of_a_change(change: str) -> None:
    prepare, act, told = CHANGES[change]
    world = World()
    prepare(world)
    world.listener.forget()
    act(world)
    assert world.listener.names() == told


def test_only_what_was_asked_for_is_told() -> None:
    store = factories.StoreFactory.create()
    orders, deliveries = listener(store, events={"order": ["create"]}), listener(store, events={"delivery": ["update"]})
    nothing = listener(store, events={"catalog": ["update"], "inventory": ["patch"], "customer": ["create", "update"]})
    delivery = factories.delivery(store)
    tell()
    transitions.start(delivery.tasks.get(type="PICKUP"), by=SYSTEM, at=NOON)
    assert [each.names() for each in (orders, deliveries, nothing)] == [["order.create"], ["delivery.update"], []]


def test_who_is_out_of_reach_is_told_nothing() -> None:
    store = factories.StoreFactory.create()
    owner, sister = listener(account=store.account), listener(factories.StoreFactory.create(account=store.account))
    neighbour, revoked = listener(factories.StoreFactory.create()), listener(store)
    credentials.revoke(revoked.connection, at=NOON)
    factories.order(store)
    tell()
    assert [each.names() for each in (owner, sister, neighbour)] == [["order.create"], [], []]
    assert Call.objects.count() == 1
    assert revoked.till.get("/callback/events").status == 401


# --- States --------------------------------------------------------------------------------------------------------------------


def tills_story(world: World, by: Any) -> list[Callable[[], Any]]:
    refs = {"charges": [{"name": "Bag", "price": 10}], "custom_fields": {"epos": {"id": 7}}, "confirmed_time": LATER}
    return [
        lambda: intake.amend_order(world.order, {"status": "accepted", "seller_notes": "hot"}, by=SYSTEM, at=NOON),
        lambda: intake.amend_order(world.order, refs, by=SYSTEM, at=NOON),
        lambda: world.carried(estimated_pickup_at=NOON),
        lambda: world.report(status="pickup_enroute", driver_name="Bea"),
        lambda: world.report(**POSITION_COLUMNS),
        lambda: intake.amend_order(world.order, {"items": [{"id": "1", "deleted": True}]}, by=SYSTEM, at=NOON),
        lambda: world.report(driver_latitude=None),
        lambda: world.report(status="delivered", delivered_at=NOON, tracking_url="https://ups.example/1", ref="1Z"),
        lambda: world.report(status="pickup_waiting", pickup_at=None),
        lambda: intake.amend_order(world.order, {"custom_fields": {"epos": None}, "confirmed_time": None}, by=SYSTEM, at=NOON),
    ]


def house_story(world: World, by: Any) -> list[Callable[[], Any]]:
    ana, bea = courier("Ana"), courier("Bea")
    return [
        world.by_house,
        lambda: transitions.assign(world.pickup, ana, by=SYSTEM, at=NOON),
        lambda: transitions.start(world.pickup, by=SYSTEM, at=NOON),
        lambda: transitions.reschedule(world.dropoff, after=LATER, before=LATER + timedelta(hours=3), by=SYSTEM, at=LATER),
        lambda: transitions.assign(world.dropoff, bea, by=SYSTEM, at=LATER),
        lambda: transitions.complete(world.pickup, by=SYSTEM, at=LATER),
        lambda: transitions.fail(world.dropoff, by=SYSTEM, at=LATER, reason="NOT_AT_HOME"),
        lambda: transitions.restore_delivery(world.delivery, by=SYSTEM, at=LATER),
        lambda: world.amend(before=NOON + timedelta(hours=8)),
        lambda: transitions.drop(world.delivery, by=SYSTEM, at=LATER),
    ]


def wanted_events(seen: list[States]) -> list[tuple[str, Any, Any]]:
    """What must be told of an order that was seen so after each change: name, previous state and new state."""
    told = []
    for before, after in itertools.pairwise(seen):
        for resource, previous, new in zip(("order", "delivery"), before, after, strict=True):
            if previous != new:
                told.append((f"{resource}.{'create' if previous is None else 'update'}", previous, new))
    return told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("story", [tills_story, house_story])
@pytest.mark.parametrize("late", [False, True])
def test_states_are_those_of_then_however_late_they_are_told(story: Callable[..., list[Callable[[], Any]]], late: bool) -> None:
    world = World()
    seen: list[States] = [(None, None), world.listener.sees(world.order)]
    for act in story(world, SYSTEM):
        act()
        seen.append(world.listener.sees(world.order))
        if not late:
            tell()
    events = world.listener.events()
    assert [
        (f"{event['resource_type']}.{event['event_type']}", event.get("previous_state"), event["new_state"]) for event in events
    ] == wanted_events(seen)
    assert len(events) > 12
    assert {event["order_id"] for event in events} == {world.order.public_id}


@pytest.mark.django_db(transaction=True)
def test_a_location_is_told_as_it_was_then() -> None:
    world = World()
    seen = [world.listener.till.get("/location").json]
    changes: list[Callable[[], Any]] = [
        lambda: world.set_store(name="Chez Bea", enabled=False),
        lambda: world.set_address(street_address="2, Rue Neuve", postal_code="75002"),
        lambda: world.set_store(address=factories.AddressFactory.create(locality="Lyon"), timezone="Europe/Lisbon"),
        lambda: world.set_store(preparation_minutes=40),
    ]
    for change in changes:
        change()
        seen.append(world.listener.till.get("/location").json)
    events = [event for event in world.listener.events() if event["resource_type"] == "location"]
    assert [(event["previous_state"], event["new_state"]) for event in events] == list(itertools.pairwise(seen))
    assert events[0]["location_id"] == world.store.public_id


def test_each_client_reads_its_own_names() -> None:
    shop = scene()
    other = listener(shop.store)
    other.forget()
    shop.till.patch(shop.path, {"private_ref": "till-7", "status": "accepted"})
    (event,) = [event for event in other.events() if event["event_type"] == "update"]
    assert (event["previous_state"]["private_ref"], event["new_state"]["private_ref"]) == (None, None)
    assert (event["previous_state"]["status"], event["new_state"]["status"]) == ("new", "accepted")


# --- Who is told ---------------------------------------------------------------------------------------------------------------


def connected(client: ApiClient, *, store: Store | None = None, account: Account | None = None) -> Till:
    return Till(credentials.connect(client, store=store, account=account, scopes="orders.write")[1])


def test_a_client_does_not_hear_of_its_own_changes_by_any_connection() -> None:
    store = factories.StoreFactory.create()
    client, _ = credentials.new_client(name="Till", dialect="hubrise")  # type: ignore[arg-type]  # a word of the choices
    here, office = connected(client, store=store), connected(client, account=store.account)
    for till in (here, office):
        assert till.post("/callback", {"events": ALL}).status == 200
    other = listener(store)
    order = here.post("/location/orders", {"status": "new", "service_type": "delivery"}).json["id"]
    tell()
    here.post(f"/location/orders/{order}/delivery", DELIVERY)
    tell()
    here.patch(f"/location/orders/{order}/delivery", {"driver_latitude": "1.5"})
    assert other.names() == ["order.create", "order.update", "delivery.create", "delivery.update"]
    assert here.get("/callback/events").json == office.get("/callback/events").json == []
    intake.amend_order(Order.objects.get(), {"status": "accepted"}, by=SYSTEM, at=NOON)
    tell()
    assert len(here.get("/callback/events").json) == len(office.get("/callback/events").json) == 1


def test_a_position_is_logged_only_for_whoever_follows() -> None:
    shop = scene()
    shop.till.post(f"{shop.path}/delivery", DELIVERY)
    events = Event.objects.filter(kind="delivery.moved")
    followers = [{"delivery": ["create"]}, {"order": ["update"]}]
    for wanted in followers:
        listener(shop.store, events=wanted)
    listener(factories.StoreFactory.create())
    assert shop.till.post("/callback", {"events": ALL}).status == 200, "the reporting client's own does not count"
    credentials.revoke(listener(shop.store).connection, at=NOON)
    Subscription.objects.filter(pk=listener(shop.store).connection.subscription.pk).update(disabled_at=NOON, disabled_why="by_hand")
    assert shop.till.patch(f"{shop.path}/delivery", {"driver_latitude": "1.5"}).status == 200
    assert not events.exists()
    follower = listener(account=shop.store.account, events={"delivery": ["update"]})
    tell()
    assert shop.till.patch(f"{shop.path}/delivery", {"driver_latitude": "2.5"}).json["driver_latitude"] == "2.5"
    assert [event.data["before"] for event in events] == [{"driver_latitude": 1.5}]
    assert follower.names() == ["delivery.update"]


def test_where_a_courier_of_the_house_is_belongs_to_the_state() -> None:
    world = World().assigned()
    held = world.delivery.courier
    assert held is not None
    couriers.locate(held, Point(48.86, 2.35), at=NOON)
    world.listener.forget()
    transitions.start(world.pickup, by=SYSTEM, at=NOON)
    event = world.listener.events()[-1]
    assert (event["previous_state"]["driver_latitude"], event["new_state"]["driver_latitude"]) == ("48.86", "48.86")


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
