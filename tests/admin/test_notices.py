"""What the overview says of subscribers that cannot be reached, and of jobs that are left lying."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from deliveries.models import DisabledWhy
from deliveries.outbox import queue
from tests import factories
from tests.admin.test_calls import owner_of, page, webhook
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def notices(browser: Client) -> list[str]:
    return [notice["text"] for notice in browser.get(reverse("admin:index")).context["notices"]]


def test_the_overview_says_who_cannot_be_reached(dispatcher_browser: Client) -> None:
    failing = webhook(failing_since=NOON - timedelta(hours=2))
    gone = webhook(disabled_at=NOON, disabled_why=DisabledWhy.GONE)
    webhook(failing_since=NOON - timedelta(minutes=50))
    webhook(disabled_at=NOON, disabled_why=DisabledWhy.BY_HAND)
    webhook(disabled_at=NOON - timedelta(days=8), disabled_why=DisabledWhy.FAILING, failing_since=NOON - timedelta(days=13))
    assert notices(dispatcher_browser) == [
        f"{gone} (delivery.started) was switched off, 12:00: the endpoint is gone (410).",
        f"{failing} (delivery.started) has been failing since 10:00; what it is owed is kept and tried again.",
    ]
    assert page(gone) in dispatcher_browser.get(reverse("admin:index")).content.decode()
    assert failing.store is not None
    assert len(notices(owner_of(failing.store))) == 1
    assert notices(owner_of(factories.StoreFactory.create())) == []


def test_the_overview_names_a_few_and_leads_to_the_rest(dispatcher_browser: Client) -> None:
    for _ in range(5):
        webhook(disabled_at=NOON, disabled_why=DisabledWhy.FAILING)
    assert len(notices(dispatcher_browser)) == 4
    assert notices(dispatcher_browser)[-1] == "Others cannot be reached either."


def alive() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")


def late(minutes: int) -> None:
    queue.test(1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = at - make_interval(mins => %s)", [minutes])


def test_the_overview_says_when_nobody_works(admin_browser: Client, dispatcher_browser: Client) -> None:
    assert notices(admin_browser) == ["No worker is alive: nothing is sent."]
    late(5)
    assert notices(admin_browser) == ["No worker is alive: nothing is sent, 1 job waiting, the oldest for 5 min."]
    alive()
    assert notices(admin_browser) == ["The workers do not keep up: 1 job waiting, the oldest for 5 min."]
    assert notices(dispatcher_browser) == []


def test_the_overview_is_silent_when_all_is_well(admin_browser: Client) -> None:
    webhook()
    alive()
    queue.test(1)
    assert notices(admin_browser) == []
