"""Run the jobs that requests leave behind: webhooks, geocoding, expiry."""

import logging
import time
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandParser
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection
from procrastinate import PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException

logger = logging.getLogger(__name__)

# How long a job in progress may go on after SIGTERM before the worker leaves it to another one.
GRACE_SECONDS = 10
# How long an answer of the database is waited for before it counts as gone.
PATIENCE_SECONDS = 5
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
# What they say of a database that is gone, they say at every attempt; we say it once.
TALKATIVE = ("psycopg.pool", "procrastinate", "asyncio")


class Command(BaseCommand):
    """`manage.py worker`: start as many as needed, on any machine that reaches the database."""

    help = "Run background jobs until SIGTERM or Ctrl-C. Several workers share the work."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options of the command line."""
        parser.add_argument("--concurrency", type=int, default=4, help="jobs run at once by this worker (default 4)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen on every queue until told to stop; a database that goes away is waited for."""
        for handler in logging.getLogger().handlers:
            handler.addFilter(_is_no_echo)
        away = not _reachable()
        while True:
            if away:
                logger.warning("The database does not answer; work goes on when it does.")
                _wait_for_database()
                logger.warning("The database is back.")
            try:
                work(concurrency=options["concurrency"])
            except (ConnectorException, psycopg.OperationalError) as error:
                if not _is_about_the_connection(error):
                    raise
                away = True
            else:
                return


def work(*, concurrency: int) -> None:
    """Run jobs until told to stop; raises when the database goes away."""
    connector = PsycopgConnector(kwargs=connector_params(DEFAULT_DB_ALIAS), timeout=PATIENCE_SECONDS)
    with app.replace_connector(connector) as worker:
        worker.run_worker(concurrency=concurrency, delete_jobs="successful", shutdown_graceful_timeout=GRACE_SECONDS)


def _reachable() -> bool:
    connection.close()
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return True


def _wait_for_database() -> None:
    """Return when the database can be reached, having asked at growing intervals."""
    pause = FIRST_WAIT_SECONDS
    while not _reachable():
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_WAIT_SECONDS)


def _is_about_the_connection(error: BaseException | None) -> bool:
    """Whether this is the database being away, and not it refusing something."""
    while error is not None:
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | OperationalError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_no_echo(record: logging.LogRecord) -> bool:
    """Whether this says more than that the database is away."""
    error = record.exc_info[1] if record.exc_info else None
    return not record.name.startswith(TALKATIVE) or not (_is_about_the_connection(error) or record.name == "psycopg.pool")
