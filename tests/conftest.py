"""What every test may lean on."""

from collections.abc import Iterator

import pytest
import time_machine

from tests import factories


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """Time stands still at `factories.NOON`."""
    with time_machine.travel(factories.NOON, tick=False) as traveller:
        yield traveller
