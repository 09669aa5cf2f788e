"""What operators of rules do with values; whatever cannot be done is a `RuleFailed`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stores.refusals import Refused

LARGEST = 10**15
"""Beyond this, whole numbers and fractions are no longer the same to everybody."""


class RuleFailed(Refused):
    """A rule that is well written cannot be carried out on this delivery, as when it divides by zero."""

    code = "rule_failed"


@dataclass(frozen=True, slots=True)
class Span:
    """Everything from `low` to `high`, both included."""

    low: float
    high: float


def truth(value: Any) -> bool:
    """Whether a value counts as true: nothing, zero, no text and no number do not."""
    return not (isinstance(value, float) and math.isnan(value)) and bool(value)


def amount(value: Any) -> int | float:
    """A value as a number; nothing is zero, and true is one."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    raise RuleFailed("The rule calculates with something that is no number.")


def bounded(value: int | float) -> int | float:
    """A result that is not out of all proportion."""
    if abs(value) > LARGEST:
        raise RuleFailed("The rule comes to a number that is too large.")
    return value


def divided(left: Any, right: Any) -> int | float:
    """A whole number when it is one."""
    by = amount(right)
    if by == 0:
        raise RuleFailed("The rule divides by zero.")
    return whole(bounded(amount(left) / by))


def remainder(left: Any, right: Any) -> int | float:
    """Has the sign of what is divided; of fractions, the whole part counts."""
    over, by = truncated(left), truncated(right)
    if by == 0:
        raise RuleFailed("The rule divides by zero.")
    return int(math.fmod(over, by))


def raised(left: Any, right: Any) -> int | float:
    """A power, tried in floating point first, where it cannot grow without end."""
    base, exponent = amount(left), amount(right)
    try:
        result = math.pow(base, exponent)
    except (OverflowError, ValueError) as error:
        raise RuleFailed("The rule raises a number to a power that it has not.") from error
    bounded(result)
    return base**exponent if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0 else whole(result)


def whole(value: int | float) -> int | float:
    """Without a fraction that is none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def truncated(value: Any) -> int:
    """The whole part."""
    return int(_finite(amount(value)))


def up(value: Any) -> int:
    """The next whole number that is not below."""
    return math.ceil(_finite(amount(value)))


def down(value: Any) -> int:
    """The next whole number that is not above."""
    return math.floor(_finite(amount(value)))


def _finite(value: int | float) -> int | float:
    if isinstance(value, float) and not math.isfinite(value):
        raise RuleFailed("The rule calculates with something that this stop does not have.")
    return value


def same(left: Any, right: Any) -> bool:
    """Equal; nothing equals zero, false, and the empty text."""
    if left is None or right is None:
        other = right if left is None else left
        return other is None or (isinstance(other, bool | int | float | str) and not other)
    return bool(left == right)


def _before(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values that can be ordered."""
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left, right
    try:
        return amount(left), amount(right)
    except RuleFailed as error:
        raise RuleFailed("The rule compares things that have no order.") from error


def less(left: Any, right: Any) -> bool:
    """Before in order."""
    left, right = _before(left, right)
    return bool(left < right)


def at_most(left: Any, right: Any) -> bool:
    """Before, or the same."""
    left, right = _before(left, right)
    return bool(left <= right)


def within(value: Any, where: Any) -> bool:
    """In a span, both ends included, or one of a list. What is not there is in no span."""
    match where:
        case Span(low, high):
            return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        case list():
            return any(same(value, each) for each in where)
    raise RuleFailed("The rule looks inside something that is neither a range nor a list.")


def span(left: Any, right: Any) -> Span:
    """From the lower to the higher."""
    ends = sorted((amount(left), amount(right)))
    return Span(ends[0], ends[1])


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "==": same,
    "===": same,
    "!=": lambda left, right: not same(left, right),
    "!==": lambda left, right: not same(left, right),
    "<": less,
    ">": lambda left, right: less(right, left),
    "<=": at_most,
    ">=": lambda left, right: at_most(right, left),
    "in": within,
    "not in": lambda left, right: not within(left, right),
    "..": span,
    "+": lambda left, right: bounded(amount(left) + amount(right)),
    "-": lambda left, right: bounded(amount(left) - amount(right)),
    "*": lambda left, right: bounded(amount(left) * amount(right)),
    "/": divided,
    "%": remainder,
    "**": raised,
}
