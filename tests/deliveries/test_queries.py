"""Who sees which rows, whose list is which, and at what price."""

from datetime import date, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from deliveries import queries, transitions
from deliveries.models import Delivery, Task
from stores import credentials
from stores.actors import SYSTEM, Actor, ActorKind, Role
from stores.models import Order, Store
from tests import factories
from tests.deliveries import rows
from tests.deliveries.rows import LATER
from tests.factories import NOON

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 20)


def program(**reach: Any) -> Actor:
    return Actor(kind=ActorKind.CLIENT, name="program", **reach)


def test_who_sees_what() -> None:
    account = factories.AccountFactory.create()
    store, sister = (factories.StoreFactory.create(account=account) for _ in range(2))
    neighbour = factories.StoreFactory.create()
    deliveries = {which: factories.delivery(which, stops=rows.stops("PD")) for which in (store, sister, neighbour)}
    courier, idle = factories.CourierFactory.create(), factories.CourierFactory.create()
    transitions.assign(rows.tasks(deliveries[neighbour])[0], courier, by=SYSTEM, at=NOON)
    nobody: set[Store] = set()
    cast: list[tuple[Actor, set[Store], set[Store]]] = [
        # who; whose deliveries and orders, whose tasks
        (SYSTEM, set(deliveries), set(deliveries)),
        (rows.person(Role.DISPATCHER), set(deliveries), set(deliveries)),
        (rows.person(Role.ADMIN), set(deliveries), set(deliveries)),
        (program(store_ids=frozenset([store.pk])), {store}, {store}),
        (program(account_id=account.pk), {store, sister}, {store, sister}),
        (program(store_ids=frozenset([store.pk]), scopes=frozenset(["tasks:all"])), {store}, set(deliveries)),
        (credentials.user_actor(courier.user), nobody, {neighbour}),
        (credentials.user_actor(idle.user), nobody, nobody),
        (program(), nobody, nobody),
    ]
    for actor, whose, whose_tasks in cast:
        assert {delivery.store for delivery in Delivery.objects.visible_to(actor)} == whose, actor
        assert {order.store for order in Order.objects.visible_to(actor)} == whose, actor
        assert {task.store for task in Task.objects.visible_to(actor)} == whose_tasks, actor
        if not actor.is_courier_only:
            assert set(Store.objects.visible_to(actor)) == whose, actor
    assert {task.store for task in Task.objects.for_store(store.pk)} == {store}
    assert [delivery.store for delivery in Delivery.objects.for_store(store.pk)] == [store]
    assert [order.store for order in Order.objects.for_store(store.pk)] == [store]


def test_a_list_of_the_day_is_in_order_without_the_cancelled(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    courier = factories.CourierFactory.create()
    deliveries = [rows.booked("PD") for _ in range(2)]
    for delivery in reversed(deliveries):
        transitions.assign(rows.tasks(delivery)[0], courier, by=SYSTEM, at=NOON)
    first, second = deliveries
    transitions.cancel(rows.tasks(second)[1], by=SYSTEM, at=NOON)
    with django_assert_num_queries(2):
        listed, tasks = queries.day_list(courier, TODAY)
    assert listed is not None
    assert (listed.courier, listed.date) == (courier, TODAY)
    assert [task.pk for task in tasks] == [rows.tasks(second)[0].pk, *(task.pk for task in rows.tasks(first))]


def test_a_day_without_a_list() -> None:
    assert queries.day_list(factories.CourierFactory.create(), TODAY) == (None, [])


def test_what_was_left_open_yesterday() -> None:
    courier, delivery = factories.CourierFactory.create(), rows.booked("PD")
    pickup, dropoff = rows.tasks(delivery)
    transitions.assign(pickup, courier, by=SYSTEM, at=NOON)
    transitions.complete(pickup, by=SYSTEM, at=NOON)
    assert queries.left_open(courier, before=TODAY) == []
    assert queries.left_open(courier, before=TODAY + timedelta(days=1)) == [dropoff]


@pytest.mark.parametrize(
    ("after", "before", "touches"),
    [
        (-13, -12, True),  # it ends at midnight in Paris, which is today already
        (-14, -13, False),
        (0, 1, True),
        (-30, 30, True),
        (11, 12, True),
        (12, 13, False),
    ],
)
def test_a_window_touches_a_day(after: int, before: int, touches: bool) -> None:
    task = rows.alone()
    Task.objects.filter(pk=task.pk).update(after=NOON + timedelta(hours=after), before=NOON + timedelta(hours=before))
    assert queries.on_day(Task.objects.all(), TODAY).exists() == touches


def test_a_timeline_has_order_quote_delivery_and_tasks_in_order_of_happening() -> None:
    order = factories.order()
    rows.quoted(order, house=True)
    delivery = rows.attached(order)
    rows.booked("PD")
    transitions.report(delivery, {"status": "pickup_enroute"}, by=SYSTEM, at=LATER)
    transitions.report(delivery, {"status": "dropoff_enroute"}, by=SYSTEM, at=NOON + timedelta(minutes=10))
    assert [event.kind for event in queries.timeline(delivery)] == [
        *("order.created", "quote.created", "delivery.created", "task.created", "task.created"),
        *("task.done", "delivery.picked"),
        *("task.started", "delivery.started"),
    ]
