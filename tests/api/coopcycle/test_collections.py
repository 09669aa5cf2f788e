"""Collections: pages, views, filters, and their price in queries."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliveries.models import Delivery
from tests import factories
from tests.api.coopcycle.knocking import World
from tests.factories import NOON


def ids(payload: Any) -> list[int]:
    return [member["id"] for member in payload["hydra:member"]]


def test_pages_of_a_stores_deliveries(world: World) -> None:
    for number in range(15):
        factories.delivery(world.store, at=NOON + timedelta(minutes=number + 1))
    path = f"/api/stores/{world.store.pk}/deliveries"
    first, second = world["client"].get(path).json(), world["client"].get(f"{path}?page=2").json()
    assert (first["@id"], first["hydra:totalItems"], len(first["hydra:member"]), len(second["hydra:member"])) == (path, 17, 15, 2)
    assert ids(first) + ids(second) == list(Delivery.objects.order_by("-created_at", "-id").values_list("pk", flat=True))
    assert first["hydra:view"] == {
        "@id": f"{path}?page=1",
        "@type": "hydra:PartialCollectionView",
        "hydra:first": f"{path}?page=1",
        "hydra:last": f"{path}?page=2",
        "hydra:next": f"{path}?page=2",
    }
    assert second["hydra:view"]["hydra:previous"] == f"{path}?page=1"
    assert "hydra:next" not in second["hydra:view"]
    assert all("@context" not in member for member in first["hydra:member"])


def test_there_is_no_view_without_need(world: World) -> None:
    assert "hydra:view" not in world["dispatcher"].get("/api/stores").json()
    assert world["dispatcher"].get("/api/stores?itemsPerPage=1").json()["hydra:view"]["hydra:last"] == "/api/stores?itemsPerPage=1&page=2"


def test_a_stores_deliveries_always_have_a_view(world: World) -> None:
    path = f"/api/stores/{world.store.pk}/deliveries"
    assert world["client"].get(path).json()["hydra:view"] == {
        "@id": f"{path}?page=1",
        "@type": "hydra:PartialCollectionView",
        "hydra:first": f"{path}?page=1",
        "hydra:last": f"{path}?page=1",
    }
    Delivery.objects.filter(store=world.neighbour).delete()
    assert "hydra:view" in world["neighbour"].get(f"/api/stores/{world.neighbour.pk}/deliveries").json()
    asked = world["client"].get(f"{path}?order[createdAt]=asc").json()
    assert asked["hydra:view"]["@id"] == f"{path}?order%5BcreatedAt%5D=asc&page=1"
    assert "hydra:search" in asked


def test_a_token_in_the_address_is_not_repeated(world: World) -> None:
    token = world["courier"].token
    shown = world["nobody"].get(f"/api/tasks?token={token}&date=2026-11-20").json()
    assert shown["hydra:view"] == {"@id": "/api/tasks?date=2026-11-20", "@type": "hydra:PartialCollectionView"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("order[dropoff.before]=asc", ["early", "late"]),
        ("order[dropoff.before]=desc", ["late", "early"]),
        ("order[createdAt]=desc", ["early", "late"]),
        ("order[createdAt]=asc", ["late", "early"]),
        ("dropoff.before[before]=2026-11-21T14:00:00%2B01:00", ["early"]),
        ("dropoff.before[strictly_before]=2026-11-21T14:00:00%2B01:00", []),
        ("dropoff.before[after]=2026-11-21T14:00:00%2B01:00", ["early", "late"]),
        ("dropoff.before[strictly_after]=2026-11-21 14:00", ["late"]),
        ("pickup.after[after]=2026-11-22", ["late"]),
        ("pickup.before[strictly_before]=2026-11-22", ["early"]),
    ],
)
def test_a_stores_deliveries_are_filtered_and_ordered(world: World, query: str, expected: list[str]) -> None:
    store = world.neighbour
    late = factories.delivery(store, at=NOON, stops=factories.stops(due=NOON + timedelta(hours=50)))
    early = factories.delivery(store, at=NOON + timedelta(minutes=1), stops=factories.stops(due=NOON + timedelta(hours=26)))
    names = {late.pk: "late", early.pk: "early"}
    found = world["neighbour's client"].get(f"/api/stores/{store.pk}/deliveries?{query}").json()
    got = [names[pk] for pk in ids(found)]
    assert got == expected if query.startswith("order") else sorted(got) == expected


def test_filters_of_one_side_are_met_by_one_stop(world: World) -> None:
    near, far = (
        {"address": "48, Rue de Rivoli", "before": "2026-11-21 14:00"},
        {"address": "85, Rue Oberkampf", "before": "2026-11-25 14:00"},
    )
    store = world.neighbour
    made = world["neighbour's client"].post("/api/deliveries", {"tasks": [{"type": "pickup"}, near, far]}).json()
    path = f"/api/stores/{store.pk}/deliveries"

    def found(query: str) -> list[int]:
        return ids(world["neighbour's client"].get(f"{path}?{query}").json())

    assert found("dropoff.before[after]=2026-11-24") == [made["id"]]
    assert found("dropoff.before[before]=2026-11-22") == []
    assert found("dropoff.before[after]=2026-11-24&dropoff.after[before]=2026-11-24") == []
    assert found("dropoff.before[after]=2026-11-24&dropoff.before[before]=2026-11-26&order[dropoff.before]=asc") == [made["id"]]
    world["dispatcher"].put(f"{made['tasks'][2]['@id']}/cancel")
    assert found("dropoff.before[before]=2026-11-22") == [made["id"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=99999999999999999999", "page"),
        ("itemsPerPage=0", "itemsPerPage"),
        ("dropoff.before[before]=soon%00", ""),
    ],
)
def test_parameters_that_cannot_be_read(world: World, query: str, field: str) -> None:
    response = world["client"].get(f"/api/stores/{world.store.pk}/deliveries?{query}")
    assert response.status_code == 400
    assert field in response.json()["hydra:description"]


def test_a_page_past_the_end_is_empty(world: World) -> None:
    found = world["client"].get(f"/api/stores/{world.store.pk}/deliveries?page=999999").json()
    assert (found["hydra:member"], found["hydra:totalItems"]) == ([], 2)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4),
        ("?date=2026-11-20", 4),
        ("?date=2026-11-21", 0),
        ("?assigned=yes", 2),
        ("?assigned=no", 2),
        ("?organization=Acme", 4),
        ("?organization=Next%20door", 0),
        ("?organization=a%00b", 0),
        ("?assigned=perhaps", 4),
    ],
)
def test_tasks_are_filtered(world: World, query: str, count: int) -> None:
    assert world["dispatcher"].get(f"/api/tasks{query}").json()["hydra:totalItems"] == count


def test_tasks_come_by_their_latest_time(world: World) -> None:
    members = world["dispatcher"].get("/api/tasks").json()["hydra:member"]
    assert members == sorted(members, key=lambda task: (task["before"], task["type"] == "DROPOFF", task["id"]))


@pytest.mark.parametrize("start", ["/api/tasks?date=", "/api/me/tasks/"])
@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "9999-12-31", "20261122", "2026-W47-7", "\uff12026-11-22"])
def test_a_day_that_is_none(world: World, start: str, day: str) -> None:
    response = world["courier"].get(f"{start}{day}")
    assert response.status_code == 400
    assert response.json()["violations"][0]["propertyPath"] == "date"


PRICES: dict[str, tuple[str, str, int]] = {
    # what: caller, path, queries
    "a task": ("client", "/api/tasks/{task}", 2),
    "a delivery": ("client", "/api/deliveries/{delivery}", 3),
    "a store's deliveries": ("client", "/api/stores/{store}/deliveries?itemsPerPage=100", 5),
    "all tasks": ("dispatcher", "/api/tasks", 2),
    "a page of tasks": ("dispatcher", "/api/tasks?pagination=true&itemsPerPage=100", 3),
    "a courier's tasks": ("courier", "/api/tasks", 2),
    "a courier's day": ("courier", "/api/me/tasks/2026-11-20", 4),
    "a task's events": ("client", "/api/tasks/{task}/events", 3),
    "stores": ("dispatcher", "/api/stores?itemsPerPage=100", 3),
    "my stores": ("owner", "/api/me/stores", 3),
    "a store": ("client", "/api/stores/{store}", 2),
    "an address": ("client", "/api/addresses/{address}", 2),
    "me": ("courier", "/api/me", 1),
}


@pytest.mark.parametrize("name", PRICES)
def test_reads_cost_the_same_for_few_rows_and_for_many(world: World, name: str) -> None:
    caller, template, price = PRICES[name]
    pks = {"task": world.task_ids(world.held)[0], "delivery": world.held.pk, "store": world.store.pk, "address": world.store.address_id}
    path = template.format(**pks)
    assert _cost(world, caller, path) == price
    for _ in range(18):
        made = factories.delivery(world.store)
        world["dispatcher"].put(f"/api/tasks/{world.task_ids(made)[0]}/assign", {"username": "bob"})
        factories.StoreFactory.create().owners.add(*world.store.owners.all())
    assert _cost(world, caller, path) == price


def test_booking_costs_at_most_fifteen_queries(world: World) -> None:
    body = {
        "dropoff": {"address": "48, Rue de Rivoli, Paris", "before": "tomorrow 13:00", "comments": "x", "weight": 100, "tags": ["cold"]}
    }
    with CaptureQueriesContext(connection) as queries:
        assert world["client"].post("/api/deliveries", body).status_code == 201
    assert len(queries) <= 15


def _cost(world: World, caller: str, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert world[caller].get(path).status_code == 200
    return len(queries)
