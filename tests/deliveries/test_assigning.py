"""Who carries what: assigning, freeing, and the list of the day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from deliveries import transitions
from deliveries.models import Courier, Delivery, TaskList
from deliveries.transitions import AlreadyAssigned, CarriedByAnother
from stores import credentials
from stores.actors import SYSTEM, Actor, Role
from tests import factories
from tests.deliveries import rows
from tests.deliveries.rows import LATER
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def courier(username: str = "bob") -> Courier:
    return factories.CourierFactory.create(user__username=username)


def rider(somebody: Courier) -> Actor:
    return credentials.user_actor(somebody.user)


def holders(delivery: Delivery) -> list[str | None]:
    return [task.courier.user.username if task.courier else None for task in rows.tasks(delivery)]


def listed(somebody: Courier) -> list[tuple[date, list[tuple[int, int]]]]:
    """The lists of a courier: days, with the positions and ids of their tasks."""
    lists = TaskList.objects.filter(courier=somebody).order_by("date").prefetch_related("tasks")
    return [(day.date, sorted((task.task_list_position, task.pk) for task in day.tasks.all())) for day in lists]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_assigning_one_task_assigns_its_whole_delivery(which: int) -> None:
    delivery, bob = rows.booked("PDD"), courier()
    newest = rows.last_event()
    given = transitions.assign(rows.tasks(delivery)[which], bob, by=SYSTEM, at=LATER)
    delivery.refresh_from_db()
    assert given.courier == delivery.courier == bob
    assert holders(delivery) == ["bob"] * 3
    assert [(event.kind, event.task_id, event.data) for event in rows.told(newest)] == [
        *[("task.assigned", task.pk, {"username": "bob"}) for task in rows.tasks(delivery)],
        ("delivery.assigned", None, {"username": "bob"}),
    ]
    assert {task.updated_at for task in rows.tasks(delivery)} == {delivery.updated_at} == {LATER}


def test_a_task_alone_is_assigned_alone() -> None:
    task, bob = rows.alone(), courier()
    assert transitions.assign(task, bob, by=rider(bob), at=NOON).courier == bob
    assert listed(bob) == [(date(2026, 11, 20), [(1, task.pk)])]
    assert transitions.unassign(task, by=SYSTEM, at=NOON).courier is None
    assert [event.kind for event in rows.told()] == ["task.assigned", "task.unassigned"]


def test_assigning_to_the_present_courier_says_nothing() -> None:
    delivery, bob = rows.booked("PD"), courier()
    task = rows.tasks(delivery)[0]
    transitions.assign(task, bob, by=SYSTEM, at=NOON)
    before = rows.everything()
    for actor in (rider(bob), SYSTEM):
        assert transitions.assign(task, bob, by=actor, at=LATER).courier == bob
    assert rows.everything() == before


def test_a_courier_takes_what_is_free_and_not_what_another_holds() -> None:
    delivery, bob, eve = rows.booked("PD"), courier("bob"), courier("eve")
    pickup, dropoff = rows.tasks(delivery)
    transitions.assign(pickup, bob, by=rider(bob), at=NOON)
    before = rows.everything()
    with pytest.raises(AlreadyAssigned) as refused:
        transitions.assign(dropoff, eve, by=rider(eve), at=LATER)
    assert str(refused.value) == f'Task #{pickup.pk} is already assigned to "bob"'
    assert rows.everything() == before


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.ADMIN])
def test_the_desk_gives_away_what_another_holds(role: Role) -> None:
    delivery, bob, eve = rows.booked("PD"), courier("bob"), courier("eve")
    pickup, dropoff = rows.tasks(delivery)
    transitions.assign(pickup, bob, by=rider(bob), at=NOON)
    transitions.assign(pickup, eve, by=rows.person(role), at=LATER)
    delivery.refresh_from_db()
    assert (holders(delivery), delivery.courier) == (["eve", "eve"], eve)
    assert listed(bob) == [(date(2026, 11, 20), [])]
    assert listed(eve) == [(date(2026, 11, 20), [(1, pickup.pk), (2, dropoff.pk)])]


def test_what_is_finished_stays_with_whoever_did_it() -> None:
    delivery, bob, eve = rows.booked("PD"), courier("bob"), courier("eve")
    pickup, dropoff = rows.tasks(delivery)
    transitions.assign(pickup, bob, by=SYSTEM, at=NOON)
    transitions.complete(pickup, by=SYSTEM, at=NOON)
    transitions.assign(pickup, eve, by=SYSTEM, at=LATER)
    assert holders(delivery) == ["bob", "eve"]
    transitions.unassign(dropoff, by=SYSTEM, at=LATER)
    delivery.refresh_from_db()
    assert (holders(delivery), delivery.courier) == (["bob", None], None)


def test_unassigning_frees_the_whole_delivery() -> None:
    delivery, bob = rows.booked("PDD"), courier()
    transitions.assign(rows.tasks(delivery)[0], bob, by=SYSTEM, at=NOON)
    newest = rows.last_event()
    transitions.unassign(rows.tasks(delivery)[1], by=SYSTEM, at=LATER)
    delivery.refresh_from_db()
    assert (holders(delivery), delivery.courier) == ([None] * 3, None)
    assert listed(bob) == [(date(2026, 11, 20), [])]
    assert [(event.kind, event.data) for event in rows.told(newest)] == [
        *[("task.unassigned", {"username": "bob"})] * 3,
        ("delivery.updated", {"fields": ["courier"]}),
    ]


def test_unassigning_what_is_free_changes_nothing() -> None:
    delivery = rows.booked("PD")
    before = rows.everything()
    transitions.unassign(rows.tasks(delivery)[0], by=SYSTEM, at=LATER)
    assert rows.everything() == before


def test_nobody_of_the_house_takes_what_an_outside_carrier_carries() -> None:
    delivery, bob = rows.carried(), courier()
    before = rows.everything()
    for actor in (rider(bob), SYSTEM):
        with pytest.raises(CarriedByAnother, match=r"^Coursier carries this delivery: its tasks cannot be given to anybody here\.$"):
            transitions.assign(rows.tasks(delivery)[0], bob, by=actor, at=LATER)
    assert rows.everything() == before


def test_a_list_grows_at_its_end() -> None:
    bob = courier()
    first, second, third = (rows.booked("PD") for _ in range(3))
    for delivery in (first, second, third):
        transitions.assign(rows.tasks(delivery)[0], bob, by=SYSTEM, at=NOON)
    transitions.unassign(rows.tasks(second)[0], by=SYSTEM, at=NOON)
    transitions.assign(rows.tasks(second)[0], bob, by=SYSTEM, at=LATER)
    in_order = [task.pk for delivery in (first, third, second) for task in rows.tasks(delivery)]
    assert listed(bob) == [(date(2026, 11, 20), list(zip([1, 2, 5, 6, 7, 8], in_order, strict=True)))]
    assert TaskList.objects.get().updated_at == LATER


def test_lists_are_kept_by_the_instances_days() -> None:
    bob = courier()
    before_midnight, after_midnight = datetime(2026, 11, 20, 22, 59, tzinfo=UTC), datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
    lisbon = factories.StoreFactory.create(timezone="Europe/Lisbon")
    for due in (after_midnight, before_midnight):
        delivery = factories.delivery(lisbon, stops=[rows.stop("P", before=NOON), rows.stop("D", due=due)])
        transitions.assign(rows.tasks(delivery)[0], bob, by=SYSTEM, at=NOON)
    assert [(day, len(tasks)) for day, tasks in listed(bob)] == [(date(2026, 11, 20), 3), (date(2026, 11, 21), 1)]


def test_a_stores_usual_courier_gets_everything_it_sends() -> None:
    bob = courier()
    store = factories.StoreFactory.create(default_courier=bob.user)
    delivery = factories.delivery(store, stops=rows.stops("PD"))
    assert delivery.courier == bob
    assert holders(delivery) == ["bob", "bob"]
    assert [event.kind for event in rows.told()][-3:] == ["task.assigned", "task.assigned", "delivery.assigned"]


def test_whoever_is_named_comes_before_the_usual_courier() -> None:
    bob, eve = courier("bob"), courier("eve")
    store = factories.StoreFactory.create(default_courier=bob.user)
    delivery = factories.delivery(store, stops=[rows.stop("P"), rows.stop("D", courier=eve)])
    assert holders(delivery) == ["eve", "eve"]


def test_a_usual_courier_who_carries_no_more_gets_nothing() -> None:
    store = factories.StoreFactory.create(default_courier=factories.UserFactory.create())
    assert holders(factories.delivery(store, stops=rows.stops("PD"))) == [None, None]


def test_tomorrows_delivery_is_on_tomorrows_list() -> None:
    bob = courier()
    delivery = factories.delivery(stops=rows.stops("PD", due=NOON + timedelta(days=1)))
    transitions.assign(rows.tasks(delivery)[1], bob, by=SYSTEM, at=NOON)
    assert [day for day, _ in listed(bob)] == [date(2026, 11, 21)]
