"""A delivery that failed or was given up waits, and is taken up again, as a whole."""

import pytest

from deliveries import transitions
from deliveries.models import Event
from deliveries.statuses import DeliveryStatus, TaskStatus
from stores.actors import SYSTEM
from stores.models import OrderStatus
from tests import factories
from tests.deliveries import rows
from tests.deliveries.rows import LATER
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_a_cancelled_delivery_is_to_be_made_again_with_its_order() -> None:
    delivery = transitions.cancel_delivery(factories.delivery(), by=SYSTEM, at=NOON)
    restored = transitions.restore_delivery(delivery, by=SYSTEM, at=NOON)
    assert (restored.status, restored.cancelled_at) == (DeliveryStatus.PENDING, None)
    assert set(restored.tasks.values_list("status", flat=True)) == {TaskStatus.TODO}
    restored.order.refresh_from_db()
    assert restored.order.status == OrderStatus.ACCEPTED
    assert Event.objects.filter(kind="task.restored").count() == 2


def test_what_is_done_stays_done() -> None:
    delivery = transitions.pick(factories.delivery(), by=SYSTEM, at=NOON)
    transitions.fail(delivery.tasks.latest("position"), by=SYSTEM, at=NOON)
    restored = transitions.restore_delivery(delivery, by=SYSTEM, at=NOON)
    assert restored.status == DeliveryStatus.DROPOFF_ENROUTE
    assert list(restored.tasks.order_by("position").values_list("status", flat=True)) == [TaskStatus.DONE, TaskStatus.TODO]


def test_there_must_be_something_to_restore() -> None:
    delivery = factories.delivery()
    with pytest.raises(transitions.IllegalMove, match="Nothing in this delivery was cancelled or failed"):
        transitions.restore_delivery(delivery, by=SYSTEM, at=NOON)
    assert not Event.objects.filter(kind="task.restored").exists()


def test_after_a_failed_pickup_nobody_is_on_the_way() -> None:
    delivery = rows.booked("PD", "DOING", "TODO")
    transitions.fail(rows.tasks(delivery)[0], by=SYSTEM, at=LATER)
    delivery.refresh_from_db()
    assert (delivery.status, rows.statuses(delivery)) == ("pending", ["FAILED", "TODO"])
