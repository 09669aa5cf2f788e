"""A geocoder that knows what it is told."""

from dataclasses import dataclass, field

from django.db import connection

from stores.places import GeocoderDown, Place


@dataclass
class FakeGeocoder:
    """Knows what it is told, and never answers inside a transaction."""

    known: dict[str, Place] = field(default_factory=dict)
    is_authoritative: bool = True
    down: bool = False
    may_be_atomic: bool = True
    asked: list[str] = field(default_factory=list)

    def locate(self, text: str) -> Place | None:
        assert self.may_be_atomic or not connection.in_atomic_block
        self.asked.append(text)
        if self.down:
            raise GeocoderDown("The geocoding service does not answer.")
        return self.known.get(text)
