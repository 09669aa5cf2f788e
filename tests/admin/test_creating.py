"""Booking at the desk: a plain form, one call of the core, and its refusals at the right field."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.models import Delivery, Event
from stores import places
from stores.actors import Role
from stores.models import Package, PackageSet, Store, Tag, TimeSlot
from tests import factories
from tests.admin.conftest import logged_in
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

NEW = "/admin/deliveries/delivery/new/"


def asked(sender: Store, **changes: Any) -> dict[str, Any]:
    fields = {
        "store": sender.pk,
        "dropoff_address": "48, Rue de Rivoli, Paris, France",
        "contact_name": "Ada Lovelace",
        "telephone": "06 12 34 56 78",
        "before": "2026-11-20T15:00",
    }
    return {**fields, **changes}


def test_a_delivery_is_booked_through_the_core(dispatcher_browser: Client) -> None:
    boxes = PackageSet.objects.create(name="Boxes")
    store = factories.StoreFactory.create(package_set=boxes)
    Package.objects.create(package_set=boxes, name="SMALL", short_code="S", volume_units=2)
    Tag.objects.create(name="Cold", slug="cold")
    courier = factories.CourierFactory.create()
    more = {"packages": "2 × small\n\nSMALL", "weight": "1.5", "tags": ["cold"], "courier": courier.pk, "comments": "ring twice"}
    response = dispatcher_browser.post(NEW, asked(store, **more))
    delivery = Delivery.objects.get()
    assert response.headers["Location"] == reverse("admin:deliveries_delivery_change", args=[delivery.pk])
    pickup, dropoff = delivery.tasks.order_by("position")
    assert pickup.address == store.address
    assert (dropoff.address.contact_name, dropoff.address.telephone) == ("Ada Lovelace", "+33612345678")
    assert dropoff.before == NOON + timedelta(hours=3)
    assert dropoff.weight == 1500
    assert [(package["name"], package["quantity"], package["volume"]) for package in dropoff.packages] == [("SMALL", 2, 2), ("SMALL", 1, 2)]
    assert [tag.slug for tag in dropoff.tags.all()] == ["cold"]
    assert delivery.courier == courier
    assert dropoff.comments == "ring twice"
    assert set(Event.objects.values_list("actor_name", flat=True)) == {"dora"}


def test_a_slot_is_a_window(dispatcher_browser: Client) -> None:
    slot = TimeSlot.objects.create(name="Noon", opening_hours=["Mo-Su 14:00-15:00"])
    store = factories.StoreFactory.create(time_slot=slot)
    form = dispatcher_browser.get(NEW, {"store": store.pk}).context["form"]
    key, label = form.fields["slot"].choices[1]
    assert label == "14:00–15:00"
    dispatcher_browser.post(NEW, asked(store, before="", slot=key))
    last = Delivery.objects.get().tasks.latest("position")
    assert (last.after, last.before) == (NOON + timedelta(hours=2), NOON + timedelta(hours=3))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"store": ""}, "store"),
        ({"store": "999"}, "store"),
        ({"store": "x"}, "store"),
        ({"dropoff_address": ""}, "dropoff_address"),
        ({"telephone": "none"}, "telephone"),
        ({"before": ""}, "before"),
        ({"before": "soon"}, "before"),
        ({"after": "2026-11-20T16:00"}, "before"),
        ({"weight": "-1"}, "weight"),
        ({"weight": "x"}, "weight"),
        ({"courier": "999"}, "courier"),
        ({"tags": ["none"]}, "tags"),
        ({"packages": "3 × unknown"}, "packages"),
        ({"slot": "2026-11-20/2026-11-21"}, "slot"),
    ],
)
def test_bad_input_is_said_at_its_field(changes: dict[str, Any], field: str, dispatcher_browser: Client) -> None:
    slot = TimeSlot.objects.create(name="Noon", opening_hours=["Mo-Su 14:00-15:00"])
    boxes = PackageSet.objects.create(name="Boxes")
    store = factories.StoreFactory.create(package_set=boxes, time_slot=slot)
    Package.objects.create(package_set=boxes, name="SMALL", short_code="S")
    response = dispatcher_browser.post(NEW, asked(store, **changes))
    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert Delivery.objects.count() == 0


class KnowsNothing:
    """A real geocoder that is up, and finds nothing."""

    is_authoritative = True

    def locate(self, text: str) -> None:
        return None


@pytest.mark.parametrize("field", ["pickup_address", "dropoff_address"])
def test_an_address_that_is_not_found_is_said_at_its_field(field: str, dispatcher_browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "geocoder", KnowsNothing)
    response = dispatcher_browser.post(NEW, asked(factories.StoreFactory.create(), **{field: "Nowhere 1"}))
    assert "Nowhere 1" in response.context["form"].errors[field][0]
    assert Delivery.objects.count() == 0


def test_an_owner_books_for_own_stores_and_no_other() -> None:
    own, other = factories.StoreFactory.create(), factories.StoreFactory.create()
    owner = factories.UserFactory.create(is_staff=True, role=Role.STORE_OWNER)
    own.owners.add(owner)
    browser = logged_in(owner)
    assert "courier" not in browser.get(NEW).context["form"].fields
    assert browser.get(NEW).context["form"].initial["store"] == own.pk
    refused = browser.post(NEW, asked(other))
    assert "store" in refused.context["form"].errors
    assert browser.post(NEW, asked(own)).status_code == 302
    assert Delivery.objects.get().store == own


def test_nobody_adds_a_row_by_the_usual_form(admin_browser: Client) -> None:
    assert admin_browser.get(reverse("admin:deliveries_delivery_add")).status_code == 403


@pytest.mark.parametrize("query", ["store=x", "store=999", "store=99999999999999999999999"])
def test_a_store_that_is_not_there_is_no_accident(query: str, dispatcher_browser: Client) -> None:
    assert dispatcher_browser.get(f"{NEW}?{query}").status_code == 200


def test_a_new_store_gets_the_next_number_of_its_account(admin_browser: Client) -> None:
    first = factories.StoreFactory.create(account__public_id="3r4s3", public_id="3r4s3-9")
    fields = {
        "name": "Second",
        "account": first.account_id,
        "address": first.address_id,
        "timezone": "Europe/Paris",
        "enabled": "on",
        "preparation_minutes": "15",
    }
    assert admin_browser.post(reverse("admin:stores_store_add"), fields).status_code == 302
    assert Store.objects.get(name="Second").public_id == "3r4s3-10"


def test_hours_may_hold_commas(admin_browser: Client) -> None:
    fields = {"name": "Evenings", "opening_hours": "Mo,We-Fr 18:00-20:00\r\n\r\nSa 10:00-11:00", "interval": "2 days"}
    assert admin_browser.post(reverse("admin:stores_timeslot_add"), fields).status_code == 302
    assert TimeSlot.objects.get().opening_hours == ["Mo,We-Fr 18:00-20:00", "Sa 10:00-11:00"]
    response = admin_browser.post(reverse("admin:stores_timeslot_add"), {**fields, "opening_hours": "sometimes"})
    assert "opening_hours" in response.context["adminform"].form.errors


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"before": "2026-11-20T11:59"}, "before"),
        ({"pickup_before": "2026-11-20T11:59"}, "pickup_before"),
        ({"pickup_after": "2026-11-20T14:00", "pickup_before": "2026-11-20T13:00"}, "pickup_before"),
        ({"price": "-1"}, "price"),
    ],
)
def test_a_window_that_is_over_is_refused(changes: dict[str, str], field: str, dispatcher_browser: Client) -> None:
    response = dispatcher_browser.post(NEW, asked(factories.StoreFactory.create(), **changes))
    assert list(response.context["form"].errors) == [field]
    assert len(response.context["form"].errors[field]) == 1
    assert Delivery.objects.count() == 0


def test_the_desk_writes_the_price_and_the_pickup(dispatcher_browser: Client) -> None:
    more = {"price": "6.50", "pickup_after": "2026-11-20T13:00", "pickup_before": "2026-11-20T13:20"}
    dispatcher_browser.post(NEW, asked(factories.StoreFactory.create(), **more))
    delivery = Delivery.objects.get()
    assert delivery.order.total_cents == 650
    first = delivery.tasks.earliest("position")
    assert (first.after, first.before) == (NOON + timedelta(hours=1), NOON + timedelta(minutes=80))


def test_choosing_the_store_last_keeps_what_was_typed(dispatcher_browser: Client) -> None:
    boxes = PackageSet.objects.create(name="Boxes")
    store = factories.StoreFactory.create(package_set=boxes, timezone="Europe/Lisbon")
    Package.objects.create(package_set=boxes, name="SMALL", short_code="S", volume_units=2)
    response = dispatcher_browser.post(NEW, {**asked(store), "choosing": "1"})
    form = response.context["form"]
    assert not form.errors
    assert "packages" in form.fields
    assert form["contact_name"].value() == "Ada Lovelace"
    assert form["before"].value() == "2026-11-20T15:00"
    assert "Europe/Lisbon" in form.fields["before"].help_text
    assert Delivery.objects.count() == 0
