"""Money: whole hundredths of an ISO 4217 currency, written as "4.50 EUR"."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar

from moneyed import CURRENCIES

from stores.refusals import Refused

LIMIT = 10**12
_AMOUNT = re.compile(r"(-?)([0-9]+)\.([0-9]{2}) ([A-Z]{3})")
_ECHOED = 60


class BadMoney(Refused):
    """The text is not an amount of the expected currency."""

    code: ClassVar[str] = "bad_money"


def parse(text: object, *, currency: str) -> int:
    """Hundredths read from "8.90 EUR" (always two decimals, whatever the currency); raises `BadMoney`."""
    match = _AMOUNT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise BadMoney(f"'{_echo(text)}' is not a valid monetary amount")
    sign, units, hundredths, given = match.groups()
    # The length is looked at first: turning a text of a million digits into a number takes long.
    if given not in CURRENCIES or len(units.lstrip("0")) > len(str(LIMIT)) or int(units + hundredths) >= LIMIT:
        raise BadMoney(f"'{_echo(text)}' is not a valid monetary amount")
    if given != currency:
        raise BadMoney(f"must be in '{currency}' ('{given}' given)")
    cents = int(units + hundredths)
    return -cents if sign else cents


def parse_positive(text: object, *, currency: str) -> int:
    """Like `parse`, and refuses what is below zero; zero itself is fine."""
    cents = parse(text, currency=currency)
    if cents < 0:
        raise BadMoney(f"must be positive ('{format(cents, currency)}' given)")
    return cents


def format(cents: int, currency: str) -> str:  # noqa: A001 - always called as money.format
    """The amount as it travels: `450, "EUR"` gives "4.50 EUR"."""
    units, hundredths = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{units}.{hundredths:02} {currency}"


def vat_included(total_cents: int, percent: Decimal) -> int:
    """The tax inside a total that includes it, rounded half up: 499 at 20 % holds 83."""
    return int((total_cents * percent / (100 + percent)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _echo(text: object) -> str:
    shown = str(text).strip()
    return shown if len(shown) <= _ECHOED else shown[:_ECHOED] + "..."
