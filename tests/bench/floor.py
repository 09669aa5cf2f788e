"""The floor: bare Django views that run the product's own SQL by cursor and print the rows with orjson.

No framework, no checks, no shape: nothing written with Django answers much sooner than this.
"""

import uuid
from collections.abc import Iterable
from typing import Any

import orjson
from django.db import connection, models, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from psycopg.types.json import Jsonb

from deliveries import queries
from deliveries.models import Delivery, Event, Task
from stores.models import Address, Order, Store
from tests.bench.tokens import holder

MARKER = 987_654_321
"""Stands for the id asked for, in a statement that Django compiled once."""


class Statement:
    """A queryset compiled once, run by cursor with another id in the place of `MARKER`."""

    def __init__(self, rows: models.QuerySet[Any]) -> None:
        self.sql, self.params = rows.query.sql_with_params()

    def run(self, pk: int) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [pk if param == MARKER else param for param in self.params])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def task(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows of `GET /api/tasks/{id}`."""
    return _answer(_checked(request), TASK.run(pk))


def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """The row of `GET /v1/.../delivery`."""
    return _answer(_checked(request), DELIVERY.run(pk))


@csrf_exempt
def create(request: HttpRequest) -> HttpResponse:
    """The inserts of `POST /api/deliveries`, with the rows of another delivery as the pattern."""
    _checked(request)
    pattern = orjson.loads(request.body)["like"]
    if not SAMPLES:
        _sample(pattern)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(STORE.sql, STORE.params)
        cursor.fetchall()
        order_id = _insert(cursor, Order, [_row(Order, 0, public_id=_word())])[0]
        addresses = _insert(cursor, Address, [_row(Address, number) for number in (0, 1)])
        delivery_id = _insert(cursor, Delivery, [_row(Delivery, 0, public_id=_word(), tracking_token=_word(), order_id=order_id)])[0]
        cursor.execute("SELECT nextval(pg_get_serial_sequence('deliveries_task', 'id')) FROM generate_series(1, 2)")
        first, second = (row[0] for row in cursor.fetchall())
        ids = {"delivery_id": delivery_id}
        _insert(
            cursor,
            Task,
            [
                _row(Task, 0, id=first, address_id=addresses[0], next_id=second, previous_id=None, **ids),
                _row(Task, 1, id=second, address_id=addresses[1], previous_id=first, next_id=None, **ids),
            ],
            with_id=True,
        )
        cursor.execute(TAGS.sql, TAGS.params)
        cursor.fetchall()
        _insert(cursor, Event, [_row(Event, number, order_id=order_id, delivery_id=delivery_id, task_id=None) for number in range(4)])
    return _answer(None, [[order_id, delivery_id, first, second, SAMPLES[Delivery][0], SAMPLES[Task]]], status=201)


def _checked(request: HttpRequest) -> tuple[object, ...]:
    row = holder(request)
    if row is None:
        raise PermissionError("the benchmark's own token is refused")
    return row


def _answer(_: object, rows: Iterable[Any], *, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(rows, default=str), content_type="application/json", status=status)


SAMPLES: dict[type[models.Model], list[dict[str, Any]]] = {}


def _sample(delivery_id: int) -> None:
    found = Delivery.objects.get(pk=delivery_id)
    tasks = list(found.tasks.order_by("position"))
    sources: dict[type[models.Model], Iterable[models.Model]] = {
        Order: [found.order],
        Delivery: [found],
        Task: tasks,
        Address: [each.address for each in tasks],
        Event: list(Event.objects.filter(delivery=found).order_by("id")[:4]),
    }
    for model, rows in sources.items():
        SAMPLES[model] = [{str(field.column): _plain(field, row) for field in model._meta.concrete_fields} for row in rows]


def _plain(field: Any, row: models.Model) -> Any:
    value = getattr(row, field.attname)
    return Jsonb(value) if isinstance(field, models.JSONField) else value


def _row(model: type[models.Model], number: int, **changes: Any) -> dict[str, Any]:
    rows = SAMPLES[model]
    return {**rows[min(number, len(rows) - 1)], **changes}


def _insert(cursor: Any, model: type[models.Model], rows: list[dict[str, Any]], *, with_id: bool = False) -> list[int]:
    columns = [name for name in rows[0] if name != "id" or with_id]
    places = "(" + ", ".join(["%s"] * len(columns)) + ")"
    names = ", ".join(f'"{name}"' for name in columns)
    cursor.execute(
        f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES {", ".join([places] * len(rows))} RETURNING id',  # noqa: S608 - names from the models
        [row[name] for row in rows for name in columns],
    )
    return [row[0] for row in cursor.fetchall()]


def _word() -> str:
    return uuid.uuid4().hex[:20]


TASK = Statement(queries.tasks().filter(pk=MARKER))
DELIVERY = Statement(Delivery.objects.select_related("order", "store__account", "courier__user").filter(pk=MARKER))
STORE = Statement(Store.objects.select_related("address", "account").filter(pk=MARKER))
TAGS = Statement(Store.default_tags.through.objects.filter(store_id=MARKER))
