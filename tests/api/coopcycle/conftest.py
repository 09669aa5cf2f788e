"""Two stores side by side, and everybody who may knock."""

from typing import Any

import pytest

from tests.api.coopcycle.knocking import World, build_world


@pytest.fixture
def world(db: None, noon: None, settings: Any) -> World:
    """Two stores, the first with two deliveries, at noon; passwords are not what is tested here, so hashing is cheap."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return build_world()
