"""The two machines told apart from the database: what tasks make of a delivery, and what a report makes of tasks."""

import re
from dataclasses import dataclass
from itertools import product

import pytest

from deliveries.statuses import (
    COLORS,
    DELIVERY_MOVES,
    MOMENTS,
    TASK_MOVES,
    DeliveryStatus,
    TaskStatus,
    TaskType,
    agree,
    follow,
    needs_attention,
    status_of,
)

P, D = TaskType.PICKUP, TaskType.DROPOFF
SHAPES = [(P, D), (P, D, D), (P, P, D), (P, P, D, D), (P, D, D, D), (P, P, P, D), (D, P)]
LETTERS = {"TODO": "T", "DOING": "D", "DONE": "X", "FAILED": "F", "CANCELLED": "C"}
TO_PICKUP = ("pickup_enroute", "pickup_approaching", "pickup_waiting")
TO_DROPOFF = ("dropoff_enroute", "dropoff_approaching", "dropoff_waiting")

TABLE = [
    # pickups > dropoffs, a letter each in alphabetical order; what the delivery may be, and first what it becomes
    (r"[CX]*>[CX]*X", ("delivered", "cancelled")),
    (r"[CFX]*>[CFX]*", ("cancelled",)),
    (r"[CFT]*T>.*", ("pending",)),
    (r".*[DT].*>.*", TO_PICKUP),
    (r"[CFX]*>.*D.*", TO_DROPOFF),
    (r".*X.*>.*", ("dropoff_enroute",)),
    (r".*>.*X.*", ("dropoff_enroute",)),
    (r"[CF]*>[CFT]*", ("pending",)),
]


@dataclass
class Stop:
    """A task as the machines see it."""

    type: str
    status: str


def all_of(shape: tuple[TaskType, ...]) -> list[list[Stop]]:
    """Every combination of task statuses."""
    return [[Stop(kind, status) for kind, status in zip(shape, row, strict=True)] for row in product(TaskStatus, repeat=len(shape))]


def spelled(stops: list[Stop]) -> str:
    return ">".join("".join(sorted(LETTERS[stop.status] for stop in stops if stop.type == kind)) for kind in (P, D))


def expected(stops: list[Stop], now: str) -> str:
    allowed = next(statuses for pattern, statuses in TABLE if re.fullmatch(pattern, spelled(stops)))
    return now if now in allowed else allowed[0]


@pytest.mark.parametrize("now", DeliveryStatus)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "+".join(kind[0] for kind in shape))
def test_tasks_make_the_status_of_their_delivery(shape: tuple[TaskType, ...], now: DeliveryStatus) -> None:
    wrong = {
        spelled(stops): (status_of(stops, now=now), expected(stops, now))
        for stops in all_of(shape)
        if status_of(stops, now=now) != expected(stops, now)
    }
    assert wrong == {}


@pytest.mark.parametrize("status", DeliveryStatus)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "+".join(kind[0] for kind in shape))
def test_a_delivery_agrees_with_what_its_tasks_become(shape: tuple[TaskType, ...], status: DeliveryStatus) -> None:
    def after(stops: list[Stop]) -> list[Stop]:
        return [Stop(stop.type, to) for stop, to in zip(stops, follow(status, stops), strict=True)]

    assert [spelled(stops) for stops in all_of(shape) if not agree(status, after(stops))] == []
    assert [spelled(stops) for stops in all_of(shape) if after(after(stops)) != after(stops)] == [], "a second report changes nothing"


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "+".join(kind[0] for kind in shape))
def test_agreeing_means_that_the_tasks_would_change_nothing(shape: tuple[TaskType, ...]) -> None:
    for stops, status in product(all_of(shape), DeliveryStatus):
        assert agree(status, stops) == (expected(stops, status) == status), (status, spelled(stops))


TWO_STOPS = {
    # report: the pickup, the dropoff (as of section 3 of the design)
    "pending": ("TODO", ["TODO"]),
    "pickup_enroute": ("DOING", ["TODO"]),
    "pickup_approaching": ("DOING", ["TODO"]),
    "pickup_waiting": ("DOING", ["TODO"]),
    "dropoff_enroute": ("DONE", ["TODO", "DOING"]),
    "dropoff_approaching": ("DONE", ["DOING"]),
    "dropoff_waiting": ("DONE", ["DOING"]),
    "delivered": ("DONE", ["DONE"]),
}


@pytest.mark.parametrize("status", TWO_STOPS)
def test_two_tasks_follow_a_report_as_the_table_says(status: str) -> None:
    pickup, dropoffs = TWO_STOPS[status]
    for stops in all_of((P, D)):
        after = follow(DeliveryStatus(status), stops)
        assert after[0] == pickup, spelled(stops)
        assert after[1] in dropoffs, spelled(stops)
        assert agree(DeliveryStatus(status), [Stop(P, pickup), Stop(D, after[1])])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "+".join(kind[0] for kind in shape))
def test_a_cancelled_delivery_keeps_what_was_finished(shape: tuple[TaskType, ...]) -> None:
    for stops in all_of(shape):
        after = follow(DeliveryStatus.CANCELLED, stops)
        assert after == ["CANCELLED" if stop.status in ("TODO", "DOING") else stop.status for stop in stops]


@pytest.mark.parametrize("status", [status for status in DeliveryStatus if status != DeliveryStatus.CANCELLED])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "+".join(kind[0] for kind in shape))
def test_a_stop_taken_out_stays_out_while_others_go_on(shape: tuple[TaskType, ...], status: DeliveryStatus) -> None:
    for stops in all_of(shape):
        after = follow(status, stops)
        for kind in (P, D):
            own = [(stop.status, to) for stop, to in zip(stops, after, strict=True) if stop.type == kind]
            out = {to for was, to in own if was == "CANCELLED"}
            assert out <= ({"CANCELLED"} if any(was != "CANCELLED" for was, _ in own) else set(TaskStatus) - {"CANCELLED"}), spelled(stops)


@pytest.mark.parametrize(
    ("before", "status", "after"),
    [
        ("PDD DONE DONE TODO", "dropoff_waiting", ["DONE", "DONE", "DOING"]),
        ("PDD DONE FAILED DOING", "dropoff_waiting", ["DONE", "FAILED", "DOING"]),
        ("PDD DONE DONE DOING", "dropoff_enroute", ["DONE", "DONE", "DOING"]),
        ("PDD DONE DONE DONE", "dropoff_enroute", ["DONE", "TODO", "TODO"]),
        ("PDD DONE FAILED DOING", "delivered", ["DONE", "DONE", "DONE"]),
        ("PPD FAILED DONE TODO", "dropoff_waiting", ["FAILED", "DONE", "DOING"]),
        ("PPD FAILED DOING TODO", "dropoff_enroute", ["FAILED", "DONE", "TODO"]),
        ("PPD FAILED FAILED TODO", "dropoff_enroute", ["DONE", "DONE", "TODO"]),
        ("PPD CANCELLED DONE TODO", "pickup_waiting", ["CANCELLED", "DOING", "TODO"]),
        ("PD CANCELLED CANCELLED", "dropoff_waiting", ["DONE", "DOING"]),
        ("PD DONE DONE", "pending", ["TODO", "TODO"]),
        ("PD DONE DONE", "cancelled", ["DONE", "DONE"]),
    ],
)
def test_a_report_leaves_what_it_says_nothing_about(before: str, status: str, after: list[str]) -> None:
    shape, *statuses = before.split()
    stops = [Stop(P if letter == "P" else D, word) for letter, word in zip(shape, statuses, strict=True)]
    assert follow(DeliveryStatus(status), stops) == after


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "+".join(kind[0] for kind in shape))
def test_a_failure_needs_attention_until_nothing_is_left_to_do(shape: tuple[TaskType, ...]) -> None:
    for stops in all_of(shape):
        letters = set(spelled(stops))
        assert needs_attention(stops) == ("F" in letters and bool(letters & {"T", "D"})), spelled(stops)


def test_every_status_has_words_and_a_colour_that_the_screens_know() -> None:
    everything: list[DeliveryStatus | TaskStatus] = [*DeliveryStatus, *TaskStatus]
    assert set(COLORS) == set(everything)
    assert set(COLORS.values()) <= {"info", "warning", "primary", "success", "danger", "default"}
    assert all(status.label and status.label != status.value for status in everything)
    for statuses in (DeliveryStatus, TaskStatus):
        assert len(set(statuses.labels)) == len(statuses.labels)


def test_a_carrier_may_report_any_status_after_any_other() -> None:
    assert {(left, to) for left, moves in DELIVERY_MOVES.items() for to in moves} == {
        (left, to) for left, to in product(DeliveryStatus, repeat=2) if left != to
    }


def test_what_people_may_do_with_a_task() -> None:
    assert {(left.value, to.value) for left, moves in TASK_MOVES.items() for to in moves} == {
        *product(["TODO"], ["DOING", "DONE", "FAILED", "CANCELLED"]),
        *product(["DOING"], ["TODO", "DONE", "FAILED", "CANCELLED"]),
        ("FAILED", "TODO"),
        ("CANCELLED", "TODO"),
    }


def test_four_statuses_write_a_moment() -> None:
    assert MOMENTS == {
        "pickup_enroute": "assigned_at",
        "dropoff_enroute": "pickup_at",
        "delivered": "delivered_at",
        "cancelled": "cancelled_at",
    }
