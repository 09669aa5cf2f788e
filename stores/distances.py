"""How far and how long: routes through points, from a routing server or along the great circle."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Protocol

import httpx
from django.conf import settings

from stores.places import Point, great_circle_m

logger = logging.getLogger(__name__)

LARGEST = 2**31 - 1
DETOUR_FACTOR = 1.3
SPEED_KMH = 15.0


@dataclass(frozen=True)
class Route:
    """Metres, seconds, and the way as an encoded polyline of five decimals."""

    distance_m: int
    duration_s: int
    polyline: str


class Router(Protocol):
    """Finds the way through points, in the order given."""

    def route(self, points: Sequence[Point]) -> Route:
        """The way; never fails. Fewer than two points are a way of no length."""


class GreatCircleRouter:
    """Straight lines, stretched by what streets add to them, at a cyclist's speed."""

    def __init__(self, detour_factor: float = DETOUR_FACTOR, speed_kmh: float = SPEED_KMH) -> None:
        self._detour_factor = detour_factor
        self._metres_per_second = speed_kmh / 3.6

    def route(self, points: Sequence[Point]) -> Route:
        """The straight way from point to point."""
        distance = sum(great_circle_m(start, end) for start, end in pairwise(points)) * self._detour_factor
        return Route(round(distance), round(distance / self._metres_per_second), encode_polyline(points))


class _ServerRouter:
    """A routing server, and the great circle for when it is down or talks nonsense."""

    def __init__(self, url: str, timeout: float, fallback: Router | None = None) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=timeout)
        self._fallback = fallback or GreatCircleRouter()

    def route(self, points: Sequence[Point]) -> Route:
        """The way as the server knows it; one request, waited for no longer than the timeout."""
        if len(points) < 2:
            return self._fallback.route(points)
        try:
            return self._ask(points)
        except (httpx.HTTPError, httpx.InvalidURL, LookupError, TypeError, ValueError) as error:
            logger.warning("Routing server %s failed (%r); using the great circle.", self._url, error)
            return self._fallback.route(points)

    def _ask(self, points: Sequence[Point]) -> Route:
        raise NotImplementedError


class OsrmRouter(_ServerRouter):
    """OSRM's route service, version 1; `profile` is the one the server was built with."""

    def __init__(self, url: str, timeout: float, fallback: Router | None = None, *, profile: str = "bike") -> None:
        super().__init__(url, timeout, fallback)
        self._profile = profile

    def _ask(self, points: Sequence[Point]) -> Route:
        path = ";".join(f"{point.longitude:.6f},{point.latitude:.6f}" for point in points)
        answer = self._client.get(f"{self._url}/route/v1/{self._profile}/{path}", params={"overview": "full", "geometries": "polyline"})
        best = _json(answer)["routes"][0]
        return Route(_count(best["distance"]), _count(best["duration"]), encode_polyline(decode_polyline(best["geometry"])))


class ValhallaRouter(_ServerRouter):
    """Valhalla's route service, for bicycles."""

    def _ask(self, points: Sequence[Point]) -> Route:
        stops = [{"lat": point.latitude, "lon": point.longitude} for point in points]
        answer = self._client.post(f"{self._url}/route", json={"locations": stops, "costing": "bicycle", "units": "kilometers"})
        trip = _json(answer)["trip"]
        way: list[Point] = []
        for leg in trip["legs"]:
            shape = decode_polyline(leg["shape"], precision=6)
            # A leg begins where the one before it ended.
            way += shape[1:] if way and shape[:1] == way[-1:] else shape
        if not way:
            raise ValueError("a way without a shape")
        return Route(_count(trip["summary"]["length"] * 1000), _count(trip["summary"]["time"]), encode_polyline(way))


def build_router(
    kind: str, url: str = "", timeout: float = 3.0, *, detour_factor: float = DETOUR_FACTOR, speed_kmh: float = SPEED_KMH
) -> Router:
    """The router of a kind: "great_circle", "osrm" or "valhalla"; the last two need their server's URL. Raises ValueError."""
    great_circle = GreatCircleRouter(detour_factor, speed_kmh)
    if kind == "great_circle":
        return great_circle
    servers: dict[str, type[OsrmRouter | ValhallaRouter]] = {"osrm": OsrmRouter, "valhalla": ValhallaRouter}
    if kind not in servers:
        raise ValueError(f"There is no router “{kind}”; choose one of great_circle, osrm, valhalla.")
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"The router “{kind}” needs the http or https URL of its server, not “{url}”.")
    return servers[kind](url, timeout, great_circle)


@cache
def router() -> Router:
    """The router of the settings."""
    return build_router(settings.ROUTER, settings.ROUTER_URL, settings.ROUTER_TIMEOUT, detour_factor=settings.DETOUR_FACTOR)


def encode_polyline(points: Iterable[Point], *, precision: int = 5) -> str:
    """Points in Google's encoded polyline format."""
    scale = 10**precision
    text: list[str] = []
    before = (0, 0)
    for point in points:
        here = (round(point.latitude * scale), round(point.longitude * scale))
        text += (_encoded(here[0] - before[0]), _encoded(here[1] - before[1]))
        before = here
    return "".join(text)


def decode_polyline(text: str, *, precision: int = 5) -> list[Point]:
    """The points of an encoded polyline; raises ValueError (or a refusal of the points) for anything else."""
    scale = 10**precision
    steps = _decoded(text)
    if len(steps) % 2:
        raise ValueError("a polyline that ends in the middle of a point")
    points: list[Point] = []
    latitude = longitude = 0
    for rise, turn in zip(steps[::2], steps[1::2], strict=True):
        latitude, longitude = latitude + rise, longitude + turn
        if abs(latitude) > 90 * scale or abs(longitude) > 180 * scale:
            raise ValueError("a polyline that leaves the Earth")
        points.append(Point(latitude / scale, longitude / scale))
    return points


def _encoded(step: int) -> str:
    """Five bits a letter, lowest first; the lowest bit of all is the sign."""
    rest = ~(step << 1) if step < 0 else step << 1
    letters = ""
    while rest >= 0x20:
        letters += chr((0x20 | (rest & 0x1F)) + 63)
        rest >>= 5
    return letters + chr(rest + 63)


def _decoded(text: str) -> list[int]:
    steps: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 63
        if not 0 <= bits < 0x40 or shift > 60:
            raise ValueError("a polyline with foreign letters")
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits < 0x20:
            steps.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift:
        raise ValueError("a polyline that ends in the middle of a number")
    return steps


def _json(answer: httpx.Response) -> Any:
    answer.raise_for_status()
    return answer.json()


def _count(number: Any) -> int:
    """A whole number of metres or seconds; TypeError or ValueError for what cannot be one."""
    if isinstance(number, bool) or not 0 <= number <= LARGEST:
        raise ValueError(f"{number!r} is no distance or duration")
    whole: int = round(number)
    return whole
