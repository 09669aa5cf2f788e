"""What the overview says of subscribers that cannot be reached, and of jobs that are left lying."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from deliveries.models import DisabledWhy, Subscription
from deliveries.outbox import queue, subscriptions
from stores.actors import SYSTEM
from stores.models import User
from tests import factories
from tests.admin.test_calls import owner_of, page, webhook
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def notices(browser: Client) -> list[str]:
    return [notice["text"] for notice in browser.get(reverse("admin:index")).context["notices"]]


def alive() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")


def test_the_overview_says_who_cannot_be_reached(dispatcher_browser: Client) -> None:
    alive()
    failing = webhook(failing_since=NOON - timedelta(hours=2))
    gone = webhook(disabled_at=NOON, disabled_why=DisabledWhy.GONE)
    webhook(failing_since=NOON - timedelta(minutes=50))
    webhook(disabled_at=NOON, disabled_why=DisabledWhy.BY_HAND)
    webhook(disabled_at=NOON - timedelta(days=8), disabled_why=DisabledWhy.FAILING, failing_since=NOON - timedelta(days=13))
    assert notices(dispatcher_browser) == [
        f"{gone.client} is no longer told of couriers setting out (its address answered that it is gone, 12:00). Deliveries go on. "
        f"Call {gone.store}, then switch it on again.",
        f"{failing.client} has not answered since 10:00, and hears of couriers setting out late. Deliveries go on. "
        f"Call {failing.store} if that lasts.",
    ]
    assert page(gone) in dispatcher_browser.get(reverse("admin:index")).content.decode()
    assert failing.store is not None
    assert "Ask whoever runs it" in notices(owner_of(failing.store))[0]
    assert notices(owner_of(factories.StoreFactory.create())) == []


def test_the_overview_names_a_few_and_leads_to_the_rest(dispatcher_browser: Client) -> None:
    alive()
    for _ in range(5):
        webhook(disabled_at=NOON, disabled_why=DisabledWhy.FAILING)
    assert len(notices(dispatcher_browser)) == 4
    assert notices(dispatcher_browser)[-1] == "Others cannot be reached either."


def late(minutes: int) -> None:
    queue.test(1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = at - make_interval(mins => %s)", [minutes])


def test_one_receiver_is_told_of_once(dispatcher_browser: Client) -> None:
    alive()
    first = webhook(disabled_at=NOON, disabled_why=DisabledWhy.GONE)
    assert first.store is not None
    more, _ = subscriptions.subscribe(first.client, first.store, first.url, ["delivery.cancelled"], by=SYSTEM, at=NOON)
    Subscription.objects.update(disabled_at=NOON, disabled_why=DisabledWhy.GONE)
    notice = dispatcher_browser.get(reverse("admin:index")).context["notices"]
    assert [each["text"].partition(" (")[0] for each in notice] == [
        f"{first.client} is no longer told of couriers setting out and cancellations"
    ]
    rows = dispatcher_browser.get(notice[0]["url"]).context["cl"].result_list
    assert {row.pk for row in rows} == {first.pk, more.pk}


def test_the_overview_says_when_nobody_works(admin_browser: Client, dispatcher_browser: Client) -> None:
    ada = User.objects.get(username="ada")
    User.objects.filter(pk=ada.pk).update(telephone="+33612345678")
    assert notices(admin_browser) == ["No worker is alive: shops and tills are told of nothing (nothing is waiting yet). Deliveries go on."]
    late(0)
    assert notices(admin_browser) == ["No worker is alive: shops and tills are told of nothing (1 job waiting). Deliveries go on."]
    late(5)
    waiting = "2 jobs waiting, the oldest for 5 min"
    assert notices(admin_browser) == [f"No worker is alive: shops and tills are told of nothing ({waiting}). Deliveries go on."]
    assert notices(dispatcher_browser) == [
        f"Shops and tills are told of nothing at the moment ({waiting}). Deliveries go on. Call ada (+33612345678)."
    ]
    assert notices(owner_of(factories.StoreFactory.create())) == []
    alive()
    assert notices(admin_browser) == [f"The workers do not keep up ({waiting}). Deliveries go on."]
    assert notices(dispatcher_browser) == [
        f"Shops and tills hear of everything late ({waiting}). Deliveries go on. Call ada (+33612345678)."
    ]


def test_the_overview_is_silent_when_all_is_well(admin_browser: Client) -> None:
    webhook()
    alive()
    queue.test(1)
    assert notices(admin_browser) == []
