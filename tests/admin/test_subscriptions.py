"""Subscriptions at the desk in plain words: how they stand, what to do, who may do it, and what the worker does about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from deliveries.models import Attempt, Call, CallState, DisabledWhy, Subscription
from deliveries.outbox import queue, subscriptions
from stores import credentials
from stores.actors import SYSTEM
from tests import factories
from tests.admin.test_calls import act, call, callback, changelist, offered, owner_of, page, said, secret_page, webhook
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def test_a_subscription_shows_what_is_tried_again_though_others_arrive(dispatcher_browser: Client) -> None:
    made = webhook()
    late = call(made, CallState.QUEUED, tries=1, due_at=NOON + timedelta(minutes=1))
    Attempt.objects.create(call=late, started_at=NOON - timedelta(minutes=2), duration_ms=1, error="connection refused")
    Attempt.objects.create(call=call(made, CallState.ACKNOWLEDGED), started_at=NOON - timedelta(minutes=1), duration_ms=20, status=204)
    body = dispatcher_browser.get(changelist(Subscription)).content.decode()
    for words in ("1 to be tried again", "connection refused", "a call is to be tried again", "204"):
        assert words in body


def test_what_is_polled_waits_to_be_read(dispatcher_browser: Client) -> None:
    made = webhook(url="")
    call(made, CallState.WAITING)
    body = dispatcher_browser.get(changelist(Subscription)).content.decode()
    assert "1 to be read" in body
    assert "Polled" in body
    assert "To be read: 1 call." in situation_of(dispatcher_browser, made)


def situation_of(browser: Client, row: Subscription) -> str:
    return " ".join(browser.get(page(row)).context["situation"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "nothing was sent to it yet: send a test event"),
        ({"failing_since": NOON - timedelta(hours=2)}, "Nothing has arrived since 10:00."),
        ({"disabled_at": NOON, "disabled_why": DisabledWhy.GONE}, "its address answered that it is gone (410)"),
        ({"disabled_at": NOON, "disabled_why": DisabledWhy.GONE}, "stands in the feed of events only"),
        ({"disabled_at": NOON, "disabled_why": DisabledWhy.FAILING}, "nothing had arrived for 5 days"),
        ({"disabled_at": NOON, "disabled_why": DisabledWhy.BY_HAND}, "Switch it on: what waits goes out first. Then send a test event"),
    ],
)
def test_the_page_says_how_a_subscription_stands_and_what_to_do(fields: dict[str, Any], words: str, dispatcher_browser: Client) -> None:
    assert words in situation_of(dispatcher_browser, webhook(**fields))


def test_a_callback_that_is_off_is_owed_what_happens(dispatcher_browser: Client) -> None:
    store = factories.StoreFactory.create()
    factories.hubrise_token(store=store)
    held = store.connections.get()
    made = subscriptions.call_back(held, "http://127.0.0.1:9/", ["order.create"], follows_positions=False, by=SYSTEM, at=NOON)
    subscriptions.disable(made, by=SYSTEM, at=NOON)
    assert "waits with the rest, and can be read meanwhile" in situation_of(dispatcher_browser, made)


def test_a_webhook_whose_key_was_revoked_is_closed(dispatcher_browser: Client) -> None:
    made = webhook()
    assert made.store is not None
    factories.api_key(made.store)
    key = made.store.connections.get()
    Subscription.objects.filter(pk=made.pk).update(key=key)
    credentials.revoke(key, at=NOON)
    assert "its key was revoked" in situation_of(dispatcher_browser, made)
    assert "Closed" in dispatcher_browser.get(reverse("admin:deliveries_subscription_changelist")).content.decode()


@pytest.mark.parametrize(("status", "words"), [(410, "the last answer is one from before: send a test event"), (204, "All is well")])
def test_the_page_judges_by_the_last_answer(status: int, words: str, dispatcher_browser: Client) -> None:
    made = webhook()
    Attempt.objects.create(call=call(made, CallState.ACKNOWLEDGED), started_at=NOON, duration_ms=20, status=status)
    assert words in situation_of(dispatcher_browser, made)


def test_switching_off_is_no_loud_button_and_says_what_follows(dispatcher_browser: Client) -> None:
    made = webhook()
    assert {button["variant"] for button in dispatcher_browser.get(page(made)).context["acts"]} == {"default"}
    asked = dispatcher_browser.get(reverse("admin:deliveries_subscription_act", args=[made.pk, "disable"])).content.decode()
    assert "What happens from now on is not sent to a webhook" in asked


def test_pages_are_titled_by_events_where_these_are_few(dispatcher_browser: Client) -> None:
    few, many = webhook(names=["order.created", "delivery.failed"]), webhook(names=["order.created", "delivery.failed", "delivery.started"])
    for made, events in ((few, "order.created, delivery.failed"), (many, "3 events")):
        response = dispatcher_browser.get(page(made))
        assert response.context["subtitle"] == str(response.context["original"]) == f"{made} · {events}"
        assert response.content.decode().count(f"{made} · {events}") >= 2
    owed = call(few)
    assert "order.created" in dispatcher_browser.get(page(owed)).context["subtitle"]


def test_an_owner_tests_resends_and_switches_their_own() -> None:
    store = factories.StoreFactory.create()
    made = webhook(store)
    lost, later = call(made), call(made)
    browser = owner_of(store)
    assert offered(browser, made) == ["Send a test event", "Resend everything given up", "Switch off"]
    assert said(act(browser, "resend", lost)) == ["1 call is sent again."]
    assert said(act(browser, "resend", made))[-1] == "All that was given up is sent again."
    later.refresh_from_db()
    assert later.state == CallState.QUEUED
    assert "A test event is on its way" in said(act(browser, "test", made))[-1]
    assert ProcrastinateJob.objects.filter(task_name=queue.TEST).count() == 1
    act(browser, "disable", made)
    made.refresh_from_db()
    assert (made.disabled_at, made.disabled_why) == (NOON, DisabledWhy.BY_HAND)
    act(browser, "enable", made)
    made.refresh_from_db()
    assert made.disabled_at is None
    assert browser.post(secret_page(made)).status_code == 403


@pytest.mark.parametrize("name", ["test", "resend", "disable", "enable"])
def test_an_owner_moves_no_subscription_that_reaches_another_store(name: str) -> None:
    store = factories.StoreFactory.create()
    neighbour = factories.StoreFactory.create(account=store.account)
    own, rows = webhook(store), [callback(store.account), webhook(neighbour), webhook(neighbour)]
    Subscription.objects.filter(pk=rows[2].pk).update(disabled_at=NOON, disabled_why=DisabledWhy.GONE)
    for row in rows:
        call(row)
    browser = owner_of(store)
    before, jobs = list(Subscription.objects.order_by("pk").exclude(pk=own.pk).values()), ProcrastinateJob.objects.count()
    for row in rows:
        assert act(browser, name, row).status_code == 404
    ticked = {"action": name, "_selected_action": [row.pk for row in rows], "apply": "1", "index": "0"}
    browser.post(changelist(Subscription), ticked)
    assert list(Subscription.objects.order_by("pk").exclude(pk=own.pk).values()) == before
    assert not Call.objects.exclude(state=CallState.FAILED).exists()
    assert ProcrastinateJob.objects.count() == jobs


def test_jobs_say_what_they_are_about(admin_browser: Client) -> None:
    made = webhook()
    owed = call(made, CallState.QUEUED)
    queue.send(owed.pk, 1)
    queue.test(made.pk)
    delivery = factories.delivery(made.store)
    queue.tell([f"order {delivery.order_id}", "order 0", "task 7"])
    queue.send(0, 1)
    response = admin_browser.get(reverse("admin:procrastinate_procrastinatejob_changelist"))
    about = [str(job.about) for job in response.context["cl"].result_list if job.task_name != "tell"]
    assert about[0] == "–"
    assert page(made) in about[1]
    assert page(owed) in about[2]
    assert f"{made} · delivery.started" in about[2]
    told = [str(job.about) for job in response.context["cl"].result_list if job.task_name == "tell"]
    assert told[:2] == ["task #7", "order #0"]
    assert reverse("admin:stores_order_change", args=[delivery.order_id]) in told[2]
    job = ProcrastinateJob.objects.filter(task_name=queue.SEND).earliest("id")
    assert page(owed) in admin_browser.get(reverse("admin:procrastinate_procrastinatejob_change", args=[job.pk])).content.decode()
