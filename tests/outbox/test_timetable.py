"""The timetable of attempts: three days, spread, and never sooner than the receiver asks."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.outbox.timetable import DISABLE_AFTER, WAITS, next_wait

EVEN = 0.5
"""The chance that leaves a wait as the table has it."""


def wait(attempts: int, *, chance: float = EVEN, retry_after_s: float | None = None) -> timedelta:
    found = next_wait(attempts, chance=chance, retry_after_s=retry_after_s)
    assert found is not None
    return found


def test_the_schedule_is_the_one_that_standard_webhooks_recommends() -> None:
    hours = [wait(attempts) / timedelta(hours=1) for attempts in range(1, 10)]
    assert hours == pytest.approx([5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24])


def test_ten_attempts_in_three_days_and_then_no_more() -> None:
    assert next_wait(10, chance=EVEN) is None
    assert next_wait(11, chance=EVEN, retry_after_s=60) is None
    assert timedelta(days=3) < sum(WAITS, timedelta()) < timedelta(days=3, hours=4)


def test_a_subscription_is_switched_off_only_after_one_call_had_all_its_attempts() -> None:
    assert sum(WAITS, timedelta()) * 1.2 < DISABLE_AFTER == timedelta(days=5)


@given(attempts=st.integers(1, 9), chance=st.floats(0, 1, exclude_max=True))
def test_chance_spreads_a_wait_by_a_fifth(attempts: int, chance: float) -> None:
    planned = WAITS[attempts - 1] / timedelta(microseconds=1)
    assert 0.8 * planned - 1 <= wait(attempts, chance=chance) / timedelta(microseconds=1) <= 1.2 * planned + 1


def test_chance_reaches_both_ends() -> None:
    assert wait(2, chance=0) == timedelta(minutes=4)
    assert wait(2, chance=0.999_999) == pytest.approx(timedelta(minutes=6), abs=timedelta(seconds=1))


@pytest.mark.parametrize(
    ("attempts", "asked", "expected"),
    [
        (1, 120, timedelta(minutes=2)),
        (1, 0, timedelta(seconds=5)),
        (2, 120, timedelta(minutes=5)),
        (1, 3 * 24 * 3600, timedelta(hours=24)),
        (9, 1e9, timedelta(hours=24)),
    ],
    ids=["longer than planned", "at once", "shorter than planned", "longer than a day", "absurd"],
)
def test_what_the_receiver_asks_for_is_the_least_we_wait_up_to_a_day(attempts: int, asked: float, expected: timedelta) -> None:
    assert wait(attempts, retry_after_s=asked) == expected
