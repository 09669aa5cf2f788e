"""What a dead worker was doing is put back into the queue once, and what a living one does is left alone."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from deliveries import backlog

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO_S = backlog.DEAD_AFTER_S + 5


@pytest.fixture(autouse=True)
def empty(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")  # no test rolls them back


def insert(statement: str, *values: str | float | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def worker(*, silent_s: float) -> int:
    return insert("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s)) RETURNING id", silent_s)


def job(*, status: str = "doing", worker_id: int | None = None, lock: str | None = None) -> int:
    return insert(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id, queueing_lock) "
        "VALUES ('default', 'some', %s, %s, %s) RETURNING id",
        status,
        worker_id,
        lock,
    )


def take_up() -> list[str]:
    async def asked() -> list[str]:
        async with await psycopg.AsyncConnection.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
            return await backlog.take_up(other)

    return asyncio.run(asked())


def statuses() -> dict[int, str]:
    return dict(ProcrastinateJob.objects.values_list("pk", "status"))


def test_jobs_of_the_dead_are_put_back() -> None:
    dead, alive = worker(silent_s=LONG_AGO_S), worker(silent_s=1)
    left, orphan, under_way = job(worker_id=dead), job(), job(worker_id=alive)
    failed, waiting = job(status="failed", worker_id=dead), job(status="todo")
    assert take_up() == ["some", "some"]
    assert statuses() == {left: "todo", orphan: "todo", under_way: "doing", failed: "failed", waiting: "todo"}
    assert list(ProcrastinateWorker.objects.values_list("pk", flat=True)) == [alive]
    assert take_up() == []


def test_one_waiting_is_enough() -> None:
    left = job(lock="once")
    waiting = job(status="todo", lock="once")
    other = job(lock="another")
    assert len(take_up()) == 2
    assert statuses() == {waiting: "todo", other: "todo"}, left


def test_workers_that_look_at_once_put_each_job_back_once() -> None:
    jobs = [job() for _ in range(40)]
    together = threading.Barrier(4, timeout=10)
    found: list[str] = []

    def look() -> None:
        together.wait()
        found.extend(take_up())

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert set(ProcrastinateJob.objects.values_list("pk", "attempts")) == {(pk, 1) for pk in jobs}


def test_a_worker_that_was_forgotten_comes_back() -> None:
    worker_id = worker(silent_s=LONG_AGO_S)

    async def said() -> None:
        async with await psycopg.AsyncConnection.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
            await backlog.say_still_here(other, worker_id)

    asyncio.run(said())
    assert ProcrastinateWorker.objects.get().last_heartbeat > timezone.now() - timedelta(seconds=5)
    ProcrastinateWorker.objects.all()._raw_delete("default")
    asyncio.run(said())
    assert ProcrastinateWorker.objects.get().pk == worker_id


def test_the_state_counts_everything_once() -> None:
    dead, alive = worker(silent_s=LONG_AGO_S), worker(silent_s=1)
    for status, worker_id in [("todo", None), ("todo", None), ("doing", dead), ("doing", None), ("doing", alive), ("failed", None)]:
        job(status=status, worker_id=worker_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_events SET at = now() - interval '42 s' WHERE job_id = (SELECT min(id) FROM procrastinate_jobs)"
        )
        cursor.execute("INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at) VALUES ('q', 't', now() + interval '1 h')")
    asked: Any = connection.connection
    told = backlog.state(asked)
    assert told.lag_s == pytest.approx(42, abs=3)
    assert (told.waiting, told.scheduled, told.doing, told.stalled, told.workers) == (2, 1, 3, 2, 1)
