"""When to call again: the waits between attempts, and when a subscription has failed for too long."""

from datetime import timedelta

WAITS = (
    timedelta(seconds=5),  # after the 1st attempt: a restart of the receiver
    timedelta(minutes=5),  # after the 2nd: a short outage
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),  # after the 6th: somebody has come to work since
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),  # after the 9th; the 10th and last is three days and four hours after the first
)
"""The schedule that Standard Webhooks recommends."""

JITTER = 0.2
LONGEST_ASKED_FOR = timedelta(hours=24)
DISABLE_AFTER = timedelta(days=5)
"""A subscription that fails for so long without one success is switched off."""


def next_wait(attempts: int, *, chance: float, retry_after_s: float | None = None) -> timedelta | None:
    """How long to wait after so many failed attempts (1 or more); None when there are no more to make.

    `chance`, in [0, 1), spreads the waits by a fifth to both sides, lest everything that failed at once come back at once.
    What the receiver asks for is the least we wait, up to a day.
    """
    if attempts > len(WAITS):
        return None
    wait = WAITS[attempts - 1] * (1 - JITTER + 2 * JITTER * chance)
    if retry_after_s is None:
        return wait
    return max(wait, timedelta(seconds=min(retry_after_s, LONGEST_ASKED_FOR.total_seconds())))
