"""A till and a carrier at once: the log has their changes in the order in which they were made, with what was before each."""

import itertools
import threading
from collections.abc import Callable

import pytest
from django.db import connection

from deliveries import history, intake, transitions
from deliveries.models import Delivery, Event
from stores.actors import SYSTEM
from stores.models import Order
from tests.deliveries import rows
from tests.factories import NOON

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("whole_afterwards")]

ROUNDS = 15


def at_once(*acts: Callable[[], object]) -> None:
    """Each act in a thread of its own, all beginning together."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            gate.wait()
            act()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_what_was_before_is_what_the_change_before_left() -> None:
    delivery = rows.carried(by_house=True)
    order = delivery.order

    def till() -> None:
        for number in range(ROUNDS):
            intake.amend_order(order, {"status": ("received", "in_preparation")[number % 2]}, by=SYSTEM, at=NOON)

    def carrier() -> None:
        for number in range(ROUNDS):
            status = ("dropoff_enroute", "pending")[number % 2]
            transitions.report(Delivery.objects.get(), {"status": status, "ref": str(number)}, by=SYSTEM, at=NOON)

    begun = Event.objects.latest("id").pk
    at_once(till, carrier)
    now = {"order.": history.seen(Order.objects.get()), "delivery.": history.seen(Delivery.objects.get())}
    for about, column in (("order.", "status"), ("delivery.", "ref"), ("delivery.", "status")):
        changes = [
            event.data["before"][column]
            for event in Event.objects.filter(pk__gt=begun, kind__startswith=about, data__has_key="before").order_by("id")
            if column in event.data["before"]
        ]
        story = [*changes, now[about][column]]
        assert len(story) > ROUNDS // 2
        assert all(before != after for before, after in itertools.pairwise(story)), story
