"""Variables are read as what they are meant to be, and a wrong one is named."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import env_bool, env_int, env_list, env_object, env_positive, env_str, env_word, env_zone

NAME = "RELAIS_TEST_VARIABLE"


@pytest.mark.parametrize(
    ("reader", "text", "expected"),
    [
        (env_str, " a b ", "a b"),
        (env_bool, "1", True),
        (env_bool, "Yes", True),
        (env_bool, "off", False),
        (env_bool, "0", False),
        (env_int, "-3", -3),
        (env_positive, "1.5", 1.5),
        (lambda name: env_word(name, ("json", "line")), "Json", "json"),
        (env_list, "a, b,,c ", ["a", "b", "c"]),
        (env_object, '{"domain": "x"}', {"domain": "x"}),
        (env_zone, "Europe/Lisbon", "Europe/Lisbon"),
    ],
)
def test_readable_values(monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], Any], text: str, expected: Any) -> None:
    monkeypatch.setenv(NAME, text)
    assert reader(NAME) == expected


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (env_bool, "maybe"),
        (env_int, "8k"),
        (env_positive, "0"),
        (env_positive, "-1"),
        (env_positive, "nan"),
        (env_positive, "inf"),
        (lambda name: env_word(name, ("json", "line")), "xml"),
        (env_object, "[1]"),
        (env_object, "{"),
        (env_zone, "Mars/Olympus"),
    ],
)
def test_unreadable_values_name_the_variable(monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], Any], text: str) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        reader(NAME)


@pytest.mark.parametrize("reader", [env_str, env_bool, env_int, env_positive, env_list, env_object, env_zone])
@pytest.mark.parametrize("text", [None, "", "  "])
def test_required_values_name_the_variable(monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], Any], text: str | None) -> None:
    monkeypatch.delenv(NAME, raising=False)
    if text is not None:
        monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} is not set"):
        reader(NAME)


def test_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "")
    assert env_int(NAME, 7) == 7
    assert env_str(NAME, "") == ""
