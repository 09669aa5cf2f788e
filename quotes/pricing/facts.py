"""What rules may ask about: a delivery with its stops, and each stop by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from functools import cached_property

from stores.places import Point

NO_DISTANCE = -1
"""What the distance of a single stop is said to be."""

Zones = Callable[[str, Point], bool]


class StopType(StrEnum):
    """Whether something is picked up or dropped off."""

    PICKUP = "PICKUP"
    DROPOFF = "DROPOFF"


def no_zones(name: str, point: Point) -> bool:
    """Nothing lies in a zone that nobody knows."""
    return False


@dataclass(frozen=True, slots=True)
class Packed:
    """So many packages of one kind; `volume` is that of one, in units."""

    name: str
    short_code: str
    volume: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A point of the way. `weight` in grams, None when unknown; `slot` names the time slot that its window belongs to."""

    type: StopType
    point: Point
    created_at: datetime
    after: datetime
    before: datetime
    doorstep: bool = False
    weight: int | None = None
    packages: tuple[Packed, ...] = ()
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What one evaluation of a rule is about: the whole delivery, or one of its stops."""

    distance: int
    weight: int | None
    packages: tuple[Packed, ...]
    pickup: Stop | None
    dropoff: Stop | None
    task_type: str | None
    slot: str | None
    vehicle: str
    items_total: int
    zones: Zones
    tz: tzinfo
    quantity: int = 1

    def count(self, name: str) -> int:
        """How many packages of that name or short code."""
        return sum(each.quantity for each in self.packages if name in (each.name, each.short_code))

    def volume(self) -> int:
        """The room that all packages take."""
        return sum(each.volume * each.quantity for each in self.packages)


@dataclass(frozen=True)
class Facts:
    """A delivery as rules see it: `stops` in order of travel, `distance` in metres, `weight` and `packages` of the whole."""

    distance: int
    stops: Sequence[Stop]
    tz: tzinfo
    weight: int | None = None
    packages: tuple[Packed, ...] = ()
    vehicle: str = "bike"
    items_total: int = 0
    zones: Zones = field(default=no_zones)

    @cached_property
    def whole(self) -> Subject:
        """The delivery from its first pickup to its last dropoff."""
        pickup = next((stop for stop in self.stops if stop.type == StopType.PICKUP), None)
        dropoff = next((stop for stop in reversed(self.stops) if stop.type == StopType.DROPOFF), None)
        slots = [stop.slot for stop in (dropoff, pickup) if stop is not None and stop.slot]
        return self._subject(self.distance, self.weight, self.packages, pickup, dropoff, slot=slots[0] if slots else None)

    @cached_property
    def each(self) -> list[Subject]:
        """Each stop by itself."""
        return [
            self._subject(
                NO_DISTANCE,
                stop.weight,
                stop.packages,
                stop if stop.type == StopType.PICKUP else None,
                stop if stop.type == StopType.DROPOFF else None,
                task_type=str(stop.type),
                slot=stop.slot,
            )
            for stop in self.stops
        ]

    def _subject(
        self,
        distance: int,
        weight: int | None,
        packages: tuple[Packed, ...],
        pickup: Stop | None,
        dropoff: Stop | None,
        *,
        slot: str | None,
        task_type: str | None = None,
    ) -> Subject:
        return Subject(
            distance=distance,
            weight=weight,
            packages=packages,
            pickup=pickup,
            dropoff=dropoff,
            task_type=task_type,
            slot=slot,
            vehicle=self.vehicle,
            items_total=self.items_total,
            zones=self.zones,
            tz=self.tz,
        )
