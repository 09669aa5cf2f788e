"""Every refusal can be told from the others, and says what it is about."""

import importlib
import pkgutil
from collections import Counter

import pytest

import deliveries
import quotes
import stores
from stores.refusals import Invalid, Missing, NotFound, Refused

for _package in (stores, quotes, deliveries):
    for _module in pkgutil.walk_packages(_package.__path__, f"{_package.__name__}."):
        if "migrations" not in _module.name:
            importlib.import_module(_module.name)


def subclasses(kind: type[Refused]) -> list[type[Refused]]:
    return [found for child in kind.__subclasses__() for found in (child, *subclasses(child))]


EVERY: list[type[Refused]] = [Refused, *subclasses(Refused)]


def test_there_are_refusals_of_every_layer() -> None:
    assert {kind.__module__.split(".")[0] for kind in EVERY} >= {"stores", "quotes", "deliveries"}
    assert len(EVERY) > 20


def test_no_two_refusals_share_a_code() -> None:
    codes = Counter(kind.code for kind in EVERY)
    assert [code for code, count in codes.items() if count > 1] == []


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_a_refusal_has_a_code_of_its_own_and_says_when_it_is_raised(kind: type[Refused]) -> None:
    assert "code" in vars(kind), "a code is not inherited"
    assert kind.code.replace("_", "").isalnum()
    assert kind.code.islower()
    assert (kind.__doc__ or "").rstrip().endswith(".")


def test_a_refusal_is_its_sentence_and_knows_its_field() -> None:
    refusal = NotFound("Nothing is here.", path=("tasks", 0))
    assert (str(refusal), refusal.path, refusal.code) == ("Nothing is here.", ("tasks", 0), "not_found")
    assert Missing("Where?").path == ()


def test_what_is_invalid_names_every_problem() -> None:
    first, second = Missing("One.", path=("a",)), NotFound("Two.", path=("b",))
    refusal = Invalid(first, second)
    assert (str(refusal), refusal.problems, refusal.path) == ("One.; Two.", (first, second), ())
