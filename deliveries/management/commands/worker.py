"""Run the jobs that requests leave behind: webhooks, geocoding, expiry."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DEFAULT_DB_ALIAS, OperationalError
from procrastinate import PsycopgConnector
from procrastinate.app import WorkerOptions
from procrastinate.connector import BaseConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.manager import JobManager
from procrastinate.middleware import AsyncCallNext
from procrastinate.worker import Worker

from deliveries import backlog
from deliveries.outbox import queue
from stores import tracing

logger = logging.getLogger(__name__)

CONCURRENCY = 48
# Whoever is called may keep us waiting; what has nothing to do with calls has threads of its own, a quarter but no more than these.
MOST_OTHERS = 8
# How long jobs under way may go on after SIGTERM before they are left to another worker. A call out takes 20 seconds at most.
GRACE_SECONDS = 25
# How long an answer of the database is waited for before it counts as gone.
PATIENCE_SECONDS = 5
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
# A new job is told of at once. This is for those whose time has come, or that were put back.
POLL_SECONDS = 0.5
# Names are resolved in threads too, and must not wait for jobs.
SPARE_THREADS = 4
# What they say of a database that is gone, they say at every attempt; we say it once.
TALKATIVE = ("psycopg.pool", "procrastinate", "asyncio")


class Command(BaseCommand):
    """`manage.py worker`: start as many as needed, on any machine that reaches the database."""

    help = "Run background jobs until SIGTERM or Ctrl-C. Several workers share the work."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options of the command line."""
        parser.add_argument(
            "--concurrency", type=int, default=CONCURRENCY, help=f"jobs run at once by this worker (default {CONCURRENCY}, at least 2)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen on every queue until told to stop; a database that goes away is waited for."""
        logging.getLogger("procrastinate.worker").setLevel(logging.INFO)
        for handler in logging.getLogger().handlers:
            handler.addFilter(is_worth_a_line)
        asyncio.run(serve(concurrency=max(2, options["concurrency"])))


class JobConnector(PsycopgConnector):
    """Fetches jobs over connections of its own, and lets what a job does put others into the queue in its own transaction."""

    def get_sync_connector(self) -> BaseConnector:
        """Django's connection of whichever thread asks."""
        return DjangoConnector(alias=DEFAULT_DB_ALIAS)


class OneWorker(JobManager):
    """Makes one worker of several crews, to whoever counts them: they share an id from when the first comes until the last has gone.

    What was given back while one crew still works would be taken for left behind, and be done twice.
    """

    def __init__(self, connector: BaseConnector) -> None:
        super().__init__(connector)
        self.worker_id: int | None = None
        self._crews = 0
        self._registering = asyncio.Lock()

    async def register_worker(self) -> int:
        """The id of this worker, new for the first crew."""
        async with self._registering:
            if self.worker_id is None:
                self.worker_id = await super().register_worker()
            self._crews += 1
            return self.worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        """A crew has gone, and with the last one the worker."""
        self._crews -= 1
        if self._crews == 0:
            await self.leave()

    async def leave(self) -> None:
        """The worker has gone, whoever of it is still at work."""
        worker_id, self.worker_id = self.worker_id, None
        if worker_id is not None:
            await super().unregister_worker(worker_id)


async def serve(*, concurrency: int) -> None:
    """Work until SIGTERM or Ctrl-C, beginning again whenever the database was away."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    loop.set_default_executor(ThreadPoolExecutor(concurrency + SPARE_THREADS, thread_name_prefix="job"))
    while not told.is_set():
        if not await _reachable():
            logger.warning("The database does not answer; work goes on when it does.")
            if not await _back(told):
                return
            logger.warning("The database is back.")
        try:
            await work(concurrency=concurrency, told=told)
        except (ConnectorException, psycopg.OperationalError) as error:
            if not _is_about_the_connection(error) and not _was_taken_for_dead(error):
                raise
        # Whatever ended it, it must not end it a thousand times a second.
        await _told_within(told, FIRST_WAIT_SECONDS)


async def work(*, concurrency: int, told: asyncio.Event) -> None:
    """Run jobs until told to stop; returns or raises when the database goes away."""
    connector = JobConnector(kwargs=connector_params(DEFAULT_DB_ALIAS), min_size=2, max_size=8, timeout=PATIENCE_SECONDS)
    with as_one_worker(connector) as manager:
        async with app.open_async():
            crews = [Worker(app, **(app.worker_defaults | options)) for options in crew_options(concurrency)]
            working = [asyncio.create_task(crew.run()) for crew in crews]  # type: ignore[no-untyped-call]  # it is typed in part
            looking = asyncio.create_task(look_after_others(manager, connector))
            stopping = asyncio.create_task(told.wait())
            await asyncio.wait([*working, looking, stopping], return_when=asyncio.FIRST_COMPLETED)
            for crew in crews:
                crew.stop()  # type: ignore[no-untyped-call]  # as above
            ended: asyncio.Future[Any] = asyncio.gather(*working, return_exceptions=True)
            either: list[asyncio.Future[Any]] = [ended, stopping]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait([ended], timeout=GRACE_SECONDS)
            if not ended.done():
                await _leave(manager)
            stopping.cancel()
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking
            for error in filter(None, await ended):
                raise error


@contextlib.contextmanager
def as_one_worker(connector: JobConnector) -> Iterator[OneWorker]:
    """Let this process's crews fetch their jobs over a connector, as one worker."""
    with app.replace_connector(connector):
        before, app.job_manager = app.job_manager, OneWorker(connector)
        try:
            yield app.job_manager
        finally:
            app.job_manager = before


def crew_options(concurrency: int) -> list[WorkerOptions]:
    """Two crews, lest calls that nobody answers keep everything else waiting: one makes calls, the other does the rest."""
    everything: WorkerOptions = {
        "delete_jobs": "successful",
        "fetch_job_polling_interval": POLL_SECONDS,
        "install_signal_handlers": False,
        "update_heartbeat_interval": backlog.HEARTBEAT_S,
        "stalled_worker_timeout": backlog.DEAD_AFTER_S,
        "worker_middleware": [under_its_request],
    }
    others = max(1, min(MOST_OTHERS, concurrency // 4))
    rest = sorted({task.queue for task in app.tasks.values()} - {queue.CALLS})
    return [
        {**everything, "queues": [queue.CALLS], "concurrency": concurrency - others},
        {**everything, "queues": rest, "concurrency": others},
    ]


async def under_its_request(call_next: AsyncCallNext, context: JobContext, worker: Worker) -> Any:
    """Let a job's log lines, and the calls it makes, bear the id of the request that left it behind."""
    tracing.follow(tracing.accepted(str(context.job.task_kwargs.get("request_id", ""))))
    return await call_next()


async def look_after_others(manager: OneWorker, connector: PsycopgConnector) -> None:
    """Say that this worker lives, also while it finishes its last jobs, and take up what dead ones left behind."""
    pause = POLL_SECONDS  # jobs left behind by the one before us need not wait
    while True:
        await asyncio.sleep(pause)
        worker_id = manager.worker_id
        if worker_id is None:
            continue
        pause = backlog.LOOK_EVERY_S
        try:
            async with connector.pool.connection() as connection:
                await backlog.say_still_here(connection, worker_id)
                found = await backlog.take_up(connection)
        except psycopg.OperationalError as error:
            logger.debug("The database does not answer: %s", error)  # the worker notices by itself
        else:
            if found:
                logger.warning("Took up %d jobs that a worker had left behind: %s", len(found), ", ".join(sorted(set(found))))


async def _leave(manager: OneWorker) -> None:
    """End here and now: threads cannot be stopped, and what they do will be done by another worker."""
    logger.warning("Jobs are left to other workers: they have not ended %d seconds after SIGTERM.", GRACE_SECONDS)
    with contextlib.suppress(ConnectorException):
        await manager.leave()
    if settings.EMBEDDED_POSTGRES is not None:
        settings.EMBEDDED_POSTGRES.leave()
    logging.shutdown()
    os._exit(0)


async def _told_within(told: asyncio.Event, seconds: float) -> bool:
    """Whether we are told to stop within that time."""
    try:
        await asyncio.wait_for(told.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _reachable() -> bool:
    try:
        async with await psycopg.AsyncConnection.connect(**connector_params(DEFAULT_DB_ALIAS) | {"connect_timeout": PATIENCE_SECONDS}):
            return True
    except psycopg.OperationalError:
        return False


async def _back(told: asyncio.Event) -> bool:
    """Wait for the database, asking at growing intervals; False when told to stop before it is back."""
    pause = FIRST_WAIT_SECONDS
    while not await _told_within(told, pause):
        if await _reachable():
            return True
        pause = min(2 * pause, LONGEST_WAIT_SECONDS)
    return False


def _is_about_the_connection(error: BaseException | None) -> bool:
    """Whether this is the database being away, and not it refusing something."""
    while error is not None:
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | OperationalError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _was_taken_for_dead(error: BaseException) -> bool:
    """Whether we were silent for so long that others have forgotten us, and no job may be ours."""
    return isinstance(error.__cause__, psycopg.errors.ForeignKeyViolation)


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether this says more than that a job began or ended well, or that the database is away."""
    if not record.name.startswith(TALKATIVE):
        return True
    if getattr(record, "action", "") == "job_error_retry":
        # A fault of ours, though the job will be tried again.
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    return record.levelno >= logging.WARNING and not _tells_of_the_connection(record)


def _tells_of_the_connection(record: logging.LogRecord) -> bool:
    return record.name == "psycopg.pool" or _is_about_the_connection(record.exc_info[1] if record.exc_info else None)
