"""What happened is told once to whoever subscribed, and entered into the feed, whatever comes in between."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from deliveries import jobs, transitions
from deliveries.models import Call, Event, FeedEntry, Subscription
from deliveries.outbox import pacing, queue, telling
from deliveries.outbox.voices import Message
from stores.actors import SYSTEM
from tests import factories
from tests.factories import NOON
from tests.outbox.scenes import Hand, subscription

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("whole_afterwards")]

STORY = ("order.created", "delivery.started", "delivery.picked", "delivery.completed")
NOWHERE = "http://127.0.0.1:9/"


def told() -> list[int]:
    return list(FeedEntry.objects.order_by("pk").values_list("event_id", flat=True))


def test_every_change_queues_one_job_in_its_own_transaction() -> None:
    with transaction.atomic():
        factories.delivery()
        assert ProcrastinateJob.objects.count() == 1
        transaction.set_rollback(True)
    assert (Event.objects.count(), ProcrastinateJob.objects.count()) == (0, 0)
    delivery = factories.delivery()
    (job,) = ProcrastinateJob.objects.all()
    assert (job.task_name, job.args["chain"]) == (queue.TELL, f"order {delivery.order_id}")


def test_each_change_is_told_apart_even_when_it_is_told_late() -> None:
    made = subscription(factories.StoreFactory.create(), NOWHERE, *STORY)
    delivery = factories.delivery(made.store)
    for task in delivery.tasks.order_by("position"):
        transitions.start(task, by=SYSTEM, at=NOON)
        transitions.complete(task, by=SYSTEM, at=NOON)
    Hand().tell()
    assert list(Call.objects.order_by("pk").values_list("name", flat=True)) == list(STORY)
    assert told() == list(Event.objects.order_by("pk").values_list("pk", flat=True))


def test_telling_again_owes_nothing_again() -> None:
    made = subscription(factories.StoreFactory.create(), NOWHERE)
    order = factories.order(made.store)
    chain = f"order {order.pk}"
    assert telling.tell(chain, voices=jobs.VOICES, at=NOON) == 1
    assert telling.tell(chain, voices=jobs.VOICES, at=NOON) == 0
    assert (Call.objects.count(), len(told())) == (1, 1)


def test_what_fails_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = subscription(factories.StoreFactory.create(), NOWHERE)
    order = factories.order(made.store)

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("the power is out")

    with monkeypatch.context() as patch:
        patch.setattr(pacing, "release", fail)
        with pytest.raises(OSError, match="power"):
            telling.tell(f"order {order.pk}", voices=jobs.VOICES, at=NOON)
    assert (Call.objects.count(), told()) == (0, [])
    assert telling.tell(f"order {order.pk}", voices=jobs.VOICES, at=NOON) == 1


def test_only_the_stores_own_subscribers_are_told() -> None:
    made = subscription(factories.StoreFactory.create(), NOWHERE)
    subscription(factories.StoreFactory.create(), NOWHERE)
    factories.order(made.store)
    Hand().tell()
    assert [call.subscription_id for call in Call.objects.all()] == [made.pk]


def test_at_once_in_several_places_everything_is_told_once() -> None:
    made = subscription(factories.StoreFactory.create(), NOWHERE, "order.created", "delivery.started")
    deliveries = [factories.delivery(made.store) for _ in range(10)]
    for delivery in deliveries:
        transitions.start(delivery.stops[0], by=SYSTEM, at=NOON)

    def work() -> None:
        for delivery in deliveries:
            telling.tell(f"order {delivery.order_id}", voices=jobs.VOICES, at=NOON)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(told()) == sorted(Event.objects.values_list("pk", flat=True))
    assert Call.objects.count() == 20
    assert max(Subscription.objects.values_list("calls__turn", flat=True)) == 1


def test_what_happens_to_one_thing_is_logged_in_the_order_in_which_it_happens() -> None:
    """Whoever waits for the lock of a delivery writes its events after those of whoever holds it."""
    delivery = factories.delivery()
    waiting, order = threading.Event(), []

    def second() -> None:
        waiting.set()
        transitions.complete(delivery.stops[0], by=SYSTEM, at=NOON)
        order.append("second")
        connection.close()

    with transaction.atomic():
        transitions.start(delivery.stops[0], by=SYSTEM, at=NOON)
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]
    kinds = Event.objects.filter(task=delivery.stops[0]).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["task.created", "task.started", "task.done"]


def test_a_lost_job_is_found_by_the_sweep() -> None:
    order = factories.order()
    ProcrastinateJob.objects.all().delete()
    now = Event.objects.get().recorded_at
    assert telling.sweep(at=now) == 0
    assert telling.sweep(at=now + telling.OVERDUE + timedelta(seconds=1)) == 1
    assert queue.has_tell(f"order {order.pk}")
    assert telling.sweep(at=now + telling.OVERDUE + timedelta(seconds=1)) == 0
    Hand().tell()
    assert len(told()) == 1


def test_a_voice_that_fails_keeps_its_events_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    made = subscription(factories.StoreFactory.create(), NOWHERE)
    order = factories.order(made.store)

    class Mute:
        def messages(self, *args: object) -> list[Message]:
            raise ValueError("no words")

    with pytest.raises(ValueError, match="no words"):
        telling.tell(f"order {order.pk}", voices={"coopcycle": Mute()}, at=NOON)  # type: ignore[dict-item]  # fails before it is asked for more
    assert told() == []
