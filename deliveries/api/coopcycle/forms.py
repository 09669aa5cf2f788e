"""The shapes that values may have on the wire: each reads one value at a path, or refuses it there."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from deliveries.api.coopcycle.errors import BadReference, Malformed
from stores import schedules
from stores.places import Point
from stores.refusals import Invalid, Missing, Path, Refused

Value = TypeVar("Value")

LARGEST = 2**31 - 1
DEEPEST = 16
ABSENT = (None, "", False)

_IRI = re.compile(r"/api/([a-z_]+)/([0-9]{1,18})", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)


class Problems:
    """Collects what is wrong with a body, so that every field is named at once."""

    def __init__(self) -> None:
        self.found: list[Refused] = []

    def take(self, reader: Callable[..., Value], value: Any, path: Path, otherwise: Value, **limits: Any) -> Value:
        """What `reader` makes of the value, or `otherwise` when it refuses."""
        try:
            return reader(value, path, **limits)
        except Refused as refusal:
            refusal.path = refusal.path or path
            self.found.append(refusal)
            return otherwise

    def check(self) -> None:
        """Raise `Invalid` when anything was refused."""
        if self.found:
            raise Invalid(*self.found)


def mapping(value: Any, path: Path) -> dict[str, Any]:
    """A JSON object; PHP prints an empty one as a list."""
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise Malformed("This value should be of type object.", path=path)
    return value


def text(value: Any, path: Path, *, longest: int = 255) -> str:
    """A text; false and null are none."""
    if value is None or value is False:
        return ""
    if not isinstance(value, str):
        raise Malformed("This value should be of type string.", path=path)
    if len(value) > longest:
        raise Malformed(f"This value is too long. It should have {longest} characters or less.", path=path)
    return value


def whole(value: Any, path: Path, *, least: int = 0, most: int = LARGEST) -> int:
    """A whole number, as a number or in digits."""
    number: Any = int(value) if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) else value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise Malformed("This value should be of type int.", path=path)
    if not least <= number <= most:
        raise Malformed(f"This value should be between {least} and {most}.", path=path)
    return number


def boolean(value: Any, path: Path) -> bool:
    """A yes or no; absent is no."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Malformed("This value should be of type bool.", path=path)
    return value


def reference(value: Any, path: Path, *, to: str) -> int:
    """The number in an IRI such as `/api/stores/1`; raises `BadReference` for what is no IRI of that kind."""
    match = _IRI.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[1] != to:
        if not isinstance(value, str):
            raise Malformed("This value should be an IRI.", path=path)
        raise not_found(value)
    return int(match[2])


def not_found(iri: str) -> BadReference:
    """What to say of an IRI that leads nowhere."""
    return BadReference(f'Item not found for "{iri[:200]}".')


def point(value: Any, path: Path) -> Point:
    """A `[lat, lng]` pair or a `{latitude, longitude}` object; raises `BadPoint`."""
    match value:
        case [latitude, longitude] | {"latitude": latitude, "longitude": longitude} if _is_number(latitude) and _is_number(longitude):
            return Point.parse(latitude, longitude)
    raise Malformed("This value should be a latitude and a longitude.", path=path)


def degrees(value: Any, path: Path, *, most: int) -> float:
    """An angle of at most so many degrees to either side, as a number or in digits."""
    if value is None or value == "":
        raise Missing("This value should not be blank.", path=path)
    try:
        angle = float(value) if _is_number(value) else None
    except ValueError:
        angle = None
    if angle is None:
        raise Malformed("This value should be a number of degrees.", path=path)
    if not -most <= angle <= most:
        raise Malformed(f"This value should be between -{most} and {most}.", path=path)
    return angle


def moment(value: Any, path: Path, *, tz: ZoneInfo, now: datetime) -> datetime:
    """A date and time, in figures or in words; raises `BadMoment` for other texts."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Malformed("This value should be of type string.", path=path)
    return schedules.parse_moment(value, tz=tz, now=now)


def _is_number(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def depth(value: Any, left: int = DEEPEST) -> bool:
    """Whether a value nests no deeper than anybody needs."""
    if isinstance(value, dict):
        return left > 0 and all(depth(part, left - 1) for part in value.values())
    if isinstance(value, list):
        return left > 0 and all(depth(part, left - 1) for part in value)
    return True
