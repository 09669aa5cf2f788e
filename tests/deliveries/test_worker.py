"""A worker outlives its database's absence: it says so once, waits, goes on, and stops when told to."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinatePeriodicDefer, ProcrastinateWorker
from procrastinate.exceptions import AlreadyEnqueued

from deliveries import jobs

PATIENCE_S = 30


def url() -> str:
    there = connection.settings_dict
    return f"postgres://{there['USER']}:{there['PASSWORD']}@/{there['NAME']}?host={quote(there['HOST'])}&port={there['PORT'] or 5432}"


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_at_rest() -> bool:
    return not ProcrastinateJob.objects.filter(status__in=["todo", "doing"]).exists()


def let_others_in(really: bool) -> None:
    """Open the database to others, or turn them out and close it."""
    name = connection.settings_dict["NAME"]
    connection.ensure_connection()
    ours = connection.connection.info.backend_pid
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS {really}')
        if not really:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s", [name, ours])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


@pytest.fixture
def worker(transactional_db: None, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")  # no test rolls them back
    environment = os.environ | {"DATABASE_URL": url(), "RELAIS_DEMO": "1"}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=settings.BASE_DIR, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    yield process
    let_others_in(True)
    process.kill()
    process.wait()


def test_it_waits_for_a_database_that_went_away(worker: "subprocess.Popen[bytes]", log: Path) -> None:
    until(lambda: ProcrastinateWorker.objects.exists() and ProcrastinatePeriodicDefer.objects.exists())
    until(is_at_rest)  # a worker catches up with its timetable as it starts
    let_others_in(False)
    until(lambda: "does not answer" in log.read_text())
    assert worker.poll() is None
    let_others_in(True)
    until(lambda: "is back" in log.read_text())
    with contextlib.suppress(AlreadyEnqueued):
        jobs.locate_again.configure().defer(timestamp=0)
    until(is_at_rest)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    said = log.read_text()
    assert "Traceback" not in said
    assert (said.count("does not answer"), len(said.splitlines())) == (1, 2), said


def test_it_stops_while_it_waits(worker: "subprocess.Popen[bytes]", log: Path) -> None:
    let_others_in(False)
    until(lambda: "does not answer" in log.read_text())
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) in {0, -signal.SIGTERM}
    assert "Traceback" not in log.read_text()
