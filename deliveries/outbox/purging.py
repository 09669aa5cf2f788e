"""What is kept for a while only: calls that were settled long ago."""

from datetime import datetime, timedelta

from deliveries.models import UNSETTLED, Call

KEPT = timedelta(days=30)


def purge(*, at: datetime) -> int:
    """Throw away settled calls, and what was never read of what is read by polling, once they are old; returns how many."""
    old = Call.objects.filter(settled_at__lt=at - KEPT) | Call.objects.filter(
        subscription__url="", state__in=UNSETTLED, created_at__lt=at - KEPT
    )
    return old.delete()[0]
