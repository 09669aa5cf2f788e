"""The courier's page: the day in order, own tasks alone, and three moves that can be tapped twice."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from time_machine import Traveller

from deliveries import transitions
from deliveries.models import Courier, Delivery, Event, Task
from deliveries.reasons import FailureReason
from deliveries.statuses import TaskStatus
from stores.actors import SYSTEM, Role
from tests.factories import NOON, PASSWORD, UserFactory, delivery
from tests.pages import scenes
from tests.pages.markup import Page, read

pytestmark = pytest.mark.django_db

DAY = "/courier/"


@pytest.fixture(autouse=True)
def _at_noon(noon: Traveller) -> None:
    """The clock of every page stands at noon."""


@pytest.fixture
def rider() -> Courier:
    return scenes.rider("jeanne")


@pytest.fixture
def phone(client: Client, rider: Courier) -> Client:
    """The rider's, logged in."""
    client.force_login(rider.user)
    return client


@pytest.fixture
def task(rider: Courier) -> Task:
    """The rider's pickup for today."""
    return scenes.stops_of(scenes.given(scenes.parcel(), rider))[0]


def day(client: Client, path: str = DAY) -> Page:
    response = client.get(path)
    assert response.status_code == 200
    page = read(response)
    assert page.problems() == []
    return page


def tap(client: Client, task: Task, move: str, **said: str) -> Page:
    """Tap a button, follow the redirect, and read the page."""
    response = client.post(f"/courier/tasks/{task.pk}/{move}", said)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(DAY)
    return day(client, response.headers["Location"])


def status(task: Task) -> str:
    return Task.objects.get(pk=task.pk).status


def numbers(page: Page) -> list[int]:
    """The tasks of a page, in the order of their cards."""
    return [int(heading.split("#")[1]) for heading in page.headings[3]]


# --- Who gets in ---------------------------------------------------------------------------------------------------------------


def test_a_courier_logs_in_on_the_page_for_couriers(client: Client, rider: Courier) -> None:
    assert client.get(DAY).headers["Location"] == "/courier/login"
    page = read(client.get("/courier/login"))
    assert (page.problems(), page.headings[1]) == ([], ["Log in to ride"])
    response = client.post("/courier/login", {"username": "jeanne", "password": PASSWORD})
    assert response.headers["Location"] == DAY
    assert day(client).headings[1] == ["Today"]


def test_a_wrong_password_is_said_and_the_name_is_kept(client: Client, rider: Courier) -> None:
    response = client.post("/courier/login", {"username": "jeanne", "password": "wrong"})
    page = read(response)
    assert "Please enter a correct username and password" in page.text
    assert 'value="jeanne"' in page.html
    assert page.problems() == []


def test_the_log_in_page_sends_nobody_to_another_site(client: Client, rider: Courier) -> None:
    said = {"username": "jeanne", "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post("/courier/login", said).headers["Location"] == DAY


def test_logging_out_is_a_deed_and_not_a_link(phone: Client) -> None:
    assert phone.get("/courier/logout").status_code == 405
    assert phone.post("/courier/logout").headers["Location"] == "/courier/login"
    assert phone.get(DAY).headers["Location"] == "/courier/login"


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.STORE_OWNER, Role.COURIER, None])
def test_who_is_no_courier_is_told_so(client: Client, task: Task, role: Role | None) -> None:
    client.force_login(UserFactory.create(username="desk", role=role))
    for response in (client.get(DAY), client.post(f"/courier/tasks/{task.pk}/done")):
        assert response.status_code == 403
        page = read(response)
        assert (page.problems(), page.headings[1]) == ([], ["This page is for couriers"])
        assert "desk" in page.text
    assert status(task) == TaskStatus.TODO


@pytest.mark.parametrize("move", ["start", "done", "failed"])
def test_strangers_move_nothing(client: Client, task: Task, move: str) -> None:
    assert client.post(f"/courier/tasks/{task.pk}/{move}", {"reason": "LATE"}).headers["Location"] == "/courier/login"
    assert status(task) == TaskStatus.TODO


@pytest.mark.parametrize("move", ["start", "done", "failed"])
def test_anothers_task_is_not_there(client: Client, task: Task, move: str) -> None:
    client.force_login(scenes.rider("other").user)
    assert client.post(f"/courier/tasks/{task.pk}/{move}", {"reason": "LATE"}).status_code == 404
    assert client.post(f"/courier/tasks/999999/{move}", {"reason": "LATE"}).status_code == 404
    assert status(task) == TaskStatus.TODO
    assert "Rivoli" not in day(client).text


@pytest.mark.parametrize("move", ["start", "done", "failed"])
def test_moves_need_a_form_of_ours(rider: Courier, task: Task, move: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(rider.user)
    response = strict.post(f"/courier/tasks/{task.pk}/{move}", {"reason": "LATE"})
    assert response.status_code == 403
    assert read(response).headings[1] == ["Please try that again"]
    assert strict.get(f"/courier/tasks/{task.pk}/{move}").status_code == 405
    assert status(task) == TaskStatus.TODO


def test_the_page_is_never_kept(phone: Client) -> None:
    assert "no-store" in phone.get(DAY).headers["Cache-Control"]


def test_the_path_without_its_slash_leads_there(client: Client) -> None:
    assert client.get("/courier").headers["Location"] == DAY


# --- What the day shows --------------------------------------------------------------------------------------------------------


def test_a_day_without_tasks_says_so(phone: Client) -> None:
    assert "Nothing to do" in day(phone).text
    assert "Nothing yet" in day(phone, f"{DAY}?day=tomorrow").text


def test_the_day_in_its_order(phone: Client, rider: Courier) -> None:
    left, done, failing, behind, coming, _later = scenes.working_day(rider)
    page = day(phone)
    (left_up, left_down), (up, down) = scenes.stops_of(left), scenes.stops_of(coming)
    finished = [*scenes.stops_of(done), *scenes.stops_of(failing), scenes.stops_of(behind)[0]]
    expected = [scenes.stops_of(behind)[1], left_up, left_down, up, down, *finished]
    assert numbers(page) == [task.pk for task in expected]
    assert page.headings[2] == ["Now", "Left from earlier days", "Then"]
    assert "5 of 10 finished" in page.text
    assert [text.split()[1] for text in page.current("true")] == [f"#{scenes.stops_of(behind)[1].pk}"]


def test_what_is_late_comes_first_and_the_page_says_why(phone: Client, rider: Courier) -> None:
    fine, late = (scenes.given(scenes.parcel(due=NOON + timedelta(minutes=minutes)), rider) for minutes in (90, -12))
    page = day(phone)
    assert page.headings[2] == ["Now", "Late", "Then"]
    assert "It is late, so it comes first." in page.text
    assert numbers(page) == [task.pk for task in (*scenes.stops_of(late), *scenes.stops_of(fine))]


def test_what_is_left_from_yesterday_comes_first_and_the_page_says_why(phone: Client, rider: Courier) -> None:
    left = scenes.given(scenes.parcel(due=NOON - timedelta(days=1)), rider)
    page = day(phone)
    assert "It is left from an earlier day, so it comes first." in page.text
    assert numbers(page)[0] == scenes.stops_of(left)[0].pk


def test_a_list_against_the_clock_is_shown_by_the_clock(phone: Client, rider: Courier) -> None:
    evening, noon = (scenes.given(scenes.parcel(due=NOON + timedelta(hours=hours)), rider) for hours in (6, 1))
    assert numbers(day(phone)) == [task.pk for task in (*scenes.stops_of(noon), *scenes.stops_of(evening))]


def test_a_list_that_the_clock_allows_stays_as_the_desk_made_it(phone: Client, rider: Courier) -> None:
    second, first = (scenes.given(scenes.parcel(due=NOON + timedelta(minutes=minutes)), rider) for minutes in (40, 38))
    listed = [task.pk for made in (second, first) for task in scenes.stops_of(made)]
    for position, pk in enumerate(listed):
        Task.objects.filter(pk=pk).update(after=NOON, task_list_position=position)
    assert numbers(day(phone)) == listed


def test_a_dropoff_whose_pickup_failed_waits_for_the_desk(phone: Client, rider: Courier) -> None:
    empty, other = scenes.given(scenes.parcel(), rider), scenes.given(scenes.parcel(due=NOON + timedelta(hours=2)), rider)
    (pickup, dropoff), (next_up, _) = scenes.stops_of(empty), scenes.stops_of(other)
    page = tap(phone, pickup, "failed", reason="CLOSED_STORE")
    assert page.headings[2] == ["Now", "Then", "Waiting for the desk: the pickup failed"]
    assert [text.split()[1] for text in page.current("true")] == [f"#{next_up.pk}"]
    assert f"#{dropoff.pk}" in page.text
    assert not [given for _, given in page.attributes if given.get("action", "").startswith(f"/courier/tasks/{dropoff.pk}/")]
    transitions.restore(pickup, by=SYSTEM, at=NOON)
    assert page.headings[2][-1] not in day(phone).headings[2]


def test_nothing_but_a_dropoff_that_waits_is_no_day_done(phone: Client, task: Task) -> None:
    page = tap(phone, task, "failed", reason="CLOSED_STORE")
    assert "All done" not in page.text
    assert page.current("true") == []
    assert "Waiting for the desk" in page.text


def test_one_pickup_of_two_is_enough_to_go_on(phone: Client, rider: Courier) -> None:
    made = scenes.given(delivery(stops=scenes.two_pickups()), rider)
    first, second, dropoff = made.tasks.order_by("position")
    transitions.fail(first, by=SYSTEM, at=NOON, reason="CLOSED_STORE")
    assert "Waiting for the desk" not in day(phone).text
    transitions.complete(second, by=SYSTEM, at=NOON)
    assert [text.split()[1] for text in day(phone).current("true")] == [f"#{dropoff.pk}"]


def test_recipients_are_named_as_clearly_as_shops(phone: Client, rider: Courier) -> None:
    pickup, dropoff = scenes.stops_of(scenes.given(scenes.parcel(), rider))
    dropoff.address.name = ""
    dropoff.address.save()
    html = day(phone).html
    assert f"<strong>{pickup.store.name}</strong>" in html
    assert "<strong>Ada Lovelace</strong>" in html
    assert "<span>Ada Lovelace</span>" not in html, "once is enough"


def test_tomorrow_is_a_tap_away(phone: Client, rider: Courier) -> None:
    later = scenes.working_day(rider)[-1]
    page = day(phone, f"{DAY}?day=tomorrow")
    assert page.headings[1] == ["Tomorrow"]
    assert numbers(page) == [task.pk for task in scenes.stops_of(later)]
    assert page.current("page") == ["Tomorrow"]
    assert page.current("true") == []


def test_a_cancelled_task_is_gone(phone: Client, task: Task) -> None:
    transitions.cancel(task, by=SYSTEM, at=NOON)
    assert f"#{task.pk}" not in day(phone).text


def test_a_card_has_what_a_courier_needs(phone: Client, rider: Courier) -> None:
    crates = [{"name": "Cargo crate", "short_code": "CC", "volume": 4, "quantity": 2}]
    made = scenes.given(scenes.parcel(comments="Fragile", packages=crates, weight=6500), rider)
    pickup, dropoff = scenes.stops_of(made)
    dropoff.address.access_code = "4711"
    dropoff.address.save()
    page = day(phone)
    for words in (
        "Hôtel Rivoli",
        "Ada Lovelace",
        scenes.HOME,
        "door code 12A4",
        "Fragile",
        "2 × Cargo crate",
        "6.50 kg",
        "4711",
        "Boulangerie",
    ):
        assert words in page.text
    assert "tel:+33612345678" in page.links
    assert f"tel:{scenes.SENDER_PHONE}" in page.links
    point = f"{dropoff.address.latitude:.6f}%2C{dropoff.address.longitude:.6f}"
    assert f"https://www.openstreetmap.org/directions?to={point}" in page.links
    assert "11:55 – 12:10" in page.plain
    assert page.text.count("2 × Cargo crate") == 2, "once on each card, though the pickup's comments tell it already"
    assert f"#{pickup.pk}" in page.headings[3][0]


def test_lateness_is_said_in_words(phone: Client, rider: Courier) -> None:
    scenes.given(scenes.parcel(due=NOON - timedelta(minutes=12)), rider)
    assert "12 min late" in day(phone).text


def test_a_place_that_was_not_found_is_flagged(phone: Client, task: Task) -> None:
    warning = "This address was not found on the map"
    assert warning not in day(phone).text
    task.address.needs_review = True
    task.address.save()
    assert warning in day(phone).text


def test_what_people_write_stays_text(phone: Client, rider: Courier) -> None:
    scenes.given(scenes.parcel(comments="<script>alert(1)</script>"), rider)
    assert "<script>" not in day(phone).html


def test_every_reason_can_be_chosen(phone: Client, task: Task) -> None:
    page = day(phone)
    chosen = {given["value"] for tag, given in page.attributes if tag == "option"}
    assert chosen == {*FailureReason.values, ""}
    assert len(FailureReason) == 22


def test_it_costs_the_same_with_two_tasks_and_with_twenty(
    phone: Client, rider: Courier, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    store = scenes.bakery()
    for made in range(1, 11):
        scenes.given(scenes.parcel(store), rider)
        scenes.given(scenes.parcel(store, due=NOON - timedelta(days=1)), rider)
        if made in (1, 10):
            with django_assert_num_queries(6):  # session, person, courier, what is left, list, tasks
                phone.get(DAY)


# --- Moves ---------------------------------------------------------------------------------------------------------------------


def test_start_done_done(phone: Client, task: Task) -> None:
    dropoff = scenes.stops_of(Delivery.objects.get())[1]
    assert f"Task #{task.pk} is under way." in tap(phone, task, "start").text
    assert status(task) == TaskStatus.DOING
    assert f"Task #{task.pk} is done." in tap(phone, task, "done").text
    page = tap(phone, dropoff, "done", notes="Left with the porter", contact_name="Mme Verdurin")
    assert f"Task #{dropoff.pk} is done." in page.text
    assert "All done" in page.text
    assert Delivery.objects.get().status == "delivered"
    event = Event.objects.get(kind="task.done", task=dropoff)
    assert (event.data["notes"], event.actor_name, event.happened_at) == ("Left with the porter", "jeanne", NOON)
    assert Task.objects.get(pk=dropoff.pk).address.contact_name == "Mme Verdurin"


def test_failed_with_a_reason_and_a_note(phone: Client, task: Task) -> None:
    page = tap(phone, task, "failed", reason="CLOSED_STORE", notes="Shutters down")
    assert f"Task #{task.pk} is marked as failed" in page.text
    assert status(task) == TaskStatus.FAILED
    event = Event.objects.get(kind="task.failed")
    assert (event.data["reason"], event.data["notes"]) == ("CLOSED_STORE", "Shutters down")


@pytest.mark.parametrize("reason", ["", "BORED", "\x00"])
def test_a_failure_needs_a_reason_that_exists(phone: Client, task: Task, reason: str) -> None:
    assert f"Task #{task.pk}: Choose a reason." in tap(phone, task, "failed", reason=reason).text
    assert status(task) == TaskStatus.TODO


@pytest.mark.parametrize("note", ["x" * 2001, "a\x00b"])
def test_a_note_that_cannot_be_kept_is_refused_in_words(phone: Client, task: Task, note: str) -> None:
    assert f"Task #{task.pk}: " in tap(phone, task, "done", notes=note).text
    assert status(task) == TaskStatus.TODO


@pytest.mark.parametrize(
    ("move", "said", "kind"), [("done", {}, "task.done"), ("failed", {"reason": "LATE"}, "task.failed"), ("start", {}, "task.started")]
)
def test_a_second_tap_doubles_nothing(phone: Client, task: Task, move: str, said: dict[str, str], kind: str) -> None:
    tap(phone, task, move, **said)
    page = tap(phone, task, move, **said)
    assert f"Task #{task.pk} is" in page.text
    assert Event.objects.filter(kind=kind).count() == 1


def test_a_start_that_comes_too_late_says_so(phone: Client, task: Task) -> None:
    transitions.complete(task, by=SYSTEM, at=NOON)
    assert f"Task #{task.pk} needs no start any more." in tap(phone, task, "start").text
    assert status(task) == TaskStatus.DONE


def test_what_comes_first_comes_first(phone: Client, task: Task) -> None:
    dropoff = scenes.stops_of(Delivery.objects.get())[1]
    page = tap(phone, dropoff, "done")
    assert f"has a previous task #{task.pk}" in page.text
    assert status(dropoff) == TaskStatus.TODO


def test_a_cancelled_task_is_refused_in_words(phone: Client, task: Task) -> None:
    transitions.cancel(task, by=SYSTEM, at=NOON)
    assert f"Task #{task.pk} is cancelled" in tap(phone, task, "done").text


def test_tomorrow_stays_tomorrow(phone: Client, rider: Courier) -> None:
    task = scenes.stops_of(scenes.given(scenes.parcel(due=NOON + timedelta(days=1)), rider))[0]
    assert tap(phone, task, "start", day="tomorrow").headings[1] == ["Tomorrow"]
    assert tap(phone, task, "start", day="//evil.example").headings[1] == ["Today"]
