"""Reads with a price: each of these costs the same number of queries for 2 rows and for 200."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import JSONObject, Lower

from deliveries.history import MOVED
from deliveries.models import Courier, Delivery, Event, Task, TaskList
from deliveries.models.delivery import DeliveryQuerySet
from deliveries.models.task import TaskQuerySet
from deliveries.statuses import OPEN, TaskStatus
from stores import schedules
from stores.actors import Actor
from stores.compiled import Compiled, Seen
from stores.models import Address, Order, Store, Tag

POSITION_LASTS = timedelta(minutes=30)
"""A courier's position older than this tells nothing any more."""

SHOWN_OF_ORDERS = frozenset(["id", "store", "public_id", "ref", "total_cents", "tax_cents", "payment_gateway"])
WHAT_WAS_ORDERED = [field.name for field in Order._meta.concrete_fields if field.name not in SHOWN_OF_ORDERS]
"""What a delivery does not show of its order: most of a row."""


def tasks() -> TaskQuerySet:
    """Tasks as an API shows them, in one query: address, courier, store, delivery with its order, tags, and loads.

    `tag_rows` is a list of `{"name", "slug", "color"}`; `load_rows` a list of `{"pk", "type", "status", "weight",
    "packages"}`, one for each task of the same delivery in order of position, empty for a task alone.
    """
    siblings = Task.objects.filter(delivery_id=OuterRef("delivery_id")).order_by("position")
    loads = siblings.values(json=JSONObject(pk="pk", type="type", status="status", weight="weight", packages="packages"))
    rows = Task.objects.select_related("address", "courier__user", "store", "delivery__order")
    lean = rows.defer(*(f"delivery__order__{name}" for name in WHAT_WAS_ORDERED))
    return with_tags(lean.annotate(load_rows=ArraySubquery(loads)))  # type: ignore[no-redef]  # Task names it


def task(pk: int, *, actor: Actor) -> Task | None:
    """One of `tasks`, when the actor may see it; one query, compiled once."""
    return _TASK.first(actor, pk)


def delivery(pk: int, *, actor: Actor) -> Delivery | None:
    """One of `deliveries`, when the actor may see it; two queries, compiled once."""
    found = _DELIVERY.first(actor, pk)
    if found is not None:
        found.stops = _STOPS.fetch(delivery=found.pk)
    return found


def with_tags(rows: TaskQuerySet) -> TaskQuerySet:
    """Tasks with `tag_rows`, their tags as `{"name", "slug", "color"}` in order of slug."""
    tags = Tag.objects.filter(tasks=OuterRef("pk")).order_by("slug")
    return rows.annotate(tag_rows=ArraySubquery(tags.values(json=JSONObject(name="name", slug="slug", color="color"))))  # type: ignore[no-redef]  # Task names it


def deliveries() -> DeliveryQuerySet:
    """Deliveries as an API shows them, in two queries: order, courier, and in `stops` the tasks in their order.

    What was ordered stays in the database until somebody asks for it.
    """
    return _heads().prefetch_related(Prefetch("tasks", queryset=_stops(), to_attr="stops"))  # type: ignore[no-redef]  # Delivery names it


def _heads() -> DeliveryQuerySet:
    return Delivery.objects.select_related("order", "courier__user").defer(*(f"order__{name}" for name in WHAT_WAS_ORDERED))


def _stops() -> TaskQuerySet:
    return with_tags(Task.objects.select_related("address").order_by("position"))


_TASK: Seen[Task] = Seen(tasks)
_DELIVERY: Seen[Delivery] = Seen(_heads)
_STOPS: Compiled[Task] = Compiled(lambda delivery: _stops().filter(delivery_id=delivery), delivery=int)


def day_list(courier: Courier, day: date) -> tuple[TaskList | None, list[Task]]:
    """A courier's list of a day with its tasks in order, the cancelled left out; two queries."""
    listed = TaskList.objects.filter(courier=courier, date=day).first()
    if listed is None:
        return None, []
    return listed, list(tasks().filter(task_list=listed).exclude(status=TaskStatus.CANCELLED).order_by("task_list_position", "id"))


def left_open(courier: Courier, *, before: date) -> list[Task]:
    """A courier's open tasks on lists of earlier days, the most urgent first; one query."""
    return list(tasks().filter(courier=courier, task_list__date__lt=before, status__in=OPEN).order_by("before", "-type", "id"))


def on_day(rows: TaskQuerySet, day: date) -> TaskQuerySet:
    """Tasks whose window touches a day of the instance."""
    start, end = schedules.day_bounds(day, ZoneInfo(settings.TIME_ZONE))
    return rows.filter(after__lt=end, before__gte=start)


def timeline(delivery: Delivery) -> QuerySet[Event]:
    """Everything that happened to a delivery and its order, oldest first, but for its driver's moves; one query."""
    return order_timeline(delivery.order_id)


def order_timeline(order_id: int) -> QuerySet[Event]:
    """The same of an order with its delivery, if there is one."""
    return Event.objects.filter(order_id=order_id).exclude(kind=MOVED).select_related("task").order_by("happened_at", "id")


def task_events(task: Task) -> QuerySet[Event]:
    """Everything that happened to one task, oldest first; one query."""
    return Event.objects.filter(task=task, kind__startswith="task.").order_by("happened_at", "id")


def addresses(actor: Actor) -> QuerySet[Address]:
    """The addresses an actor may name: those of the stores and tasks they see."""
    if actor.runs_the_desk:
        return Address.objects.all()
    own = Q(store__in=Store.objects.visible_to(actor)) | Q(pk__in=Store.objects.visible_to(actor).values("address_id"))
    return Address.objects.filter(own | Q(pk__in=Task.objects.visible_to(actor).values("address_id")))


def couriers_named(usernames: Iterable[str]) -> QuerySet[Courier]:
    """Couriers who may log in, by name in any case."""
    lowered = [name.lower() for name in usernames]
    return Courier.objects.select_related("user").filter(user__is_active=True).annotate(key=Lower("user__username")).filter(key__in=lowered)


def live_position(delivery: Delivery, *, at: datetime) -> tuple[float, float, datetime | None] | None:
    """Where the delivery is: (latitude, longitude, since when) of the house's courier or the carrier's driver."""
    courier = delivery.courier
    if delivery.by_house and courier is not None and courier.latitude is not None and courier.longitude is not None:
        if courier.located_at is not None and at - courier.located_at <= POSITION_LASTS:
            return courier.latitude, courier.longitude, courier.located_at
        return None
    if delivery.driver_latitude is not None and delivery.driver_longitude is not None:
        return delivery.driver_latitude, delivery.driver_longitude, None
    return None
