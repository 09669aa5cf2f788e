"""What callbacks are told: who hears of which change, and with which states."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from deliveries import amending, booking, couriers, intake, transitions
from deliveries.amending import StopChange
from deliveries.models import Call, Delivery, Event, Subscription, Task
from deliveries.statuses import DeliveryStatus
from deliveries.stops import StopDraft
from quotes.offers import Offer
from stores import credentials
from stores.actors import SYSTEM
from stores.models import Order, Store
from stores.places import Point
from tests import factories
from tests.api.hubrise.listening import ALL, States, connected, listener, tell
from tests.api.hubrise.till import DELIVERY, scene
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
