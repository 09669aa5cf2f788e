"""What CoopCycle clients are told by webhook: the names of events, the few words, and the signature.

A name is about a delivery, and follows what becomes of its tasks, as these clients read them. Of each change every name is
told once, in the order of a delivery's life:

* `delivery.assigned`: a courier was given a dropoff;
* `delivery.started`: the first of its pickups is under way, or done while others wait;
* `delivery.picked`: the last of its pickups is done, or was called off after others had been done;
* `delivery.in_transit`: somebody set out for a dropoff, each time;
* `delivery.completed`: the last of its dropoffs is done;
* `delivery.failed`: a task failed, each time;
* `delivery.cancelled`: it ended otherwise. What is left of a delivery after a failure is called off under this name: the
  failure was told when it happened.

A delivery that its carrier enters when it is under way already is told as far as it has come. What is restored, unassigned
or rescheduled has no name here until something happens to it again.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import orjson

from deliveries.models import Event, Subscription
from deliveries.outbox import signing
from deliveries.outbox.voices import Message
from deliveries.statuses import AT_DROPOFF, OVER, TO_DROPOFF, TO_PICKUP, DeliveryStatus, TaskType
from stores import credentials

CREATED, ASSIGNED, STARTED, PICKED = "order.created", "delivery.assigned", "delivery.started", "delivery.picked"
IN_TRANSIT, COMPLETED, FAILED, CANCELLED = "delivery.in_transit", "delivery.completed", "delivery.failed", "delivery.cancelled"

ALL_NAMES = (CREATED, ASSIGNED, STARTED, PICKED, IN_TRANSIT, COMPLETED, FAILED, CANCELLED)
"""In the order of a delivery's life."""

OF_TASKS: dict[tuple[str, str], str] = {
    ("task.assigned", TaskType.DROPOFF): ASSIGNED,
    ("task.started", TaskType.DROPOFF): IN_TRANSIT,
    ("task.failed", TaskType.PICKUP): FAILED,
    ("task.failed", TaskType.DROPOFF): FAILED,
}
"""What is told of a task alone."""

OF_DELIVERIES = tuple(f"delivery.{verb}" for verb in ("created", "started", "picked", "completed", "failed", "cancelled", "updated"))
KINDS = frozenset([CREATED, "task.done", *OF_DELIVERIES, *(kind for kind, _ in OF_TASKS)])
"""The kinds of events that names are found by; no other has any part in it."""

Step = tuple[str, str]


def named(batch: Sequence[Event]) -> list[tuple[str, Event]]:
    """What one change is called here, each name once and with the first event that it is the name of."""
    steps = {(event.kind, event.task.type) for event in batch if event.task is not None}
    found: dict[str, Event] = {}
    for event in batch:
        for name in _names(event, steps):
            found.setdefault(name, event)
    return sorted(found.items(), key=lambda pair: ALL_NAMES.index(pair[0]))


def subject(event: Event) -> str:
    """The IRI of what an event is about."""
    return f"/api/deliveries/{event.delivery_id}" if event.delivery_id is not None else f"/api/orders/{event.order_id}"


class CoopCycleVoice:
    """See `outbox.voices.Voice`."""

    def messages(self, batch: Sequence[Event], subscription: Subscription) -> Iterable[Message]:
        """A webhook asks for one event, and gets the IRI of what it is about."""
        for name, event in named(batch):
            if name in subscription.names:
                yield Message(event=event, name=name, body=_body(subject(event), name))

    def test(self, subscription: Subscription, *, message_id: str, at: datetime) -> tuple[str, str]:
        """The event asked for, about a delivery that does not exist."""
        name = subscription.names[0]
        return name, _body("/api/deliveries/0", name)

    def headers(self, subscription: Subscription, body: bytes) -> Mapping[str, str]:
        """`X-CoopCycle-Signature`, made with the secret as text."""
        secret = credentials.unseal(subscription.sealed_secret)
        return {"X-CoopCycle-Signature": signing.hmac_base64(secret.encode(), body)}

    def keys(self, subscription: Subscription, *, at: datetime) -> Sequence[bytes]:
        """Standard Webhooks takes the bytes that the secret is the base64 of."""
        return [base64.b64decode(secret) for secret in credentials.signing_secrets(subscription, at=at)]

    def acknowledges(self, status: int) -> bool:
        """Anything in the 200s."""
        return 200 <= status < 300


def _names(event: Event, steps: set[Step]) -> Iterator[str]:
    """What an event is called, given the steps of all tasks in the same change."""
    if event.kind == CREATED:
        yield CREATED
    elif event.delivery_id is None:
        # A task alone is none of this dialect's deliveries.
        return
    elif event.task is not None:
        name = OF_TASKS.get((event.kind, event.task.type))
        if name is not None:
            yield name
    elif event.kind == "delivery.created":
        yield from _of_beginning(DeliveryStatus(event.data.get("status", DeliveryStatus.PENDING)))
    elif "to" in event.data:
        yield from _of_move(DeliveryStatus(event.data["from"]), DeliveryStatus(event.data["to"]), steps)


def _of_beginning(status: DeliveryStatus) -> Iterator[str]:
    """How far a delivery had come when it was entered."""
    if status in TO_PICKUP:
        yield STARTED
    if status in TO_DROPOFF or status == DeliveryStatus.DELIVERED:
        yield PICKED
    if status in AT_DROPOFF:
        yield IN_TRANSIT
    if status == DeliveryStatus.DELIVERED:
        yield COMPLETED
    if status == DeliveryStatus.CANCELLED:
        yield CANCELLED


def _of_move(left: DeliveryStatus, to: DeliveryStatus, steps: set[Step]) -> Iterator[str]:
    """What is told of a delivery that goes from one status to another while its tasks take these steps."""
    picked = ("task.done", TaskType.PICKUP) in steps
    failed = any(kind == "task.failed" for kind, _ in steps)
    if to in TO_PICKUP and left not in TO_PICKUP and (picked or ("task.started", TaskType.PICKUP) in steps):
        yield STARTED
    called_off = left in TO_PICKUP and to != DeliveryStatus.CANCELLED and not failed
    if to in TO_DROPOFF | OVER and (picked or called_off):
        yield PICKED
    if to == DeliveryStatus.DELIVERED:
        yield COMPLETED
    if to == DeliveryStatus.CANCELLED and not failed:
        yield COMPLETED if ("task.done", TaskType.DROPOFF) in steps else CANCELLED


def _body(iri: str, name: str) -> str:
    return orjson.dumps({"data": {"object": iri, "event": name}}).decode()
