#!/usr/bin/env python
"""Run the project's management commands."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Hand the command line over to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["worker"]:
        os.environ.setdefault("RELAIS_PROCESS", "worker")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
