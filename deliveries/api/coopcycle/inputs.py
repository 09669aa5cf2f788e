"""What a delivery's sender writes, read for its form alone: no row is looked up here.

Each field is read at the core's path, so `("tasks", 1, "weight")`; `pickup` and `dropoff` are tasks 0 and 1.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings

from deliveries.api.coopcycle import forms
from deliveries.api.coopcycle.errors import Malformed, PaymentNotOffered
from deliveries.api.coopcycle.forms import ABSENT, Problems
from deliveries.statuses import TaskStatus, TaskType
from deliveries.stops import AddressDraft
from stores import phones, schedules
from stores.refusals import Path
from stores.schedules import Range

TZ = ZoneInfo(settings.TIME_ZONE)

MOST_STOPS = 200
MOST_PACKAGES = 100
LONGEST_TEXT = 10_000
LARGEST_METADATA = 50_000
MOST_OF_ONE_PACKAGE = 1_000
LARGEST_PRICE = 10**11

ADDRESS_FIELDS: dict[str, tuple[str, int]] = {
    "contactName": ("contact_name", 255),
    "name": ("name", 255),
    "company": ("company", 255),
    "description": ("description", LONGEST_TEXT),
    "provider": ("provider", 32),
    "postalCode": ("postal_code", 20),
    "addressLocality": ("locality", 255),
    "addressRegion": ("region", 255),
    "addressCountry": ("country", 64),
    "postOfficeBoxNumber": ("post_office_box", 64),
}
"""Keys of an address, with the columns they fill and how long they may be."""


@dataclass(kw_only=True)
class SentAddress:
    """An address as sent: the id of a known one, new values, or both."""

    pk: int | None = None
    draft: AddressDraft | None = None


@dataclass(kw_only=True)
class SentStop:
    """A task as sent; what is empty was not said. `packages` are (name, quantity); `slot_id` is a time slot to check `slot` by."""

    pk: int | None = None
    type: TaskType | None = None
    address: SentAddress | None = None
    after: datetime | None = None
    before: datetime | None = None
    slot: Range | None = None
    slot_id: int | None = None
    comments: str = ""
    weight: int | None = None
    packages: list[tuple[str, int]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    doorstep: bool = False
    assigned_to: str = ""
    status: TaskStatus | None = None


@dataclass(kw_only=True)
class SentDelivery:
    """A delivery as sent. `listed` says that the stops came as `tasks`, the whole of them."""

    store_id: int | None
    stops: list[SentStop]
    listed: bool
    price_cents: int | None = None
    price_name: str = ""
    cash_on_delivery: bool = False
    supplements: list[tuple[int, int]] = field(default_factory=list)


def delivery(body: Any, *, now: datetime, desk: bool, partial: bool = False) -> SentDelivery:
    """Read the body of a new or, when `partial`, of a changed delivery; raises `Invalid` naming every field at fault.

    Prices, states and couriers are the desk's to set: from others they are passed over.
    """
    problems = Problems()
    sent = forms.mapping(body, ())
    store = sent.get("store")
    store_id = None if store in ABSENT else problems.take(forms.reference, store, ("store",), None, to="stores")
    listed: list[Any] = problems.take(_listed, sent.get("tasks"), ("tasks",), [])
    stops = [_stop(problems, each, ("tasks", number), now=now, desk=desk) for number, each in enumerate(listed)]
    if not listed:
        stops = _pair(problems, sent, now=now, desk=desk, partial=partial)
    elif len(stops) == 2:
        stops[0].type, stops[1].type = TaskType.PICKUP, TaskType.DROPOFF
    _aliases(problems, sent, stops)
    wanted = SentDelivery(store_id=store_id, stops=stops, listed=bool(listed))
    order: dict[str, Any] = problems.take(forms.mapping, sent.get("order"), ("order",), {})
    _order(problems, order, wanted, desk=desk)
    problems.check()
    return wanted


def _listed(value: Any, path: Path) -> list[Any]:
    if value in ABSENT:
        return []
    if not isinstance(value, list):
        raise Malformed("This value should be of type array.", path=path)
    if len(value) > MOST_STOPS:
        raise Malformed(f"This collection should contain {MOST_STOPS} elements or less.", path=path)
    return value


def _pair(problems: Problems, sent: dict[str, Any], *, now: datetime, desk: bool, partial: bool) -> list[SentStop]:
    pair = []
    for number, (name, kind) in enumerate((("pickup", TaskType.PICKUP), ("dropoff", TaskType.DROPOFF))):
        aliased = kind == TaskType.DROPOFF and (sent.get("weight") or sent.get("packages"))
        if partial and sent.get(name) in (*ABSENT, []) and not aliased:
            continue
        stop = _stop(problems, sent.get(name), ("tasks", number), now=now, desk=desk)
        stop.type = kind
        pair.append(stop)
    return pair


def _stop(problems: Problems, value: Any, at: Path, *, now: datetime, desk: bool) -> SentStop:
    sent: dict[str, Any] = problems.take(forms.mapping, value, at, {})
    after, before = sent.get("after") or sent.get("doneAfter"), sent.get("before") or sent.get("doneBefore")
    slot, slot_iri, weight, pk = sent.get("timeSlot"), sent.get("timeSlotUrl"), sent.get("weight"), sent.get("id") or sent.get("@id")
    stop = SentStop(
        pk=None if pk in ABSENT else problems.take(_task_id, pk, (*at, "id"), None),
        type=problems.take(_type, sent.get("type"), (*at, "type"), None),
        address=problems.take(_address, sent.get("address"), (*at, "address"), None, beside=sent.get("latLng")),
        after=problems.take(_moment, after, (*at, "after"), None, now=now),
        before=problems.take(_moment, before, (*at, "before"), None, now=now),
        slot=None if slot in (*ABSENT, []) else problems.take(_slot, slot, (*at, "timeSlot"), None, now=now),
        slot_id=None if slot_iri in ABSENT else problems.take(forms.reference, slot_iri, (*at, "timeSlotUrl"), None, to="time_slots"),
        comments=problems.take(forms.text, sent.get("comments"), (*at, "comments"), "", longest=LONGEST_TEXT),
        weight=None if _unsaid(weight) else problems.take(forms.whole, weight, (*at, "weight"), None),
        packages=problems.take(_packages, sent.get("packages"), (*at, "packages"), []),
        tags=problems.take(_tags, sent.get("tags"), (*at, "tags"), []),
        metadata=problems.take(_metadata, sent.get("metadata"), (*at, "metadata"), {}),
        doorstep=problems.take(forms.boolean, sent.get("doorstep"), (*at, "doorstep"), False),
        assigned_to=problems.take(forms.text, sent.get("assignedTo"), (*at, "assignedTo"), "") if desk else "",
        status=problems.take(_status, sent.get("status"), (*at, "status"), None),
    )
    if stop.slot is not None:
        stop.after, stop.before = stop.slot
    return stop


def _aliases(problems: Problems, sent: dict[str, Any], stops: list[SentStop]) -> None:
    """The load written beside the stops is that of the first dropoff."""
    first = next((stop for stop in stops if stop.type == TaskType.DROPOFF), stops[-1] if stops else None)
    weight = sent.get("weight")
    grams = None if _unsaid(weight) else problems.take(forms.whole, weight, ("weight",), None)
    packages: list[tuple[str, int]] = problems.take(_packages, sent.get("packages"), ("packages",), [])
    if first is not None:
        first.weight = grams if first.weight is None else first.weight
        first.packages = first.packages or packages


def _order(problems: Problems, order: dict[str, Any], wanted: SentDelivery, *, desk: bool) -> None:
    method = order.get("paymentMethod")
    if method not in ABSENT:
        wanted.cash_on_delivery = method == "cash_on_delivery"
        if method not in ("cash_on_delivery", "card"):
            raise PaymentNotOffered("order.paymentMethod is not valid")
    if not desk:
        return
    supplements: list[tuple[int, int]] = problems.take(_supplements, order.get("manualSupplements"), ("order", "manualSupplements"), [])
    wanted.supplements = supplements
    price = order.get("arbitraryPrice")
    if price in (*ABSENT, {}, []):
        return
    at: Path = ("order", "arbitraryPrice")
    values: dict[str, Any] = problems.take(forms.mapping, price, at, {})
    wanted.price_cents = problems.take(forms.whole, values.get("variantPrice"), (*at, "variantPrice"), None, most=LARGEST_PRICE)
    wanted.price_name = problems.take(forms.text, values.get("variantName"), (*at, "variantName"), "")


def _supplements(value: Any, path: Path) -> list[tuple[int, int]]:
    """Rules to add by hand, as (id, quantity)."""
    added = []
    for number, each in enumerate(_listed(value, path)):
        where = (*path[:-1], f"{path[-1]}[{number}][pricingRule]")
        sent = forms.mapping(each, path)
        if sent.get("pricingRule") in ABSENT:
            raise Malformed("This value should not be blank.", path=where)
        quantity = forms.whole(sent.get("quantity", 1), (*path[:-1], f"{path[-1]}[{number}][quantity]"), most=MOST_OF_ONE_PACKAGE)
        if not quantity:
            raise Malformed("This value should be positive.", path=(*path[:-1], f"{path[-1]}[{number}][quantity]"))
        added.append((forms.reference(sent["pricingRule"], where, to="pricing_rules"), quantity))
    return added


def _unsaid(value: Any) -> bool:
    """No number: zero is one."""
    return value is None or value is False or value == ""


def _task_id(value: Any, path: Path) -> int:
    return forms.reference(value, path, to="tasks") if isinstance(value, str) and value.startswith("/") else forms.whole(value, path)


def _type(value: Any, path: Path) -> TaskType | None:
    if value in ABSENT:
        return None
    name = forms.text(value, path).upper()
    if name not in TaskType.values:
        raise Malformed("The value you selected is not a valid choice.", path=path)
    return TaskType(name)


def _status(value: Any, path: Path) -> TaskStatus | None:
    name = forms.text(value, path).upper()
    return TaskStatus(name) if name in TaskStatus.values else None


def _moment(value: Any, path: Path, *, now: datetime) -> datetime | None:
    return None if value in ABSENT else forms.moment(value, path, tz=TZ, now=now)


def _slot(value: Any, path: Path, *, now: datetime) -> Range:
    match value:
        case str():
            return schedules.parse_range(value, tz=TZ, now=now)
        case [str(first), str(last)]:
            start, end = schedules.parse_moment(first, tz=TZ, now=now), schedules.parse_moment(last, tz=TZ, now=now)
            if end <= start:
                raise schedules.BadMoment(f"“{first} - {last}” does not end after it begins.")
            return start, end
    raise Malformed("This value should be a range of time, or its two ends.", path=path)


def _address(value: Any, path: Path, *, beside: Any) -> SentAddress | None:
    """A text, an IRI or an object; `beside` is the point written next to it, for want of one inside."""
    if value in ABSENT or value == []:
        return None
    if isinstance(value, str):
        if value.startswith("/api/addresses/"):
            return SentAddress(pk=forms.reference(value, path, to="addresses"))
        return SentAddress(draft=_draft({"streetAddress": value}, path, beside=beside))
    sent = forms.mapping(value, path)
    pk = None if sent.get("@id") in ABSENT else forms.reference(sent["@id"], path, to="addresses")
    return SentAddress(pk=pk, draft=_draft(sent, path, beside=beside))


def _draft(sent: dict[str, Any], path: Path, *, beside: Any) -> AddressDraft:
    fields = {column: forms.text(sent.get(key), (*path, key), longest=longest) for key, (column, longest) in ADDRESS_FIELDS.items()}
    fields["telephone"] = phones.parse(sent.get("telephone"), country=settings.RELAIS_COUNTRY)
    where = next((point for point in (sent.get("latLng"), sent.get("geo"), beside) if point not in (*ABSENT, [], {})), None)
    point = None if where is None else forms.point(where, path)
    return AddressDraft(
        street_address=forms.text(sent.get("streetAddress"), (*path, "streetAddress"), longest=512).strip(),
        point=None if point is None else (point.latitude, point.longitude),
        fields={column: value for column, value in fields.items() if value},
    )


def _packages(value: Any, path: Path) -> list[tuple[str, int]]:
    if value in ABSENT:
        return []
    if not isinstance(value, list):
        raise Malformed("This value should be of type array.", path=path)
    if len(value) > MOST_PACKAGES:
        raise Malformed(f"This collection should contain {MOST_PACKAGES} elements or less.", path=path)
    return [_package(each, (*path, number)) for number, each in enumerate(value)]


def _package(value: Any, path: Path) -> tuple[str, int]:
    sent = forms.mapping(value, path)
    quantity = forms.whole(sent.get("quantity", 1), (*path, "quantity"), most=MOST_OF_ONE_PACKAGE)
    return forms.text(sent.get("type") or sent.get("name"), (*path, "type")), quantity


def _tags(value: Any, path: Path) -> list[str]:
    """Slugs, as a list of texts or of objects, or in one text."""
    if value in ABSENT:
        return []
    if isinstance(value, str):
        return forms.text(value, path, longest=LONGEST_TEXT).split()
    if not isinstance(value, list):
        raise Malformed("This value should be of type array.", path=path)
    return [forms.text(each.get("slug") if isinstance(each, dict) else each, (*path, number)) for number, each in enumerate(value)]


def _metadata(value: Any, path: Path) -> dict[str, Any]:
    """An object, or `k=v k2=v2`."""
    if isinstance(value, str):
        pairs = (part.partition("=") for part in forms.text(value, path, longest=LONGEST_TEXT).split())
        return {key: text for key, equals, text in pairs if key and equals}
    metadata = {} if value is False else forms.mapping(value, path)
    if not forms.depth(metadata) or len(orjson.dumps(metadata)) > LARGEST_METADATA:
        raise Malformed("This value is too large.", path=path)
    return metadata
