"""What tests of both dialects lean on."""

import pytest

from stores import effects
from tests.api.coopcycle.knocking import World, build_world


@pytest.fixture
def world(db: None, noon: None) -> World:
    """Two stores, the first with two deliveries, at noon."""
    return build_world()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each look at what `If-Match` names was taken by a verb that holds its rows."""
    seen: list[bool] = []
    original = effects.locked

    def locked() -> None:
        seen.append(effects.awaited())
        original()

    monkeypatch.setattr(effects, "locked", locked)
    return seen
