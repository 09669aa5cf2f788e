"""A worker outlives its database's absence, ends what it does before it stops, and takes up what a dead one was doing."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinatePeriodicDefer, ProcrastinateWorker
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job
from procrastinate.worker import Worker

from deliveries import backlog, jobs
from deliveries.management.commands.worker import JobConnector, is_worth_a_line, under_its_request
from deliveries.outbox import queue
from deliveries.stops import AddressDraft
from stores import effects, tracing
from stores.models import Address
from tests import factories
from tests.deliveries import rows
from tests.deliveries.geocoding import FakeGeocoder
from tests.stores.loopback import Loopback, serving

pytestmark = pytest.mark.usefixtures("whole_afterwards")

PATIENCE_S = 60
POINT = {"type": "Point", "coordinates": [2.4, 48.9]}
FOUND = json.dumps({"features": [{"type": "Feature", "geometry": POINT, "properties": {"name": "somewhere"}}]}).encode()

IMPATIENT = """
import django
django.setup()
from deliveries.management.commands import worker
worker.GRACE_SECONDS = 0.5
worker.Command().handle(concurrency=2)
"""

IDLE = """
import django
django.setup()
from django.db import connection, transaction
from stores import effects
def holds():
    return connection.connection is not None
connection.ensure_connection()
effects.idle()
seen = [holds()]
with transaction.atomic():
    effects.idle()
    seen.append(holds())
seen.append(transaction.get_connection().in_atomic_block)
effects.idle()
print(*seen, holds())
"""

Process = subprocess.Popen[bytes]


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
def geocoding() -> Iterator[Loopback]:
    """A geocoding service that knows one place, and keeps its answers to itself while `answering` is cleared."""
    with serving() as service:
        service.body = FOUND
        yield service


@pytest.fixture
def start(transactional_db: None, log: Path, geocoding: Loopback) -> Iterator[Callable[..., Process]]:
    """Starts a worker whose geocoder is `geocoding`; all of them write into one log, and none outlives the test."""
    options = json.dumps({"domain": geocoding.netloc, "scheme": "http"})
    service = {"GEOCODER": "photon", "GEOCODER_OPTIONS": options, "GEOCODER_TIMEOUT": "20"}
    environment = os.environ | {
        "DATABASE_URL": url(),
        "RELAIS_DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "RELAIS_PROCESS": "worker",
    }
    started: list[Process] = []

    def start_one(*command: str) -> Process:
        command = (sys.executable, *(command or ("manage.py", "worker")))
        with log.open("ab") as file:
            started.append(
                subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment | service, stdout=file, stderr=subprocess.STDOUT)
            )
        return started[-1]

    yield start_one
    let_others_in(True)
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def worker(start: Callable[..., Process]) -> Process:
    return start()


@pytest.fixture
def lost(transactional_db: None, geocoder: FakeGeocoder) -> Address:
    """An address that is to be looked up again."""
    geocoder.down = True
    delivery = factories.delivery(stops=[rows.stop("P"), rows.stop("D", address=AddressDraft(street_address="somewhere"))])
    address: Address = rows.tasks(delivery)[1].address
    assert address.needs_review
    return address


def is_found(address: Address) -> bool:
    address.refresh_from_db()
    return not address.needs_review


def be_at_it(geocoding: Loopback, *, times: int = 1, among: str = "default", begun: int | None = None) -> None:
    """Have the worker look up addresses, and return while it waits for the service's answers."""
    geocoding.answering.clear()
    for number in range(times):
        jobs.locate_again.configure(queue=among, queueing_lock=f"test {number}").defer(timestamp=number)
    until(lambda: len(geocoding.asked) >= (begun or times))


def grow_old() -> None:
    """As if workers had said nothing for so long that they count as dead."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - make_interval(secs => %s)", [backlog.DEAD_AFTER_S + 1])


def test_it_waits_for_a_database_that_went_away(worker: Process, log: Path) -> None:
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


def test_it_stops_while_it_waits(worker: Process, log: Path) -> None:
    let_others_in(False)
    until(lambda: "does not answer" in log.read_text())
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    assert "Traceback" not in log.read_text()


def test_it_ends_what_it_does_before_it_stops(worker: Process, log: Path, geocoding: Loopback, lost: Address) -> None:
    be_at_it(geocoding)
    worker.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(1)
    geocoding.answering.set()
    assert worker.wait(PATIENCE_S) == 0
    assert is_found(lost)
    assert not ProcrastinateJob.objects.filter(status="doing").exists()
    assert not ProcrastinateWorker.objects.exists()
    assert "Traceback" not in log.read_text()


def test_it_stops_at_once_when_there_is_nothing_to_do(worker: Process) -> None:
    until(lambda: ProcrastinateWorker.objects.exists() and ProcrastinatePeriodicDefer.objects.exists())
    until(is_at_rest)
    began = time.monotonic()
    worker.send_signal(signal.SIGINT)
    assert worker.wait(PATIENCE_S) == 0
    assert time.monotonic() - began < 5


def test_as_many_jobs_run_at_once_as_it_says(start: Callable[..., Process], geocoding: Loopback, lost: Address) -> None:
    many = (os.cpu_count() or 1) + 8
    start("manage.py", "worker", "--concurrency", str(2 * many))
    be_at_it(geocoding, times=many, among=queue.CALLS)
    assert ProcrastinateJob.objects.filter(status="doing", task_name="locate_again").count() >= many
    geocoding.answering.set()
    until(is_at_rest)
    assert is_found(lost)


def test_calls_keep_nothing_else_waiting(start: Callable[..., Process], geocoding: Loopback, lost: Address) -> None:
    start("manage.py", "worker", "--concurrency", "8")  # six for calls, and of the two others its timetable may take one
    be_at_it(geocoding, times=7, among=queue.CALLS, begun=6)
    calls = ProcrastinateJob.objects.filter(queue_name=queue.CALLS).values_list("status", flat=True)
    until(lambda: sorted(calls.all()) == ["doing"] * 6 + ["todo"])
    jobs.sweep.configure(queueing_lock="test sweep").defer(timestamp=0)
    until(lambda: not ProcrastinateJob.objects.filter(queueing_lock="test sweep").exists())
    assert sorted(calls.all()) == ["doing"] * 6 + ["todo"]
    assert ProcrastinateWorker.objects.count() == 1
    geocoding.answering.set()
    until(is_at_rest)
    assert is_found(lost)


def test_a_job_gives_its_connection_back_while_it_waits(start: Callable[..., Process], log: Path) -> None:
    assert start("-c", IDLE).wait(PATIENCE_S) == 0, log.read_text()
    assert log.read_text() == "False True False False\n"


def test_who_has_no_pool_keeps_its_connection(transactional_db: None) -> None:
    connection.ensure_connection()
    effects.idle()
    assert connection.connection is not None


def test_a_job_that_does_not_end_is_left_to_others(start: Callable[..., Process], log: Path, geocoding: Loopback, lost: Address) -> None:
    worker = start("-c", IMPATIENT)
    be_at_it(geocoding)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE_S) == 0
    assert not geocoding.answering.is_set()
    assert "left to other workers" in log.read_text()
    assert not ProcrastinateWorker.objects.exists()
    geocoding.answering.set()
    start()
    until(lambda: is_found(lost))


@pytest.mark.slow
def test_what_a_killed_worker_was_doing_is_done_by_another(
    worker: Process, start: Callable[..., Process], log: Path, geocoding: Loopback, lost: Address
) -> None:
    be_at_it(geocoding)
    worker.kill()
    worker.wait()
    geocoding.answering.set()
    assert not is_found(lost)
    began = time.monotonic()
    start()
    until(lambda: is_found(lost))
    assert time.monotonic() - began < 25
    until(is_at_rest)
    assert "Took up" in log.read_text()


@pytest.mark.slow
def test_what_was_under_way_when_the_database_went_is_done_when_it_is_back(
    worker: Process, log: Path, geocoding: Loopback, lost: Address
) -> None:
    be_at_it(geocoding)
    let_others_in(False)
    geocoding.answering.set()
    until(lambda: "does not answer" in log.read_text())
    grow_old()
    let_others_in(True)
    until(lambda: is_found(lost))
    until(is_at_rest)
    assert "Traceback" not in log.read_text()


def test_a_worker_that_others_took_for_dead_goes_on(worker: Process, log: Path, geocoding: Loopback, lost: Address) -> None:
    until(lambda: ProcrastinateWorker.objects.exists() and ProcrastinatePeriodicDefer.objects.exists())
    until(is_at_rest)
    ProcrastinateWorker.objects.all()._raw_delete("default")
    be_at_it(geocoding)
    geocoding.answering.set()
    until(lambda: is_found(lost))
    assert worker.poll() is None
    assert "Traceback" not in log.read_text()


@pytest.mark.usefixtures("transactional_db")
def test_what_a_job_puts_into_the_queue_belongs_to_its_transaction() -> None:
    with app.replace_connector(JobConnector()):
        with transaction.atomic():
            lost = jobs.locate_again.configure(queueing_lock="lost").defer(timestamp=1)
            transaction.set_rollback(True)
        kept = jobs.locate_again.configure(queueing_lock="kept").defer(timestamp=1)
    assert list(ProcrastinateJob.objects.filter(pk__in=[lost, kept]).values_list("pk", flat=True)) == [kept]


@pytest.mark.parametrize(("kwargs", "expected"), [({"request_id": "from-the-web"}, "from-the-web"), ({}, None), ({"request_id": ""}, None)])
def test_a_job_bears_the_id_of_its_request(kwargs: dict[str, Any], expected: str | None) -> None:
    job = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="t", task_kwargs=kwargs)
    context = JobContext(app=app, job=job, start_timestamp=0.0, abort_reason=lambda: None)
    seen: list[str] = []

    async def run() -> None:
        seen.append(await asyncio.to_thread(tracing.current))

    async def work() -> None:
        worker = Worker(app)
        await asyncio.create_task(under_its_request(run, context, worker))
        seen.append(tracing.current())

    asyncio.run(work())
    assert seen[0] == (expected or tracing.accepted(seen[0]))
    assert seen[1] == ""


@pytest.mark.parametrize(
    ("name", "level", "action", "error", "shown"),
    [
        ("procrastinate.worker", logging.INFO, "job_success", None, False),
        ("procrastinate.worker", logging.INFO, "job_error_retry", RuntimeError("broken"), True),
        ("procrastinate.worker", logging.INFO, "job_error_retry", OperationalError("gone"), False),
        ("procrastinate.worker", logging.ERROR, "job_error", RuntimeError("broken"), True),
        ("psycopg.pool", logging.WARNING, "", None, False),
        ("deliveries.jobs", logging.INFO, "", None, True),
    ],
)
def test_what_is_worth_a_line(name: str, level: int, action: str, error: Exception | None, shown: bool) -> None:
    told = (type(error), error, None) if error else None
    record = logging.getLogger(name).makeRecord(name, level, "", 1, "said", (), told, extra={"action": action})
    assert is_worth_a_line(record) == shown
    if error and shown:
        assert record.levelno >= logging.WARNING
