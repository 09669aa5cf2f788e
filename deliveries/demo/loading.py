"""Load the demo once: city, day and keys in one transaction, however often and from however many places it is asked for."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from deliveries.demo import founding, keys, playing
from deliveries.demo.clock import Clock

LOCK = 0x52454C4149530001
"""Names the advisory lock of this load among all others of the database."""


class Outcome(StrEnum):
    """What a load found to do."""

    LOADED = "Loaded the demo's day."
    KEPT = "The demo's day is loaded already."
    MOVED = "The demo's day is loaded already; it is reached at another address now."
    RENEWED = "The demo's day is loaded already; everybody has new passwords, keys and tokens, because the file with the old ones is gone."


def load(path: Path, *, base_url: str, at: datetime) -> Outcome:
    """Found the city and play its day, unless that was done; see that the file at `path` holds keys that fit.

    The file is written before the transaction ends, under the lock: a load that waited for this one finds both. Should
    the transaction fail after all, the next load sees that file and database do not fit, and puts that right.
    """
    with transaction.atomic():
        _wait_for_turn()
        known = founding.exists()
        content = keys.read(path)
        if known and content is not None and keys.fit(content):
            if content.get("base_url") == base_url:
                return Outcome.KEPT
            keys.write(path, {**content, "base_url": base_url})
            return Outcome.MOVED
        founded = founding.found()
        if not known:
            playing.play(founded, clock=Clock.at(at, ZoneInfo(settings.TIME_ZONE)))
        keys.write(path, keys.issue(founded, base_url=base_url, at=at))
        return Outcome.RENEWED if known else Outcome.LOADED


def _wait_for_turn() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2min'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
