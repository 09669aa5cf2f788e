"""What rows are called where people read them, and the few properties that look at no other row."""

from datetime import date, time

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from deliveries import tracking_links
from deliveries.models import TaskList
from stores import credentials
from stores.models import Account, Address, Dialect, Order, Package, PackageSet, Tag, TimeSlot, User
from stores.models.account import check_timezone
from tests import factories
from tests.deliveries import rows
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_rows_are_called_what_people_call_them() -> None:
    bob = factories.CourierFactory.create(user__username="bob", user__first_name="Bob", user__last_name="Ride")
    delivery = rows.booked("PD")
    shop, _ = factories.coopcycle_client(factories.StoreFactory.create(name="Acme"))
    held, key = credentials.issue_api_key(shop)
    order = factories.order(ref="T1")
    assert str(bob) == "Bob Ride"
    assert str(User(username="ada")) == "ada"
    assert str(TaskList(courier=bob, date=date(2026, 11, 20))) == "Bob Ride on 20 November 2026"
    assert str(delivery) == f"Delivery {delivery.pk}"
    assert str(rows.tasks(delivery)[0]) == f"Task #{rows.tasks(delivery)[0].pk}"
    assert str(rows.told()[0]) == "order.created by Relais"
    assert str(held) == f"Shop of Acme · {key[:8]}…"
    assert str(shop) == "Shop of Acme"
    assert str(order) == "Order T1"
    assert str(delivery.order) == f"Order {delivery.order.public_id}"
    assert str(rows.quoted(order, house=False)) == "Coursier for Order T1"
    assert str(shop.store) == "Acme"
    assert [str(row(name="x")) for row in (Account, Tag, PackageSet, Package, TimeSlot)] == ["x"] * 5
    assert str(Address(street_address="1, Rue", name="Home")) == "Home, 1, Rue"


def test_customers_are_called_by_name_or_company() -> None:
    for customer, name in (
        ({"first_name": "Ada", "last_name": "Lovelace", "company_name": "Engines"}, "Ada Lovelace"),
        ({"first_name": None, "last_name": "Lovelace"}, "Lovelace"),
        ({"company_name": "Engines"}, "Engines"),
        ({}, ""),
    ):
        assert Order(customer=customer).customer_name == name


def test_a_store_keeps_its_own_time() -> None:
    store = factories.StoreFactory.create(timezone="Europe/Lisbon")
    assert NOON.astimezone(store.tz).hour == 11
    check_timezone("Europe/Lisbon")
    with pytest.raises(ValidationError, match="Mars/Olympus"):
        check_timezone("Mars/Olympus")


def test_only_clients_that_speak_for_a_store_get_tokens_for_themselves() -> None:
    shop, _ = factories.coopcycle_client(factories.StoreFactory.create())
    till, _ = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    lost, _ = credentials.new_client(name="Lost", dialect=Dialect.COOPCYCLE)
    assert [client.is_usable(None) for client in (shop, till, lost)] == [True, False, False]


def test_slots_are_read_as_rules() -> None:
    rules = TimeSlot(opening_hours=["Mo-Sa 10:00-11:00"], prior_notice="", same_day_cutoff=time(9)).rules
    assert (len(rules.opening_hours), rules.interval, rules.prior_notice, rules.same_day_cutoff) == (1, "2 days", None, time(9))


def test_every_delivery_has_a_page_that_nobody_guesses() -> None:
    first, second = (tracking_links.tracking_url(rows.booked("PD")) for _ in range(2))
    assert first.startswith(f"{settings.BASE_URL}/en/pub/d/")
    assert len(first.rpartition("/")[2]) >= 22
    assert first != second
