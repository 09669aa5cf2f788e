"""Numbers are read as people of the country write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import phones
from stores.phones import BadPhone


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("0612345678", "+33612345678"),
        ("06 12 34 56 78", "+33612345678"),
        ("06.12.34.56.78", "+33612345678"),
        ("+33612345678", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("+351 912 345 678", "+351912345678"),
        (33612345678, "+33612345678"),
        ("", ""),
        ("   ", ""),
        (None, ""),
        (False, ""),
    ],
)
def test_numbers_become_e164(value: object, number: str) -> None:
    assert phones.parse(value, country="FR") == number


def test_the_country_decides_about_national_numbers() -> None:
    assert phones.parse("912345678", country="PT") == "+351912345678"


@pytest.mark.parametrize("value", ["hello", "+", "0", True, 6.5, [], {}, ["0612345678"], "\x00", "1" * 300, "+999123456789"])
def test_the_rest_is_refused_in_the_words_clients_know(value: object) -> None:
    with pytest.raises(BadPhone) as refusal:
        phones.parse(value, country="FR")
    assert str(refusal.value) == "The string supplied did not seem to be a phone number."
    assert refusal.value.code == "bad_phone"


@given(st.from_regex(r"0[1-9][0-9]{8}", fullmatch=True))
def test_reading_a_read_number_changes_nothing(national: str) -> None:
    number = phones.parse(national, country="FR")
    assert number == "+33" + national[1:]
    assert phones.parse(number, country="PT") == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("+33612345678", "+33612345678"),
        (" 06 12 34 56 78 ask for Ana ", "06 12 34 56 78 ask for Ana"),
        ("+33612345678 x1234", "+33612345678 x1234"),
        ("1234", "1234"),
        ("112 / 06", "112 / 06"),
        ("+999 1234567", "+999 1234567"),
        ("reception", "reception"),
        ("", ""),
        (None, ""),
        (False, ""),
    ],
)
def test_free_text_keeps_what_is_no_number(value: object, text: str) -> None:
    assert phones.lenient(value, country="FR") == text


@given(st.text())
def test_free_text_never_fails_and_settles_at_once(text: str) -> None:
    once = phones.lenient(text, country="FR")
    assert phones.lenient(once, country="FR") == once
