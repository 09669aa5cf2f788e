"""Stops before they are booked: their places, their windows, and what is wrong with them."""

from datetime import timedelta

import pytest

from deliveries.stops import AddressDraft, AddressNotFound, BadStopWindow, StopDraft, TooFewStops, WrongOrder
from stores.places import Place, Point
from stores.refusals import Invalid, Missing, Refused
from tests import factories
from tests.deliveries import rows
from tests.deliveries.geocoding import FakeGeocoder
from tests.factories import NOON

pytestmark = pytest.mark.django_db

DUE = NOON + timedelta(hours=2)
QUARTER = timedelta(minutes=15)
RIVOLI = Place("48 Rue de Rivoli", "75004", "Paris", "FR", Point(48.8566, 2.3533))


def at(text: str) -> AddressDraft:
    return AddressDraft(street_address=text)


def problems(stops: list[StopDraft]) -> list[tuple[type[Refused], tuple[str | int, ...], str]]:
    """What a request for these stops is refused for, having left nothing behind."""
    store = factories.StoreFactory.create()
    before = rows.everything()
    with pytest.raises(Invalid) as refused:
        factories.delivery(store, stops=stops)
    assert rows.everything() == before
    assert str(refused.value) == "; ".join(str(problem) for problem in refused.value.problems)
    return [(type(problem), problem.path, str(problem)) for problem in refused.value.problems]


@pytest.mark.parametrize("shape", ["", "P", "D", "PP", "DDD"])
def test_a_delivery_goes_from_somewhere_to_somewhere(shape: str) -> None:
    assert problems(rows.stops(shape)) == [(TooFewStops, ("tasks",), "Delivery must consist of two tasks.")]


BLANK = "This value should not be blank."
BACKWARDS = "The time frame is not valid"


@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        ([rows.stop("P"), rows.stop("D", before=None)], [(Missing, 0, BLANK), (Missing, 1, BLANK)]),
        ([rows.stop("P", before=NOON), rows.stop("D", before=None)], [(Missing, 1, BLANK)]),
        ([rows.stop("P"), rows.stop("D"), rows.stop("D", before=None)], [(Missing, 2, BLANK)]),
        ([rows.stop("P"), rows.stop("D", after=DUE)], [(BadStopWindow, 1, BACKWARDS)]),
        (
            [rows.stop("P", after=DUE, before=NOON), rows.stop("D", after=DUE + QUARTER)],
            [(BadStopWindow, 0, BACKWARDS), (BadStopWindow, 1, BACKWARDS)],
        ),
    ],
)
def test_windows_that_are_missing_or_turned_round(stops: list[StopDraft], expected: list[tuple[type[Refused], int, str]]) -> None:
    assert problems(stops) == [(refusal, ("tasks", number, "before"), sentence) for refusal, number, sentence in expected]


def test_nothing_is_dropped_off_before_it_is_picked_up() -> None:
    assert problems([rows.stop("P", before=DUE + QUARTER), rows.stop("D")]) == [
        (WrongOrder, ("tasks",), "Dropoff date must be after pickup date.")
    ]


def test_addresses_and_windows_are_refused_in_one_answer(geocoder: FakeGeocoder) -> None:
    stops = [rows.stop("P"), rows.stop("D", address=None), rows.stop("D", address=at("nowhere"), before=None)]
    assert problems(stops) == [
        (Missing, ("tasks", 1, "address"), BLANK),
        (AddressNotFound, ("tasks", 2, "address"), "The address “nowhere” was not found."),
        (Missing, ("tasks", 2, "before"), BLANK),
    ]


def test_a_place_found_fills_in_what_was_not_said(geocoder: FakeGeocoder) -> None:
    geocoder.known = {"48 rivoli": RIVOLI}
    address = AddressDraft(street_address="48 rivoli", fields={"locality": "Lutèce"})
    dropoff = rows.tasks(factories.delivery(stops=[rows.stop("P"), rows.stop("D", address=address)]))[1].address
    assert (dropoff.street_address, dropoff.postal_code, dropoff.locality, dropoff.country) == ("48 rivoli", "75004", "Lutèce", "FR")
    assert (dropoff.point, dropoff.needs_review) == (RIVOLI.point, False)


def test_who_brings_a_point_is_not_looked_up(geocoder: FakeGeocoder) -> None:
    factories.delivery(stops=rows.stops("PD"))
    assert geocoder.asked == []


@pytest.mark.parametrize(
    ("offline", "down"), [(True, False), (False, True), (True, True)], ids=["offline and unknown", "down", "offline and down"]
)
def test_a_delivery_is_never_lost_to_a_map(geocoder: FakeGeocoder, offline: bool, down: bool) -> None:
    geocoder.is_authoritative, geocoder.down = not offline, down
    store = factories.StoreFactory.create()
    delivery = factories.delivery(store, stops=[rows.stop("P"), rows.stop("D", address=at("nowhere"))])
    pickup, dropoff = rows.tasks(delivery)
    assert (dropoff.address.point, dropoff.address.needs_review) == (store.address.point, True)
    assert not pickup.address.needs_review
    assert [(event.task_id, event.data) for event in rows.told() if event.kind == "task.created"] == [
        (pickup.pk, {}),
        (dropoff.pk, {"needs_review": True}),
    ]


def test_a_place_without_a_point_is_not_found(geocoder: FakeGeocoder) -> None:
    geocoder.known = {"Paris": Place("Paris")}
    assert [kind for kind, _, _ in problems([rows.stop("P"), rows.stop("D", address=at("Paris"))])] == [AddressNotFound]
