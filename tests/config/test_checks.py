"""Each wrong setting is named by a check, and right ones are silent."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

from config import checks

Check = Callable[[None], list[CheckMessage]]


@pytest.mark.parametrize(
    ("check", "wrong", "identifier"),
    [
        (checks.check_encryption_key, {"ENCRYPTION_KEY": ""}, "relais.E001"),
        (checks.check_encryption_key, {"ENCRYPTION_KEY": "short"}, "relais.E002"),
        (checks.check_business, {"RELAIS_CURRENCY": "XXQ"}, "relais.E003"),
        (checks.check_business, {"RELAIS_COUNTRY": "ZZ"}, "relais.E004"),
        (checks.check_business, {"RELAIS_RECIPIENT_LANGUAGE": "tlh"}, "relais.E008"),
        (checks.check_places, {"GEOCODER": "crystal-ball"}, "relais.E005"),
        (checks.check_places, {"GEOCODER": "nominatim", "GEOCODER_OPTIONS": {"no_such_option": 1}}, "relais.E005"),
        (checks.check_places, {"ROUTER": "crow"}, "relais.E006"),
        (checks.check_places, {"ROUTER": "osrm", "ROUTER_URL": ""}, "relais.E006"),
        (checks.check_database, {"PRODUCTION": True, "EMBEDDED_POSTGRES": object()}, "relais.E007"),
        (checks.check_not_for_show, {"DEBUG": True, "DEMO": False}, "relais.W001"),
        (checks.check_not_for_show, {"DEBUG": False, "DEMO": True}, "relais.W002"),
        (checks.check_not_for_show, {"DEBUG": False, "DEMO": False, "PRODUCTION": True, "ALLOW_PRIVATE_TARGETS": True}, "relais.W003"),
    ],
)
def test_wrong_settings_are_named(check: Check, wrong: dict[str, Any], identifier: str) -> None:
    with override_settings(**wrong):
        assert [message.id for message in check(None)] == [identifier]


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (checks.check_encryption_key, {"ENCRYPTION_KEY": Fernet.generate_key().decode()}),
        (checks.check_business, {"RELAIS_CURRENCY": "JPY", "RELAIS_COUNTRY": "JP"}),
        (checks.check_places, {"GEOCODER": "banfrance", "ROUTER": "osrm", "ROUTER_URL": "http://osrm.example"}),
        (checks.check_places, {"GEOCODER": "gazetteer", "ROUTER": "great_circle"}),
        (checks.check_database, {"PRODUCTION": True, "EMBEDDED_POSTGRES": None}),
        (checks.check_database, {"PRODUCTION": False, "EMBEDDED_POSTGRES": object()}),
        (checks.check_not_for_show, {"DEBUG": False, "DEMO": False, "PRODUCTION": True, "ALLOW_PRIVATE_TARGETS": False}),
    ],
)
def test_right_settings_are_silent(check: Check, right: dict[str, Any]) -> None:
    with override_settings(**right):
        assert check(None) == []


def test_checks_run_with_the_others() -> None:
    with override_settings(RELAIS_CURRENCY="XXQ"):
        assert "relais.E003" in [message.id for message in run_checks()]
