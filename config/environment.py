"""The environment: the only module that reads it, and hands variables on to processes that we start."""

import json
import os
import zoneinfo
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off")


def _read(name: str, convert: Callable[[str], T], default: T | None, expected: str) -> T:
    """Read one variable; an empty one counts as unset. Raises `ImproperlyConfigured` naming it when missing or unreadable."""
    text = os.environ.get(name, "").strip()
    if not text:
        if default is None:
            raise ImproperlyConfigured(f"{name} is not set; it must be {expected}.")
        return default
    try:
        return convert(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be {expected}.") from error


def _to_bool(text: str) -> bool:
    word = text.lower()
    if word not in TRUE_WORDS + FALSE_WORDS:
        raise ValueError(text)
    return word in TRUE_WORDS


def _to_object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(text)
    return value


def _to_positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def _to_percent(text: str) -> Decimal:
    if not 0 <= float(text) <= 100:
        raise ValueError(text)
    return Decimal(text)


def _to_zone(text: str) -> str:
    if text not in zoneinfo.available_timezones():
        raise ValueError(text)
    return text


def env_str(name: str, default: str | None = None) -> str:
    """A text; without default it is required."""
    return _read(name, str, default, "a text")


def env_bool(name: str, default: bool | None = None) -> bool:
    """A yes or no, as 1/0, true/false, yes/no or on/off."""
    return _read(name, _to_bool, default, "1 or 0")


def env_int(name: str, default: int | None = None) -> int:
    """A whole number."""
    return _read(name, int, default, "a whole number")


def env_positive(name: str, default: float | None = None) -> float:
    """A number above zero."""
    return _read(name, _to_positive, default, "a number above zero")


def env_percent(name: str, default: Decimal | None = None) -> Decimal:
    """A percentage of zero to a hundred, fractions allowed."""
    return _read(name, _to_percent, default, "a number from 0 to 100")


def env_word(name: str, words: tuple[str, ...], default: str | None = None) -> str:
    """One of several words."""
    return _read(name, lambda text: words[words.index(text.lower())], default, f"one of {', '.join(words)}")


def env_list(name: str, default: list[str] | None = None) -> list[str]:
    """Texts separated by commas; empty ones are dropped."""
    return _read(name, lambda text: [item.strip() for item in text.split(",") if item.strip()], default, "a comma-separated list")


def env_object(name: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
    """A JSON object."""
    return _read(name, _to_object, default, "a JSON object")


def env_zone(name: str, default: str | None = None) -> str:
    """The name of a time zone."""
    return _read(name, _to_zone, default, "an IANA time zone, as Europe/Paris")


def hand_on(variables: dict[str, str]) -> None:
    """Set what the processes that this one starts will read."""
    os.environ.update(variables)
