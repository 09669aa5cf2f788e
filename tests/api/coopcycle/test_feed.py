"""The feed tells what webhooks tell, under the same ids, page by page, to whoever may see it."""

import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliveries import transitions
from deliveries.api.coopcycle.feed import Cursor
from deliveries.api.coopcycle.voice import ALL_NAMES, KINDS
from deliveries.models import Call, Event, FeedEntry
from deliveries.outbox import feed, subscriptions
from stores import credentials
from stores.actors import SYSTEM
from tests import factories
from tests.api.coopcycle.knocking import Knock, World
from tests.factories import NOON
from tests.outbox.scenes import Hand

pytestmark = pytest.mark.django_db(transaction=True)

VIEW, NEXT, MEMBER = "hydra:view", "hydra:next", "hydra:member"


def read_all(knock: Knock, path: str = "/api/events") -> list[dict[str, Any]]:
    """Every event from a place on, until there is none."""
    found: list[dict[str, Any]] = []
    while True:
        answer = knock.get(path)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        if not page[MEMBER]:
            assert page[VIEW][NEXT] == page[VIEW]["@id"], "the same place, to be asked for again"
            return found
        found += page[MEMBER]
        path = page[VIEW][NEXT]


def ids(members: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in members]


@pytest.fixture
def lively(world: World) -> World:
    """Much has happened in both stores."""
    neighbours = factories.delivery(world.neighbour)
    transitions.start(world.held.stops[0], by=SYSTEM, at=NOON)
    transitions.pick(neighbours, by=SYSTEM, at=NOON)
    transitions.pick(world.held, by=SYSTEM, at=NOON)
    Hand().tell()
    transitions.fail(world.delivery.stops[0], by=SYSTEM, at=NOON)
    transitions.report(world.held, {"status": "delivered"}, by=SYSTEM, at=NOON)
    transitions.cancel_delivery(world.delivery, by=SYSTEM, at=NOON)
    Hand().tell()
    return world


def test_it_tells_what_happened_in_order(lively: World) -> None:
    told = [(each["event"], each["object"]) for each in read_all(lively["client"])]
    held, other = lively.held, lively.delivery
    of_held = [event for event, subject in told if subject in (f"/api/deliveries/{held.pk}", f"/api/orders/{held.order_id}")]
    of_other = [event for event, subject in told if subject in (f"/api/deliveries/{other.pk}", f"/api/orders/{other.order_id}")]
    assert of_held == ["order.created", "delivery.assigned", "delivery.started", "delivery.picked", "delivery.completed"]
    assert of_other == ["order.created", "delivery.failed", "delivery.cancelled"]
    assert len(told) == len(of_held) + len(of_other)


def test_it_tells_what_webhooks_tell_under_the_same_ids(world: World) -> None:
    for name in ALL_NAMES:
        subscriptions.subscribe(world.client, world.store, "http://127.0.0.1:9/", [name], by=SYSTEM, at=NOON)
    transitions.pick(world.held, by=SYSTEM, at=NOON)
    transitions.drop(world.held, by=SYSTEM, at=NOON)
    transitions.cancel_delivery(world.delivery, by=SYSTEM, at=NOON)
    Hand().tell()
    told = read_all(world["client"])
    assert len(told) == 6
    assert sorted(ids(told)) == sorted(Call.objects.values_list("message_id", flat=True))
    for each in told:
        alone = world["client"].get(each["@id"])
        assert (alone.status_code, alone.json()) == (200, {"@context": "/api/contexts/Event", **each})
        assert alone["ETag"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 500, 10**6])
def test_pages_of_any_size_tell_the_same(lively: World, size: int) -> None:
    pages = lively["client"].get(f"/api/events?itemsPerPage={size}").json()
    assert len(pages[MEMBER]) <= size
    assert ids(read_all(lively["client"], f"/api/events?itemsPerPage={size}")) == ids(read_all(lively["client"]))
    assert ids(read_all(lively["dispatcher"], f"/api/events?itemsPerPage={size}")) == ids(read_all(lively["dispatcher"]))


def test_a_change_that_has_two_names_is_read_across_two_pages(world: World) -> None:
    delivery = factories.delivery(world.store)
    transitions.report(delivery, {"status": "delivered"}, by=SYSTEM, at=NOON)
    Hand().tell()
    (*_, picked, completed) = read_all(world["client"], "/api/events?itemsPerPage=1")
    assert (picked["event"], completed["event"]) == ("delivery.picked", "delivery.completed")


def test_a_change_longer_than_a_page_is_told_whole(world: World) -> None:
    pickup, _ = factories.stops()
    long = factories.delivery(world.store, stops=[pickup, *[factories.stops()[1] for _ in range(30)]])
    transitions.pick(long, by=SYSTEM, at=NOON)
    transitions.drop(long, by=SYSTEM, at=NOON)
    Hand().tell()
    names = [each["event"] for each in read_all(world["client"], "/api/events?itemsPerPage=1") if each["object"].endswith(f"/{long.pk}")]
    assert names[-2:] == ["delivery.picked", "delivery.completed"]
    assert names.count("delivery.completed") == 1


def test_everybody_reads_what_they_may_see(lively: World) -> None:
    own = ids(read_all(lively["client"]))
    neighbours = ids(read_all(lively["neighbour's client"]))
    assert own
    assert neighbours
    assert not {*own} & {*neighbours}
    for caller, expected in (("key", own), ("owner", own), ("neighbour", neighbours), ("neighbour's key", neighbours)):
        assert ids(read_all(lively[caller])) == expected
    assert sorted(ids(read_all(lively["dispatcher"]))) == sorted([*own, *neighbours])
    assert lively["neighbour's client"].get(f"/api/events/{own[0]}").status_code == 403
    lively.neighbour.owners.add(lively.store.owners.get())
    both = ids(read_all(lively["owner"]))
    assert both == ids(read_all(lively["dispatcher"]))
    assert ids(read_all(lively["owner"], "/api/events?itemsPerPage=1")) == both


def test_from_now_on(lively: World) -> None:
    latest = lively["client"].get("/api/events?cursor=latest").json()
    assert latest[MEMBER] == []
    assert read_all(lively["client"], latest[VIEW][NEXT]) == []
    order = factories.order(lively.store)
    assert read_all(lively["client"], latest[VIEW][NEXT]) == [], "nobody was told yet"
    Hand().tell()
    (event,) = read_all(lively["client"], latest[VIEW][NEXT])
    assert (event["event"], event["object"]) == ("order.created", f"/api/orders/{order.pk}")


def test_nothing_happened(world: World) -> None:
    page = world["neighbour's client"].get("/api/events").json()
    assert (page[MEMBER], "hydra:totalItems" in page) == ([], False)
    assert page[VIEW][NEXT] == page[VIEW]["@id"]
    assert world["neighbour's client"].get("/api/events?cursor=latest").json()[VIEW][NEXT] == page[VIEW][NEXT]


def test_a_plain_list_says_in_a_header_where_to_go_on(lively: World) -> None:
    told = lively["client"].get("/api/events?itemsPerPage=2")
    plain = lively["client"].get("/api/events?itemsPerPage=2", accept="application/json")
    assert ids(plain.json()) == ids(told.json()[MEMBER])
    assert plain["Link"].startswith(f'<{told.json()[VIEW][NEXT]}>; rel="next", <http://')


@pytest.mark.parametrize("cursor", ["x", "MTA", "MTAuMA==x", "é", "LTEuMA", "1.0", "MS4w MS4w", "OTk5OTk5OTk5OTk5OTk5OTk5OS4w", "%00"])
def test_a_cursor_that_cannot_be_read(world: World, cursor: str) -> None:
    answer = world["client"].get(f"/api/events?cursor={cursor}")
    assert answer.status_code == 400
    assert [each["propertyPath"] for each in answer.json()["violations"]] == ["cursor"]


@pytest.mark.parametrize("size", ["0", "-1", "x", "1.5"])
def test_a_page_that_cannot_be(world: World, size: str) -> None:
    assert world["client"].get(f"/api/events?itemsPerPage={size}").status_code == 400


@pytest.mark.parametrize("key", ["evt_0_order_created", "evt_x", "evt_1", "test_1", "evt_999999999999999999_order_created"])
def test_an_event_that_is_not_there(lively: World, key: str) -> None:
    assert lively["client"].get(f"/api/events/{key}").status_code == 404


def test_an_event_is_there_under_its_own_names_only_and_once_it_was_told(world: World) -> None:
    order = factories.order(world.store)
    event = order.events.get()
    assert world["client"].get(f"/api/events/evt_{event.pk}_order_created").status_code == 404
    Hand().tell()
    assert world["client"].get(f"/api/events/evt_{event.pk}_order_created").status_code == 200
    assert world["client"].get(f"/api/events/evt_{event.pk}_delivery_failed").status_code == 404


def test_cursors_are_printed_as_they_are_read() -> None:
    for place in (Cursor(), Cursor(1), Cursor(10**17, 7)):
        assert Cursor.read(str(place)) == place


def test_two_hundred_cost_what_two_do(world: World) -> None:
    Hand().tell()

    def cost(caller: str) -> int:
        with CaptureQueriesContext(connection) as told:
            assert world[caller].get("/api/events?itemsPerPage=500").status_code == 200
        return len(told.captured_queries)

    callers = ("client", "key", "owner", "dispatcher")
    few = [cost(caller) for caller in callers]
    for _ in range(100):
        transitions.pick(factories.delivery(world.store), by=SYSTEM, at=NOON)
    Hand().tell()
    assert [cost(caller) for caller in callers] == few
    assert len(read_all(world["client"])) > 200


def test_a_quiet_store_does_not_pay_for_its_neighbours(world: World) -> None:
    """Among tens of thousands of entries, its own are found by the index, wherever the reader stands."""
    rows = 30_000
    Hand().tell()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deliveries_event (kind, store_id, happened_at, actor_kind, actor_name, data, request_id) "
            "SELECT 'task.done', %s, now(), 'system', 'Relais', '{}', '' FROM generate_series(1, %s)",
            [world.neighbour.pk, rows],
        )
        cursor.execute(
            "INSERT INTO deliveries_feedentry (event_id, store_id) SELECT id, store_id FROM deliveries_event "
            "WHERE id NOT IN (SELECT event_id FROM deliveries_feedentry) ORDER BY id"
        )
    factories.order(world.store)
    Hand().tell()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE deliveries_event, deliveries_feedentry, stores_store")
    assert FeedEntry.objects.count() > rows
    assert Event.objects.filter(kind__in=KINDS).count() > rows
    client = credentials.client_actor(world.client, scopes=frozenset(["deliveries"]))
    owner = replace(client, store_ids=frozenset([world.store.pk, factories.StoreFactory.create().pk]))
    for actor, after in product((client, owner), (0, rows // 2)):
        plan = feed._entries(actor, after=after, kinds=KINDS, most=301).explain(analyze=True, timing=False)
        assert "feed_by_store" in plan, plan
        assert "Seq Scan on deliveries_feedentry" not in plan, plan
        assert "Seq Scan on deliveries_event" not in plan, plan
        assert max(int(count) for count in re.findall(r"actual rows=(\d+)", plan)) < 400, plan
