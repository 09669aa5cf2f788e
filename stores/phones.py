"""Telephone numbers: read as people of the country write them, kept as E.164."""

import re
from typing import ClassVar

import phonenumbers

from stores.refusals import Refused

NOT_A_NUMBER = "The string supplied did not seem to be a phone number."
_ONLY_A_NUMBER = re.compile(r"[+(]?[0-9][0-9 ./()\u00a0\u202f-]*")


class BadPhone(Refused):
    """The value cannot be dialled."""

    code: ClassVar[str] = "bad_phone"


def parse(value: object, *, country: str) -> str:
    """The number in E.164, a national one being read in `country` (ISO 3166 alpha-2).

    "", False and None mean "no number" and give "". Raises `BadPhone`. A number need not be in service, nor even of
    the right length: whoever sends it may know better than our table.
    """
    if value is None or value is False or value == "":
        return ""
    if isinstance(value, int) and value is not True:
        value = str(value)
    if not isinstance(value, str):
        raise BadPhone(NOT_A_NUMBER)
    if not value.strip():
        return ""
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException as error:
        raise BadPhone(NOT_A_NUMBER) from error
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def lenient(value: object, *, country: str) -> str:
    """E.164 when the text is nothing but a possible number; otherwise the trimmed text, with whatever else it says.

    "+33612345678 ask for Ana" or a masked number with an extension keeps its words: dropping them would lose the customer.
    """
    text = "" if value is None or value is False else str(value).strip()
    if not _ONLY_A_NUMBER.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_possible_number(number):
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
