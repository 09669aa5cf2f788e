"""The recipient's page: every state in words, nothing about others, and nothing that leaks the link."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import resolve
from pytest_django import DjangoAssertNumQueries
from time_machine import Traveller

from deliveries import queries, transitions
from deliveries.models import Delivery
from deliveries.pages import wording
from deliveries.pages.tracking import see
from deliveries.statuses import DeliveryStatus
from deliveries.tracking_links import tracking_url
from stores.actors import SYSTEM
from tests.factories import NOON, delivery
from tests.pages import scenes
from tests.pages.markup import Page, read

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_noon(noon: Traveller) -> None:
    """The clock of every page stands at noon."""


def path_of(made: Delivery) -> str:
    return f"/en/pub/d/{made.tracking_token}"


def seen(client: Client, made: Delivery) -> Page:
    response = client.get(path_of(made))
    assert response.status_code == 200
    return read(response)


def test_every_status_is_among_the_states() -> None:
    for make, _ in scenes.STATES.values():
        make()
    assert set(Delivery.objects.values_list("status", flat=True)) == set(DeliveryStatus)


@pytest.mark.parametrize("state", scenes.STATES)
def test_each_state_has_its_words_and_sound_markup(client: Client, state: str) -> None:
    make, headline = scenes.STATES[state]
    page = seen(client, make())
    assert page.headings[1] == [headline]
    assert page.problems() == []


@pytest.mark.parametrize(
    ("state", "current", "done"),
    [
        ("booked", "Booked", 0),
        ("collecting", "Collecting", 1),
        ("underway", "On its way", 2),
        ("outside", "On its way", 2),
        ("delivered", "Delivered", 3),
        ("cancelled", "", 0),
        ("failed", "", 0),
    ],
)
def test_the_progress_line_names_the_step(client: Client, state: str, current: str, done: int) -> None:
    page = seen(client, scenes.STATES[state][0]())
    assert page.current("step") == ([current] if current else [])
    assert page.text.count("(done)") == done


def test_the_window_is_said_as_people_say_it_in_the_zone_of_the_store(client: Client) -> None:
    made = scenes.parcel()
    assert "Today, 12:15 – 12:30" in seen(client, made).plain
    made.store.timezone = "Europe/Lisbon"
    made.store.save()
    page = seen(client, made)
    assert "Today, 11:15 – 11:30" in page.plain
    assert "Europe/Lisbon" in page.text


def test_lateness_is_said_only_when_the_window_is_over_and_the_delivery_is_not(client: Client) -> None:
    sorry = "It is taking longer than planned"
    assert sorry in seen(client, scenes.late()).text
    for state in ("booked", "underway", "delivered", "cancelled", "failed"):
        assert sorry not in seen(client, scenes.STATES[state][0]()).text


def test_the_history_follows_the_moments_and_the_attempts(client: Client) -> None:
    page = seen(client, scenes.tried_again())
    order = ["Booked", "A courier set out", "Collected", "nobody at the door", "given another time"]
    places = [page.text.index(words, page.text.index("So far")) for words in order]
    assert places == sorted(places)


def test_a_step_back_takes_later_moments_from_the_history(client: Client) -> None:
    made = scenes.carried_by(DeliveryStatus.DROPOFF_ENROUTE)
    assert "Collected" in seen(client, made).text
    transitions.report(made, {"status": "pickup_enroute"}, by=SYSTEM, at=NOON)
    page = seen(client, made)
    assert "Collected" not in page.text
    assert "A courier set out to collect it" in page.text


def test_another_time_of_arrival_is_told(client: Client) -> None:
    made = scenes.carried_by(DeliveryStatus.DROPOFF_ENROUTE)
    transitions.report(made, {"estimated_dropoff_at": NOON + timedelta(hours=1)}, by=SYSTEM, at=NOON)
    assert "Now expected Today, 13:00" in seen(client, made).plain


@pytest.mark.parametrize(
    ("state", "shown"), [("booked", False), ("collecting", True), ("underway", True), ("delivered", False), ("failed", False)]
)
def test_where_it_is_shows_only_while_it_is_under_way(client: Client, state: str, shown: bool) -> None:
    page = seen(client, scenes.STATES[state][0]())
    assert ("Last seen 3 min ago" in page.text) is shown
    assert any("mlat=48.86060&mlon=2.33760" in link for link in page.links) is shown


def test_an_old_position_tells_nothing(client: Client, noon: Traveller) -> None:
    made = scenes.underway()
    noon.shift(timedelta(hours=1))
    assert "Last seen" not in seen(client, made).text


def test_an_outside_carrier_has_its_name_and_its_page(client: Client) -> None:
    page = seen(client, scenes.outside())
    assert "Vélo Express" in page.text
    assert scenes.CARRIER_PAGE in page.links


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,hi", "not a page", "//evil.example", "http://[", "https:", ""])
def test_what_a_carrier_sends_becomes_a_link_only_when_it_is_a_page(client: Client, url: str) -> None:
    page = seen(client, scenes.carried_by(DeliveryStatus.PENDING, url=url))
    assert [link for link in page.links if not link.startswith(("#", "/"))] == []


def test_the_house_is_not_linked_to_itself(client: Client) -> None:
    made = scenes.booked()
    Delivery.objects.filter(pk=made.pk).update(tracking_url="https://elsewhere.example/")
    assert "https://elsewhere.example/" not in seen(client, made).links


@pytest.mark.parametrize("state", ["underway", "late", "delivered", "failed", "tried again", "outside", "several"])
def test_no_person_can_be_learnt_from_the_page(client: Client, state: str) -> None:
    html = client.get(path_of(scenes.STATES[state][0]())).content.decode()
    secrets = ("Jeanne", "Quichaud", "jeanne", "Zoltan", "Lovelace", "12A4", "Dog barked")
    assert [secret for secret in secrets if secret in html] == []
    assert re.search(r"\+?33\d{9}|tel:", html) is None


def test_the_neighbour_is_not_on_the_page(client: Client) -> None:
    neighbour = scenes.parcel(street="12, Rue des Rosiers, 75004 Paris")
    made = scenes.parcel(neighbour.store)
    html = client.get(path_of(made)).content.decode()
    assert "Rosiers" not in html
    assert neighbour.tracking_token not in html


def test_recipients_of_one_delivery_do_not_see_each_other(client: Client) -> None:
    page = seen(client, scenes.several())
    assert "2 addresses, 1 of them served" in page.text
    assert not any(word in page.text for word in ("Rivoli", "Paix", "Swann"))


def test_one_of_several_who_was_out_is_not_told_of_to_the_others(client: Client) -> None:
    made = scenes.several()
    transitions.fail(scenes.stops_of(made)[1], by=SYSTEM, at=NOON, reason="NOT_AT_HOME")
    page = seen(client, made)
    assert "It could not be handed over" in page.text
    assert "nobody" not in page.text


def test_a_failed_pickup_is_owned_up_to(client: Client) -> None:
    page = seen(client, scenes.uncollected())
    assert "The dispatch desk is looking into it" in page.text
    assert "A courier is on the way" not in page.text
    assert "Last seen" not in page.text
    assert "It could not be collected" in page.text[page.text.index("So far") :]


def test_once_the_pickup_is_to_be_tried_again_nothing_is_wrong_any_more(client: Client) -> None:
    made = scenes.uncollected()
    transitions.restore(scenes.stops_of(made)[0], by=SYSTEM, at=NOON)
    assert "could not be collected yet" not in seen(client, made).text


def test_one_failed_pickup_of_two_is_owned_up_to(client: Client) -> None:
    made = delivery(stops=scenes.two_pickups())
    transitions.fail(made.tasks.order_by("position")[0], by=SYSTEM, at=NOON, reason="CLOSED_STORE")
    page = seen(client, made)
    assert page.headings[1] == ["Your delivery is booked"]
    assert "Something did not go as planned" in page.text


def test_a_failure_is_told_by_its_reason_where_that_is_the_recipients_business() -> None:
    assert wording.attempt("DROPOFF", "NOT_AT_HOME") == "The courier found nobody at the door"
    assert wording.attempt("DROPOFF", "REFUSED") == "It was not accepted at the door"
    assert wording.attempt("DROPOFF", "VEHICLE_BREAKDOWN") == "It could not be handed over"
    assert wording.attempt("DROPOFF", "") == "It could not be handed over"


@pytest.mark.parametrize("path", ["/en/pub/d/{}", "/fr/pub/d/{}"])
def test_the_link_is_kept_from_search_engines_caches_and_other_sites(client: Client, path: str) -> None:
    response = client.get(path.format(scenes.booked().tracking_token))
    assert response.status_code == 200
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "private" in response.headers["Cache-Control"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert not response.cookies


@pytest.mark.parametrize("token", ["abc", "x" * 500, "-_-"])
def test_an_unknown_link_is_answered_kindly(client: Client, token: str) -> None:
    response = client.get(f"/en/pub/d/{token}")
    assert response.status_code == 404
    assert response.headers["Referrer-Policy"] == "no-referrer"
    page = read(response)
    assert page.headings[1] == ["We cannot find this delivery"]
    assert page.problems() == []


@pytest.mark.parametrize("path", ["/de/pub/d/abc", "/en/pub/d/", "/en/pub/d/a%00b", "/en/pub/d/a b", "/en/pub/d/é"])
def test_what_is_no_link_is_no_page(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_it_is_only_read(client: Client) -> None:
    path = path_of(scenes.booked())
    assert client.post(path).status_code == 405
    assert client.head(path).status_code == 200


def test_it_renews_itself_until_it_is_over(client: Client) -> None:
    assert seen(client, scenes.booked()).refresh == "60"
    assert seen(client, scenes.cancelled()).refresh == ""


def test_the_core_and_the_map_of_the_site_agree_on_the_link(client: Client) -> None:
    made = scenes.booked()
    url = tracking_url(made)
    assert url.startswith("http://127.0.0.1:")
    found = resolve("/" + url.split("/", 3)[3])
    assert (found.url_name, found.kwargs) == ("tracking", {"locale": "en", "token": made.tracking_token})


def test_it_costs_the_same_with_two_stops_and_with_twenty(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    few, many = scenes.parcel(), delivery(stops=scenes.round_trip(20))
    for made in (few, many):
        with django_assert_num_queries(3):
            client.get(path_of(made))


def test_words_come_without_a_request() -> None:
    made = queries.deliveries().select_related("store").get(pk=scenes.cancelled().pk)
    shown = see(made, [], at=NOON)
    assert (shown.tone, shown.steps, shown.window, shown.position) == ("bad", [], "", None)
