"""Reads the whole database and names every row that breaks a rule which no constraint can hold.

Each check costs a fixed number of queries, whatever the number of rows, and changes nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, CharField, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Concat, Now

from deliveries.models import Call, CallState, Delivery, Event, Subscription, Task
from deliveries.outbox import pacing, queue
from deliveries.statuses import FINISHED, MOMENTS, DeliveryStatus, TaskType, agree
from quotes.models import DeliveryQuote
from stores import orders
from stores.models import Dialect, Order

AT_A_TIME = 2000

PATIENCE = timedelta(minutes=1)
"""Of two who act at once, the later may get the lock first; longer than this, nobody waits for one."""


@dataclass(frozen=True)
class Finding:
    """A row that is not as it must be: `rule` is the check's name, `row` as people say it, `why` a sentence."""

    rule: str
    row: str
    why: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.row}: {self.why}"


def examine() -> list[Finding]:
    """Every finding of every check, in the order of `CHECKS`: all of them see one moment, whoever writes meanwhile."""
    with _one_moment():
        return [finding for check in CHECKS for finding in check()]


@contextmanager
def _one_moment() -> Iterator[None]:
    """A transaction that sees what was committed when it began; within another one, that one's view."""
    fresh = not connection.in_atomic_block
    with transaction.atomic():
        if fresh:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def statuses_agree() -> Iterator[Finding]:
    """A delivery and its tasks tell one story, and there is somewhere to go from and to."""
    for delivery in Delivery.objects.prefetch_related("tasks").order_by("pk").iterator(AT_A_TIME):
        steps = list(delivery.tasks.all())
        if {step.type for step in steps} != set(TaskType.values):
            yield Finding("statuses_agree", str(delivery), "it lacks a pickup or a dropoff")
        elif not agree(DeliveryStatus(delivery.status), steps):
            said = ", ".join(f"{step.type} {step.status}" for step in steps)
            yield Finding("statuses_agree", str(delivery), f"it is {delivery.status}, but its tasks are {said}")


def finished_tasks_say_when() -> Iterator[Finding]:
    """What is done or failed knows when; what is not, does not."""
    wrong = Q(status__in=FINISHED, finished_at__isnull=True) | (~Q(status__in=FINISHED) & Q(finished_at__isnull=False))
    for task in Task.objects.filter(wrong).order_by("pk"):
        yield Finding("finished_tasks_say_when", str(task), f"it is {task.status} and its time is {task.finished_at}")


def times_follow_statuses() -> Iterator[Finding]:
    """What the house carries knows when it came to be what it is, and its times come in the order of its statuses.

    Carriers report any moment themselves; what was given up and taken up again, or got a stop more, may have a pickup
    behind it: none of them is looked at.
    """
    reported = Event.objects.filter(delivery=OuterRef("pk"), client__dialect=Dialect.HUBRISE)
    resumed = Event.objects.filter(delivery=OuterRef("pk"), kind="task.restored")
    added = Task.objects.filter(delivery=OuterRef("pk"), created_at__gt=OuterRef("created_at"))
    straight = Delivery.objects.filter(~Exists(reported), ~Exists(resumed), ~Exists(added), by_house=True).order_by("pk")
    unsaid = Q(*[Q(**{"status": status, moment: None}) for status, moment in MOMENTS.items()], _connector=Q.OR)
    for delivery in straight.filter(unsaid):
        yield Finding("times_follow_statuses", str(delivery), f"it is {delivery.status}, and its {_moment(delivery)} is empty")
    swapped = Q(assigned_at__gt=F("pickup_at") + PATIENCE)
    for end in ("delivered_at", "cancelled_at"):
        swapped |= Q(pickup_at__gt=F(end) + PATIENCE) | Q(assigned_at__gt=F(end) + PATIENCE)
    for delivery in straight.filter(swapped):
        times = ", ".join(f"{name} {getattr(delivery, name)}" for name in MOMENTS.values() if getattr(delivery, name))
        yield Finding("times_follow_statuses", str(delivery), f"its times are out of order: {times}")


def tenants_agree() -> Iterator[Finding]:
    """A delivery, its order, its quote and its tasks belong to one store, the quote to that order, and what is told of them too."""
    for delivery in Delivery.objects.exclude(order__store_id=F("store_id")).order_by("pk"):
        yield Finding("tenants_agree", str(delivery), "its order is another store's")
    for task in Task.objects.exclude(delivery=None).exclude(delivery__store_id=F("store_id")).order_by("pk"):
        yield Finding("tenants_agree", str(task), "its delivery is another store's")
    for delivery in Delivery.objects.exclude(quote=None).exclude(quote__order_id=F("order_id")).order_by("pk"):
        yield Finding("tenants_agree", str(delivery), "its quote is another order's")
    strays = (~Q(order=None) & ~Q(order__store_id=F("store_id"))) | (~Q(task=None) & ~Q(task__store_id=F("store_id")))
    strays |= ~Q(delivery=None) & (~Q(delivery__store_id=F("store_id")) | ~Q(delivery__order_id=F("order_id")))
    for event in Event.objects.filter(strays).order_by("pk"):
        yield Finding("tenants_agree", f"Event {event.pk}", f"{event.kind} is told of another store's, or another order's")


def links_go_both_ways() -> Iterator[Finding]:
    """Tasks are linked inside their delivery only, and a task's next names it as the one before."""
    strays = Q(previous__isnull=False) & ~Q(previous__delivery_id=F("delivery_id"))
    strays |= Q(next__isnull=False) & ~Q(next__delivery_id=F("delivery_id"))
    for task in Task.objects.filter(strays).order_by("pk"):
        yield Finding("links_go_both_ways", str(task), "it is linked to a task of another delivery")
    for task in Task.objects.filter(next__isnull=False).exclude(next__previous_id=F("pk")).order_by("pk"):
        yield Finding("links_go_both_ways", str(task), f"its next, task #{task.next_id}, does not name it as the one before")


def lists_agree() -> Iterator[Finding]:
    """A task stands on the list of the courier who holds it, at a place of its own."""
    for task in Task.objects.exclude(task_list=None).exclude(task_list__courier_id=F("courier_id")).order_by("pk"):
        yield Finding("lists_agree", str(task), "it stands on another courier's list")
    listed = Task.objects.exclude(task_list=None).order_by("task_list_id", "task_list_position", "pk")
    for first, second in pairwise(listed.iterator(AT_A_TIME)):
        if (first.task_list_id, first.task_list_position) == (second.task_list_id, second.task_list_position):
            yield Finding("lists_agree", str(second), f"it shares its place on the list with task #{first.pk}")


def only_the_house_assigns() -> Iterator[Finding]:
    """Nobody of the house holds what an outside carrier carries."""
    for delivery in Delivery.objects.filter(by_house=False).exclude(courier=None).order_by("pk"):
        yield Finding("only_the_house_assigns", str(delivery), f"{delivery.carrier} carries it, and a courier of the house has it")
    for task in Task.objects.filter(delivery__by_house=False).exclude(courier=None).order_by("pk"):
        yield Finding("only_the_house_assigns", str(task), "an outside carrier carries it, and a courier of the house has it")


def accepted_quotes_are_booked() -> Iterator[Finding]:
    """An order that accepted the house's quote has a delivery; a delivery's quote was accepted."""
    booked = Delivery.objects.filter(order_id=OuterRef("order_id"))
    for quote in DeliveryQuote.objects.filter(~Exists(booked), by_house=True, accepted_at__isnull=False).order_by("pk"):
        yield Finding("accepted_quotes_are_booked", f"Quote {quote.public_id}", "the house's quote is accepted, and nothing is booked")
    for delivery in Delivery.objects.filter(quote__isnull=False, quote__accepted_at__isnull=True).order_by("pk"):
        yield Finding("accepted_quotes_are_booked", str(delivery), "its quote was never accepted")


def nothing_is_orphaned() -> Iterator[Finding]:
    """An order that stands for a delivery has one."""
    for order in Order.objects.filter(made_for_delivery=True, delivery__isnull=True).order_by("pk"):
        yield Finding("nothing_is_orphaned", f"Order {order.public_id}", "it stands for a delivery that is not there")


def totals_add_up() -> Iterator[Finding]:
    """An order's total is what its elements come to."""
    for order in Order.objects.order_by("pk").iterator(AT_A_TIME):
        if orders.total(order) != order.total_cents:
            yield Finding(
                "totals_add_up", f"Order {order.public_id}", f"its total is {order.total_cents}, its elements come to {orders.total(order)}"
            )


def the_log_knows() -> Iterator[Finding]:
    """Everything that exists was recorded as made, and the last status recorded of a delivery is the one it has."""
    for order in Order.objects.filter(~Exists(Event.objects.filter(order=OuterRef("pk"), kind="order.created"))).order_by("pk"):
        yield Finding("the_log_knows", f"Order {order.public_id}", "nothing recorded that it was made")
    for task in Task.objects.filter(~Exists(Event.objects.filter(task=OuterRef("pk"), kind="task.created"))).order_by("pk"):
        yield Finding("the_log_knows", str(task), "nothing recorded that it was made")
    moves = Event.objects.filter(delivery=OuterRef("pk"), task=None, data__has_key="to").order_by("-pk")
    made = Event.objects.filter(delivery=OuterRef("pk"), kind="delivery.created")
    told = Delivery.objects.annotate(moved=Subquery(moves.values("data__to")[:1]), begun=Subquery(made.values("data__status")[:1]))
    for pk, status, moved, begun in told.order_by("pk").values_list("pk", "status", "moved", "begun").iterator(AT_A_TIME):
        if (moved or begun) != status:
            yield Finding("the_log_knows", f"Delivery {pk}", f"it is {status}, and the log last heard {moved or begun or 'nothing'}")


def what_happened_is_told() -> Iterator[Finding]:
    """An event is in the feed, its calls being written with its entry there, or a job is queued that tells of it."""
    told_of = Case(
        When(order__isnull=False, then=Concat(Value("order "), Cast("order_id", CharField()))),
        When(task__isnull=False, then=Concat(Value("task "), Cast("task_id", CharField()))),
        default=Concat(Value("store "), Cast("store_id", CharField())),
    )
    jobs = queue.alive(queue.TELL).annotate(about=KT("args__chain")).filter(about=OuterRef("about"))
    for event in Event.objects.untold().annotate(about=told_of).filter(~Exists(jobs)).order_by("pk").iterator(AT_A_TIME):
        yield Finding("what_happened_is_told", f"Event {event.pk}", f"nobody is going to tell of {event.kind} of {event.chain}")


def what_is_under_way_is_sent() -> Iterator[Finding]:
    """A call on its way has a job that makes it."""
    jobs = queue.alive(queue.SEND).annotate(call=_number("args__call_id"), turn=_number("args__turn"))
    made = jobs.filter(call=OuterRef("pk"), turn=OuterRef("turn"))
    for call in Call.objects.filter(~Exists(made), state=CallState.QUEUED).order_by("pk").iterator(AT_A_TIME):
        yield Finding("what_is_under_way_is_sent", f"Call {call.pk}", f"it is on its way ({call.message_id}), and no job makes it")


def what_waits_has_its_turn() -> Iterator[Finding]:
    """A call waits for one before it about the same thing, or for others of its subscription that are under way."""
    going = Call.objects.filter(pacing.occupying(Now()), subscription=OuterRef("subscription"))
    called = Subscription.objects.active().exclude(url="")
    for call in Call.objects.filter(~Exists(pacing.before()), ~Exists(going), state=CallState.WAITING, subscription__in=called).order_by(
        "pk"
    ):
        yield Finding("what_waits_has_its_turn", f"Call {call.pk}", f"{call.message_id} waits for nothing")


def _number(path: str) -> Cast:
    return Cast(KT(path), BigIntegerField())


def _moment(delivery: Delivery) -> str:
    return MOMENTS[DeliveryStatus(delivery.status)]


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    statuses_agree,
    finished_tasks_say_when,
    times_follow_statuses,
    tenants_agree,
    links_go_both_ways,
    lists_agree,
    only_the_house_assigns,
    accepted_quotes_are_booked,
    nothing_is_orphaned,
    totals_add_up,
    the_log_knows,
    what_happened_is_told,
    what_is_under_way_is_sent,
    what_waits_has_its_turn,
)
