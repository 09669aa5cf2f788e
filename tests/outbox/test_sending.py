"""Calls go out a few at a time and in order, are tried again by the timetable, and are never forgotten."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from deliveries import doctor, jobs, transitions
from deliveries.models import Attempt, Call, CallState, Delivery, DisabledWhy, Subscription
from deliveries.outbox import pacing, queue, sending, subscriptions, timetable
from stores import credentials
from stores.actors import SYSTEM
from tests import factories
from tests.factories import NOON
from tests.outbox.scenes import Hand, states, subscription
from tests.stores.loopback import Loopback, serving

pytestmark = pytest.mark.django_db

NOWHERE = "http://127.0.0.1:9/"
STORY = ("order.created", "delivery.started", "delivery.picked", "delivery.in_transit", "delivery.completed")


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving() as loopback:
        yield loopback


@pytest.fixture
def hand() -> Hand:
    return Hand()


@contextmanager
def digesting(*, all_but: str) -> Iterator[Loopback]:
    """A receiver that answers 200 to everything but one body, which it never can digest."""
    with serving() as loopback:
        loopback.status_of = lambda body: 500 if body == all_but.encode() else 200
        yield loopback


def ride(delivery: Delivery, *, at: datetime = NOON) -> None:
    """From the store to the door."""
    for task in delivery.tasks.order_by("position"):
        transitions.start(task, by=SYSTEM, at=at)
        transitions.complete(task, by=SYSTEM, at=at)


def orders(made: Subscription, count: int, hand: Hand) -> None:
    """Owe a subscription so many calls, each about another order."""
    for _ in range(count):
        factories.order(made.store)
    hand.tell()


def fresh(made: Subscription) -> Subscription:
    return Subscription.objects.get(pk=made.pk)


def test_what_arrives_is_settled_with_what_came_back(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 1, hand)
    assert hand.send(at=NOON) == 1
    call, attempt = Call.objects.get(), Attempt.objects.get()
    assert (call.state, call.tries, call.due_at) == (CallState.ACKNOWLEDGED, 1, None)
    assert call.settled_at is not None
    assert NOON <= call.settled_at < NOON + timedelta(seconds=5)
    assert (attempt.status, attempt.excerpt, attempt.error, attempt.started_at) == (200, "{}", "", NOON)
    assert server.asked == [("/", call.body.encode())]
    assert server.asked_with[0]["webhook-id"] == call.message_id


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [(500, {}, 5), (404, {}, 5), (302, {"Location": "/elsewhere"}, 5), (429, {"Retry-After": "90"}, 90), (503, {"Retry-After": "1"}, 5)],
)
def test_what_fails_is_due_again(server: Loopback, hand: Hand, status: int, headers: dict[str, str], wait_s: int) -> None:
    server.status, server.headers = status, headers
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 1, hand)
    hand.send(at=NOON, most=1)
    call = Call.objects.get()
    assert call.due_at is not None
    assert abs(call.due_at - NOON - timedelta(seconds=wait_s)) < timedelta(seconds=3)
    assert (call.state, call.tries) == (CallState.QUEUED, 1)
    assert fresh(made).failing_since is not None
    job = ProcrastinateJob.objects.filter(task_name=queue.SEND).latest("id")
    assert (job.args["turn"], job.scheduled_at) == (call.turn, call.due_at)
    assert [path for path, _ in server.asked] == ["/"]


def test_it_is_given_up_after_ten_attempts_in_three_days_and_the_next_one_goes_out(server: Loopback, hand: Hand) -> None:
    server.status = 500
    made = subscription(factories.StoreFactory.create(), server.url, *STORY)
    delivery = factories.delivery(made.store)
    ride(delivery)
    hand.tell()
    at = NOON
    for _ in range(len(timetable.WAITS) + 1):
        assert set(states(made)[1:]) == {CallState.WAITING}
        hand.send(at=at, most=1)
        at = Call.objects.order_by("pk")[0].due_at or at
    assert timedelta(days=3) < at - NOON < timedelta(days=4)
    first, second, *rest = states(made)
    assert (first, second, set(rest)) == (CallState.FAILED, CallState.QUEUED, {CallState.WAITING})
    assert Attempt.objects.filter(call__name="order.created").count() == 10
    assert fresh(made).disabled_at is None


def test_of_one_thing_only_the_oldest_goes_out(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url, *STORY)
    ride(factories.delivery(made.store))
    hand.tell()
    assert states(made) == [CallState.QUEUED, *[CallState.WAITING] * 4]
    hand.send()
    assert set(states(made)) == {CallState.ACKNOWLEDGED}
    assert [body.split(b'"event":"')[1].split(b'"')[0].decode() for _, body in server.asked] == list(STORY)


def under_way() -> int:
    return Call.objects.filter(pacing.occupying(NOON)).count()


def test_few_are_under_way_until_quick_answers_come(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 20, hand)
    assert under_way() == pacing.AT_FIRST
    hand.send(most=1)
    assert under_way() == pacing.AT_MOST
    hand.send()
    assert states(made) == [CallState.ACKNOWLEDGED] * 20


def test_an_endpoint_that_cannot_be_reached_is_tried_with_one_call_after_a_pause(hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), NOWHERE)
    pause = NOON + timedelta(seconds=30)
    Subscription.objects.update(failing_since=NOON - timedelta(minutes=2), failed_at=NOON, paused_until=pause)
    orders(made, 9, hand)
    probe = Call.objects.get(state=CallState.QUEUED)
    assert probe.due_at == pause
    assert doctor.examine() == []
    hand.send(at=NOON + timedelta(seconds=31), most=1)
    paused_until = fresh(made).paused_until
    assert paused_until is not None
    assert timedelta(seconds=60) < paused_until - NOON < timedelta(seconds=80)


def test_the_pause_an_endpoint_asks_for_holds_for_all_its_calls(server: Loopback, hand: Hand) -> None:
    server.status, server.headers = 503, {"Retry-After": "3600"}
    made = subscription(factories.StoreFactory.create(), server.url)
    for minute in range(30):
        orders(made, 1, hand)
        hand.send(at=NOON + timedelta(minutes=minute))
    assert len(server.asked) == 1
    server.status, server.headers = 200, {}
    hand.send(at=NOON + timedelta(minutes=62))
    hand.send(at=NOON + timedelta(minutes=63))
    assert set(states(made)) == {CallState.ACKNOWLEDGED}


def test_a_call_that_cannot_be_digested_has_its_three_days_and_delays_no_other(hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), NOWHERE)
    orders(made, 1, hand)
    poison = Call.objects.get()
    at, tried, late = NOON, [], []
    with digesting(all_but=poison.body) as server:
        Subscription.objects.update(url=server.url)
        while Call.objects.get(pk=poison.pk).state == CallState.QUEUED and at < NOON + timedelta(days=5):
            before = Attempt.objects.filter(call=poison).count()
            orders(made, 1, hand)
            hand.send(at=at)
            late += [] if Call.objects.latest("pk").state == CallState.ACKNOWLEDGED else [at]
            tried += [at] if Attempt.objects.filter(call=poison).count() > before else []
            at += timedelta(minutes=30)
    assert (len(tried), late) == (10, [])
    assert timedelta(days=3) < tried[-1] - NOON < timedelta(days=4)


def test_what_waits_for_its_next_attempt_keeps_nothing_else_waiting(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 9, hand)
    server.status = 500
    hand.send(most=pacing.AT_FIRST)
    server.status = 200
    hand.send()
    assert states(made) == [*[CallState.QUEUED] * 2, *[CallState.ACKNOWLEDGED] * 7]
    hand.send(at=NOON + timedelta(seconds=30))
    assert set(states(made)) == {CallState.ACKNOWLEDGED}


def test_gone_switches_the_subscription_off(server: Loopback, hand: Hand) -> None:
    server.status = 410
    made = subscription(factories.StoreFactory.create(), server.url, *STORY)
    ride(factories.delivery(made.store))
    hand.tell()
    hand.send()
    off = fresh(made)
    assert (off.disabled_why, len(server.asked)) == (DisabledWhy.GONE, 1)
    assert states(made) == [CallState.FAILED, *[CallState.WAITING] * 4]
    server.status = 200
    subscriptions.enable(off, by=SYSTEM, at=NOON)
    assert sending.resend_failed(off, by=SYSTEM, at=NOON) == 1
    hand.send()
    assert set(states(made)) == {CallState.ACKNOWLEDGED}


def test_five_days_of_failure_switch_it_off(server: Loopback, hand: Hand) -> None:
    server.status = 500
    made = subscription(factories.StoreFactory.create(), server.url)
    for day in range(5):
        orders(made, 1, hand)
        hand.send(at=NOON + timedelta(days=day), most=1)
    assert fresh(made).disabled_at is None
    orders(made, 1, hand)
    hand.send(at=NOON + timedelta(days=5, minutes=1), most=10)
    assert fresh(made).disabled_why == DisabledWhy.FAILING


def test_a_blip_after_a_quiet_week_does_not(server: Loopback, hand: Hand) -> None:
    server.status = 500
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 1, hand)
    hand.send(most=1)
    orders(made, 1, hand)
    hand.send(at=NOON + timedelta(days=8), most=2)
    assert fresh(made).disabled_at is None


@pytest.mark.parametrize("outage", [timedelta(seconds=39), timedelta(minutes=20), timedelta(hours=8)])
def test_after_an_outage_nothing_waits_any_longer(hand: Hand, outage: timedelta) -> None:
    made = subscription(factories.StoreFactory.create(), NOWHERE)
    orders(made, 5, hand)
    at = NOON
    while at < NOON + outage:
        hand.send(at=at)
        at += timedelta(seconds=10) if outage < timedelta(hours=1) else timedelta(minutes=10)
    assert Attempt.objects.count() > 3
    with serving() as server:
        Subscription.objects.update(url=server.url)
        orders(made, 1, hand)
        hand.send(at=at + pacing.LONGEST_PAUSE)
        hand.send(at=at + pacing.LONGEST_PAUSE + sending.SPREAD)
    assert set(states(made)) == {CallState.ACKNOWLEDGED}
    assert (fresh(made).failing_since, fresh(made).paused_until) == (None, None)


def test_switched_on_again_what_would_be_due_in_hours_goes_out(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 3, hand)
    Call.objects.filter(state=CallState.QUEUED).update(due_at=NOON + timedelta(hours=11), tries=7)
    subscriptions.disable(made, by=SYSTEM, at=NOON)
    subscriptions.enable(made, by=SYSTEM, at=NOON)
    hand.send()
    assert set(states(made)) == {CallState.ACKNOWLEDGED}


def test_what_somebody_asks_for_is_sent_at_once(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 1, hand)
    later = NOON + timedelta(hours=11)
    Call.objects.update(due_at=later, tries=7)
    Subscription.objects.update(failing_since=NOON, failed_at=NOON, paused_until=later)
    sending.send_test(made, voice=jobs.VOICES["coopcycle"], at=NOON)
    hand.send()
    assert states(made) == [CallState.QUEUED, CallState.ACKNOWLEDGED]
    Call.objects.filter(tries=7).update(state=CallState.QUEUED, due_at=later)
    sending.resend(Call.objects.earliest("pk"), by=SYSTEM, at=NOON)
    hand.send()
    assert set(states(made)) == {CallState.ACKNOWLEDGED}


def test_what_cannot_be_signed_is_seen_to_fail(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    Subscription.objects.update(sealed_secret="made with another key")
    orders(made, 1, hand)
    hand.send(most=1)
    assert "ENCRYPTION_KEY" in Attempt.objects.get().error
    assert (server.asked, fresh(made).failing_since is None) == ([], False)


def test_a_webhook_ends_with_the_key_that_asked_for_it(server: Loopback, hand: Hand) -> None:
    store = factories.StoreFactory.create()
    factories.api_key(store)
    key = store.connections.get()
    made, _ = subscriptions.subscribe(key.client, store, server.url, ["order.created"], key=key, by=SYSTEM, at=NOON)
    orders(made, 1, hand)
    credentials.revoke(key, at=NOON)
    hand.send()
    orders(made, 1, hand)
    assert (states(made), server.asked) == ([CallState.WAITING], [])


def test_a_callback_that_is_off_is_owed_what_it_can_read(hand: Hand) -> None:
    store = factories.StoreFactory.create()
    factories.hubrise_token(store=store)
    made = subscriptions.call_back(store.connections.get(), NOWHERE, ["order.create"], follows_positions=False, by=SYSTEM, at=NOON)
    subscriptions.disable(made, by=SYSTEM, at=NOON)
    orders(made, 1, hand)
    assert states(made) == [CallState.WAITING]


def test_an_overtaken_job_does_nothing(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 1, hand)
    call = Call.objects.get()
    hand.make(call.pk, call.turn - 1)
    hand.make(call.pk + 1, call.turn)
    assert server.asked == []
    hand.make(call.pk, call.turn)
    hand.make(call.pk, call.turn)
    assert len(server.asked) == 1


def test_switched_off_it_owes_nothing_new_and_sends_nothing(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 6, hand)
    subscriptions.disable(made, by=SYSTEM, at=NOON)
    hand.send()
    orders(made, 1, hand)
    assert (states(made), server.asked) == ([CallState.WAITING] * 6, [])
    subscriptions.enable(made, by=SYSTEM, at=NOON)
    hand.send()
    assert states(made) == [CallState.ACKNOWLEDGED] * 6


def test_a_revoked_connection_is_told_nothing_more(server: Loopback, hand: Hand) -> None:
    store = factories.StoreFactory.create()
    factories.hubrise_token(store=store)
    connection = store.connections.get()
    made = subscriptions.call_back(connection, server.url, ["order.create"], follows_positions=False, by=SYSTEM, at=NOON)
    Call.objects.create(subscription=made, name="order.create", message_id="one", chain="order 1", body="{}", created_at=NOON)
    pacing.release(made, at=NOON)
    store.connections.update(revoked_at=NOON)
    hand.send()
    assert (states(made), server.asked) == ([CallState.WAITING], [])


def test_resending_begins_anew_and_keeps_the_attempts_made(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 1, hand)
    hand.send()
    sending.resend(Call.objects.get(), by=SYSTEM, at=NOON)
    hand.send()
    first, second = server.asked_with
    assert first["webhook-id"] == second["webhook-id"]
    assert (states(made), Attempt.objects.count()) == ([CallState.ACKNOWLEDGED], 2)


def test_what_is_still_owed_is_not_resent(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 1, hand)
    turn = Call.objects.get().turn
    sending.resend(Call.objects.get(), by=SYSTEM, at=NOON)
    assert Call.objects.get().turn == turn


def test_whoever_reads_by_polling_acknowledges(hand: Hand) -> None:
    store = factories.StoreFactory.create()
    factories.hubrise_token(store=store)
    made = subscriptions.call_back(store.connections.get(), "", ["order.create"], follows_positions=False, by=SYSTEM, at=NOON)
    call = Call.objects.create(subscription=made, name="order.create", message_id="one", chain="order 1", body="{}", created_at=NOON)
    pacing.release(made, at=NOON)
    assert states(made) == [CallState.WAITING]
    sending.acknowledge(call, by=SYSTEM, at=NOON)
    assert states(made) == [CallState.ACKNOWLEDGED]


def test_a_test_event_is_a_call_like_others(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    queue.test(made.pk)
    (job,) = ProcrastinateJob.objects.filter(task_name=queue.TEST)
    assert job.args["subscription_id"] == made.pk
    call = sending.send_test(made, voice=jobs.VOICES["coopcycle"], at=NOON)
    hand.send()
    assert server.asked_with[0]["webhook-id"] == call.message_id
    assert states(made) == [CallState.ACKNOWLEDGED]


def test_a_lost_job_is_queued_again(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 6, hand)
    later = NOON + sending.OVERDUE + timedelta(seconds=1)
    sending.sweep(at=later)
    assert {0, 1} == set(Call.objects.values_list("turn", flat=True))
    ProcrastinateJob.objects.all().delete()
    sending.sweep(at=later)
    assert hand.send(at=later) == 6
    assert set(states(made)) == {CallState.ACKNOWLEDGED}


def test_a_subscription_that_ended_meanwhile_is_no_accident(server: Loopback, hand: Hand) -> None:
    made = subscription(factories.StoreFactory.create(), server.url)
    orders(made, 1, hand)
    call = Call.objects.get()
    subscriptions.unsubscribe(made, by=SYSTEM)
    hand.make(call.pk, call.turn)
    assert (Call.objects.count(), server.asked) == (0, [])
