"""What is kept for a while only: calls that were settled long ago."""

from datetime import datetime, timedelta

from django.db.models import Q

from deliveries.models import UNSETTLED, Call

KEPT = timedelta(days=30)


AT_A_TIME = 1000


def purge(*, at: datetime) -> int:
    """Throw away settled calls, and what was never read of what is read by polling, once they are old; returns how many."""
    settled = Q(settled_at__lt=at - KEPT)
    unread = Q(subscription__url="", state__in=UNSETTLED, created_at__lt=at - KEPT)
    count = 0
    while old := list(Call.objects.filter(settled | unread).order_by("pk").values_list("pk", flat=True)[:AT_A_TIME]):
        Call.objects.filter(pk__in=old).delete()
        count += len(old)
    return count
