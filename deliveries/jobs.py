"""What the worker does on its own: addresses that could not be found are looked up again."""

import logging

from django.utils import timezone
from procrastinate.contrib.django import app

from deliveries import relocating
from stores.actors import SYSTEM

logger = logging.getLogger(__name__)

AT_ONCE = 50
"""Addresses asked for in one run: a public geocoder allows about one a second."""


@app.periodic(cron="*/5 * * * *")
@app.task(name="locate_again", queueing_lock="locate_again")
def locate_again(timestamp: int) -> None:
    """Ask the geocoder once more for the addresses of open tasks that stand at their store's point."""
    found = relocating.locate_again(limit=AT_ONCE, by=SYSTEM, at=timezone.now())
    if found:
        logger.info("found %d addresses that were to be reviewed (run of %d)", found, timestamp)
