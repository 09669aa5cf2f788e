"""What tests of both dialects lean on."""

import pytest

from tests.api.coopcycle.knocking import World, build_world


@pytest.fixture
def world(db: None, noon: None) -> World:
    """Two stores, the first with two deliveries, at noon."""
    return build_world()
