"""Reads the whole database and names every broken rule; ends with 1 when there is one."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from deliveries import doctor


class Command(BaseCommand):
    """`manage.py doctor`: what an operator runs after a crash, and a test after a race."""

    help = "Read the whole database and name every broken rule."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each finding, or that all is well."""
        findings = doctor.examine()
        for finding in findings:
            self.stdout.write(str(finding))
        if findings:
            self.stderr.write(f"{len(findings)} broken.")
            sys.exit(1)
        self.stdout.write(f"All {len(doctor.CHECKS)} checks passed.")
