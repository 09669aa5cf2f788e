"""A delivery that is about to be booked, as the rules of its store's price list see it."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from deliveries.stops import Located, StopDraft
from quotes import price_lists
from quotes.pricing import counting
from quotes.pricing.counting import Price
from quotes.pricing.facts import Facts, Packed, Stop, StopType
from stores import schedules
from stores.models import Store
from stores.refusals import Refused

SLOT_NAME = "/api/time_slots/{}"
"""How rules name a time slot: by the IRI that those who write them know."""


class NoPriceList(Refused):
    """The store has no price list."""

    code = "no_price_list"


def price(
    store: Store,
    stops: Sequence[StopDraft],
    located: Sequence[Located],
    distance_m: int,
    *,
    at: datetime,
    supplements: Sequence[tuple[int, int]] = (),
) -> Price:
    """What the store's price list makes of a delivery; `supplements` are (rule id, quantity). One query, three when slots matter.

    Raises `NoPriceList`, and whatever `counting.price` and `price_lists.supplements` do.
    """
    row = store.pricing_rule_set
    if row is None:
        raise NoPriceList("No pricing configured")
    rules = price_lists.read(row)
    seen = facts(store, stops, located, distance_m, at=at, with_slots=rules.asks_slot())
    added = price_lists.supplements(rules, supplements)
    return counting.price(rules, seen, vat=settings.RELAIS_VAT_PERCENT, supplements=added)


def facts(
    store: Store, stops: Sequence[StopDraft], located: Sequence[Located], distance_m: int, *, at: datetime, with_slots: bool
) -> Facts:
    """The delivery as rules see it: its whole load is that of the dropoffs, or of the pickups when they carry nothing."""
    offered = _offered(store, at=at) if with_slots else []
    seen = [
        Stop(
            type=StopType(stop.type),
            point=place.point,
            created_at=at,
            after=stop.window[0],
            before=stop.window[1],
            doorstep=stop.doorstep,
            weight=stop.weight,
            packages=_packed(stop),
            slot=SLOT_NAME.format(store.time_slot_id) if stop.window in offered else None,
        )
        for stop, place in zip(stops, located, strict=True)
    ]
    dropoffs = [stop for stop in seen if stop.type == StopType.DROPOFF]
    laden = [stop for stop in dropoffs if stop.weight or stop.packages] or [stop for stop in seen if stop not in dropoffs]
    weights = [stop.weight for stop in laden if stop.weight is not None]
    return Facts(
        distance=distance_m,
        stops=seen,
        tz=ZoneInfo(settings.TIME_ZONE),
        weight=sum(weights) if weights else None,
        packages=tuple(package for stop in laden for package in stop.packages),
    )


def _packed(stop: StopDraft) -> tuple[Packed, ...]:
    return tuple(Packed(each["name"], each["short_code"], each["volume"], each["quantity"]) for each in stop.packages)


def _offered(store: Store, *, at: datetime) -> list[schedules.Range]:
    if store.time_slot is None:
        return []
    return schedules.choices(store.time_slot.rules, now=at, tz=ZoneInfo(settings.TIME_ZONE), country=settings.RELAIS_COUNTRY)
