"""What is kept for a while only is thrown away by the worker, and nothing else is."""

from datetime import timedelta

import pytest
import time_machine

from deliveries import jobs
from deliveries.models import Call, CallState
from deliveries.outbox import purging, subscriptions
from stores.actors import SYSTEM
from stores.models import KeptAnswer
from tests import factories
from tests.factories import NOON
from tests.outbox.scenes import subscription

pytestmark = pytest.mark.django_db

OLD = NOON - purging.KEPT - timedelta(hours=1)
NEW = NOON - purging.KEPT + timedelta(hours=1)


def test_the_worker_purges_what_is_old() -> None:
    store = factories.StoreFactory.create()
    called = subscription(store, "http://127.0.0.1:9/")
    factories.hubrise_token(store=store)
    passive = subscriptions.call_back(store.connections.get(), "", ["order.create"], follows_positions=False, by=SYSTEM, at=OLD)
    kept: list[int] = []
    for made, state, created_at, settled_at, stays in (
        (called, CallState.ACKNOWLEDGED, OLD, OLD, False),
        (called, CallState.FAILED, OLD, OLD, False),
        (called, CallState.FAILED, OLD, NEW, True),
        (called, CallState.WAITING, OLD, None, True),
        (passive, CallState.WAITING, OLD, None, False),
        (passive, CallState.WAITING, NEW, None, True),
    ):
        number = Call.objects.count() + len(kept) + 100
        call = Call.objects.create(
            subscription=made,
            name="order.created",
            message_id=f"evt_{number}",
            chain="order 1",
            body="{}",
            state=state,
            created_at=created_at,
            settled_at=settled_at,
        )
        kept += [call.pk] if stays else []
    for days in (0, 2):
        KeptAnswer.objects.create(
            caller="client 1", key=str(days), fingerprint="", status=201, sealed_body="", kept_at=NOON - timedelta(days=days)
        )
    with time_machine.travel(NOON, tick=False):
        jobs.purge(timestamp=0)
    assert sorted(Call.objects.values_list("pk", flat=True)) == kept
    assert list(KeptAnswer.objects.values_list("key", flat=True)) == ["0"]
