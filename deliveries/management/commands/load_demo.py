"""Load a small believable city day to try the product with, and write down who can log in."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from deliveries.demo import founding, loading


class Command(BaseCommand):
    """`manage.py load_demo`: part of `make demo`; doing it again changes nothing."""

    help = "Load the demo's city and day, and write $DATA_DIR/demo.json."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load what is not there yet."""
        if not settings.DEMO:
            raise CommandError("This instance is not a demo; set RELAIS_DEMO=1 to make it one.")
        try:
            outcome = loading.load(settings.DATA_DIR / "demo.json", base_url=settings.BASE_URL, at=timezone.now())
        except founding.NameTaken as refusal:
            raise CommandError(str(refusal)) from refusal
        if outcome != loading.Outcome.KEPT:
            self.stdout.write(outcome.value)
