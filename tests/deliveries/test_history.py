"""What rows were before each change: every column that a verb may change is kept, and can be taken back."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from deliveries import doctor, history, intake, queries, transitions
from deliveries.history import MOVED, SHOWN
from deliveries.models import Delivery, Event
from stores import orders
from stores.actors import SYSTEM
from stores.models import Order, Store
from tests import factories
from tests.admin.conftest import logged_in
from tests.deliveries import rows
from tests.factories import NOON

pytestmark = pytest.mark.django_db

REPORTED: dict[str, Any] = {
    **dict.fromkeys(("ref", "tracking_url", "driver_pickup_url", "driver_name", "driver_phone", "driver_phone_access_code"), "x"),
    **{name: NOON + timedelta(days=1) for name in ("estimated_pickup_at", "estimated_dropoff_at", "assigned_at", "pickup_at")},
    **{name: NOON + timedelta(days=1) for name in ("delivered_at", "cancelled_at")},
    "driver_latitude": 1.5,
    "driver_longitude": 2.5,
    "status": "delivered",
}
AMENDED: dict[str, Any] = {
    "status": "accepted",
    "confirmed_time": NOON,
    "seller_notes": "hot",
    "collection_code": "A7",
    "custom_fields": {"a": 1},
    "items": [{"product_name": "Tea", "price": 100, "quantity": "1", "options": []}],
    "discounts": [{"name": "Friend", "price_off": 5}],
    "charges": [{"name": "Bag", "price": 10}],
    "payments": [{"amount": 100}],
}


def latest(about: str) -> dict[str, Any]:
    """What the last event about something says was before."""
    event = Event.objects.filter(kind__startswith=about, data__has_key="before").latest("id")
    before: dict[str, Any] = event.data["before"]
    return before


def test_every_column_that_a_carrier_reports_is_kept() -> None:
    delivery = rows.carried()
    was = history.seen(delivery)
    transitions.report(delivery, REPORTED, by=SYSTEM, at=NOON)
    before = latest("delivery.")
    assert set(before) == set(REPORTED)
    assert before == {name: was[name].isoformat() if hasattr(was[name], "isoformat") else was[name] for name in REPORTED}
    assert set(SHOWN[Delivery]) - set(REPORTED) == {"carrier", "carrier_ref", "courier", "fee_cents"}


def test_every_column_that_a_till_amends_is_kept() -> None:
    order = factories.order()
    was = history.seen(order)
    intake.amend_order(order, AMENDED, by=SYSTEM, at=NOON)
    assert latest("order.") == {name: was[name] for name in (*AMENDED, "total_cents")}
    assert set(SHOWN[Order]) == {*AMENDED, "total_cents", "private_refs"}
    assert {*orders.OPEN_FIELDS, *orders.ELEMENTS} <= set(AMENDED)


def test_an_order_that_its_delivery_moves_says_what_it_was() -> None:
    delivery = rows.booked("PD")
    transitions.pick(delivery, by=SYSTEM, at=NOON)
    assert latest("order.") == {"status": "accepted"}
    assert {"status", "pickup_at"} <= set(latest("delivery."))


def test_what_changes_nothing_shown_keeps_nothing() -> None:
    delivery = rows.booked("PDD")
    newest = rows.last_event()
    first = rows.tasks(delivery)[1]
    transitions.start(rows.tasks(delivery)[0], by=SYSTEM, at=NOON)
    transitions.complete(rows.tasks(delivery)[0], by=SYSTEM, at=NOON)
    transitions.start(first, by=SYSTEM, at=NOON)
    last = Event.objects.filter(pk__gt=newest).latest("id")
    assert (last.kind, last.data) == ("task.started", {})


def test_moves_are_in_the_log_and_in_no_timeline() -> None:
    delivery = rows.carried()
    transitions.report(delivery, {"driver_latitude": 1.5, "driver_name": ""}, by=SYSTEM, at=NOON)
    assert Event.objects.filter(kind=MOVED).count() == 1
    assert MOVED not in {event.kind for event in queries.timeline(delivery)}
    assert doctor.examine() == []


def test_a_store_saved_at_the_desk_says_what_it_was() -> None:
    store = factories.StoreFactory.create(name="Chez Ada")
    browser: Client = logged_in(factories.UserFactory.create(is_staff=True, is_superuser=True))
    url = f"/admin/stores/store/{store.pk}/change/"
    form = browser.get(url).context["adminform"].form
    sent = {name: value for name, value in form.initial.items() if value not in (None, [])}
    for _ in range(2):
        reply = browser.post(url, sent | {"name": "Chez Bea", "enabled": "on"})
        assert reply.status_code == 302, reply.content.decode()
    assert Store.objects.get().name == "Chez Bea"
    (event,) = Event.objects.filter(kind="store.updated")
    assert (event.data, event.store, event.chain) == ({"before": {"name": "Chez Ada"}}, store, f"store {store.pk}")
    assert event.user is not None
    url = f"/admin/stores/address/{store.address_id}/change/"
    form = browser.get(url).context["adminform"].form
    sent = {name: value for name, value in form.initial.items() if value is not None}
    assert browser.post(url, sent | {"street_address": "2, Rue Neuve"}).status_code == 302
    assert Event.objects.latest("id").data == {"before": {"address.street_address": store.address.street_address}}
