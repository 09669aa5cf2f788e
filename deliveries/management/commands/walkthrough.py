"""Play an evening over HTTP in both dialects, against a running demo."""

from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from deliveries.demo import keys
from deliveries.demo.evening import Evening
from deliveries.demo.stage import TIMEOUT_S, Difference, Stage


class Command(BaseCommand):
    """`manage.py walkthrough`: shows every request and answer, and fails when an answer is not what it should be."""

    help = "Play an evening over HTTP in both dialects: orders, quotes, couriers, an outside carrier, a failure. Wants a running demo."
    requires_system_checks: list[str] = []  # it is a client: what it talks to may be another instance

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options of the command line."""
        parser.add_argument("--base-url", help="where the instance is reached (default: what demo.json says)")
        parser.add_argument("--demo-json", type=Path, help="the file with passwords and keys (default: $DATA_DIR/demo.json)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Play everything; raises `CommandError` at the first difference."""
        path = options["demo_json"] or settings.DATA_DIR / "demo.json"
        demo = keys.read(path)
        if demo is None:
            raise CommandError(f"{path} is not there or cannot be read; start a demo first: make demo")
        base_url = (options["base_url"] or demo["base_url"]).rstrip("/")
        with httpx.Client(base_url=base_url, timeout=TIMEOUT_S, trust_env=False) as client:
            stage = Stage(client, self.stdout.write, self.style)
            try:
                Evening(stage, demo, house=settings.HOUSE_CARRIER, now=timezone.now()).play()
            except Difference as difference:
                raise CommandError(str(difference)) from difference
            except httpx.TransportError as error:
                raise CommandError(f"{base_url} does not answer ({error}); is the demo running? make demo") from error
        self.stdout.write(self.style.SUCCESS(f"\nAll as it should be: {stage.calls} requests, {stage.checks} checks."))
