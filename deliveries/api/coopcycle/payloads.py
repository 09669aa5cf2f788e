"""Rows as this dialect prints them: pure functions from what `deliveries.queries` annotates to dicts."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.conf import settings

from deliveries import loads, queries
from deliveries.models import Delivery, Event, Task, TaskList
from deliveries.statuses import OVER, TaskStatus, TaskType
from deliveries.tracking_links import tracking_url
from stores import distances
from stores.actors import Actor, Role
from stores.models import Address, ApiClient, Order, Store, User

Payload = dict[str, Any]

INSTANCE = "001"
TASK_ENTITY = "1"
ROLE_NAMES = {
    Role.ADMIN: "ROLE_ADMIN",
    Role.DISPATCHER: "ROLE_DISPATCHER",
    Role.COURIER: "ROLE_COURIER",
    Role.STORE_OWNER: "ROLE_STORE",
}
SYSTEM_METADATA = frozenset(
    ["delivery_position", "zero_waste", "order_id", "order_number", "order_total", "has_loopeat_returns", "address_needs_review"]
)

_TZ = ZoneInfo(settings.TIME_ZONE)
_LABEL_KEY = settings.SECRET_KEY.encode()


def moment(value: datetime) -> str:
    """ISO 8601 with the instance's offset, to the second."""
    return value.astimezone(_TZ).isoformat(timespec="seconds")


def place(address: Address) -> Payload:
    """An address; every key is always there."""
    return {
        "@id": f"/api/addresses/{address.pk}",
        "@type": "http://schema.org/Place",
        "geo": {"@type": "GeoCoordinates", "latitude": address.latitude, "longitude": address.longitude},
        "provider": address.provider or None,
        "streetAddress": address.street_address,
        "telephone": address.telephone or None,
        "name": address.name or None,
        "contactName": address.contact_name or None,
        "description": address.description or None,
    }


def full_place(address: Address) -> Payload:
    """As above, with the contact's name in two."""
    first, _, last = address.contact_name.partition(" ")
    return {**place(address), "firstName": first or None, "lastName": last or None}


def lone_place(address: Address) -> Payload:
    """An address by itself, with its town."""
    return {
        "@context": "/api/contexts/Address",
        **full_place(address),
        "company": address.company or None,
        "postalCode": address.postal_code or None,
        "addressLocality": address.locality or None,
        "addressRegion": address.region or None,
        "addressCountry": address.country or None,
        "postOfficeBoxNumber": address.post_office_box or None,
    }


def delivery(row: Delivery, *, at: datetime) -> Payload:
    """A delivery by itself; `row` from `queries.deliveries`."""
    return {"@context": "/api/contexts/Delivery", **delivery_member(row, at=at)}


def delivery_member(row: Delivery, *, at: datetime) -> Payload:
    """A delivery in a collection: stops in order of travel, those taken out last."""
    every = sorted(row.stops, key=lambda task: (task.status == TaskStatus.CANCELLED, task.position))
    stops = {task.pk: _stop(task, every, row.order) for task in every}
    pickups = [task for task in every if task.type == TaskType.PICKUP]
    dropoffs = [task for task in every if task.type == TaskType.DROPOFF]
    live = [task for task in dropoffs if task.status != TaskStatus.CANCELLED] or dropoffs
    payload: Payload = {
        "@id": f"/api/deliveries/{row.pk}",
        "@type": "http://schema.org/ParcelDelivery",
        "id": row.pk,
        "distance": row.distance,
        "duration": row.duration,
        "polyline": row.polyline,
        "tasks": list(stops.values()),
        "pickup": stops[pickups[0].pk] if pickups else None,
        "dropoff": stops[live[-1].pk] if live else None,
        "trackingUrl": tracking_url(row),
        "order": order_member(row.order),
    }
    position = None if row.status in OVER else queries.live_position(row, at=at)
    if position is not None:
        latitude, longitude, since = position
        payload["location"] = {"lat": latitude, "lng": longitude, "updatedAt": moment(since or row.updated_at)}
    return payload


def order(row: Order) -> Payload:
    """An order by itself; `row` with its delivery, if it has one."""
    return {
        "@context": "/api/contexts/Order",
        **order_member(row),
        "state": row.status,
        "createdAt": moment(row.created_at),
        "delivery": f"/api/deliveries/{row.delivery.pk}" if hasattr(row, "delivery") else None,
        "store": f"/api/stores/{row.store_id}",
    }


def order_member(row: Order) -> Payload:
    """An order inside its delivery."""
    return {
        "@id": f"/api/orders/{row.pk}",
        "@type": "http://schema.org/Order",
        "number": row.ref or row.public_id,
        "total": row.total_cents,
        "taxTotal": row.tax_cents,
        "paymentGateway": row.payment_gateway,
    }


def _stop(task: Task, every: Sequence[Task], order: Order | None) -> Payload:
    """A task inside its delivery has exactly these keys."""
    load = loads.shown(task, every)
    after, before = moment(task.after), moment(task.before)
    return {
        "@id": f"/api/tasks/{task.pk}",
        "@type": "Task",
        "id": task.pk,
        "type": task.type,
        "status": task.status,
        "address": place(task.address),
        "doneAfter": after,
        "after": after,
        "doneBefore": before,
        "before": before,
        "comments": task.comments,
        "weight": load.weight,
        "packages": _packages(task.pk, load),
        "barcode": _barcode(task.pk),
        "createdAt": moment(task.created_at),
        "tags": task.tag_rows,
        "metadata": _metadata(task, order),
    }


def task(row: Task) -> Payload:
    """A task by itself; `row` from `queries.tasks`."""
    return {"@context": "/api/contexts/Task", **task_member(row)}


def task_member(row: Task) -> Payload:
    """A task in a collection."""
    courier = row.courier
    load = _load(row)
    after, before = moment(row.after), moment(row.before)
    return {
        "@id": f"/api/tasks/{row.pk}",
        "@type": "Task",
        "id": row.pk,
        "type": row.type,
        "status": row.status,
        "address": full_place(row.address),
        "after": after,
        "before": before,
        "doneAfter": after,
        "doneBefore": before,
        "comments": row.comments,
        "createdAt": moment(row.created_at),
        "updatedAt": moment(row.updated_at),
        "isAssigned": courier is not None,
        "assignedTo": None if courier is None else courier.user.username,
        "previous": _task_iri(row.previous_id),
        "next": _task_iri(row.next_id),
        "group": None,
        "tags": row.tag_rows,
        "doorstep": row.doorstep,
        "orgName": row.store.name,
        "images": [],
        "ref": row.ref,
        "recurrenceRule": None,
        "metadata": _metadata(row, None if row.delivery is None else row.delivery.order),
        "weight": load.weight,
        "packages": _packages(row.pk, load),
        "hasIncidents": False,
        "incidents": [],
        "emittedCo2": 0,
        "traveledDistanceMeter": 0,
        "barcode": _barcode(row.pk),
    }


LISTED = (
    *("@context", "@id", "@type", "id", "type", "status", "address", "after", "before", "doneAfter", "doneBefore", "comments"),
    *("createdAt", "updatedAt", "previous", "next", "tags", "doorstep", "orgName", "metadata", "weight", "packages"),
)
"""What is left of a task on its courier's list."""


def task_list(listed: TaskList | None, rows: Sequence[Task], *, user: User, day: str, at: datetime, iri: str) -> Payload:
    """A courier's day, the way through its stops measured as they now are; a list nobody has made yet is named `iri`."""
    full = [task(row) for row in rows]
    way = distances.router().route([row.address.point for row in rows])
    return {
        "@context": "/api/contexts/TaskList",
        "@id": iri if listed is None else f"/api/task_lists/{listed.pk}",
        "@type": "TaskList",
        "id": None if listed is None else listed.pk,
        "items": [{key: item[key] for key in LISTED} for item in full],
        "distance": way.distance_m,
        "duration": way.duration_s,
        "polyline": way.polyline,
        "date": day,
        "username": user.username,
        "createdAt": moment(at if listed is None else listed.created_at),
        "updatedAt": moment(at if listed is None else listed.updated_at),
    }


def event(row: Event) -> Payload:
    """One thing that happened to a task; `data` holds what readers of its name expect."""
    data = {key: row.data.get(key, "") for key in EVENT_DATA.get(row.kind, ())}
    return {
        "@id": f"/api/task_events/{row.pk}",
        "@type": "TaskEvent",
        "name": row.kind.replace(".", ":", 1),
        "data": data or [],
        "createdAt": moment(row.happened_at),
    }


EVENT_DATA: dict[str, tuple[str, ...]] = {
    "task.assigned": ("username",),
    "task.unassigned": ("username",),
    "task.done": ("notes",),
    "task.failed": ("reason", "notes"),
    "task.incident-reported": ("reason", "notes"),
    "task.rescheduled": ("rescheduled_after", "rescheduled_before"),
}


def store(row: Store) -> Payload:
    """A store by itself."""
    return {"@context": "/api/contexts/Store", **store_member(row)}


def store_member(row: Store) -> Payload:
    """A store in a collection."""
    slot = None if row.time_slot_id is None else f"/api/time_slots/{row.time_slot_id}"
    return {
        "@id": f"/api/stores/{row.pk}",
        "@type": "http://schema.org/Store",
        "id": row.pk,
        "name": row.name,
        "enabled": row.enabled,
        "address": place(row.address),
        "timeSlot": slot,
        "timeSlots": [] if slot is None else [slot],
        "pricingRuleSet": None if row.pricing_rule_set_id is None else f"/api/pricing_rule_sets/{row.pricing_rule_set_id}",
        "prefillPickupAddress": True,
        "weightRequired": False,
        "packagesRequired": False,
        "multiDropEnabled": True,
        "multiPickupEnabled": True,
        "cashOnDeliveryEnabled": row.cash_on_delivery,
    }


def person(user: User, actor: Actor) -> Payload:
    """Somebody who logged in."""
    return {
        "@context": "/api/contexts/User",
        "@id": f"/api/users/{user.pk}",
        "@type": "User",
        "addresses": [],
        "username": user.username,
        "email": user.email,
        "roles": roles(actor),
        "telephone": user.telephone or None,
        "skills": [],
    }


def program(client: ApiClient) -> Payload:
    """A machine client, as shop plugins read it to find their store."""
    return {
        "@context": "/api/contexts/ApiApp",
        "@id": f"/api/api_apps/{client.pk}",
        "@type": "http://schema.org/SoftwareApplication",
        "store": None if client.store_id is None else f"/api/stores/{client.store_id}",
        "shop": None,
        "name": client.name,
    }


def login(user: User, actor: Actor, *, token: str, refresh_token: str) -> Payload:
    """What a person gets for a password, or for a refresh token."""
    return {
        "token": token,
        "refresh_token": refresh_token,
        "roles": roles(actor),
        "username": user.username,
        "email": user.email,
        "id": user.pk,
        "enabled": True,
    }


def roles(actor: Actor) -> list[str]:
    """The dialect's names of an actor's roles; everybody is a user."""
    return [name for role, name in ROLE_NAMES.items() if role in actor.roles] + ["ROLE_USER"]


def _load(row: Task) -> loads.Load:
    siblings = [SimpleNamespace(**sibling) for sibling in row.load_rows]
    mine = next((sibling for sibling in siblings if sibling.pk == row.pk), None)
    return loads.total([row]) if mine is None else loads.shown(mine, siblings)


def _task_iri(pk: int | None) -> str | None:
    return None if pk is None else f"/api/tasks/{pk}"


def _metadata(task: Task, order: Order | None) -> Payload | list[Any]:
    metadata: Payload = {"zero_waste": False, "has_loopeat_returns": False}
    if order is not None:
        metadata["delivery_position"] = task.position
        metadata["order_id"] = order.pk
        metadata["order_number"] = order.ref or order.public_id
        metadata["order_total"] = order.total_cents
    if task.address.needs_review:
        metadata["address_needs_review"] = True
    if task.metadata:
        metadata |= {key: value for key, value in task.metadata.items() if key not in SYSTEM_METADATA}
    return metadata


def _packages(pk: int, load: loads.Load) -> list[Payload]:
    tasks = [f"/api/tasks/{source}" for source in load.task_ids]
    return [
        {
            "short_code": package["short_code"],
            "name": package["name"],
            "type": package["name"],
            "volume_per_package": package["volume"],
            "quantity": package["quantity"],
            "labels": [_label(f"{_code(pk)}P{number}U{unit}8076")["url"] for unit in range(1, package["quantity"] + 1)],
            "tasks": tasks,
        }
        for number, package in enumerate(load.packages, start=1)
    ]


def _barcode(pk: int) -> Payload:
    code = f"{_code(pk)}8076"
    return {"barcode": code, "label": _label(code)}


def _code(pk: int) -> str:
    return f"6767{INSTANCE}{TASK_ENTITY}{pk}"


@lru_cache(maxsize=4096)
def _label_token(code: str) -> str:
    return hmac.digest(_LABEL_KEY, b"label:" + code.encode(), "sha256").hex()[:40]


def _label(code: str) -> Payload:
    token = _label_token(code)
    return {"token": token, "url": f"{settings.BASE_URL}/tasks/label?code={quote(code)}&token={token}"}
