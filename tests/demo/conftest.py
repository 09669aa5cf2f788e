"""The demo hashes some two dozen secrets each time it is loaded, which tests have no time for."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def quick_hashes(settings: Any) -> None:
    """Hash new secrets quickly; those that a whole class shares are hashed the slow way, and still read."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
