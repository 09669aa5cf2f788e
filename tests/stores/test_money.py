"""Amounts are read exactly, written exactly, and refused with the words of the dialect that defined them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import money
from stores.money import BadMoney


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("8.90 EUR", 890),
        ("-0.05 EUR", -5),
        ("0.00 EUR", 0),
        ("-0.00 EUR", 0),
        ("  4.50 EUR\n", 450),
        ("007.00 EUR", 700),
        ("9999999999.99 EUR", 999_999_999_999),
    ],
)
def test_amounts_are_read_in_hundredths(text: str, cents: int) -> None:
    assert money.parse(text, currency="EUR") == cents


def test_yen_have_two_decimals_too() -> None:
    assert money.parse("100.00 JPY", currency="JPY") == 10_000


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "",
        "100",
        "100 EUR",
        "100.5 EUR",
        "100.100 EUR",
        "100.10 EURO",
        "100.10 eur",
        "+100.50 EUR",
        "- 1.00 EUR",
        "1,00 EUR",
        "1.00  EUR",
        "1.00EUR",
        "1.00 ZZZ",
        "\u0661.\u0660\u0660 EUR",
        "10000000000.00 EUR",
        "9" * 5000 + ".00 EUR",
        None,
        4.5,
        450,
        True,
        ["1.00 EUR"],
    ],
)
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(BadMoney, match="is not a valid monetary amount") as refusal:
        money.parse(text, currency="EUR")
    assert len(str(refusal.value)) < 120


def test_the_refusal_quotes_what_was_sent() -> None:
    with pytest.raises(BadMoney) as refusal:
        money.parse("abc", currency="EUR")
    assert str(refusal.value) == "'abc' is not a valid monetary amount"
    assert refusal.value.code == "bad_money"


def test_another_currency_is_refused_by_name() -> None:
    with pytest.raises(BadMoney) as refusal:
        money.parse("1.00 USD", currency="EUR")
    assert str(refusal.value) == "must be in 'EUR' ('USD' given)"


def test_a_fee_may_be_zero_but_not_negative() -> None:
    assert money.parse_positive("0.00 EUR", currency="EUR") == 0
    with pytest.raises(BadMoney) as refusal:
        money.parse_positive("-10.00 EUR", currency="EUR")
    assert str(refusal.value) == "must be positive ('-10.00 EUR' given)"


@given(st.integers(min_value=-(money.LIMIT - 1), max_value=money.LIMIT - 1), st.sampled_from(["EUR", "JPY", "GBP", "CHF"]))
def test_writing_and_reading_are_inverse(cents: int, currency: str) -> None:
    assert money.parse(money.format(cents, currency), currency=currency) == cents


@pytest.mark.parametrize(("total", "tax"), [(499, 83), (699, 117), (1299, 217), (1999, 333), (0, 0), (-699, -117)])
def test_vat_inside_a_total_at_20_percent(total: int, tax: int) -> None:
    assert money.vat_included(total, Decimal(20)) == tax


def test_vat_of_nothing_and_of_a_broken_percentage() -> None:
    assert money.vat_included(499, Decimal(0)) == 0
    assert money.vat_included(1055, Decimal("5.5")) == 55
