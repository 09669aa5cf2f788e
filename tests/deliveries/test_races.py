"""Two at once: real threads on a real PostgreSQL, and one story afterwards."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from deliveries import booking, intake, relocating, transitions
from deliveries.booking import AlreadyDelivered
from deliveries.models import Courier, Delivery, Event, Task, TaskList
from deliveries.statuses import DeliveryStatus, agree
from deliveries.transitions import AlreadyAssigned, AlreadyCompleted, IllegalMove, TaskIsCancelled
from quotes.models import DeliveryQuote
from stores import credentials
from stores.actors import SYSTEM, Actor, Role
from stores.models import Address, Order
from stores.places import Point
from stores.refusals import Refused
from tests import factories
from tests.deliveries import rows
from tests.deliveries.rows import LATER
from tests.factories import NOON

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("whole_afterwards")]

Runner = Callable[[], Any]


PATIENCE_S = 30
ROUNDS = 5
"""A race may be won by luck: each is run again."""


def race(*runners: Runner) -> list[Any]:
    """Start everybody at the same moment, each with a connection of its own; what each returned, or was refused with."""
    barrier = threading.Barrier(len(runners))
    outcomes: list[Any] = [None] * len(runners)

    def run(lane: int, runner: Runner) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(PATIENCE_S)
            outcomes[lane] = runner()
        except Refused as error:
            outcomes[lane] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=lane, daemon=True) for lane in enumerate(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)
    return outcomes


def errors(outcomes: Sequence[Any]) -> list[type[Exception]]:
    return sorted((type(outcome) for outcome in outcomes if isinstance(outcome, Exception)), key=lambda kind: kind.__name__)


def kinds_of(delivery: Delivery) -> Counter[str]:
    return Counter(Event.objects.filter(delivery=delivery).values_list("kind", flat=True))


def rider() -> tuple[Courier, Actor]:
    courier = factories.CourierFactory.create()
    return courier, credentials.user_actor(courier.user)


def check(delivery: Delivery) -> Delivery:
    """One story: delivery and tasks agree, and the log tells of each status it went through, one after the other."""
    now = Delivery.objects.select_related("order").get(pk=delivery.pk)
    assert agree(DeliveryStatus(now.status), rows.tasks(now)), (now.status, rows.statuses(now))
    moves = [(event.data["from"], event.data["to"]) for event in Event.objects.filter(delivery=now, data__has_key="from").order_by("id")]
    reached = ["pending", *(to for _, to in moves)]
    assert [left for left, _ in moves] == reached[:-1]
    assert reached[-1] == now.status
    return now


def assigning(task: Task, courier: Courier, by: Actor = SYSTEM) -> Runner:
    return partial(transitions.assign, task, courier, by=by, at=LATER)


def doing(verb: Callable[..., Any], *subject: Any, **said: Any) -> Runner:
    """A verb that the desk asks for."""
    return partial(verb, *subject, by=SYSTEM, at=LATER, **said)


def test_of_two_couriers_one_gets_the_task() -> None:
    for _ in range(ROUNDS):
        delivery = rows.booked("PD")
        pickup, dropoff = rows.tasks(delivery)
        (bob, as_bob), (eve, as_eve) = rider(), rider()
        outcomes = race(assigning(pickup, bob, as_bob), assigning(dropoff, eve, as_eve))
        assert errors(outcomes) == [AlreadyAssigned]
        winner = bob if isinstance(outcomes[1], AlreadyAssigned) else eve
        assert {task.courier for task in rows.tasks(delivery)} == {check(delivery).courier} == {winner}
        assert TaskList.objects.get(tasks__in=rows.tasks(delivery)[:1]).courier == winner
        assert kinds_of(delivery)["delivery.assigned"] == 1


def test_complete_against_cancel_is_one_story() -> None:
    for _ in range(ROUNDS):
        delivery = rows.booked("PD")
        pickup, dropoff = rows.tasks(delivery)
        transitions.complete(pickup, by=SYSTEM, at=NOON)
        outcomes = race(doing(transitions.complete, dropoff), doing(transitions.cancel, dropoff))
        now = check(delivery)
        if now.status == "delivered":
            assert errors(outcomes) == [AlreadyCompleted]
            assert (rows.statuses(delivery), now.delivered_at, now.cancelled_at) == (["DONE", "DONE"], LATER, None)
        else:
            assert errors(outcomes) == [TaskIsCancelled]
            assert (rows.statuses(delivery), now.delivered_at, now.cancelled_at) == (["DONE", "CANCELLED"], None, LATER)
        kinds = kinds_of(delivery)
        assert (kinds["task.done"], kinds["task.cancelled"]) == ((2, 0) if now.status == "delivered" else (1, 1))


def test_a_courier_who_completes_while_the_desk_cancels_is_one_story() -> None:
    desk = credentials.user_actor(factories.UserFactory.create(role=Role.DISPATCHER))
    for _ in range(ROUNDS):
        delivery = rows.booked("PD")
        pickup, dropoff = rows.tasks(delivery)
        courier, as_courier = rider()
        transitions.assign(pickup, courier, by=desk, at=NOON)
        transitions.complete(pickup, by=as_courier, at=NOON)
        outcomes = race(
            partial(transitions.complete, dropoff, by=as_courier, at=LATER),
            partial(transitions.cancel_delivery, delivery, by=desk, at=LATER, even_assigned=True),
        )
        now = check(delivery)
        first, refusal = (as_courier, IllegalMove) if now.status == "delivered" else (desk, TaskIsCancelled)
        assert errors(outcomes) == [refusal]
        ends = Event.objects.filter(delivery=delivery, data__to__in=["delivered", "cancelled"])
        assert [(event.data["to"], event.actor_name) for event in ends] == [(now.status, first.name)]
        assert {event.actor_name for event in Event.objects.filter(task=dropoff, happened_at=LATER)} == {first.name}


def test_a_pickup_completed_while_the_desk_cancels_stands_before_the_end_or_not_at_all() -> None:
    for _ in range(ROUNDS):
        delivery = rows.booked("PD")
        pickup = rows.tasks(delivery)[0]
        outcomes = race(doing(transitions.complete, pickup), doing(transitions.cancel_delivery, delivery))
        check(delivery)
        kinds = list(Event.objects.filter(delivery=delivery, happened_at=LATER).order_by("id").values_list("kind", flat=True))
        assert "delivery.cancelled" in kinds
        if errors(outcomes):
            assert (errors(outcomes), "task.done" in kinds) == ([TaskIsCancelled], False)
        else:
            assert kinds.index("task.done") < kinds.index("delivery.cancelled")


def test_of_two_who_complete_one_is_told_that_it_is_done() -> None:
    for _ in range(ROUNDS):
        delivery = rows.booked("PD")
        pickup = rows.tasks(delivery)[0]
        outcomes = race(*[doing(transitions.complete, pickup, notes="once")] * 2)
        assert errors(outcomes) == [AlreadyCompleted]
        assert check(delivery).status == "dropoff_enroute"
        assert kinds_of(delivery)["task.done"] == 1


def test_a_failure_and_a_success_at_once_are_not_both_told() -> None:
    for _ in range(ROUNDS):
        delivery = rows.booked("PD", "TODO", "TODO")
        pickup = rows.tasks(delivery)[0]
        outcomes = race(doing(transitions.complete, pickup), doing(transitions.fail, pickup, reason="CLOSED"))
        assert errors(outcomes) == [AlreadyCompleted]
        kinds = kinds_of(check(delivery))
        assert kinds["task.done"] + kinds["task.failed"] == 1
        assert kinds["task.failed"] == kinds["task.incident-reported"]


def test_a_carriers_reports_and_the_desk_end_in_one_story() -> None:
    for _ in range(ROUNDS):
        delivery = rows.booked("PDD")
        pickup = rows.tasks(delivery)[0]
        reports = ["pickup_waiting", "dropoff_enroute", "delivered", "cancelled"]
        outcomes = race(
            *[doing(transitions.report, delivery, {"status": status}) for status in reports],
            doing(transitions.start, pickup),
            doing(transitions.cancel_delivery, delivery),
            doing(transitions.restore_delivery, delivery),
        )
        assert set(errors(outcomes)) <= {IllegalMove}
        check(delivery)


def test_twenty_who_accept_one_quote_of_the_house_get_one_delivery() -> None:
    offered = rows.quoted(factories.order(), house=True)
    seen = [DeliveryQuote.objects.get(pk=offered.pk) for _ in range(20)]
    outcomes = race(*[doing(booking.accept_quote, quote) for quote in seen])
    assert errors(outcomes) == []
    assert {quote.accepted_at for quote in outcomes} == {LATER}
    delivery = Delivery.objects.get()
    assert (delivery.quote, Task.objects.count()) == (offered, 2)
    kinds = Counter(event.kind for event in rows.told())
    assert (kinds["quote.accepted"], kinds["delivery.created"], kinds["task.created"]) == (1, 1, 2)
    assert Address.objects.count() == 2, "what the others had prepared is not left behind"


def test_twenty_quotes_of_one_order_accepted_at_once_give_one_delivery() -> None:
    order = factories.order()
    outcomes = race(*[doing(booking.accept_quote, rows.quoted(order, house=True)) for _ in range(20)])
    assert errors(outcomes) == []
    assert DeliveryQuote.objects.filter(accepted_at=LATER).count() == 20
    assert Delivery.objects.count() == 1


def test_of_twenty_carriers_one_attaches_its_delivery() -> None:
    order = factories.order()
    seen = [Order.objects.select_related("store__address").get(pk=order.pk) for _ in range(20)]
    outcomes = race(*[partial(rows.attached, each) for each in seen])
    assert errors(outcomes) == [AlreadyDelivered] * 19
    assert (Delivery.objects.count(), Task.objects.count(), Address.objects.count()) == (1, 2, 2)
    assert kinds_of(Delivery.objects.get())["delivery.created"] == 1


def test_an_acceptance_and_a_carrier_at_once_give_one_delivery() -> None:
    for _ in range(ROUNDS):
        order = factories.order()
        outcomes = race(doing(booking.accept_quote, rows.quoted(order, house=True)), partial(rows.attached, order))
        assert set(errors(outcomes)) <= {AlreadyDelivered}
        assert Delivery.objects.filter(order=order).count() == 1


def test_one_courier_given_many_deliveries_at_once_has_them_in_places_of_their_own() -> None:
    courier, _ = rider()
    first = [rows.tasks(rows.booked("PD"))[0] for _ in range(12)]
    assert errors(race(*[assigning(task, courier) for task in first])) == []
    listed = TaskList.objects.get()
    assert sorted(task.task_list_position for task in listed.tasks.all()) == list(range(1, 25))


def test_lists_of_two_days_do_not_wait_for_each_other_in_a_circle() -> None:
    days = [NOON + timedelta(hours=2), NOON + timedelta(days=1)]
    # The stops of one delivery lie today and then tomorrow, those of the next tomorrow and then today.
    shapes = [[*(rows.stop("D", due=due) for due in order), rows.stop("P", before=NOON)] for order in (days, days[::-1])]
    for _ in range(ROUNDS):
        courier, _by = rider()
        first = [rows.tasks(factories.delivery(stops=[*shape]))[0] for _ in range(5) for shape in shapes]
        assert errors(race(*[assigning(task, courier) for task in first])) == []
        for listed in TaskList.objects.filter(courier=courier):
            positions = [task.task_list_position for task in listed.tasks.all()]
            assert sorted(positions) == list(range(1, len(positions) + 1))


def test_an_address_is_looked_up_again_while_its_task_is_done() -> None:
    for _ in range(ROUNDS):
        dropoff = rows.tasks(rows.booked("PD", "DONE", "DOING"))[1]
        outcomes = race(
            doing(transitions.complete, dropoff, contact_name="Ada"),
            doing(relocating.put_at, dropoff.address, Point(48.9, 2.4)),
        )
        assert errors(outcomes) == []
        address = Address.objects.get(pk=dropoff.address_id)
        assert (address.contact_name, address.point) == ("Ada", Point(48.9, 2.4))


def test_an_order_is_amended_while_its_delivery_moves_it() -> None:
    for _ in range(ROUNDS):
        delivery = rows.booked("PD")
        pickup, order = rows.tasks(delivery)[0], Order.objects.get(pk=delivery.order_id)
        outcomes = race(doing(transitions.complete, pickup), doing(intake.amend_order, order, {"seller_notes": "seen"}))
        assert errors(outcomes) == []
        now = check(delivery)
        assert (now.order.status, now.order.seller_notes) == ("in_delivery", "seen")
