"""Two requests for the same move: one wins, the other is told why not."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import time_machine
from django.db import connection

from deliveries import doctor
from deliveries.models import Event, Task
from tests.api.coopcycle.knocking import World, build_world
from tests.factories import NOON


@pytest.fixture
def committed(transactional_db: None) -> Iterator[World]:
    """The world, seen by other connections, and whole afterwards."""
    with time_machine.travel(NOON, tick=False):
        world = build_world()
    yield world
    assert doctor.examine() == []


def at_once(world: World, *calls: tuple[str, str]) -> list[tuple[int, str]]:
    """Each caller's `PUT` of a path, begun together; statuses with what was said."""
    together = Barrier(len(calls))

    def call(caller: str, path: str) -> tuple[int, str]:
        together.wait(timeout=10)
        try:
            response = world[caller].put(path)
            return response.status_code, response.json().get("hydra:description", "")
        finally:
            connection.close()

    with time_machine.travel(NOON, tick=False), ThreadPoolExecutor(len(calls)) as threads:
        return sorted(threads.map(lambda one: call(*one), calls))


def test_one_completes_a_task(committed: World) -> None:
    pickup, _ = committed.task_ids(committed.held)
    path = f"/api/tasks/{pickup}/done"
    assert at_once(committed, ("courier", path), ("dispatcher", path)) == [(200, ""), (400, f"Task #{pickup} is already completed")]
    assert Event.objects.filter(task=pickup, kind="task.done").count() == 1


def test_one_takes_a_task(committed: World) -> None:
    pickup, dropoff = committed.task_ids(committed.delivery)
    won, lost = at_once(committed, ("courier", f"/api/tasks/{pickup}/assign"), ("other courier", f"/api/tasks/{dropoff}/assign"))
    holders = set(Task.objects.filter(delivery=committed.delivery).values_list("courier__user__username", flat=True))
    assert (won[0], lost[0], len(holders)) == (200, 400, 1)
    assert lost[1].endswith(f'is already assigned to "{holders.pop()}"')


def test_a_courier_completes_or_the_desk_cancels(committed: World) -> None:
    pickup, _ = committed.task_ids(committed.held)
    won, lost = at_once(committed, ("courier", f"/api/tasks/{pickup}/done"), ("dispatcher", f"/api/tasks/{pickup}/cancel"))
    assert (won[0], lost[0]) == (200, 400)
    told = Event.objects.filter(task=pickup, kind__in=["task.done", "task.cancelled"]).values_list("kind", flat=True)
    assert list(told) == ["task.done" if Task.objects.get(pk=pickup).status == "DONE" else "task.cancelled"]
