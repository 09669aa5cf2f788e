"""What goes wrong behind the desk's back: subscribers that cannot be reached, jobs that nobody does."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import F, Q
from django.http import HttpRequest
from django.urls import reverse

from deliveries import backlog
from deliveries.admin import columns
from deliveries.admin.desk import actor_of, may, moment_of, page_url
from deliveries.admin.watching import CLIENTS_SECRET, ON, STATES, WHY, names
from deliveries.models import Subscription

PATIENCE = timedelta(hours=1)
"""How long an endpoint may fail until it is worth a notice: most are back by then."""
NEWS = timedelta(days=7)
"""How long it stays one that a subscription was switched off."""
SHOWN = 3
LONGEST_LAG = timedelta(minutes=1)

Notice = dict[str, Any]


def notices(request: HttpRequest) -> list[Notice]:
    """What whoever asks may see and should know; two queries, or one for those who do not look after jobs."""
    return [*_jobs(request), *_subscriptions(request)]


def _subscriptions(request: HttpRequest) -> list[Notice]:
    if not may(request, "view", "deliveries.subscription"):
        return []
    now = moment_of(request)
    given_up = STATES["given_up"][1] & Q(disabled_at__gte=now - NEWS)
    failing = ON & Q(failing_since__lte=now - PATIENCE)
    rows = Subscription.objects.visible_to(actor_of(request)).filter(given_up | failing).select_related("client").defer(*CLIENTS_SECRET)
    found = list(rows.order_by(F("disabled_at").desc(nulls_last=True), "failing_since")[: SHOWN + 1])
    told = [_notice(_sentence(row, now), reverse(page_url(row), args=[row.pk]), row.disabled_at is not None) for row in found[:SHOWN]]
    if len(found) > SHOWN:
        told.append(_notice("Others cannot be reached either.", reverse("admin:deliveries_subscription_changelist"), grave=False))
    return told


def _sentence(row: Subscription, now: datetime) -> str:
    zone, told = ZoneInfo(settings.TIME_ZONE), f"{row} ({names(row)})"
    if row.disabled_at is not None:
        return f"{told} was switched off, {columns.clock(row.disabled_at, zone, now=now)}: {WHY[row.disabled_why]}."
    return f"{told} has been failing since {columns.clock(row.failing_since, zone, now=now)}; what it is owed is kept and tried again."


def _jobs(request: HttpRequest) -> list[Notice]:
    if not may(request, "view", "procrastinate.procrastinatejob"):
        return []
    connection.ensure_connection()
    state, url = backlog.state(connection.connection), reverse("admin:procrastinate_procrastinatejob_changelist")
    lag = timedelta(seconds=state.lag_s)
    waiting = f"{state.waiting} job{'' if state.waiting == 1 else 's'} waiting, the oldest for {columns.span(lag)}"
    if state.workers == 0:
        return [_notice(f"No worker is alive: nothing is sent{f', {waiting}' if state.waiting else ''}.", url, grave=True)]
    return [_notice(f"The workers do not keep up: {waiting}.", url, grave=True)] if lag > LONGEST_LAG else []


def _notice(text: str, url: str, grave: bool) -> Notice:
    return {"text": text, "url": url, "grave": grave, "icon": "error" if grave else "warning"}
