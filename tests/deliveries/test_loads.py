"""What each stop of a delivery carries, and what a pickup or a dropoff stands for."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries import loads
from deliveries.loads import Load


@dataclass
class Stop:
    """A task with a load."""

    pk: int
    type: str
    weight: int | None = None
    packages: list[dict[str, Any]] = field(default_factory=list)
    status: str = "TODO"


def pack(name: str, quantity: int) -> dict[str, Any]:
    return {"name": name, "short_code": name, "volume": 1, "quantity": quantity}


def pickup(pk: int, weight: int | None = None, *packages: dict[str, Any], status: str = "TODO") -> Stop:
    return Stop(pk, "PICKUP", weight, list(packages), status)


def dropoff(pk: int, weight: int | None = None, *packages: dict[str, Any], status: str = "TODO") -> Stop:
    return Stop(pk, "DROPOFF", weight, list(packages), status)


CASES: dict[str, tuple[list[Stop], list[tuple[int | None, dict[str, int], list[int]]]]] = {
    # the stops; what each of them shows: grams, packages, and the tasks they come from
    "one to one": (
        [pickup(1, 9), dropoff(2, 500, pack("XL", 2))],
        [(500, {"XL": 2}, [2]), (500, {"XL": 2}, [2])],
    ),
    "one to one without a load": ([pickup(1), dropoff(2)], [(None, {}, [2]), (None, {}, [2])]),
    "one to many": (
        [pickup(1), dropoff(2, 500, pack("XL", 2), pack("S", 1)), dropoff(3, 250, pack("XL", 1))],
        [(750, {"XL": 3, "S": 1}, [2, 3]), (500, {"XL": 2, "S": 1}, [2]), (250, {"XL": 1}, [3])],
    ),
    "one to many, one of them without a weight": (
        [pickup(1), dropoff(2, 500), dropoff(3)],
        [(500, {}, [2, 3]), (500, {}, [2]), (None, {}, [3])],
    ),
    "one to many, one of them taken out": (
        [pickup(1), dropoff(2, 500), dropoff(3, 250, status="CANCELLED")],
        [(500, {}, [2]), (500, {}, [2]), (250, {}, [3])],
    ),
    "many to one that carries nothing": (
        [pickup(1, 500, pack("XL", 2)), pickup(2, 250, pack("XL", 1)), dropoff(3)],
        [(500, {"XL": 2}, [1]), (250, {"XL": 1}, [2]), (750, {"XL": 3}, [1, 2])],
    ),
    "many to one with a weight": ([pickup(1, 500), pickup(2), dropoff(3, 800)], [(None, {}, [1]), (None, {}, [2]), (800, {}, [3])]),
    "many to one with packages": (
        [pickup(1, 500), pickup(2), dropoff(3, None, pack("S", 1))],
        [(None, {}, [1]), (None, {}, [2]), (None, {"S": 1}, [3])],
    ),
    "many to many": (
        [pickup(1, 500), pickup(2), dropoff(3, 800), dropoff(4)],
        [(500, {}, [1]), (None, {}, [2]), (800, {}, [3]), (None, {}, [4])],
    ),
    "all cancelled": (
        [pickup(1, status="CANCELLED"), dropoff(2, 500, status="CANCELLED")],
        [(None, {}, [1]), (500, {}, [2])],
    ),
    "a task alone": ([dropoff(1, 500)], [(500, {}, [1])]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_each_stop_shows(case: str) -> None:
    stops, expected = CASES[case]
    shown = [loads.shown(stop, stops) for stop in stops]
    assert [(load.weight, {package["name"]: package["quantity"] for package in load.packages}, load.task_ids) for load in shown] == expected


def test_packages_keep_what_else_is_known_of_them_and_stay_as_they_were() -> None:
    first, second = dropoff(1, None, pack("XL", 2)), dropoff(2, None, pack("XL", 1))
    assert loads.total([first, second]).packages == [pack("XL", 3)]
    assert (first.packages, second.packages) == ([pack("XL", 2)], [pack("XL", 1)])


def test_a_load_as_a_courier_reads_it() -> None:
    assert loads.summary(Load(6000, [pack("XL", 2), pack("S", 1)], [1])) == "2 × XL\n1 × S\n6.00 kg"
    assert loads.summary(Load(2005, [], [1])) == "2.00 kg"
    assert loads.summary(Load(0, [], [1])) == loads.summary(Load(None, [], [1])) == ""


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 10**6)), st.dictionaries(st.sampled_from("SML"), st.integers(1, 99)))))
def test_nothing_is_lost_in_a_sum(carried: list[tuple[int | None, dict[str, int]]]) -> None:
    stops = [dropoff(pk, weight, *(pack(*each) for each in packages.items())) for pk, (weight, packages) in enumerate(carried)]
    load = loads.total(stops)
    assert (load.weight or 0) == sum(weight or 0 for weight, _ in carried)
    assert sum(package["quantity"] for package in load.packages) == sum(sum(packages.values()) for _, packages in carried)
    assert len({package["name"] for package in load.packages}) == len(load.packages)
