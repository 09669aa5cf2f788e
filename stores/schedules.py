"""Dates, ranges and time slots: as people write them, as the wire carries them, as a store offers them."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import groupby
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

import dateparser
import holidays
from django.core.exceptions import ValidationError

from stores.refusals import Refused

Range = tuple[datetime, datetime]

FIRST_YEAR, LAST_YEAR = 1970, 2200
LONGEST_TEXT = 100
LONGEST_INTERVAL = timedelta(days=366)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:(?:t| )(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?: ?(z|[+-]\d{2}(?::?\d{2})?))?)?", re.ASCII
)
_WEEK = re.compile(r"(\d{4})-?w(\d{2})(?:-?([1-7]))?(?=$|[t ])", re.ASCII)
_EPOCH = re.compile(r"@(\d{1,10})", re.ASCII)
_TODAY = re.compile(r"(today|tomorrow)?(?:(?:^| )(?:at )?(noon|midnight|\d{1,2}:\d{2}(?::\d{2})?))?", re.ASCII)

_CLOCK = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?"
    r"|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
_ELAPSED_UNIT = r"(?:hours?|minutes?|mins?|seconds?|secs?)"
_PHRASE = re.compile(
    rf"""(?P<date>\b\d{{1,2}}(?:st|nd|rd|th)?\ (?:of\ )?{_MONTH}\b(?:,?\ \d{{4}}\b(?!:))?
        | \b{_MONTH}\ \d{{1,2}}(?:st|nd|rd|th)?\b(?!:)(?:,?\ \d{{4}}\b(?!:))?
        | \b(?:0?[1-9]|1[0-2])/\d{{1,2}}/\d{{4}}\b
        | \b\d{{1,2}}([.-])\d{{1,2}}\2\d{{4}}\b)
      | (?P<elapsed>(?:[+-]?\b\d{{1,4}}(?:\.\d{{1,3}})?\ ?|\ban?\ ){_ELAPSED_UNIT}\b)
      | (?P<span>(?:[+-]?\b\d{{1,4}}\ ?|\ban?\ |\bnext\ |\blast\ )(?:days?|weeks?|months?|years?)\b)
      | (?P<weekday>(?:\b(?:next|last|this)\ )?\b{_WEEKDAY}\b)
      | (?P<day>\b(?:today|tomorrow|yesterday|day\ after\ tomorrow)\b)
      | (?P<clock>\b{_CLOCK}(?:\ ?[ap]m)?(?:\ (?:utc|gmt|[+-]\d{{2}}:?\d{{2}}))?(?![:\w])
        | \b(?:0?[1-9]|1[0-2])\ ?[ap]m\b
        | \b(?:noon|midnight)\b)
      | (?P<glue>\b(?:in|ago|at|on)\b)""",
    re.ASCII | re.VERBOSE,
)
_CLOCKS = re.compile(r"(?:(.+) )?(\d{1,2}:\d{2}(?::\d{2})?) ?[-\u2013] ?(\d{1,2}:\d{2}(?::\d{2})?)", re.ASCII)
_SPAN = re.compile(r"([1-9]\d{0,5}) (minute|hour|day|week)s?", re.ASCII)
_HOURS = re.compile(r"([A-Za-z,-]+) (\d{2}):(\d{2})-(\d{2}):(\d{2})", re.ASCII)


class BadMoment(Refused):
    """The text is not a date, a range of dates or a length of time we can read."""

    code: ClassVar[str] = "bad_moment"


# Moments


def parse_moment(text: object, *, tz: ZoneInfo, now: datetime) -> datetime:
    """The moment meant by ISO 8601 or by words such as "tomorrow 13:00", "+2 hours", "next monday 10:00"; in UTC.

    A day may be one of an ISO week, "2026-W50-1"; "@1800000000" counts seconds from 1970.
    What names no offset is wall-clock time of `tz`; a time skipped in spring moves on by the hour that was skipped.
    `now` is any aware moment. Raises `BadMoment`.
    """
    words = _words(text)
    try:
        moment = _epoch(words) or _iso(_by_the_calendar(words), tz) or _today(words, tz, now) or _phrase(words, tz, now)
    except (ValueError, OverflowError) as error:
        raise _unreadable(text) from error
    if moment is None or not FIRST_YEAR <= moment.astimezone(tz).year <= LAST_YEAR:
        raise _unreadable(text)
    return moment


def parse_time(text: object, *, tz: ZoneInfo) -> datetime:
    """The UTC moment of an ISO 8601 date and time; without an offset it is wall-clock time of `tz`. Raises `BadMoment`."""
    words = _words(text)
    try:
        moment = _iso(words, tz) if ":" in words else None
    except ValueError as error:
        raise _unreadable(text) from error
    if moment is None:
        raise _unreadable(text)
    return moment


def render(moment: datetime, tz: ZoneInfo) -> str:
    """ISO 8601 with the offset of `tz`, to the second: "2023-01-01T12:17:00+01:00"."""
    return moment.astimezone(tz).isoformat(timespec="seconds")


def day_bounds(day: date, tz: ZoneInfo) -> Range:
    """First moment of a local day and first moment of the next, in UTC; 23 to 25 hours apart."""
    return _utc(datetime.combine(day, time()), tz), _utc(datetime.combine(day + timedelta(days=1), time()), tz)


def parse_range(value: object, *, tz: ZoneInfo, now: datetime) -> Range:
    """Start and end in UTC of "2018-08-29 10:00-11:00" (overnight too), "A/B", "A - B" or a list of two moments.

    Raises `BadMoment`, also when the end is not after the start.
    """
    match value:
        case [first, second]:
            start, end = parse_moment(first, tz=tz, now=now), parse_moment(second, tz=tz, now=now)
        case str():
            start, end = _range(value, tz, now)
        case _:
            raise _unreadable(value)
    if end <= start:
        said = value if isinstance(value, str) else f"{first} - {second}"
        raise BadMoment(f"“{_shown(said)}” does not end after it begins.")
    return start, end


def _range(text: str, tz: ZoneInfo, now: datetime) -> Range:
    words = _words(text)
    if clocks := _CLOCKS.fullmatch(words):
        day, opens, closes = clocks.groups()
        start = parse_moment(f"{day or 'today'} {opens}", tz=tz, now=now)
        first_day = start.astimezone(tz).date()
        end = parse_moment(f"{first_day} {closes}", tz=tz, now=now)
        until = _since_midnight(*closes.split(":"))
        overnight = until < _since_midnight(*opens.split(":")) or not until
        return start, parse_moment(f"{first_day + timedelta(days=1)} {closes}", tz=tz, now=now) if overnight else end
    ends = words.split("/") if words.count("/") == 1 else words.split(" - ")
    if len(ends) != 2:
        raise _unreadable(text)
    return parse_moment(ends[0], tz=tz, now=now), parse_moment(ends[1], tz=tz, now=now)


def _words(text: object) -> str:
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise _unreadable(text)
    return " ".join(text.split()).lower()


def _epoch(words: str) -> datetime | None:
    match = _EPOCH.fullmatch(words)
    return datetime.fromtimestamp(int(match[1]), UTC) if match else None


def _by_the_calendar(words: str) -> str:
    """With the day of an ISO week, Monday unless it is said, as month and day; ValueError when the year has no such week."""
    match = _WEEK.match(words)
    if match is None:
        return words
    year, week, weekday = match.groups()
    return f"{date.fromisocalendar(int(year), int(week), int(weekday or 1))}{words[match.end() :]}"


def _iso(words: str, tz: ZoneInfo) -> datetime | None:
    """None when the text has another shape; ValueError when it has this one and names no real date."""
    match = _ISO.fullmatch(words)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise ValueError(year)
    midnight = datetime.combine(date(int(year), int(month), int(day)), time())
    local = midnight + _since_midnight(hour or "0", minute or "0", second or "0")
    local = local.replace(microsecond=int(f"{fraction or '':0<6}"[:6]))
    return datetime.fromisoformat(f"{local.isoformat()}{offset.upper()}").astimezone(UTC) if offset else _utc(local, tz)


def _today(words: str, tz: ZoneInfo, now: datetime) -> datetime | None:
    """The forms that come by the thousand: "tomorrow 13:00", "today", "13:00", "now". A day alone means its midnight."""
    if words == "now":
        return now.astimezone(UTC)
    match = _TODAY.fullmatch(words)
    if match is None or not any(match.groups()):
        return None
    day, clock = match.groups()
    midnight = datetime.combine(now.astimezone(tz).date(), time()) + timedelta(days=day == "tomorrow")
    clock = {None: "0:00", "midnight": "0:00", "noon": "12:00"}.get(clock, clock)
    return _utc(midnight + _since_midnight(*clock.split(":")), tz)


def _phrase(words: str, tz: ZoneInfo, now: datetime) -> datetime | None:
    """What is left goes to dateparser, which would read "a" as a month: only text made wholly of known phrases gets there."""
    words = words.removeprefix("now ")
    kinds = Counter(match.lastgroup for match in _PHRASE.finditer(words))
    said = kinds.keys() - {"clock", "glue"}
    if _PHRASE.sub("", words).strip(" ,") or not said or kinds["clock"] > 1:
        return None
    here = now.astimezone(tz).replace(tzinfo=None)
    if said == {"elapsed"} and not kinds["clock"]:
        # Hours are counted on the clock that never jumps.
        tz, base = ZoneInfo("UTC"), now.astimezone(UTC).replace(tzinfo=None)
    elif said <= {"elapsed", "span"} and not kinds["clock"]:
        base = here
    else:
        base = datetime.combine(here.date(), time())
        if not kinds["date"]:
            # "wednesday 14:00" said on a Wednesday is today, as PHP has it, and not in a week.
            today = DAYS[here.weekday()].lower()
            words = re.sub(rf"(?<!next )(?<!last )\b(?:this )?(?:{today}|{today[:3]})\b", "today", words)
    # With slashes the month comes first, otherwise the day: the order of PHP's parser again.
    read = dateparser.parse(
        words,
        languages=["en"],
        settings={"RELATIVE_BASE": base, "PREFER_DATES_FROM": "future", "DATE_ORDER": "MDY" if "/" in words else "DMY"},
    )
    if read is None or not FIRST_YEAR <= read.year <= LAST_YEAR:
        return None
    return _utc(read, tz) if read.tzinfo is None else read.astimezone(UTC)


def _since_midnight(hour: str, minute: str, second: str = "0") -> timedelta:
    """A clock reading as a distance, so that "24:00" is the end of the day; ValueError when no clock shows it."""
    if int(minute) > 59 or int(second) > 59 or (int(hour), int(minute), int(second)) > (24, 0, 0):
        raise ValueError(f"{hour}:{minute}:{second}")
    return timedelta(hours=int(hour), minutes=int(minute), seconds=int(second))


def _utc(local: datetime, tz: ZoneInfo) -> datetime:
    return local.replace(tzinfo=tz).astimezone(UTC)


def _shown(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def _unreadable(value: object) -> BadMoment:
    if not isinstance(value, str):
        return BadMoment("A date must be a text.")
    return BadMoment(f"“{_shown(value)}” is not a date we can read.")


# Time slots


@dataclass(frozen=True)
class OpeningHours:
    """One slot and the weekdays (0 is Monday) it is offered on; one that closes before it opens ends the next day."""

    days: tuple[int, ...]
    opens: time
    closes: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "Mo-Sa 10:00-11:00", "Mo,We-Fr 10:00-11:00" or "Su 22:00-24:00"; raises `BadMoment`."""
        match = _HOURS.fullmatch(text.strip())
        if match is None:
            raise BadMoment(f"“{_shown(text)}” are no opening hours; write them as “Mo-Sa 10:00-11:00”.")
        days, *clock = match.groups()
        opens_hour, opens_minute, closes_hour, closes_minute = map(int, clock)
        try:
            closes = time() if (closes_hour, closes_minute) == (24, 0) else time(closes_hour, closes_minute)
            return cls(_weekdays(days), time(opens_hour, opens_minute), closes)
        except ValueError as error:
            raise BadMoment(f"“{_shown(text)}” are no opening hours; write them as “Mo-Sa 10:00-11:00”.") from error

    @property
    def day_names(self) -> list[str]:
        """English names, Monday first."""
        return [DAYS[day] for day in self.days]

    def __str__(self) -> str:
        runs = [[day for _, day in run] for _, run in groupby(enumerate(self.days), lambda pair: pair[1] - pair[0])]
        days = ",".join(DAYS[run[0]][:2] if len(run) == 1 else f"{DAYS[run[0]][:2]}-{DAYS[run[-1]][:2]}" for run in runs)
        return f"{days} {self.opens:%H:%M}-{self.closes:%H:%M}"

    def on(self, day: date, tz: ZoneInfo) -> Range:
        """Start and end in UTC of the slot that begins on this local day."""
        last_day = day if self.opens < self.closes else day + timedelta(days=1)
        return _utc(datetime.combine(day, self.opens), tz), _utc(datetime.combine(last_day, self.closes), tz)


@dataclass(frozen=True)
class SlotRules:
    """What a time slot offers: its hours, how far ahead ("2 days"), how late one may still choose."""

    opening_hours: tuple[OpeningHours, ...]
    interval: str = "2 days"
    prior_notice: str | None = None
    working_days_only: bool = True
    same_day_cutoff: time | None = None


def choices(rules: SlotRules, *, now: datetime, tz: ZoneInfo, country: str, closures: Iterable[Range] = ()) -> list[Range]:
    """The slots a customer may choose at `now`, in order, as UTC ranges.

    A slot must begin before `now` + interval, and its end must be more than the prior notice away: a slot that has
    begun may still be chosen. Working days are those of `country` (ISO 3166 alpha-2); `closures` remove what they touch.
    """
    here = now.astimezone(tz)
    horizon = _later(here, rules.interval, tz)
    notice = parse_span(rules.prior_notice) if rules.prior_notice else timedelta()
    shut = tuple(closures)
    first = here.date()
    if rules.same_day_cutoff is not None and here.time() > rules.same_day_cutoff:
        first += timedelta(days=1)
    ahead = (horizon.astimezone(tz).date() - first).days
    days = [first + timedelta(days=number) for number in range(ahead + 1)]
    offered = {
        hours.on(day, tz)
        for day in days
        if not rules.working_days_only or _is_working_day(day, country)
        for hours in rules.opening_hours
        if day.weekday() in hours.days
    }
    return sorted(
        (start, end)
        for start, end in offered
        if start < min(end, horizon) and end - notice > now and not any(start < closed[1] and closed[0] < end for closed in shut)
    )


def parse_span(text: str) -> timedelta:
    """The length of "30 minutes", "3 hours", "2 days" or "1 week", a year and a day at most; raises `BadMoment`."""
    match = _SPAN.fullmatch(" ".join(text.split()).lower())
    span = timedelta(**{f"{match[2]}s": int(match[1])}) if match else None
    if span is None or span > LONGEST_INTERVAL:
        raise BadMoment(f"“{_shown(text)}” is not a length of time; write it as “2 days”, “1 week” or “3 hours”.")
    return span


def check_interval(text: str) -> None:
    """Django validator for what `parse_span` reads."""
    try:
        parse_span(text)
    except BadMoment as refusal:
        raise ValidationError(str(refusal), code=refusal.code) from refusal


def check_opening_hours(text: str) -> None:
    """Django validator for what `OpeningHours.parse` reads."""
    try:
        OpeningHours.parse(text)
    except BadMoment as refusal:
        raise ValidationError(str(refusal), code=refusal.code) from refusal


def _later(here: datetime, span: str, tz: ZoneInfo) -> datetime:
    """Days and weeks keep the time on the wall, whatever the clock does in between; hours are hours."""
    length = parse_span(span)
    if "hour" in span.lower() or "minute" in span.lower():
        return here.astimezone(UTC) + length
    return _utc(here.replace(tzinfo=None) + length, tz)


def _weekdays(text: str) -> tuple[int, ...]:
    """Numbers of "Mo,We-Fr"; a run may pass the weekend. ValueError for what is no day."""
    short = [name[:2].lower() for name in DAYS]
    days: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.partition("-")
        start, length = short.index(first), (short.index(last or first) - short.index(first)) % 7
        days.update((start + step) % 7 for step in range(length + 1))
    return tuple(sorted(days))


def _is_working_day(day: date, country: str) -> bool:
    return day.weekday() < 5 and day not in _bank_holidays(country)


@cache
def _bank_holidays(country: str) -> holidays.HolidayBase | frozenset[date]:
    """A country without a calendar of its own has weekends only."""
    return holidays.country_holidays(country) if country in holidays.list_supported_countries() else frozenset()
