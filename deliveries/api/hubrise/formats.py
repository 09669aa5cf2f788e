"""Money, times, decimals and coordinates as this dialect prints and reads them."""

import re
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from stores import money, schedules

_DECIMAL = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,20})?", re.ASCII)
_LOST_PLUS = re.compile(r" (\d{2}:?\d{2})$", re.ASCII)


class BadDecimal(ValueError):
    """The value is no decimal number, or out of its range."""


def amount(cents: int | None, currency: str) -> str | None:
    """450 as "4.50 EUR"."""
    return None if cents is None else money.format(cents, currency)


def moment(at: datetime | None, tz: ZoneInfo) -> str | None:
    """A time in the location's zone, with its offset in numbers, to the second."""
    return None if at is None else schedules.render(at, tz)


def coordinate(degrees: float | None) -> str | None:
    """Degrees as a decimal string with the digits that were sent, never with an exponent."""
    return None if degrees is None else format(Decimal(repr(degrees)), "f")


def decimal(text: str | None) -> str | None:
    """ "1" and "1.50" as "1.0" and "1.5"."""
    if text is None:
        return None
    plain = format(Decimal(text).normalize(), "f")
    return plain if "." in plain else f"{plain}.0"


def read_decimal(value: object, *, limit: float) -> str:
    """The decimal in a string, or in a number from clients that forget the quotes; raises `BadDecimal`."""
    text = value.strip() if isinstance(value, str) else _of_number(value)
    if not _DECIMAL.fullmatch(text):
        raise BadDecimal("must be a decimal number in a string, such as '48.856614'")
    if abs(Decimal(text)) > Decimal(str(limit)):
        raise BadDecimal(f"must be between -{limit:g} and {limit:g}")
    return text


def read_query_moment(text: str, *, tz: ZoneInfo) -> datetime:
    """A time in a query string, where the plus of its offset often arrives as a space; raises `Refused`."""
    return schedules.parse_time(_LOST_PLUS.sub(r"+\1", text.strip()), tz=tz)


def _of_number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return format(Decimal(repr(value)), "f")
