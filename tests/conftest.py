"""What every test may lean on."""

import pytest
import time_machine

from tests import factories


@pytest.fixture
def noon():  # type: ignore[no-untyped-def]  # a generator of the library's own type
    """Time stands still at `factories.NOON`."""
    with time_machine.travel(factories.NOON, tick=False) as traveller:
        yield traveller
