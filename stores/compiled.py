"""Statements compiled once: the hottest reads and writes skip building SQL, which costs more than running it.

Django builds the SQL of a queryset anew each time. For a read with six joined tables that takes three times as long as
PostgreSQL takes to answer, and the text is the same every time but for its values. A `Compiled` builds it once in each
thread, with a marker in the place of each value, and makes of the rows the same objects that the queryset would.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.query import get_related_populators
from psycopg.types.json import Jsonb

from stores.actors import Actor

M = TypeVar("M", bound=models.Model)

MARKERS: dict[type, Callable[[int], Any]] = {
    int: lambda number: 7_700_000_000_000_000_000 + number,
    str: lambda number: f"\x01marker {number}\x01",
    datetime: lambda number: datetime(9000 + number, 1, 1, tzinfo=UTC),
}
"""Values that stand for others and that no row has."""


class Compiled(Generic[M]):
    """`build` takes one value for each name in `kinds` and returns a queryset whose shape does not depend on them.

    `Compiled(lambda pk: Task.objects.filter(pk=pk), pk=int).fetch(pk=3)` is the list of `Task.objects.filter(pk=3)`.
    """

    def __init__(self, build: Callable[..., models.QuerySet[M]], **kinds: type) -> None:
        self._build = build
        self._markers = {name: MARKERS[kind](number) for number, (name, kind) in enumerate(kinds.items())}
        self._local = threading.local()

    def fetch(self, **values: Any) -> list[M]:
        """Run it with these values; one query, or none where the queryset knows that there is nothing to find."""
        try:
            statement = self._statement()
        except EmptyResultSet:
            return []
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, statement.filled(values))
            return statement.objects(cursor.fetchall())

    def first(self, **values: Any) -> M | None:
        """The first object found, or None; one query."""
        return next(iter(self.fetch(**values)), None)

    def _statement(self) -> "_Statement[M]":
        # Connections belong to threads, and what a compiler prepares belongs to its connection.
        statement: _Statement[M] | None = getattr(self._local, "statement", None)
        if statement is None or statement.compiler.connection is not connections[DEFAULT_DB_ALIAS]:
            statement = self._local.statement = _Statement(self._build(**self._markers), self._markers)
        return statement


class Filtered(Generic[M]):
    """One row by its lookups: `Filtered(rows).first(pk=3)` is `rows().filter(pk=3).first()`, compiled once for each set of lookups."""

    def __init__(self, rows: Callable[[], models.QuerySet[M]]) -> None:
        self._rows = rows
        self._compiled: dict[tuple[str, ...], Compiled[M]] = {}

    def first(self, **lookups: Any) -> M | None:
        """The first row found, or None; one query."""
        names = tuple(lookups)
        compiled = self._compiled.get(names)
        if compiled is None:
            kinds = {name: type(value) for name, value in lookups.items()}
            compiled = self._compiled[names] = Compiled(lambda **values: self._rows().filter(**values), **kinds)
        return compiled.first(**lookups)


class Seen(Generic[M]):
    """One row by its id, as an actor may see it: `rows().visible_to(actor).filter(pk=pk).first()`, compiled for each sort of actor."""

    def __init__(self, rows: Callable[[], Any]) -> None:
        self._rows = rows
        self._compiled: dict[tuple[Any, ...], Compiled[M]] = {}

    def first(self, actor: Actor, pk: int) -> M | None:
        """The row, or None when it does not exist or is not shown to the actor; one query."""
        stores = {f"store{number}": store_id for number, store_id in enumerate(actor.store_ids)}
        values = {"pk": pk, **stores, "account": actor.account_id, "user": actor.user_id}
        sort = (actor.kind, actor.roles, actor.scopes, len(stores), actor.account_id is None)
        compiled = self._compiled.get(sort)
        if compiled is None:
            compiled = self._compiled[sort] = Compiled(
                self._build(actor), **{name: int for name, value in values.items() if value is not None}
            )
        return compiled.first(**values)

    def _build(self, actor: Actor) -> Callable[..., models.QuerySet[M]]:
        def build(pk: int, account: int | None = None, user: int | None = None, **stores: int) -> models.QuerySet[M]:
            alike = replace(actor, account_id=account, user_id=user, store_ids=frozenset(stores.values()))
            rows: models.QuerySet[M] = self._rows().visible_to(alike).filter(pk=pk)
            return rows

        return build


def insert(rows: Sequence[models.Model]) -> None:
    """Write new rows of one model in one statement, and give them their ids, as `bulk_create` does.

    Ids that are set already are written too, by all rows or by none. Nothing is filled in on the way but what the database
    fills in: models with `auto_now` columns are for `bulk_create`.
    """
    if not rows:
        return
    key = type(rows[0]), len(rows), rows[0].pk is not None
    made = _INSERTS.get(key)
    if made is None:
        made = _INSERTS[key] = _insert_statement(*key)
    text, names = made
    with connection.cursor() as cursor:
        cursor.execute(text, [_dumped(getattr(row, name), is_json) for row in rows for name, is_json in names])
        ids = cursor.fetchall()
    for row, (pk,) in zip(rows, ids, strict=True):
        row.pk = pk
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


_INSERTS: dict[tuple[type[models.Model], int, bool], tuple[str, list[tuple[str, bool]]]] = {}


def _insert_statement(model: type[models.Model], count: int, with_ids: bool) -> tuple[str, list[tuple[str, bool]]]:
    quoted = connection.ops.quote_name
    fields = [field for field in model._meta.local_concrete_fields if not field.has_db_default() and (with_ids or not field.primary_key)]
    places = f"({', '.join(['%s'] * len(fields))})"
    text = (
        f"INSERT INTO {quoted(model._meta.db_table)} ({', '.join(quoted(str(field.column)) for field in fields)}) "  # noqa: S608 - names of the models
        f"VALUES {', '.join([places] * count)} RETURNING {quoted(str(model._meta.pk.column))}"
    )
    return text, [(field.attname, isinstance(field, models.JSONField)) for field in fields]


def _dumped(value: Any, is_json: bool) -> Any:
    if is_json:
        return Jsonb(value)
    return value.value if isinstance(value, Enum) else value


class _Statement(Generic[M]):
    """SQL with holes, and how to make objects of its rows, as `ModelIterable` does."""

    def __init__(self, rows: models.QuerySet[M], markers: dict[str, Any]) -> None:
        self.compiler = rows.query.get_compiler(using=rows.db)
        self.sql, params = self.compiler.as_sql()
        names = {marker: name for name, marker in markers.items()}
        self.params = [(param, names.get(param) if type(param) in MARKERS else None) for param in params]
        self.db = rows.db
        info: dict[str, Any] = self.compiler.klass_info or {}
        select: Sequence[Any] = self.compiler.select or ()
        self.model: type[M] = info["model"]
        self.begin, self.end = info["select_fields"][0], info["select_fields"][-1] + 1
        self.names = [column[0].target.attname for column in select[self.begin : self.end]]
        self.converters = self.compiler.get_converters([column[0] for column in select])
        self.populators = get_related_populators(info, select, rows.db)  # type: ignore[call-arg]  # the stubs know a later Django
        self.annotations = list((self.compiler.annotation_col_map or {}).items())

    def filled(self, values: dict[str, Any]) -> list[Any]:
        return [param if name is None else values[name] for param, name in self.params]

    def objects(self, rows: list[tuple[Any, ...]]) -> list[M]:
        found: Iterable[Sequence[Any]] = self.compiler.apply_converters(rows, self.converters) if self.converters else rows
        return [self._object(row) for row in found]

    def _object(self, row: Sequence[Any]) -> M:
        made = self.model.from_db(self.db, self.names, row[self.begin : self.end])
        for populator in self.populators:
            populator.populate(row, made)
        for name, column in self.annotations:
            setattr(made, name, row[column])
        return made
