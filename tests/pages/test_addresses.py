"""A town is read once, however the address was written."""

import pytest

from deliveries.pages import addresses
from stores.models import Address


@pytest.mark.parametrize(
    ("street", "code", "city", "lines"),
    [
        ("48, Rue de Rivoli", "75004", "Paris", ["48, Rue de Rivoli", "75004 Paris"]),
        ("48, Rue de Rivoli, 75004 Paris", "75004", "Paris", ["48, Rue de Rivoli, 75004 Paris"]),
        ("48 rue de Rivoli 75004 PARIS", "75004", "Paris", ["48 rue de Rivoli 75004 PARIS"]),
        ("48, Rue de Rivoli, Paris, France", "75004", "Paris", ["48, Rue de Rivoli, 75004 Paris, France"]),
        ("48, Rue de Rivoli, Paris, 75004", "75004", "Paris", ["48, Rue de Rivoli, Paris, 75004"]),
        ("48, Rue de Rivoli, 75001 Paris", "75004", "Paris", ["48, Rue de Rivoli, 75001 Paris"]),
        ("3, Rue de Paris", "59000", "Lille", ["3, Rue de Paris", "59000 Lille"]),
        ("3, Rue de Lille", "59000", "Lille", ["3, Rue de Lille", "59000 Lille"]),
        ("3, Rue de Lille", "", "Lille", ["3, Rue de Lille"]),
        ("3, Rue de Lille, Lille", "", "Lille", ["3, Rue de Lille, Lille"]),
        ("3, Rue de Lille", "", "", ["3, Rue de Lille"]),
        ("3, Rue de Lille", "59000", "", ["3, Rue de Lille", "59000"]),
        ("", "59000", "Lille", ["59000 Lille"]),
    ],
)
def test_the_town_is_said_once(street: str, code: str, city: str, lines: list[str]) -> None:
    assert addresses.lines(Address(street_address=street, postal_code=code, locality=city)) == lines
