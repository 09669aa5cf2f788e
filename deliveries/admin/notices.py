"""What goes wrong behind the desk's back: subscribers that cannot be reached, jobs that nobody does."""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from deliveries import backlog
from deliveries.admin import columns
from deliveries.admin.desk import actor_of, may, moment_of, page_url
from deliveries.admin.plainly import told_of
from deliveries.admin.watching import CLIENTS_SECRET, ON, STATES, reach
from deliveries.models import DisabledWhy, Subscription
from stores.models import User

PATIENCE = timedelta(hours=1)
"""How long an endpoint may fail until it is worth a notice: most are back by then."""
NEWS = timedelta(days=7)
"""How long it stays one that a subscription was switched off."""
SHOWN = 3
LOOKED_AT = 200
"""Subscriptions in trouble that are looked at: in a great outage the first few say what there is to say."""
LONGEST_LAG = timedelta(minutes=1)

Notice = dict[str, Any]


def notices(request: HttpRequest) -> list[Notice]:
    """What whoever asks may see and should know; two queries, one for those who do not run the desk, one more in trouble."""
    return [*_jobs(request), *_subscriptions(request)]


def _subscriptions(request: HttpRequest) -> list[Notice]:
    if not may(request, "view", "deliveries.subscription"):
        return []
    now = moment_of(request)
    given_up = STATES["given_up"][1] & Q(disabled_at__gte=now - NEWS)
    failing = ON & Q(failing_since__lte=now - PATIENCE)
    rows = Subscription.objects.visible_to(actor_of(request)).filter(given_up | failing)
    found = rows.select_related("client", "store", "account").defer(*CLIENTS_SECRET).order_by("pk")[:LOOKED_AT]
    groups = [list(rows) for _, rows in groupby(sorted(found, key=_one_trouble), key=_one_trouble)]
    groups.sort(key=_urgency)
    told = [
        _notice(
            _sentence(group, request), _where(group), "See it" if len(group) == 1 else "See them", grave=group[0].disabled_at is not None
        )
        for group in groups[:SHOWN]
    ]
    if len(groups) > SHOWN:
        told.append(
            _notice("Others cannot be reached either.", reverse("admin:deliveries_subscription_changelist"), "See all", grave=False)
        )
    return told


def _one_trouble(row: Subscription) -> tuple[int, str, bool, str]:
    """What subscriptions have in common that are told of in one notice."""
    return row.client_id, row.host, row.disabled_at is None, row.disabled_why


def _urgency(group: list[Subscription]) -> tuple[bool, float]:
    """What was switched off comes first, the newest of it; then what has failed for longest."""
    off = [row.disabled_at.timestamp() for row in group if row.disabled_at is not None]
    return (False, -max(off)) if off else (True, _since(group).timestamp())


def _since(group: list[Subscription]) -> datetime:
    """When the trouble began."""
    return min(moment for row in group for moment in [row.disabled_at or row.failing_since] if moment is not None)


def _where(group: list[Subscription]) -> str:
    """The page of the one subscription, or the list of them."""
    if len(group) == 1:
        return reverse(page_url(group[0]), args=[group[0].pk])
    asked = {"client__id__exact": group[0].client_id, "state": "given_up" if group[0].disabled_at is not None else "failing"}
    return f"{reverse('admin:deliveries_subscription_changelist')}?{urlencode(asked)}"


def _sentence(group: list[Subscription], request: HttpRequest) -> str:
    row, since = group[0], columns.clock(_since(group), ZoneInfo(settings.TIME_ZONE), now=moment_of(request))
    names = told_of(name for each in group for name in each.names)
    one = len({(each.store_id, each.account_id) for each in group}) == 1
    whom = f"Call {reach(row) if one and row.store_id else row.client}" if actor_of(request).runs_the_desk else "Ask whoever runs it"
    if row.disabled_at is None:
        return f"{row.client} has not answered since {since}, and hears of {names} late. Deliveries go on. {whom} if that lasts."
    because = "answered that it is gone" if row.disabled_why == DisabledWhy.GONE else "did not answer for days"
    them = "it" if len(group) == 1 else "them"
    return (
        f"{row.client} is no longer told of {names} (its address {because}, {since}). "
        f"Deliveries go on. {whom}, then switch {them} on again."
    )


def _jobs(request: HttpRequest) -> list[Notice]:
    """That nobody does what is to be done besides: to those who can see to it, and to those who can call them."""
    actor = actor_of(request)
    if not actor.runs_the_desk:
        return []
    connection.ensure_connection()
    state = backlog.state(connection.connection)
    lag = timedelta(seconds=state.lag_s)
    if state.workers and lag <= LONGEST_LAG:
        return []
    oldest = f", the oldest for {columns.span(lag)}" if lag >= columns.MINUTE else ""
    waiting = f"{state.waiting} job{'' if state.waiting == 1 else 's'} waiting{oldest}" if state.waiting else "nothing is waiting yet"
    if may(request, "view", "procrastinate.procrastinatejob"):
        url = reverse("admin:procrastinate_procrastinatejob_changelist")
        trouble = "No worker is alive: shops and tills are told of nothing" if not state.workers else "The workers do not keep up"
        return [_notice(f"{trouble} ({waiting}). Deliveries go on.", url, "See the jobs", grave=True)]
    trouble = "are told of nothing at the moment" if not state.workers else "hear of everything late"
    return [_notice(f"Shops and tills {trouble} ({waiting}). Deliveries go on. Call {_admins()}.", "", "", grave=True)]


def _admins() -> str:
    """Who can see to the machine, with the number to call."""
    known = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")[:2]
    return " or ".join(f"{user} ({user.telephone})" if user.telephone else str(user) for user in known) or "whoever runs this server"


def _notice(text: str, url: str, link: str, *, grave: bool) -> Notice:
    return {"text": text, "url": url, "link": link, "grave": grave, "icon": "error" if grave else "warning"}
