"""Addresses that were not found are looked up again, by hand and by the worker."""

import logging

import pytest
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob

from deliveries import jobs, relocating
from deliveries.models import Delivery, Task
from deliveries.stops import AddressDraft
from stores import distances
from stores.actors import SYSTEM
from stores.places import Place, Point
from tests import factories
from tests.deliveries import rows
from tests.deliveries.geocoding import FakeGeocoder
from tests.deliveries.rows import LATER

pytestmark = pytest.mark.django_db

FAR = Point(48.9, 2.5)


def lost(geocoder: FakeGeocoder, street: str = "somewhere") -> Task:
    """The dropoff of a delivery, taken at its store's point because the geocoder was down."""
    geocoder.down = True
    delivery = factories.delivery(stops=[rows.stop("P"), rows.stop("D", address=AddressDraft(street_address=street))])
    geocoder.down = False
    return rows.tasks(delivery)[1]


def test_a_place_found_at_last_is_put_right_and_the_way_measured_anew(geocoder: FakeGeocoder) -> None:
    task = lost(geocoder)
    geocoder.known = {"somewhere": Place("somewhere", point=FAR)}
    newest = rows.last_event()
    assert relocating.locate_again(limit=10, by=SYSTEM, at=LATER) == 1
    task.address.refresh_from_db()
    delivery = Delivery.objects.get(tasks=task)
    route = distances.router().route([stop.address.point for stop in rows.tasks(delivery)])
    assert (task.address.point, task.address.needs_review) == (FAR, False)
    assert (delivery.distance, delivery.duration, delivery.polyline, delivery.updated_at) == (
        route.distance_m,
        route.duration_s,
        route.polyline,
        LATER,
    )
    assert [(event.kind, event.task_id, event.data, event.happened_at) for event in rows.told(newest)] == [
        ("task.updated", task.pk, {"located": True}, LATER)
    ]
    assert relocating.locate_again(limit=10, by=SYSTEM, at=LATER) == 0


@pytest.mark.parametrize("answer", [None, Place("somewhere")], ids=["unknown", "without a point"])
def test_a_place_still_unknown_waits_on(geocoder: FakeGeocoder, answer: Place | None) -> None:
    lost(geocoder)
    geocoder.known = {"somewhere": answer} if answer else {}
    before = rows.everything()
    assert relocating.locate_again(limit=10, by=SYSTEM, at=LATER) == 0
    assert rows.everything() == before


def test_a_geocoder_that_is_down_is_asked_once(geocoder: FakeGeocoder) -> None:
    for street in ("one", "two", "three"):
        lost(geocoder, street)
    geocoder.down, geocoder.asked = True, []
    assert relocating.locate_again(limit=10, by=SYSTEM, at=LATER) == 0
    assert geocoder.asked == ["one"]


def test_no_more_are_asked_for_than_the_limit(geocoder: FakeGeocoder) -> None:
    for street in ("one", "two", "three"):
        lost(geocoder, street)
    geocoder.asked = []
    relocating.locate_again(limit=2, by=SYSTEM, at=LATER)
    assert geocoder.asked == ["one", "two"]


@pytest.mark.parametrize("status", ["DONE", "FAILED", "CANCELLED"])
def test_nobody_needs_the_place_of_a_task_that_is_over(geocoder: FakeGeocoder, status: str) -> None:
    task = lost(geocoder)
    assert task.delivery is not None
    rows.put(task.delivery, "DONE", status)
    geocoder.asked = []
    assert relocating.locate_again(limit=10, by=SYSTEM, at=LATER) == 0
    assert geocoder.asked == []


def test_a_task_alone_is_put_right_too() -> None:
    task = rows.alone()
    relocating.put_at(task.address, FAR, by=SYSTEM, at=LATER)
    task.address.refresh_from_db()
    assert task.address.point == FAR
    assert [event.task for event in rows.told()] == [task]


@pytest.mark.django_db(transaction=True)
def test_maps_are_asked_before_the_transaction_begins(geocoder: FakeGeocoder, monkeypatch: pytest.MonkeyPatch) -> None:
    lost(geocoder)
    geocoder.known, geocoder.may_be_atomic = {"somewhere": Place("somewhere", point=FAR)}, False
    routed: list[bool] = []

    class Router:
        def route(self, points: list[Point]) -> distances.Route:
            routed.append(connection.in_atomic_block)
            return distances.Route(1, 2, "")

    monkeypatch.setattr(distances, "router", Router)
    assert relocating.locate_again(limit=10, by=SYSTEM, at=LATER) == 1
    assert routed == [False]


# --- The worker ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [True, False])
def test_the_job_says_what_it_found(geocoder: FakeGeocoder, caplog: pytest.LogCaptureFixture, found: bool) -> None:
    task = lost(geocoder)
    geocoder.known = {"somewhere": Place("somewhere", point=FAR)} if found else {}
    with caplog.at_level(logging.INFO, logger="deliveries.jobs"):
        jobs.locate_again(timestamp=17)
    task.address.refresh_from_db()
    assert task.address.needs_review != found
    assert [record.message for record in caplog.records] == (["found 1 addresses that were to be reviewed (run of 17)"] if found else [])


def test_the_job_runs_every_five_minutes_and_never_twice_at_once() -> None:
    periodic = app.periodic_registry.periodic_tasks["locate_again", ""]
    assert (periodic.cron, periodic.task.queueing_lock) == ("*/5 * * * *", "locate_again")


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_runs_the_job(geocoder: FakeGeocoder) -> None:
    task = lost(geocoder)
    geocoder.known = {"somewhere": Place("somewhere", point=FAR)}
    job = app.configure_task("locate_again").defer(timestamp=0)
    assert isinstance(app.connector, DjangoConnector)
    with app.replace_connector(app.connector.get_worker_connector()) as worker:
        worker.run_worker(wait=False, install_signal_handlers=False)
    task.address.refresh_from_db()
    assert task.address.point == FAR
    assert ProcrastinateJob.objects.get(pk=job).status == "succeeded"
