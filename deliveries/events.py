"""Write the event log: one row for each thing that happened, in the transaction of the change."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deliveries.models import Delivery, Event, Task
from deliveries.outbox import queue
from quotes.models import DeliveryQuote
from stores import compiled, tracing
from stores.actors import Actor
from stores.models import Order, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something to record about a task, a delivery, a quote, an order or a store; `data` is what a reader of `kind` expects."""

    kind: str
    task: Task | None = None
    delivery: Delivery | None = None
    quote: DeliveryQuote | None = None
    order: Order | None = None
    store: Store | None = None
    data: dict[str, Any] = field(default_factory=dict)


def record(happenings: Sequence[Happening], *, by: Actor, at: datetime) -> None:
    """Append to the log in one statement, and queue the job that tells subscribers, in the transaction of the change.

    Nothing to record costs nothing.
    """
    rows = [_row(happening, by=by, at=at) for happening in happenings]
    compiled.insert(rows)
    queue.tell(dict.fromkeys(row.chain for row in rows))


def _row(happening: Happening, *, by: Actor, at: datetime) -> Event:
    task, delivery, quote = happening.task, happening.delivery, happening.quote
    order = happening.order or (quote.order if quote else None)
    subject = task or delivery or order
    store_id = subject.store_id if subject is not None else happening.store.pk if happening.store is not None else None
    assert store_id is not None, "something happened to nothing"
    return Event(
        kind=happening.kind,
        store_id=store_id,
        order_id=order.pk if order else delivery.order_id if delivery else None,
        quote_id=quote.pk if quote else None,
        delivery_id=delivery.pk if delivery else None,
        task_id=task.pk if task else None,
        happened_at=at,
        actor_kind=by.kind.value,
        actor_name=by.name,
        user_id=by.user_id,
        client_id=by.client_id,
        data=happening.data,
        request_id=tracing.current(),
    )
