"""Who sees which rows, whose list is which, and at what price."""

from datetime import date, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from deliveries import queries, transitions
from deliveries.models import Delivery, Task
from deliveries.statuses import needs_attention
from stores import credentials
from stores.actors import SYSTEM, Actor, ActorKind, Role
from stores.models import Order, Store, Tag
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


SHAPES = [
    # statuses of "PDD"; needs attention
    (("TODO", "TODO", "TODO"), False),
    (("FAILED", "TODO", "CANCELLED"), True),
    (("DONE", "FAILED", "DOING"), True),
    (("DONE", "FAILED", "DONE"), False),
    (("CANCELLED", "CANCELLED", "CANCELLED"), False),
    (("DONE", "DONE", "DONE"), False),
]


def test_open_deliveries_in_which_something_failed_need_attention() -> None:
    shaped = {rows.booked("PDD", *statuses): needy for statuses, needy in SHAPES}
    assert set(Delivery.objects.needing_attention()) == {delivery for delivery, needy in shaped.items() if needy}
    assert all(needs_attention(rows.tasks(delivery)) == needy for delivery, needy in shaped.items())


def test_what_nobody_of_the_house_holds_yet() -> None:
    courier = factories.CourierFactory.create()
    free, held, halfway, over, outside = rows.booked("PD"), rows.booked("PD"), rows.booked("PD"), rows.booked("PD"), rows.carried()
    for delivery in (held, halfway):
        transitions.assign(rows.tasks(delivery)[0], courier, by=SYSTEM, at=NOON)
    window = {"after": NOON, "before": NOON + timedelta(hours=4)}
    transitions.reschedule(rows.tasks(halfway)[1], **window, by=SYSTEM, at=LATER)
    transitions.cancel_delivery(over, by=SYSTEM, at=NOON)
    alone = rows.alone()
    assert set(Delivery.objects.unassigned()) == {free, halfway}
    assert set(Task.objects.unassigned()) == {*rows.tasks(free), rows.tasks(halfway)[1], alone}
    assert outside not in Delivery.objects.unassigned()


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


# --- One row, as an API shows it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("dropoffs", [1, 6])
def test_one_task_costs_one_query(dropoffs: int, compiled: bool, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    cold = Tag.objects.create(name="Cold", slug="cold")
    delivery = rows.booked("P" + "D" * dropoffs, weight=5, tags=["cold"])
    task = rows.tasks(delivery)[1]
    expected = (task, task.store, task.address, delivery, delivery.order.public_id)
    with django_assert_num_queries(1):
        seen = queries.task(task.pk, actor=SYSTEM) if compiled else queries.tasks().get(pk=task.pk)
        assert seen is not None
        assert seen.delivery is not None
        assert (seen, seen.store, seen.address, seen.delivery, seen.delivery.order.public_id) == expected
    assert seen.tag_rows == [{"name": "Cold", "slug": cold.slug, "color": cold.color}]
    assert [(row["type"], row["weight"]) for row in vars(seen)["load_rows"]] == [("PICKUP", 5), *[("DROPOFF", 5)] * dropoffs]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("dropoffs", [1, 6])
def test_one_delivery_costs_two_queries(dropoffs: int, compiled: bool, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    delivery = rows.booked("P" + "D" * dropoffs)
    expected = [(task.pk, task.address_id) for task in rows.tasks(delivery)]
    with django_assert_num_queries(2):
        seen = queries.delivery(delivery.pk, actor=SYSTEM) if compiled else queries.deliveries().get(pk=delivery.pk)
        assert seen is not None
        assert (seen, seen.order) == (delivery, delivery.order)
        assert [(stop.pk, stop.address.pk) for stop in seen.stops] == expected


def test_twenty_deliveries_cost_as_much_as_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(20):
        rows.booked("PDD")
    with django_assert_num_queries(2):
        assert [len(delivery.stops) for delivery in queries.deliveries()] == [3] * 20


def test_what_an_actor_may_not_see_is_not_there() -> None:
    delivery = rows.booked("PD")
    task = rows.tasks(delivery)[0]
    courier = factories.CourierFactory.create()
    transitions.assign(task, courier, by=SYSTEM, at=NOON)
    neighbour = program(store_ids=frozenset([factories.StoreFactory.create().pk]))
    own = program(store_ids=frozenset([delivery.store_id]))
    rider = credentials.user_actor(courier.user)
    of_account = program(account_id=delivery.store.account_id)
    assert [queries.task(task.pk, actor=actor) for actor in (own, of_account, rider, neighbour)] == [task, task, task, None]
    assert [queries.delivery(delivery.pk, actor=actor) for actor in (own, of_account, neighbour)] == [delivery, delivery, None]
    assert queries.task(0, actor=SYSTEM) is None
    assert queries.delivery(0, actor=SYSTEM) is None


def test_which_addresses_an_actor_may_name() -> None:
    delivery, other = rows.booked("PD"), rows.booked("PD")
    kept = factories.AddressFactory.create(store=delivery.store)
    own = program(store_ids=frozenset([delivery.store_id]))
    used = {task.address for task in rows.tasks(delivery)}
    assert set(queries.addresses(own)) == {kept, delivery.store.address, *used}
    assert rows.tasks(other)[1].address in queries.addresses(SYSTEM)


def test_couriers_are_found_by_name_in_any_case_while_they_may_log_in() -> None:
    bob = factories.CourierFactory.create(user__username="Bob")
    factories.CourierFactory.create(user__username="eve", user__is_active=False)
    assert list(queries.couriers_named(["BOB", "eve", "nobody"])) == [bob]


def test_the_events_of_a_task() -> None:
    delivery = rows.booked("PD")
    pickup = rows.tasks(delivery)[0]
    transitions.start(pickup, by=SYSTEM, at=LATER)
    assert [event.kind for event in queries.task_events(pickup)] == ["task.created", "task.started"]
