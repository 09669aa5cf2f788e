"""The slots a store offers."""

from collections.abc import Callable
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from stores import schedules
from stores.schedules import OpeningHours, SlotRules

PARIS = ZoneInfo("Europe/Paris")

DAILY = (OpeningHours.parse("Mo-Su 10:00-11:00"), OpeningHours.parse("Mo-Su 14:00-15:00"))


def offered(rules: SlotRules, now: datetime, **closures: object) -> list[str]:
    found = schedules.choices(rules, now=now, tz=PARIS, country="FR", **closures)  # type: ignore[arg-type]  # only closures
    return [f"{start.astimezone(PARIS):%a %d %H:%M}-{end.astimezone(PARIS):%H:%M}" for start, end in found]


def local(text: str) -> datetime:
    return schedules.parse_time(text, tz=PARIS)


def test_slots_go_on_until_the_interval_ends() -> None:
    rules = SlotRules(DAILY, working_days_only=False)
    assert offered(rules, local("2024-05-14 12:00")) == [
        "Tue 14 14:00-15:00",
        "Wed 15 10:00-11:00",
        "Wed 15 14:00-15:00",
        "Thu 16 10:00-11:00",
    ]


@pytest.mark.parametrize(
    ("clock", "first"), [("10:00", "Tue 14 10:00-11:00"), ("10:59", "Tue 14 10:00-11:00"), ("11:00", "Tue 14 14:00-15:00")]
)
def test_a_slot_may_be_chosen_until_it_has_finished(clock: str, first: str) -> None:
    assert offered(SlotRules(DAILY), local(f"2024-05-14 {clock}"))[0] == first


def test_a_slot_must_begin_before_the_end_of_the_interval() -> None:
    rules = SlotRules(DAILY, interval="1 day")
    assert offered(rules, local("2024-05-14 14:00"))[-1] == "Wed 15 10:00-11:00"
    assert offered(rules, local("2024-05-14 14:01"))[-1] == "Wed 15 14:00-15:00"
    assert offered(SlotRules(DAILY, interval="3 hours"), local("2024-05-14 11:00")) == []
    assert offered(SlotRules(DAILY, interval="3 hours"), local("2024-05-14 11:01")) == ["Tue 14 14:00-15:00"]


@pytest.mark.parametrize(("clock", "first"), [("08:59", "Tue 14 10:00-11:00"), ("09:00", "Tue 14 14:00-15:00")])
def test_prior_notice_counts_back_from_the_end(clock: str, first: str) -> None:
    assert offered(SlotRules(DAILY, prior_notice="2 hours"), local(f"2024-05-14 {clock}"))[0] == first


@pytest.mark.parametrize(("clock", "first"), [("12:00", "Tue 14 14:00-15:00"), ("12:01", "Wed 15 10:00-11:00")])
def test_after_the_cutoff_nothing_more_today(clock: str, first: str) -> None:
    assert offered(SlotRules(DAILY, same_day_cutoff=time(12)), local(f"2024-05-14 {clock}"))[0] == first


def test_weekends_are_skipped_not_replaced() -> None:
    friday = local("2024-05-17 11:00")
    assert offered(SlotRules(DAILY), friday) == ["Fri 17 14:00-15:00"]
    assert len(offered(SlotRules(DAILY, working_days_only=False), friday)) == 4


def test_bank_holidays_are_no_working_days_where_they_are_kept() -> None:
    eve_of_bastille_day = local("2025-07-13 12:00")
    assert all("Mon 14" not in slot for slot in offered(SlotRules(DAILY), eve_of_bastille_day))
    elsewhere = schedules.choices(SlotRules(DAILY), now=eve_of_bastille_day, tz=PARIS, country="PT")
    assert any(start.astimezone(PARIS).day == 14 for start, _ in elsewhere)
    assert schedules.choices(SlotRules(DAILY), now=eve_of_bastille_day, tz=PARIS, country="XX") == elsewhere


def test_closures_remove_what_they_touch() -> None:
    closed = (local("2024-05-14 10:30"), local("2024-05-14 14:00"))
    assert offered(SlotRules(DAILY), local("2024-05-14 09:00"), closures=[closed])[0] == "Tue 14 14:00-15:00"


def test_only_the_days_of_the_hours_count() -> None:
    rules = SlotRules((OpeningHours.parse("Th 10:00-11:00"),), interval="1 week")
    assert offered(rules, local("2024-05-14 09:00")) == ["Thu 16 10:00-11:00"]


def test_a_slot_may_end_the_next_day_and_is_offered_once() -> None:
    hours = OpeningHours.parse("Mo-Su 22:00-02:00")
    assert offered(SlotRules((hours, hours), interval="1 day"), local("2024-05-14 23:00")) == ["Tue 14 22:00-02:00", "Wed 15 22:00-02:00"]


def test_days_of_the_interval_are_days_on_the_wall() -> None:
    rules = SlotRules((OpeningHours.parse("Mo-Su 10:30-11:00"),), interval="1 day", working_days_only=False)
    assert offered(rules, local("2024-03-30 11:00")) == ["Sun 31 10:30-11:00"]
    assert offered(rules, local("2024-10-26 10:31"))[-1] == "Sun 27 10:30-11:00"


def test_a_slot_that_the_clock_skips_is_not_offered() -> None:
    rules = SlotRules((OpeningHours.parse("Su 02:00-03:00"),), working_days_only=False)
    assert offered(rules, local("2024-03-30 12:00")) == []


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mo-Sa 10:00-11:00", (0, 1, 2, 3, 4, 5)),
        ("Mo,We-Fr 10:00-11:00", (0, 2, 3, 4)),
        ("Su 22:00-02:00", (6,)),
    ],
)
def test_opening_hours_are_read_and_written(text: str, days: tuple[int, ...]) -> None:
    hours = OpeningHours.parse(text)
    assert hours.days == days
    assert str(hours) == text


def test_opening_hours_may_pass_the_weekend_and_close_at_24() -> None:
    hours = OpeningHours.parse(" Sa-Mo 10:00-24:00 ")
    assert hours.day_names == ["Monday", "Saturday", "Sunday"]
    assert (hours.opens, hours.closes) == (time(10), time(0))


@given(st.sets(st.integers(0, 6), min_size=1), st.times(), st.times())
def test_opening_hours_survive_being_written(days: set[int], opens: time, closes: time) -> None:
    hours = OpeningHours(tuple(sorted(days)), opens.replace(second=0, microsecond=0), closes.replace(second=0, microsecond=0))
    assert OpeningHours.parse(str(hours)) == hours


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (schedules.check_opening_hours, ["Mo-Su 10:00-11:00"], ["", "Mo", "Xx 10:00-11:00", "Mo 25:00-26:00", "Mo 10-11", "Mo- 1:00-2:00"]),
        (
            schedules.check_interval,
            ["2 days", "1 week", "3 hours", "30 minutes", " 1  Day "],
            ["", "0 days", "-1 day", "2", "367 days", "1 month"],
        ),
    ],
)
def test_the_validators_of_forms(check: Callable[[str], None], good: list[str], bad: list[str]) -> None:
    for text in good:
        check(text)
    for text in bad:
        with pytest.raises(ValidationError):
            check(text)
