"""Points are on Earth, distances are right, and addresses are found or not for good reasons."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from stores import places
from stores.places import BadPoint, Gazetteer, GeocoderDown, GeopyGeocoder, Place, Point
from tests.stores.loopback import Loopback, serving

PARIS, LISBON, NEW_YORK = Point(48.8566, 2.3522), Point(38.7223, -9.1393), Point(40.7128, -74.0060)
POINTS = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize("bad", [(90.1, 0), (-90.1, 0), (0, 180.1), (0, -181), (math.nan, 0), (0, math.nan), (math.inf, 0)])
def test_a_point_is_on_earth(bad: tuple[float, float]) -> None:
    with pytest.raises(BadPoint) as refusal:
        Point(*bad)
    assert refusal.value.code == "bad_point"


@pytest.mark.parametrize(
    ("latitude", "longitude", "point"),
    [
        ("48.856614", "2.3522219", Point(48.856614, 2.3522219)),
        (48.8, 2, Point(48.8, 2.0)),
        (" -90 ", "+180.0", Point(-90, 180)),
    ],
)
def test_coordinates_come_as_numbers_or_texts(latitude: object, longitude: object, point: Point) -> None:
    assert Point.parse(latitude, longitude) == point


@pytest.mark.parametrize(
    "bad", ["", "abc", "nan", "inf", "1e1", "1_0", "0x1", "91", "48,85", None, True, [], {}, math.nan, 10**400, "9" * 5000]
)
def test_other_coordinates_are_refused(bad: object) -> None:
    with pytest.raises(BadPoint):
        Point.parse(bad, 2.35)


@pytest.mark.parametrize(("a", "b", "km"), [(PARIS, LISBON, 1453), (PARIS, NEW_YORK, 5837), (Point(0, 0), Point(0, 180), 20015)])
def test_known_distances(a: Point, b: Point, km: int) -> None:
    assert places.great_circle_m(a, b) / 1000 == pytest.approx(km, rel=0.002)


@given(POINTS, POINTS)
def test_a_distance_is_the_same_both_ways_and_never_beyond_half_the_earth(a: Point, b: Point) -> None:
    distance = places.great_circle_m(a, b)
    assert 0 <= distance <= math.pi * places.EARTH_RADIUS_M + 1
    assert distance == pytest.approx(places.great_circle_m(b, a), abs=1e-3)
    assert places.great_circle_m(a, a) == 0


# The gazetteer


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    found = places.build_geocoder("gazetteer", {}, 1)
    assert isinstance(found, Gazetteer)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "48, Rue de Rivoli",
        "48, Rue de Rivoli, Paris, France",
        "48, Rue de Rivoli, 75004 Paris",
        "48 rue de rivoli 75004 paris france",
        "48 RUE DE RIVOLI; PARIS",
        "Rue de Rivoli 48, 75004 Paris",
        "48 r. de Rivoli, Paris 4e",
        "48, Rue de Rivoli, Paris 4e arrondissement, France",
        "48 Rue de Rivoli, F-75004 Paris, FR",
    ],
)
def test_one_address_however_it_is_written(gazetteer: Gazetteer, text: str) -> None:
    found = gazetteer.locate(text)
    assert found is not None
    assert str(found) == "48 Rue de Rivoli, 75004 Paris, France"
    assert found.point is not None
    assert places.great_circle_m(found.point, Point(48.8566, 2.3548)) < 50


@pytest.mark.parametrize(
    ("text", "street"),
    [
        ("24, Rue de la Paix, Paris, France", "24 Rue de la Paix"),
        ("99 av. des champs elysees paris", "99 Avenue des Champs-Élysées"),
        ("170 bd St Germain, Paris", "170 Boulevard Saint-Germain"),
        ("1 place du trocadero et du 11 novembre, paris", "1 Place du Trocadéro et du 11 Novembre"),
        ("84 rua de belem, Lisbon", "84 Rua de Belém"),
        ("Avenida 24 de Julho 49, 1200-479 Lisboa, Portugal", "49 Avenida 24 de Julho"),
    ],
)
def test_accents_and_short_forms_do_not_matter(gazetteer: Gazetteer, text: str, street: str) -> None:
    found = gazetteer.locate(text)
    assert found is not None
    assert found.street_address == street


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Paris",
        "48",
        "Rue de Rivoli",
        "49, Rue de Rivoli, Paris",
        "48, Rue de Rivoli, Lyon",
        "48, Rue de Rivoli, 69001 Paris",
        "48, Rue de Rivoli, Paris, Portugal",
        "48, Rue de Rivoli, Paris, Texas",
        "48, Rue de Rivoli, France, Paris",
        "INVALID ADDRESS",
        "\x00",
        "1 " * 500,
    ],
)
def test_what_is_wrong_or_unknown_is_not_found(gazetteer: Gazetteer, text: str) -> None:
    assert gazetteer.locate(text) is None


def test_every_listed_place_finds_itself(gazetteer: Gazetteer) -> None:
    lines = (Path(places.__file__).with_name("gazetteer.csv")).read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) > 80
    for line in lines:
        street, postal_code, locality, country, latitude, longitude = line.split(",")
        place = Place(street, postal_code, locality, country, Point(float(latitude), float(longitude)))
        for text in (street, str(place), f"{street}, {locality}", str(place).upper()):
            assert gazetteer.locate(text) == place


def test_a_street_of_two_towns_needs_its_town() -> None:
    here, there = Place("1 Rue Haute", "75001", "Paris", "FR", PARIS), Place("1 Rue Haute", "69001", "Lyon", "FR", LISBON)
    gazetteer = Gazetteer([here, there])
    assert gazetteer.locate("1 Rue Haute") is None
    assert gazetteer.locate("1 Rue Haute, Lyon") == there
    assert gazetteer.locate("1 Rue Haute, 75001") == here


def test_house_numbers_with_a_suffix() -> None:
    place = Place("12 bis Rue Haute", "75001", "Paris", "FR", PARIS)
    assert Gazetteer([place]).locate("12bis, rue Haute, Paris") == place
    assert Gazetteer([place]).locate("12 bis, rue Haute, Paris") == place
    assert Gazetteer([place]).locate("12b rue Haute") == place
    assert Gazetteer([place]).locate("12 rue Haute") is None


WORDS = st.sampled_from(
    ["48", "24", "rue", "de", "la", "rivoli", "paix", "paris", "france", "75004", "1300-085", ",", "4e", "lisboa", "\u0130"]
)


@given(st.text() | st.lists(WORDS, max_size=9).map(" ".join))
def test_what_is_found_is_what_was_named(gazetteer: Gazetteer, text: str) -> None:
    found = gazetteer.locate(text)
    if found is not None:
        assert found.street_address.split()[0] in text
        assert gazetteer.locate(str(found)) == found


# Services


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with serving() as server:
        yield server


NOMINATIM = [
    {
        "place_id": 1,
        "lat": "48.8556",
        "lon": "2.3601",
        "display_name": "48, Rue de Rivoli, Paris",
        "address": {"house_number": "48", "road": "Rue de Rivoli", "city": "Paris", "postcode": "75004", "country_code": "fr"},
    }
]
FEATURES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [2.3601, 48.8556]},
            "properties": {
                "label": "48 Rue de Rivoli 75004 Paris",
                "name": "48 Rue de Rivoli",
                "housenumber": "48",
                "street": "Rue de Rivoli",
                "postcode": "75004",
                "city": "Paris",
                "countrycode": "FR",
            },
        }
    ],
}
GOOGLE = {
    "status": "OK",
    "results": [
        {
            "formatted_address": "48 Rue de Rivoli, 75004 Paris, France",
            "geometry": {"location": {"lat": 48.8556, "lng": 2.3601}},
            "address_components": [
                {"long_name": "48", "short_name": "48", "types": ["street_number"]},
                {"long_name": "Rue de Rivoli", "short_name": "Rue de Rivoli", "types": ["route"]},
                {"long_name": "Paris", "short_name": "Paris", "types": ["locality", "political"]},
                {"long_name": "France", "short_name": "FR", "types": ["country", "political"]},
                {"long_name": "75004", "short_name": "75004", "types": ["postal_code"]},
            ],
        }
    ],
}
SERVICES = [("nominatim", NOMINATIM, {}), ("ban", FEATURES, {}), ("photon", FEATURES, {}), ("googlev3", GOOGLE, {"api_key": "key"})]


def service(name: str, loopback: Loopback, timeout: float = 5, options: dict[str, Any] | None = None) -> GeopyGeocoder:
    found = places.build_geocoder(name, {"domain": loopback.netloc, "scheme": "http", **(options or {})}, timeout)
    assert isinstance(found, GeopyGeocoder)
    assert found.is_authoritative
    return found


@pytest.mark.parametrize(("name", "answer", "options"), SERVICES)
def test_services_are_understood(loopback: Loopback, name: str, answer: object, options: dict[str, str]) -> None:
    loopback.body = json.dumps(answer).encode()
    found = service(name, loopback, options=options).locate("48, Rue de Rivoli, Paris")
    assert found is not None
    assert (found.street_address, found.postal_code, found.locality) == ("48 Rue de Rivoli", "75004", "Paris")
    assert found.point == Point(48.8556, 2.3601)
    assert found.country in ("FR", "")  # BAN knows one country only, and does not say which
    assert "Rivoli" in loopback.asked[0][0]


def test_options_of_the_query_go_along(loopback: Loopback) -> None:
    loopback.body = json.dumps(NOMINATIM).encode()
    service("nominatim", loopback, options={"query": {"country_codes": "fr"}}).locate("48, Rue de Rivoli")
    assert "countrycodes=fr" in loopback.asked[0][0]
    assert "addressdetails=1" in loopback.asked[0][0]


def test_a_place_without_a_street_keeps_the_words_it_was_asked_with(loopback: Loopback) -> None:
    loopback.body = json.dumps([{"lat": "48.8", "lon": "2.3", "display_name": "Somewhere"}]).encode()
    assert service("nominatim", loopback).locate(" the blue door ") == Place("the blue door", point=Point(48.8, 2.3))


@pytest.mark.parametrize(("name", "answer"), [("nominatim", []), ("ban", {"features": []}), ("photon", {"features": []})])
def test_nothing_found_is_none(loopback: Loopback, name: str, answer: object) -> None:
    loopback.body = json.dumps(answer).encode()
    assert service(name, loopback).locate("nowhere at all") is None


def test_a_question_the_service_cannot_take_finds_nothing(loopback: Loopback) -> None:
    loopback.status = 400
    assert service("nominatim", loopback).locate("?") is None


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503])
def test_errors_mean_that_the_service_is_down(loopback: Loopback, status: int) -> None:
    loopback.status = status
    with pytest.raises(GeocoderDown) as refusal:
        service("nominatim", loopback).locate("48, Rue de Rivoli")
    assert refusal.value.code == "geocoder_down"


NO_JSON = [b"<html>", b"", b"7", b"\xff\xfe"]
NO_PLACES = [b'"a"', b"[7]", b'[{"lat": "x"}]', b'[{"lat": "200", "lon": "2"}]']
BAD_PLACE = b'{"features": [{"geometry": {"coordinates": ["x", "y"]}, "properties": {"name": "a", "label": "a"}}]}'
NONSENSE = [
    *(("nominatim", body) for body in NO_JSON + NO_PLACES),
    *(("photon", body) for body in [*NO_JSON, *NO_PLACES, BAD_PLACE]),
    # To geopy, any answer of BAN without features is "nothing found".
    *(("ban", body) for body in [*NO_JSON, b'{"features": [7]}', BAD_PLACE]),
]


@pytest.mark.parametrize(("name", "body"), NONSENSE)
def test_nonsense_means_that_the_service_is_down(loopback: Loopback, name: str, body: bytes) -> None:
    loopback.body = body
    with pytest.raises(GeocoderDown):
        service(name, loopback).locate("48, Rue de Rivoli")


def test_silence_is_not_waited_for_beyond_the_timeout(loopback: Loopback) -> None:
    loopback.answering.clear()
    with pytest.raises(GeocoderDown):
        service("nominatim", loopback, timeout=0.1).locate("48, Rue de Rivoli")


def test_nobody_there_means_down() -> None:
    with serving() as gone:
        geocoder = service("nominatim", gone)
    with pytest.raises(GeocoderDown):
        geocoder.locate("48, Rue de Rivoli")


def test_unknown_names_and_options_are_named() -> None:
    with pytest.raises(ValueError, match=r"There is no geocoder “atlas”; choose one of .*nominatim"):
        places.build_geocoder("atlas", {}, 1)
    with pytest.raises(ValueError, match="does not take these options"):
        places.build_geocoder("nominatim", {"colour": "red"}, 1)
    with pytest.raises(ValueError, match="does not take these options"):
        places.build_geocoder("googlev3", {}, 1)


@override_settings(GEOCODER="photon", GEOCODER_OPTIONS={"domain": "localhost"}, GEOCODER_TIMEOUT=2.0)
def test_the_settings_choose_the_geocoder_once() -> None:
    places.geocoder.cache_clear()
    try:
        assert isinstance(places.geocoder(), GeopyGeocoder)
        assert places.geocoder() is places.geocoder()
    finally:
        places.geocoder.cache_clear()
