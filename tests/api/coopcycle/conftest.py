"""Two stores side by side, and everybody who may knock."""

import pytest

from tests.api.coopcycle.knocking import World, build_world


@pytest.fixture
def world(db: None, noon: None) -> World:
    """Two stores, the first with two deliveries, at noon."""
    return build_world()
