"""Run the jobs that requests leave behind: webhooks, geocoding, expiry."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

# How long a job in progress may go on after SIGTERM before the worker leaves it to another one.
GRACE_SECONDS = 10


class Command(BaseCommand):
    """`manage.py worker`: start as many as needed, on any machine that reaches the database."""

    help = "Run background jobs until SIGTERM or Ctrl-C. Several workers share the work."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options of the command line."""
        parser.add_argument("--concurrency", type=int, default=4, help="jobs run at once by this worker (default 4)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen on every queue until told to stop."""
        connector = app.connector
        if not isinstance(connector, DjangoConnector):
            raise TypeError("The job queue is not the one of the Django database.")
        with app.replace_connector(connector.get_worker_connector()) as worker:
            worker.run_worker(
                concurrency=options["concurrency"],
                delete_jobs="successful",
                shutdown_graceful_timeout=GRACE_SECONDS,
            )
