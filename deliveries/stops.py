"""The stops of a delivery before it is booked: their places looked up, their windows filled in and checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deliveries.models import Courier
from deliveries.statuses import TaskType
from stores import places
from stores.models import Address, Store
from stores.places import Point
from stores.refusals import Invalid, Missing, Refused

USUAL_WINDOW = timedelta(minutes=15)
ADDRESS_COLUMNS = (
    *("postal_code", "locality", "region", "country", "post_office_box", "provider", "name", "company", "contact_name"),
    *("telephone", "access_code", "description"),
)


class AddressNotFound(Refused):
    """A geocoder that answers does not know the address."""

    code = "address_not_found"


class TooFewStops(Refused):
    """A delivery goes from somewhere to somewhere."""

    code = "too_few_stops"


class WrongOrder(Refused):
    """Something is to be dropped off before it is picked up."""

    code = "dropoff_before_pickup"


class BadStopWindow(Refused):
    """A stop's window ends before it begins."""

    code = "bad_stop_window"


@dataclass(kw_only=True)
class AddressDraft:
    """An address as sent: free text, and a (latitude, longitude) when the sender knows it; `fields` as in `Address`."""

    street_address: str
    point: tuple[float, float] | None = None
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class StopDraft:
    """A task that does not exist yet. No address on a pickup means the store's own.

    `packages` as in `Task`; `tags` are slugs, unknown ones are dropped; `forgiving` takes an address that no geocoder
    knows at the store's point, where refusing would lose an order.
    """

    type: TaskType
    address: AddressDraft | Address | None = None
    after: datetime | None = None
    before: datetime | None = None
    comments: str = ""
    weight: int | None = None
    packages: list[dict[str, Any]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    doorstep: bool = False
    courier: Courier | None = None
    forgiving: bool = False

    @property
    def window(self) -> tuple[datetime, datetime]:
        """Both ends, once `fill_windows` has settled them."""
        assert self.after is not None
        assert self.before is not None
        return self.after, self.before


@dataclass(frozen=True)
class Located:
    """A stop's address, with a point; not saved yet when it is new."""

    address: Address

    @property
    def point(self) -> Point:
        return self.address.point

    def as_customer(self) -> dict[str, Any]:
        """The recipient as an order's customer."""
        address = self.address
        first, _, last = address.contact_name.partition(" ")
        return {
            "first_name": first or None,
            "last_name": last or None,
            "company_name": address.company or address.name or None,
            "phone": address.telephone or None,
            "address_1": address.street_address,
            "postal_code": address.postal_code or None,
            "city": address.locality or None,
            "country": address.country or None,
            "latitude": str(address.latitude),
            "longitude": str(address.longitude),
            "delivery_notes": address.description or None,
        }


def locate(store: Store, stops: Sequence[StopDraft]) -> list[Located]:
    """Find the place of every stop, asking the geocoder only for those that bring no point.

    Raises `Invalid` naming `("tasks", n, "address")` for each stop without address, and for each that a real geocoder
    does not know. When the geocoder is down, or knows but a few places, the stop stands at the store's point and
    `needs_review`: a delivery is never lost to a map.
    """
    if len(stops) < 2 or {stop.type for stop in stops} != {TaskType.PICKUP, TaskType.DROPOFF}:
        raise Invalid(TooFewStops("Delivery must consist of two tasks.", path=("tasks",)))
    located: list[Located] = []
    problems: list[Refused] = []
    for number, stop in enumerate(stops):
        try:
            located.append(Located(_address(store, stop)))
        except Refused as refusal:
            refusal.path = ("tasks", number, "address")
            problems.append(refusal)
    if problems:
        raise Invalid(*problems, *_blank_windows(stops))
    return located


def _address(store: Store, stop: StopDraft) -> Address:
    if isinstance(stop.address, Address):
        return stop.address
    if stop.address is None:
        if stop.type == TaskType.PICKUP:
            return store.address
        raise Missing("This value should not be blank.")
    return found(store, stop.address, forgiving=stop.forgiving)


def found(store: Store, draft: AddressDraft, *, forgiving: bool = False) -> Address:
    """A new address, not saved, at its own point, its geocoded one, or, for want of both, its store's (`needs_review`)."""
    point, needs_review, details = draft.point, False, dict(draft.fields)
    if point is None:
        place, unsure = _ask(draft.street_address)
        if place is not None and place.point is not None:
            point = (place.point.latitude, place.point.longitude)
            for name, value in (("postal_code", place.postal_code), ("locality", place.locality), ("country", place.country)):
                details[name] = details.get(name) or value
        elif unsure or forgiving:
            point, needs_review = (store.address.latitude, store.address.longitude), True
        else:
            raise AddressNotFound(f"The address “{draft.street_address}” was not found.")
    return Address(street_address=draft.street_address, latitude=point[0], longitude=point[1], needs_review=needs_review, **details)


def changed(known: Address, draft: AddressDraft) -> Address | AddressDraft:
    """A known address with new values is another one, for this delivery alone; with none, it is itself.

    What is empty in `draft` stays as it is; its point too, as long as the street does.
    """
    fields = {column: getattr(known, column) for column in ADDRESS_COLUMNS}
    same_street = draft.street_address in ("", known.street_address)
    same_point = draft.point in (None, (known.latitude, known.longitude))
    if same_street and same_point and all(fields[column] == value for column, value in draft.fields.items()):
        return known
    point = draft.point or ((known.latitude, known.longitude) if same_street else None)
    return AddressDraft(street_address=draft.street_address or known.street_address, point=point, fields={**fields, **draft.fields})


def _ask(text: str) -> tuple[places.Place | None, bool]:
    """The geocoder's answer, and whether its silence means nothing: it is down, or knows but a few places."""
    geocoder = places.geocoder()
    try:
        return geocoder.locate(text), not geocoder.is_authoritative
    except places.GeocoderDown:
        return None, True


def fill_windows(stops: Sequence[StopDraft], *, seconds: int) -> None:
    """Windows that were not given: a pickup ends `seconds` before the first dropoff does; every window takes 15 minutes."""
    first = next((stop for stop in stops if stop.type == TaskType.DROPOFF), None)
    due = first and (first.before or (first.after and first.after + USUAL_WINDOW))
    for stop in stops:
        if stop.before is None and stop.after is not None:
            stop.before = stop.after + USUAL_WINDOW
        if stop.before is None and due and stop.type == TaskType.PICKUP:
            stop.before = due - timedelta(seconds=seconds)
        if stop.after is None and stop.before is not None:
            stop.after = stop.before - USUAL_WINDOW


def check_windows(stops: Sequence[StopDraft]) -> None:
    """Raise `Invalid` for stops without time, windows turned round, and dropoffs that come before the pickup."""
    problems = _blank_windows(stops)
    for number, stop in enumerate(stops):
        if stop.after and stop.before and stop.after >= stop.before:
            problems.append(BadStopWindow("The time frame is not valid", path=("tasks", number, "before")))
    if not problems:
        pickups = [stop.before for stop in stops if stop.type == TaskType.PICKUP and stop.before]
        dropoffs = [stop.before for stop in stops if stop.type == TaskType.DROPOFF and stop.before]
        if pickups and any(due < min(pickups) for due in dropoffs):
            problems.append(WrongOrder("Dropoff date must be after pickup date.", path=("tasks",)))
    if problems:
        raise Invalid(*problems)


def _blank_windows(stops: Sequence[StopDraft]) -> list[Refused]:
    """A dropoff needs a time; a pickup can be told from its dropoff's."""
    blank = {number: stop for number, stop in enumerate(stops) if stop.before is None and stop.after is None}
    due = any(stop.type == TaskType.DROPOFF and number not in blank for number, stop in enumerate(stops))
    return [
        Missing("This value should not be blank.", path=("tasks", number, "before"))
        for number, stop in blank.items()
        if stop.type == TaskType.DROPOFF or not due
    ]
