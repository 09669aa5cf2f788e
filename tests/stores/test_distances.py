"""Routes come from the routing server when it answers sense, and from the great circle when it does not."""

import json
import logging
from collections.abc import Iterator

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from stores import distances
from stores.distances import GreatCircleRouter, OsrmRouter, Route, ValhallaRouter, build_router, decode_polyline, encode_polyline
from stores.places import Point, great_circle_m
from tests.stores.loopback import Loopback, serving

RIVOLI, PAIX, BERCY = Point(48.8566, 2.3548), Point(48.8694, 2.3312), Point(48.8386, 2.3785)
WAY = encode_polyline([RIVOLI, Point(48.86, 2.34), PAIX])


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with serving() as server:
        yield server


# Polylines


def test_the_example_everyone_uses() -> None:
    points = [Point(38.5, -120.2), Point(40.7, -120.95), Point(43.252, -126.453)]
    assert encode_polyline(points) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"
    assert decode_polyline("_p~iF~ps|U_ulLnnqC_mqNvxq`@") == points


@given(st.lists(st.builds(Point, st.floats(-90, 90), st.floats(-180, 180)), max_size=20), st.sampled_from([5, 6]))
def test_encoding_and_decoding_are_inverse_up_to_the_precision(points: list[Point], precision: int) -> None:
    decoded = decode_polyline(encode_polyline(points, precision=precision), precision=precision)
    assert len(decoded) == len(points)
    for before, after in zip(points, decoded, strict=True):
        assert after.latitude == pytest.approx(before.latitude, abs=0.51 * 10**-precision)
        assert after.longitude == pytest.approx(before.longitude, abs=0.51 * 10**-precision)


@pytest.mark.parametrize("text", ["_", "_p~iF", "_p~iF~", "é", " ", "\x00\x00", "~" * 50 + "?", "_ibE_gr{hJ"])
def test_broken_polylines_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a polyline"):
        decode_polyline(text)


# The great circle


def test_the_straight_way_is_stretched_and_timed() -> None:
    route = GreatCircleRouter(detour_factor=1.3, speed_kmh=15).route([RIVOLI, PAIX])
    assert route.distance_m == round(great_circle_m(RIVOLI, PAIX) * 1.3)
    assert route.duration_s == pytest.approx(route.distance_m / 15_000 * 3600, abs=1)
    assert decode_polyline(route.polyline) == [RIVOLI, PAIX]


def test_stops_add_up_and_no_way_is_no_length() -> None:
    router = GreatCircleRouter()
    whole, first, second = router.route([RIVOLI, PAIX, BERCY]), router.route([RIVOLI, PAIX]), router.route([PAIX, BERCY])
    assert whole.distance_m == pytest.approx(first.distance_m + second.distance_m, abs=1)
    assert router.route([RIVOLI]) == Route(0, 0, encode_polyline([RIVOLI]))
    assert router.route([]) == Route(0, 0, "")


# Servers


def osrm(**best: object) -> bytes:
    return json.dumps({"code": "Ok", "routes": [{"distance": 2137.4, "duration": 612.5, "geometry": WAY, **best}]}).encode()


def valhalla(**trip: object) -> bytes:
    legs = [
        {"shape": encode_polyline([RIVOLI, PAIX], precision=6), "summary": {"length": 2.5, "time": 700}},
        {"shape": encode_polyline([PAIX, BERCY], precision=6), "summary": {"length": 4.9, "time": 1300}},
    ]
    return json.dumps({"trip": {"status": 0, "legs": legs, "summary": {"length": 7.4561, "time": 2000.4}, **trip}}).encode()


def test_osrm_is_asked_and_understood(loopback: Loopback) -> None:
    loopback.body = osrm()
    assert OsrmRouter(loopback.url + "/", 5).route([RIVOLI, PAIX]) == Route(2137, 612, WAY)
    path, _ = loopback.asked[0]
    assert path.startswith("/route/v1/bike/2.354800,48.856600;2.331200,48.869400?")
    assert "geometries=polyline" in path
    assert "overview=full" in path


def test_valhalla_is_asked_and_its_finer_lines_are_joined_and_rewritten(loopback: Loopback) -> None:
    loopback.body = valhalla()
    assert ValhallaRouter(loopback.url, 5).route([RIVOLI, PAIX, BERCY]) == Route(7456, 2000, encode_polyline([RIVOLI, PAIX, BERCY]))
    path, question = loopback.asked[0]
    assert path == "/route"
    assert json.loads(question)["locations"][0] == {"lat": 48.8566, "lon": 2.3548}


ANSWERS = [
    b"",
    b"<html>",
    b"{}",
    b"[]",
    b"null",
    b"7",
    b"\xff\xfe",
    b'{"code": "NoRoute", "routes": []}',
    b'{"routes": {}}',
    b'{"routes": [7]}',
    b'{"trip": 7}',
    b'{"trip": {"legs": [], "summary": {"length": 1, "time": 1}}}',
    b'{"trip": {"legs": 7}}',
    osrm(distance=-1),
    osrm(distance="far"),
    osrm(distance=float("nan")),
    osrm(distance=True),
    osrm(distance=10**400),
    osrm(duration=float("inf")),
    osrm(duration=None),
    osrm(geometry=None),
    osrm(geometry={"type": "LineString"}),
    osrm(geometry="_p~iF"),
    valhalla(summary={"length": "7", "time": 1}),
    valhalla(summary={"length": -7, "time": 1}),
    valhalla(legs=[{"shape": 7}]),
    valhalla(legs=[{"shape": ""}]),
]


@pytest.mark.parametrize("kind", ["osrm", "valhalla"])
@pytest.mark.parametrize("body", ANSWERS)
def test_nonsense_falls_back_to_the_great_circle(loopback: Loopback, kind: str, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    loopback.body = body
    with caplog.at_level(logging.WARNING, logger="stores.distances"):
        route = build_router(kind, loopback.url, 5, detour_factor=2).route([RIVOLI, PAIX])
    assert route == GreatCircleRouter(detour_factor=2).route([RIVOLI, PAIX])
    assert loopback.asked
    assert loopback.url in caplog.text


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
def test_errors_fall_back_to_the_great_circle(loopback: Loopback, status: int) -> None:
    loopback.status, loopback.body = status, osrm()
    assert OsrmRouter(loopback.url, 5).route([RIVOLI, PAIX]) == GreatCircleRouter().route([RIVOLI, PAIX])


def test_silence_is_not_waited_for_beyond_the_timeout(loopback: Loopback) -> None:
    loopback.answering.clear()
    assert ValhallaRouter(loopback.url, 0.1).route([RIVOLI, PAIX]) == GreatCircleRouter().route([RIVOLI, PAIX])


def test_nobody_there_falls_back_to_the_great_circle() -> None:
    with serving() as gone:
        router = OsrmRouter(gone.url, 5)
    assert router.route([RIVOLI, PAIX]) == GreatCircleRouter().route([RIVOLI, PAIX])


def test_a_single_point_is_not_worth_a_question(loopback: Loopback) -> None:
    assert OsrmRouter(loopback.url, 5).route([RIVOLI]).distance_m == 0
    assert loopback.asked == []


# Choosing


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("great_circle", GreatCircleRouter), ("osrm", OsrmRouter), ("valhalla", ValhallaRouter)],
)
def test_kinds_of_routers(kind: str, expected: type) -> None:
    assert type(build_router(kind, "http://127.0.0.1:5000")) is expected


def test_unknown_kinds_and_missing_urls_are_named() -> None:
    with pytest.raises(ValueError, match="There is no router “broom”"):
        build_router("broom")
    for url in ("", "localhost:5000", "ftp://localhost"):
        with pytest.raises(ValueError, match="needs the http or https URL"):
            build_router("osrm", url)


@override_settings(ROUTER="osrm", ROUTER_URL="http://127.0.0.1:5000", ROUTER_TIMEOUT=2.0, DETOUR_FACTOR=1.5)
def test_the_settings_choose_the_router_once() -> None:
    distances.router.cache_clear()
    try:
        assert isinstance(distances.router(), OsrmRouter)
        assert distances.router() is distances.router()
    finally:
        distances.router.cache_clear()
