"""Make what every instance needs once its tables exist: the groups and what they may do."""

from typing import Any

from django.core.management.base import BaseCommand

from deliveries import groups


class Command(BaseCommand):
    """`manage.py set_up`: run it after `migrate`, as often as you like."""

    help = "Make the groups (dispatcher, store owner, courier) and give them their permissions."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the groups."""
        groups.set_up()
        self.stdout.write("The groups are in place.")
