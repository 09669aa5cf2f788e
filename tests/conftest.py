"""What every test may lean on."""

from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from deliveries import doctor
from tests import factories


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """Time stands still at `factories.NOON`."""
    with time_machine.travel(factories.NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def whole_afterwards(transactional_db: None) -> Iterator[None]:
    """Whatever raced or failed, no rule is broken when it is over."""
    yield
    assert doctor.examine() == []


@pytest.fixture(autouse=True)
def queue_is_left_empty(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What no transaction rolls back, Django wipes; but the tables of the queue are not its own."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if (marker is not None and marker.kwargs.get("transaction")) or {"transactional_db", "live_server"} & {*request.fixturenames}:
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers CASCADE")
