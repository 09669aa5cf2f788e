"""Querysets compiled once give what the querysets themselves give."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from deliveries import queries
from deliveries.models import Event, Task
from stores.actors import SYSTEM, Actor, ActorKind, Role
from stores.compiled import Compiled, Filtered, Seen, insert
from stores.models import Address, Store
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def whole(task: Task) -> list[object]:
    """Every column of a task and of what was read along with it, and what the queryset annotates."""
    assert task.delivery is not None
    rows = (task, task.address, task.store, task.delivery, task.delivery.order)
    columns = [[row.__dict__[field.attname] for field in row._meta.concrete_fields if field.attname in row.__dict__] for row in rows]
    return [*columns, task.courier, task.load_rows, task.tag_rows]


def test_rows_are_the_same_objects_that_the_queryset_makes(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    task = factories.delivery().stops[1]
    compiled = Compiled(lambda pk: queries.tasks().filter(pk=pk), pk=int)
    with django_assert_num_queries(1):
        (found,) = compiled.fetch(pk=task.pk)
        seen = whole(found)
    assert seen == whole(queries.tasks().get(pk=task.pk))


def test_values_of_every_kind_find_their_place() -> None:
    store = factories.StoreFactory.create()
    factories.delivery(store)
    tasks = Filtered(lambda: Task.objects.select_related("store"))
    assert tasks.first(store__public_id=store.public_id, type="PICKUP", before__gt=NOON) is not None
    assert tasks.first(store__public_id=store.public_id, type="PICKUP", before__gt=NOON + timedelta(days=9)) is None
    assert tasks.first(store__public_id="another", type="PICKUP", before__gt=NOON) is None
    assert tasks.first(store__id=store.pk, type="DROPOFF", before__gt=NOON) is not None


def actors(own: Store, other: Store) -> dict[str, Actor]:
    kinds: dict[str, Actor] = {
        "system": SYSTEM,
        "own store": Actor(kind=ActorKind.CLIENT, name="", store_ids=frozenset([own.pk])),
        "other store": Actor(kind=ActorKind.CLIENT, name="", store_ids=frozenset([other.pk])),
        "both stores": Actor(kind=ActorKind.USER, name="", store_ids=frozenset([own.pk, other.pk])),
        "own account": Actor(kind=ActorKind.CLIENT, name="", account_id=own.account_id),
        "other account": Actor(kind=ActorKind.CLIENT, name="", account_id=other.account_id),
        "all tasks": Actor(kind=ActorKind.CLIENT, name="", scopes=frozenset(["tasks:all"]), store_ids=frozenset([other.pk])),
    }
    return kinds


SEES = {
    "system": True,
    "own store": True,
    "other store": False,
    "both stores": True,
    "own account": True,
    "other account": False,
    "all tasks": True,
}


def test_an_actor_sees_what_the_queryset_shows() -> None:
    own, other = factories.StoreFactory.create_batch(2)
    task = factories.delivery(own).stops[0]
    seen = Seen[Task](queries.tasks)
    for _ in range(2):  # compiled, then from the cache
        for name, actor in actors(own, other).items():
            found = seen.first(actor, task.pk)
            assert (found is not None) is SEES[name] is queries.tasks().visible_to(actor).filter(pk=task.pk).exists(), name


def test_couriers_of_one_sort_do_not_see_through_each_others_eyes() -> None:
    ours, theirs = factories.CourierFactory.create_batch(2)
    task = factories.delivery(stops=factories.stops(courier=ours)).stops[0]
    seen = Seen[Task](queries.tasks)

    def eyes(user_id: int) -> Actor:
        return Actor(kind=ActorKind.USER, name="", user_id=user_id, roles=frozenset([Role.COURIER]))

    assert seen.first(eyes(theirs.user_id), task.pk) is None
    assert seen.first(eyes(ours.user_id), task.pk) == task
    assert seen.first(eyes(theirs.user_id), task.pk) is None


@pytest.mark.django_db(transaction=True)
def test_each_thread_compiles_for_its_own_connection() -> None:
    task = factories.delivery().stops[0]
    tasks = Filtered(Task.objects.all)
    found: list[Task | None] = [tasks.first(pk=task.pk)]

    def look() -> None:
        try:
            found.append(tasks.first(pk=task.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [task] * 4


def test_rows_are_written_as_bulk_create_writes_them() -> None:
    delivery = factories.delivery()
    events = list(Event.objects.filter(delivery=delivery, kind="task.created"))
    columns = [field.attname for field in Event._meta.concrete_fields if field.attname not in ("id", "recorded_at")]

    def copies() -> list[Event]:
        rows = [Event(**{name: getattr(event, name) for name in columns}) for event in events]
        for row in rows:
            row.data = {"words": "déjà vu", "nested": [1, None, {"a": True}]}
        return rows

    ours = copies()
    insert(ours)
    theirs = Event.objects.bulk_create(copies())

    written = [list(Event.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk").values(*columns)) for rows in (ours, theirs)]
    assert written[0] == written[1]
    assert len(written[0]) == len(events) == 2
    assert not any(row._state.adding for row in ours)
    assert Event.objects.filter(pk__in=[row.pk for row in ours], recorded_at__isnull=False).count() == 2


def test_ids_given_beforehand_are_kept() -> None:
    address = factories.AddressFactory.create()
    new = Address(pk=address.pk + 1000, street_address="1, Rue Oberkampf", latitude=48.8, longitude=2.3)
    insert([new])
    assert Address.objects.get(pk=address.pk + 1000).street_address == "1, Rue Oberkampf"


def test_writing_nothing_asks_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        insert([])


def test_an_actor_without_stores_sees_nothing() -> None:
    task = factories.delivery().stops[0]
    nobody = Actor(kind=ActorKind.USER, name="", user_id=1)
    seen = Seen[Task](queries.tasks)
    assert [seen.first(nobody, task.pk) for _ in range(2)] == [None, None]
