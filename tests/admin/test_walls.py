"""Walls: a store sees its own, a courier has no desk, a dispatcher no keys."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, Group
from django.core.management import call_command
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from deliveries import groups, transitions
from deliveries.models import Call, Courier, Delivery, Event, Subscription, Task, TaskList
from quotes.models import DeliveryQuote
from stores.actors import SYSTEM, Role
from stores.models import Account, Address, ApiClient, Connection, Order, Store, User
from tests import factories
from tests.admin.conftest import logged_in
from tests.admin.test_lists import a_little_of_everything, url
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

OWN = (Delivery, Task, Order, DeliveryQuote, Store, Subscription, Call)
REGISTERED: list[type[Model]] = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)


def owner_of(store: Store) -> Client:
    user = factories.UserFactory.create(username="olga", is_staff=True, role=Role.STORE_OWNER)
    store.owners.add(user)
    return logged_in(user)


def rows_of(model: Any, delivery: Delivery) -> Any:
    if model is Subscription:
        return model.objects.of_store(delivery.store_id)
    path = {Store: "pk", DeliveryQuote: "order__store", Call: "event__store"}.get(model, "store")
    return model.objects.filter(**{path: delivery.store_id})


@pytest.mark.parametrize("model", OWN, ids=lambda model: model._meta.model_name)
def test_an_owner_sees_own_rows_alone(model: type[Model]) -> None:
    own, neighbour = a_little_of_everything(0), a_little_of_everything(1)
    browser = owner_of(own.store)
    listed = browser.get(url(model, "changelist")).context["cl"].result_list
    assert {row.pk for row in listed} == set(rows_of(model, own).values_list("pk", flat=True))
    assert browser.get(url(model, "change", rows_of(model, own).first().pk)).status_code == 200
    stranger = rows_of(model, neighbour).first()
    for page in ("change", "history", "delete"):
        assert browser.get(url(model, page, stranger.pk)).status_code in (403, 404), page
    assert browser.get(url(model, "changelist"), {"store": neighbour.store_id}).status_code in (200, 302)


@pytest.mark.parametrize("model", [model for model in REGISTERED if model not in OWN], ids=lambda model: model._meta.label_lower)
def test_an_owner_is_kept_out_of_the_rest(model: type[Model]) -> None:
    browser = owner_of(a_little_of_everything(0).store)
    row = model._default_manager.first()
    assert row is not None
    for address in (url(model, "changelist"), url(model, "add"), url(model, "change", row.pk), url(model, "delete", row.pk)):
        assert browser.get(address).status_code == 403, address


def test_the_facets_of_an_owner_name_no_neighbour() -> None:
    own, neighbour = a_little_of_everything(0), a_little_of_everything(1)
    courier = factories.CourierFactory.create(user__username="secretcourier")
    body = owner_of(own.store).get(url(Delivery, "changelist")).content.decode()
    assert own.store.name in body
    assert neighbour.store.name not in body
    assert courier.user.username not in body


def test_an_owner_cancels_what_nobody_holds_and_no_more() -> None:
    store = factories.StoreFactory.create()
    browser = owner_of(store)
    free, held, stranger = factories.delivery(store), factories.delivery(store), factories.delivery()
    transitions.assign(held.tasks.earliest("position"), factories.CourierFactory.create(), by=SYSTEM, at=NOON)

    def cancel(delivery: Delivery) -> tuple[int, str]:
        response = browser.post(reverse("admin:deliveries_delivery_act", args=[delivery.pk, "cancel"]), {"apply": "1"})
        delivery.refresh_from_db()
        return response.status_code, delivery.status

    assert cancel(free) == (302, "cancelled")
    assert cancel(held) == (302, "pending")
    assert cancel(stranger) == (404, "pending")


@pytest.mark.parametrize("name", ["assign", "start", "pick", "drop", "fail", "restore", "unassign"])
def test_an_owner_moves_nothing(name: str) -> None:
    delivery = factories.delivery()
    browser = owner_of(delivery.store)
    assert browser.post(reverse("admin:deliveries_delivery_act", args=[delivery.pk, name]), {"apply": "1"}).status_code == 403
    browser.post(url(Delivery, "changelist"), {"action": name, "_selected_action": [delivery.pk], "index": "0"})
    delivery.refresh_from_db()
    assert delivery.status == "pending"


def test_an_owner_ticks_no_row_of_a_neighbour() -> None:
    own, stranger = factories.delivery(), factories.delivery()
    ticked = {"action": "cancel", "_selected_action": [own.pk, stranger.pk], "apply": "1"}
    owner_of(own.store).post(url(Delivery, "changelist"), ticked)
    assert list(Delivery.objects.order_by("pk").values_list("status", flat=True)) == ["cancelled", "pending"]


@pytest.mark.parametrize("is_staff", [False, True])
def test_a_courier_has_no_desk(is_staff: bool) -> None:
    courier = factories.CourierFactory.create(user__is_staff=is_staff)
    browser = logged_in(courier.user)
    a_little_of_everything(0)
    assert browser.get(reverse("admin:index")).status_code == 302
    for model in REGISTERED:
        assert browser.get(url(model, "changelist")).status_code == 302, model


def test_nobody_has_no_desk() -> None:
    browser = Client()
    assert browser.get(reverse("admin:login")).status_code == 200
    assert browser.get(reverse("admin:index")).status_code == 302
    assert browser.get(reverse("admin:deliveries_delivery_new")).status_code == 302
    request = RequestFactory().get("/admin/")
    request.user = AnonymousUser()
    assert not any(admin.site._registry[model].has_view_permission(request) for model in REGISTERED)


@pytest.mark.parametrize(
    ("model", "sees", "adds", "changes"),
    [
        (Delivery, True, False, False),
        (Courier, True, True, True),
        (Address, True, True, True),
        (Store, True, False, False),
        (Account, True, False, False),
        (Event, True, False, False),
        (TaskList, True, False, False),
        (Subscription, True, False, False),
        (Call, True, False, False),
        (User, False, False, False),
        (Group, False, False, False),
        (ApiClient, False, False, False),
        (Connection, False, False, False),
    ],
)
def test_what_a_dispatcher_may(model: type[Model], sees: bool, adds: bool, changes: bool, dispatcher_browser: Client) -> None:
    a_little_of_everything(0)
    Group.objects.get_or_create(name="dispatcher")
    row = model._default_manager.first()
    assert row is not None
    assert (dispatcher_browser.get(url(model, "changelist")).status_code == 200) is sees
    assert (dispatcher_browser.get(url(model, "add")).status_code == 200) is adds
    assert (dispatcher_browser.post(url(model, "change", row.pk), {}).status_code != 403) is changes
    assert dispatcher_browser.get(url(model, "delete", row.pk)).status_code == 403


def test_the_navigation_shows_what_may_be_seen(dispatcher_browser: Client) -> None:
    def titles(browser: Client) -> set[str]:
        navigation = browser.get(reverse("admin:index")).context["sidebar_navigation"]
        return {str(item["title"]) for group in navigation for item in group["items"]}

    assert titles(dispatcher_browser) >= {"Deliveries", "Couriers", "Event log"}
    assert "API clients" not in titles(dispatcher_browser)
    assert titles(owner_of(factories.StoreFactory.create())) == {
        *("Overview", "Deliveries", "Tasks", "Orders", "Quotes", "Stores", "Subscriptions", "Calls")
    }


def test_groups_are_set_up_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("set_up")
    call_command("set_up")
    assert set(Group.objects.values_list("name", flat=True)) == {"dispatcher", "store owner", "courier"}
    dispatcher = Group.objects.get(name="dispatcher")
    codes = set(dispatcher.permissions.values_list("codename", flat=True))
    assert {"view_delivery", "change_task", "view_event"} <= codes
    assert not codes & {"view_apiclient", "view_user", "delete_delivery"}
    assert Group.objects.get(name="courier").permissions.count() == 0
    tables = {table for may in groups.MAY.values() for table in may}
    assert tables <= {model._meta.label_lower for model in REGISTERED} | {"stores.package", "quotes.pricingrule"}
