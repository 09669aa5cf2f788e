"""Where things are: points, addresses, and the geocoders that turn one into the other."""

import csv
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

import geopy.geocoders
from django.conf import settings
from geopy.exc import GeocoderNotFound, GeocoderQueryError, GeopyError

from stores.refusals import Refused

EARTH_RADIUS_M = 6_371_008.8
COUNTRY_NAMES = {"FR": "France", "PT": "Portugal"}
GEOPY_NAMES = {"ban": "banfrance"}

_DECIMAL = re.compile(r"\s*[+-]?\d{1,3}(?:\.\d{1,20})?\s*", re.ASCII)
_POSTAL_CODE = re.compile(r"(?:\b[a-z]-)?\b(\d{5}|\d{4}-\d{3})\b", re.ASCII)
_BIS = re.compile(r"\b(\d{1,4}) ?([btq])(?:is|er|uater)\b", re.ASCII)
_HOUSE_NUMBER = re.compile(r"\d{1,4}[a-z]?", re.ASCII)
_DISTRICT = re.compile(r"(?:0?[1-9]|1\d|20)(?:e|er|eme|th|st|nd|rd)?", re.ASCII)
_SAME_WORD = {
    "avenue": "av",
    "avenida": "av",
    "ave": "av",
    "boulevard": "bd",
    "blvd": "bd",
    "boul": "bd",
    "place": "pl",
    "faubourg": "fg",
    "fbg": "fg",
    "saint": "st",
    "sainte": "ste",
    "r": "rue",
    "lisbon": "lisboa",
    "lisbonne": "lisboa",
}


class BadPoint(Refused):
    """The numbers are no place on Earth."""

    code: ClassVar[str] = "bad_point"


class GeocoderDown(Refused):
    """The geocoding service does not answer, or answers nonsense; the address may well be right."""

    code: ClassVar[str] = "geocoder_down"


@dataclass(frozen=True)
class Point:
    """Degrees on the WGS 84 ellipsoid; raises `BadPoint` when out of range."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        # Written so that NaN, which is neither above nor below anything, fails too.
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise BadPoint(f"{self.latitude}, {self.longitude} is not a point: latitude goes from -90 to 90, longitude from -180 to 180.")

    @classmethod
    def parse(cls, latitude: object, longitude: object) -> "Point":
        """Read numbers or decimal strings, as either dialect sends them; raises `BadPoint`."""
        return cls(_degrees(latitude), _degrees(longitude))


@dataclass(frozen=True)
class Place:
    """An address and, when known, where it is; `country` is ISO 3166 alpha-2."""

    street_address: str
    postal_code: str = ""
    locality: str = ""
    country: str = ""
    point: Point | None = None

    def __str__(self) -> str:
        town = f"{self.postal_code} {self.locality}".strip()
        return ", ".join(part for part in (self.street_address, town, COUNTRY_NAMES.get(self.country, self.country)) if part)


class Geocoder(Protocol):
    """Finds the place that an address names."""

    is_authoritative: bool
    """Whether "not found" means that the address does not exist."""

    def locate(self, text: str) -> Place | None:
        """The place, or None when nothing is found; raises `GeocoderDown`."""


def great_circle_m(a: Point, b: Point) -> float:
    """Metres along the surface between two points."""
    a_latitude, b_latitude = math.radians(a.latitude), math.radians(b.latitude)
    rise = math.sin((b_latitude - a_latitude) / 2) ** 2
    turn = math.sin(math.radians(b.longitude - a.longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, rise + math.cos(a_latitude) * math.cos(b_latitude) * turn)))


class Gazetteer:
    """A fixed list of places: works without a network, knows little, and says so by not being authoritative."""

    is_authoritative = False

    def __init__(self, places: Iterable[Place]) -> None:
        self._by_street: dict[tuple[str, tuple[str, ...]], list[Place]] = {}
        for place in places:
            number, *street = _tokens(place.street_address)
            self._by_street.setdefault((number, tuple(street)), []).append(place)

    @classmethod
    def from_csv(cls, path: Path) -> "Gazetteer":
        """Load a table with the columns street_address, postal_code, locality, country, latitude, longitude."""
        with path.open(encoding="utf-8", newline="") as lines:
            return cls(
                Place(
                    street_address=row["street_address"],
                    postal_code=row["postal_code"],
                    locality=row["locality"],
                    country=row["country"],
                    point=Point.parse(row["latitude"], row["longitude"]),
                )
                for row in csv.DictReader(lines)
            )

    def locate(self, text: str) -> Place | None:
        """The one listed place that the text names; None when there is none, or more than one.

        Case, accents and punctuation don't count; postal code, town and country may be left out but not be wrong.
        """
        codes, words = _split_postal_code(text)
        found = {
            place
            for number, street, rest in _readings(words)
            for place in self._by_street.get((number, street), ())
            if codes <= {place.postal_code} and _names_town_of(place, rest)
        }
        return found.pop() if len(found) == 1 else None


class GeopyGeocoder:
    """Any geocoding service that geopy knows, such as nominatim, banfrance, photon or googlev3."""

    is_authoritative = True

    def __init__(self, service: Any, query: Mapping[str, Any]) -> None:
        self._service = service
        self._query = dict(query)

    def locate(self, text: str) -> Place | None:
        """Ask the service; the street falls back to the text as given when the service names none."""
        try:
            found = self._service.geocode(text, **self._query)
            return None if found is None else _place(found.raw, Point(found.latitude, found.longitude), text)
        except GeocoderQueryError:
            return None
        except (GeopyError, BadPoint, LookupError, TypeError, ValueError, AttributeError) as error:
            # What the parsers stumble over is an answer of another shape than the service promises.
            raise GeocoderDown("The geocoding service does not answer.") from error


def build_geocoder(name: str, options: Mapping[str, Any], timeout: float) -> Geocoder:
    """The geocoder of a name: "gazetteer", "ban", or a service of geopy with its own options; `timeout` in seconds.

    The option "query" holds what goes along with every question, such as {"country_codes": "fr"}. Raises ValueError.
    """
    if name == "gazetteer":
        return Gazetteer.from_csv(Path(__file__).with_name("gazetteer.csv"))
    settings_of_service = {"timeout": timeout, "user_agent": "relais", **options}
    query = dict(settings_of_service.pop("query", {}))
    if name == "nominatim":
        query.setdefault("addressdetails", True)
    try:
        return GeopyGeocoder(geopy.geocoders.get_geocoder_for_service(GEOPY_NAMES.get(name, name))(**settings_of_service), query)
    except GeocoderNotFound as error:
        known = ", ".join(sorted({"gazetteer", *GEOPY_NAMES, *geopy.geocoders.SERVICE_TO_GEOCODER}))
        raise ValueError(f"There is no geocoder “{name}”; choose one of {known}.") from error
    except (TypeError, GeopyError) as error:
        raise ValueError(f"The geocoder “{name}” does not take these options: {error}") from error


@cache
def geocoder() -> Geocoder:
    """The geocoder of the settings."""
    return build_geocoder(settings.GEOCODER, settings.GEOCODER_OPTIONS, settings.GEOCODER_TIMEOUT)


def _degrees(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 180:
        return float(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value)
    raise BadPoint(f"“{str(value)[:40]}” is not a coordinate in degrees.")


# Addresses as words


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold().replace("\u0153", "oe"))
    words = re.sub(r"[^a-z0-9]+", " ", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    return [_SAME_WORD.get(word, word) for word in _BIS.sub(r"\1\2", words).split()]


def _split_postal_code(text: str) -> tuple[set[str], list[str]]:
    lowered = text.casefold()
    return set(_POSTAL_CODE.findall(lowered)), _tokens(_POSTAL_CODE.sub(" ", lowered))


def _readings(words: list[str]) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    """Every way to cut words into house number, street and rest, with the number before the street or after it."""
    for position, word in enumerate(words):
        if not _HOUSE_NUMBER.fullmatch(word):
            continue
        if position == 0:
            for end in range(2, len(words) + 1):
                yield word, tuple(words[1:end]), words[end:]
        else:
            yield word, tuple(words[:position]), words[position + 1 :]


def _names_town_of(place: Place, words: list[str]) -> bool:
    """True when the words are town and country of the place, or one of them, or nothing; a city district may follow the town."""
    rest = list(words)
    country = [place.country.lower()], _tokens(COUNTRY_NAMES.get(place.country, place.country))
    for name in country:
        if rest[-len(name) :] == name:
            del rest[-len(name) :]
            break
    town = _tokens(place.locality)
    if rest[: len(town)] == town:
        del rest[: len(town)]
        if rest and _DISTRICT.fullmatch(rest[0]):
            del rest[0]
            if rest == ["arrondissement"]:
                rest.clear()
    return not rest


# Answers of geocoding services


def _place(raw: object, point: Point, text: str) -> Place:
    """The address inside an answer; each service has its own words for the same parts."""
    parts = _parts(raw)

    def first(*names: str) -> str:
        return next((value for name in names if (value := parts.get(name, ""))), "")

    street = first("road", "pedestrian", "footway", "street", "route")
    number = first("house_number", "housenumber", "street_number")
    return Place(
        street_address=f"{number} {street}".strip() if street else text.strip(),
        postal_code=first("postcode", "postal_code"),
        locality=first("city", "town", "village", "municipality", "locality", "postal_town"),
        country=first("country_code", "countrycode").upper(),
        point=point,
    )


def _parts(raw: object) -> dict[str, str]:
    if not isinstance(raw, dict):
        return {}
    parts = raw.get("address") or raw.get("properties")
    if isinstance(parts, dict):
        return {name: str(value) for name, value in parts.items() if isinstance(value, str | int)}
    parts = {}
    components = raw.get("address_components")
    for component in components if isinstance(components, list) else ():
        for kind in component.get("types", ()):
            parts["country_code" if kind == "country" else kind] = str(
                component.get("short_name" if kind == "country" else "long_name", "")
            )
    return parts
