"""Each rule of the doctor, broken by hand in rows that the core made whole."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Model, QuerySet
from pytest_django import DjangoAssertNumQueries

from deliveries import booking, doctor, intake, transitions
from deliveries.jobs import VOICES
from deliveries.models import Call, CallState, Delivery, Event, FeedEntry, Subscription, Task
from deliveries.outbox import subscriptions, telling
from deliveries.statuses import DeliveryStatus
from quotes.models import DeliveryQuote
from quotes.offers import Offer
from stores.actors import SYSTEM
from stores.models import Order
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def a_day() -> None:
    """Two deliveries on one courier's list, one carried by another, one quoted by the house and accepted.

    Before that a webhook is told of six orders: four calls are under way, two wait.
    """
    store, courier = factories.StoreFactory.create(), factories.CourierFactory.create()
    client, _ = factories.coopcycle_client(store)
    subscriptions.subscribe(client, store, "http://127.0.0.1:9/hook", ["order.created"], by=SYSTEM, at=NOON)
    for _ in range(6):
        order = factories.order(store)
        telling.tell(f"order {order.pk}", voices=VOICES, at=NOON)
    for _ in range(2):
        transitions.assign(factories.delivery(store).stops[0], courier, by=SYSTEM, at=NOON)
    booking.attach(factories.order(store), {"carrier": "UPS", "carrier_ref": "ups"}, status=DeliveryStatus.PENDING, by=SYSTEM, at=NOON)
    offer = Offer(carrier="Relais", carrier_ref="relais", ref="", fee_cents=450, estimated_pickup_at=None, estimated_dropoff_at=None)
    quote = intake.offer_quote(factories.order(store), offer, by=SYSTEM, at=NOON)
    booking.accept_quote(quote, by=SYSTEM, at=NOON)


def test_what_the_core_made_is_whole() -> None:
    a_day()
    assert doctor.examine() == []


def held() -> Task:
    return Task.objects.filter(courier__isnull=False).order_by("pk")[0]


def carried() -> Delivery:
    return Delivery.objects.get(carrier_ref="ups")


def forget(task: str) -> None:
    """Lose every job of a task, as the restoring of half a backup does."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = %s", [task])


def never_told(kind: str) -> None:
    """Lose every event of a kind, with whatever was told of any."""
    Call.objects.all().delete()
    FeedEntry.objects.all().delete()
    Event.objects.filter(kind=kind).delete()


def all_under_way() -> QuerySet[Call]:
    return Call.objects.filter(state=CallState.QUEUED)


def under_way() -> Call:
    return all_under_way().order_by("pk")[0]


def picked_up_without_a_time() -> None:
    transitions.pick(Delivery.objects.get(tasks=held()), by=SYSTEM, at=NOON)
    Delivery.objects.update(pickup_at=None)


def delivered_before_it_was_picked_up() -> None:
    now = factories.delivery()
    transitions.pick(now, by=SYSTEM, at=NOON + timedelta(hours=1))
    transitions.drop(now, by=SYSTEM, at=NOON)


def change(rows: type[Model], pk: int, **columns: object) -> None:
    rows._default_manager.filter(pk=pk).update(**columns)


BREAKS: list[tuple[str, Callable[[], object]]] = [
    ("statuses_agree", lambda: change(Delivery, carried().pk, status="delivered")),
    ("statuses_agree", lambda: Task.objects.filter(delivery=carried(), type="DROPOFF").update(type="PICKUP")),
    ("finished_tasks_say_when", lambda: change(Task, held().pk, finished_at=NOON)),
    ("times_follow_statuses", picked_up_without_a_time),
    ("times_follow_statuses", delivered_before_it_was_picked_up),
    ("tenants_agree", lambda: Event.objects.filter(kind="order.created").update(store=factories.StoreFactory.create())),
    ("tenants_agree", lambda: Event.objects.filter(kind="task.created").update(order=factories.order())),
    ("tenants_agree", lambda: change(Task, held().pk, store=factories.StoreFactory.create())),
    ("tenants_agree", lambda: change(Delivery, carried().pk, store=factories.StoreFactory.create())),
    ("tenants_agree", lambda: change(DeliveryQuote, DeliveryQuote.objects.get().pk, order=carried().order)),
    ("links_go_both_ways", lambda: change(Task, held().pk, next=None, previous=Task.objects.filter(delivery=carried())[0])),
    ("links_go_both_ways", lambda: Task.objects.filter(type="DROPOFF").update(previous=None)),
    ("lists_agree", lambda: change(Task, held().pk, courier=factories.CourierFactory.create())),
    ("lists_agree", lambda: Task.objects.filter(task_list__isnull=False).update(task_list_position=1)),
    ("only_the_house_assigns", lambda: Task.objects.filter(delivery=carried()).update(courier=factories.CourierFactory.create())),
    ("only_the_house_assigns", lambda: change(Delivery, carried().pk, courier=factories.CourierFactory.create())),
    ("accepted_quotes_are_booked", lambda: DeliveryQuote.objects.update(accepted_at=None)),
    ("accepted_quotes_are_booked", lambda: change(DeliveryQuote, DeliveryQuote.objects.get().pk, order=factories.order())),
    ("nothing_is_orphaned", lambda: change(Order, factories.order().pk, made_for_delivery=True)),
    ("totals_add_up", lambda: change(Order, carried().order_id, total_cents=1)),
    ("the_log_knows", lambda: never_told("order.created")),
    ("the_log_knows", lambda: Event.objects.filter(kind="task.created").delete()),
    ("the_log_knows", lambda: Event.objects.filter(kind="delivery.created").delete()),
    ("what_happened_is_told", lambda: forget("tell")),
    ("what_is_under_way_is_sent", lambda: forget("send")),
    ("what_is_under_way_is_sent", lambda: change(Call, under_way().pk, turn=7)),
    ("what_waits_has_its_turn", lambda: all_under_way().update(state=CallState.ACKNOWLEDGED, settled_at=NOON)),
    ("what_waits_has_its_turn", lambda: all_under_way().update(state=CallState.WAITING)),
]


@pytest.mark.parametrize(("rule", "breaks"), BREAKS)
def test_every_broken_rule_is_named(rule: str, breaks: Callable[[], object]) -> None:
    a_day()
    breaks()
    assert rule in {finding.rule for finding in doctor.examine()}


def test_every_rule_is_broken_somewhere_above() -> None:
    assert {rule for rule, _ in BREAKS} == {check.__name__ for check in doctor.CHECKS}


def test_the_command_prints_what_it_found_and_ends_with_1() -> None:
    a_day()
    well = StringIO()
    call_command("doctor", stdout=well)
    assert well.getvalue() == f"All {len(doctor.CHECKS)} checks passed.\n"

    change(Order, carried().order_id, total_cents=1)
    ill = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("doctor", stdout=ill, stderr=StringIO())
    assert end.value.code == 1
    assert ill.getvalue() == f"totals_add_up: Order {carried().order.public_id}: its total is 1, its elements come to 1190\n"


def test_what_is_switched_off_or_read_by_polling_waits_for_nobody() -> None:
    a_day()
    change(Call, under_way().pk, state=CallState.WAITING)
    subscription = Subscription.objects.get()
    Subscription.objects.update(url="")
    assert doctor.examine() == []
    Subscription.objects.update(url=subscription.url)
    subscriptions.disable(subscription, by=SYSTEM, at=NOON)
    assert doctor.examine() == []


def test_it_asks_the_same_of_few_rows_and_of_many(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    a_day()
    queries = 27
    with django_assert_num_queries(queries):
        doctor.examine()
    a_day()
    with django_assert_num_queries(queries):
        doctor.examine()
