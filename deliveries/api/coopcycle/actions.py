"""The small bodies of calls that move something."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deliveries.api.coopcycle import forms
from deliveries.api.coopcycle.errors import Malformed
from deliveries.api.coopcycle.forms import Problems
from deliveries.api.coopcycle.inputs import LONGEST_TEXT, TZ
from stores import schedules
from stores.places import Point
from stores.refusals import Missing, Path


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a task ended."""

    notes: str = ""
    contact_name: str = ""
    reason: str = ""


def nothing(body: Any) -> None:
    """An object, whatever it holds."""
    forms.mapping(body, ())


def comments(body: Any) -> str:
    """What to note at a pick or a drop."""
    return _text(forms.mapping(body, ()), "comments")


def outcome(body: Any) -> Outcome:
    """How a task ended, in the courier's words."""
    sent = forms.mapping(body, ())
    return Outcome(
        notes=_text(sent, "notes"), contact_name=forms.text(sent.get("contactName"), ("contactName",)), reason=_text(sent, "reason", 255)
    )


def courier_name(body: Any) -> str:
    """Whom to assign to; "" for oneself."""
    return _text(forms.mapping(body, ()), "username", 255)


def window(body: Any, *, now: datetime) -> tuple[datetime, datetime]:
    """Another time: both ends must be given."""
    sent, problems = forms.mapping(body, ()), Problems()
    ends = [
        problems.take(_moment, sent.get(name) or sent.get(alias), (name,), now, now=now)
        for name, alias in (("after", "doneAfter"), ("before", "doneBefore"))
    ]
    problems.check()
    return ends[0], ends[1]


def positions(body: Any) -> list[tuple[Point, datetime | None]]:
    """Where a courier was, and when: `[{"latitude", "longitude", "time"}]`, the time in milliseconds or as text."""
    if not isinstance(body, list):
        body = [body]
    if len(body) > 1000:
        raise Malformed("This collection should contain 1000 elements or less.", path=("positions",))
    problems = Problems()
    found = [_position(problems, each, ("positions", number)) for number, each in enumerate(body)]
    problems.check()
    return found


def _position(problems: Problems, value: Any, path: Path) -> tuple[Point, datetime | None]:
    if value is not None and not isinstance(value, dict):
        problems.found.append(Malformed("This value should be of type object.", path=path))
        return Point(0, 0), None
    sent = value or {}
    latitude = problems.take(forms.degrees, sent.get("latitude"), (*path, "latitude"), 0.0, most=90)
    longitude = problems.take(forms.degrees, sent.get("longitude"), (*path, "longitude"), 0.0, most=180)
    return Point(latitude, longitude), problems.take(_instant, sent.get("time"), (*path, "time"), None)


def _instant(value: Any, path: Path) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str) and not value.isdecimal():
        try:
            return schedules.parse_time(value, tz=TZ)
        except schedules.BadMoment as error:
            raise Malformed("This value is not a valid datetime.", path=path) from error
    milliseconds = forms.whole(value, path, most=4 * 10**12)
    return datetime.fromtimestamp(milliseconds / 1000, tz=TZ)


def _moment(value: Any, path: Path, *, now: datetime) -> datetime:
    if value in forms.ABSENT:
        raise Missing("This value should not be blank.", path=path)
    return forms.moment(value, path, tz=TZ, now=now)


def _text(sent: dict[str, Any], name: str, longest: int = LONGEST_TEXT) -> str:
    return forms.text(sent.get(name), (name,), longest=longest)
