"""Every list and page of the desk: it answers, and costs the same whatever it holds."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django import app

from deliveries import intake, transitions
from deliveries.models import Attempt, Call, Courier, Delivery, Event, Subscription, Task, TaskList
from deliveries.outbox import subscriptions
from quotes.models import DeliveryQuote, PricingRuleSet
from quotes.offers import Offer
from stores import credentials
from stores.actors import SYSTEM
from stores.models import Account, Address, ApiClient, Connection, Dialect, Order, PackageSet, Store, Tag, TimeSlot, User
from tests import factories
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

REGISTERED: list[type[Model]] = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
OURS: set[type[Model]] = {Account, Address, ApiClient, Connection, Courier, Delivery, DeliveryQuote, Event, Order, PackageSet, Store}
OURS |= {Call, PricingRuleSet, Subscription, Tag, Task, TaskList, TimeSlot, User}
MOST_QUERIES = 18
"""On any list: session, person, role, count, rows, their stops, and the choices of the facets."""


def a_little_of_everything(number: int) -> Delivery:
    """One more row of every table."""
    courier = factories.CourierFactory.create()
    store = factories.StoreFactory.create(default_courier=courier.user)
    store.owners.add(factories.UserFactory.create())
    store.package_set = PackageSet.objects.create(name=f"Set {number}")
    store.package_set.packages.create(name="SMALL", short_code="S")
    store.pricing_rule_set = factories.price_list(("distance > 0", "499"), name=f"Prices {number}")
    store.time_slot = TimeSlot.objects.create(name=f"Slot {number}", opening_hours=["Mo-Su 10:00-12:00", "Mo,We-Fr 14:00-18:00"])
    store.save()
    store.default_tags.add(Tag.objects.create(name=f"Cold {number}", slug=f"cold-{number}"))
    delivery = factories.delivery(store)
    transitions.start(delivery.tasks.earliest("position"), by=SYSTEM, at=NOON)
    order = factories.order(store)
    offer = Offer(carrier="Fast", carrier_ref="fast", ref="", fee_cents=500, estimated_pickup_at=NOON, estimated_dropoff_at=None)
    intake.offer_quote(order, offer, by=SYSTEM, at=NOON)
    client, _ = factories.coopcycle_client(store)
    credentials.issue_api_key(client)
    hook, _ = subscriptions.subscribe(client, store, "https://203.0.113.9/hook", ["delivery.started"], by=SYSTEM, at=NOON)
    call = Call.objects.create(
        subscription=hook,
        event=Event.objects.filter(delivery=delivery).latest("id"),
        name="delivery.started",
        message_id=f"evt_{number}",
        chain=f"order {delivery.order_id}",
        body="{}",
        created_at=NOON,
    )
    Attempt.objects.create(call=call, started_at=NOON, duration_ms=12, status=500)
    till, _ = credentials.new_client(name=f"Till {number}", dialect=Dialect.HUBRISE)
    connected, _ = credentials.connect(till, account=store.account, scopes="orders.read")
    subscriptions.call_back(connected, "", ["order.update"], follows_positions=False, by=SYSTEM, at=NOON)
    Group.objects.create(name=f"Group {number}")
    app.configure_task("locate_again", queueing_lock=f"run {number}").defer(timestamp=number)
    return delivery


def url(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def price(browser: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        response = browser.get(address)
        response.render() if hasattr(response, "render") else None
    assert response.status_code == 200, address
    return len(queries)


def test_every_model_of_ours_is_there() -> None:
    assert set(REGISTERED) >= OURS


def test_a_list_costs_the_same_whatever_it_holds(admin_browser: Client) -> None:
    def prices() -> dict[str, int]:
        return {model._meta.label: price(admin_browser, url(model, "changelist")) for model in REGISTERED}

    for number in range(2):
        a_little_of_everything(number)
    prices()
    few = prices()
    for number in range(2, 20):
        a_little_of_everything(number)
    assert prices() == few
    assert max(few.values()) <= MOST_QUERIES


def test_the_overview_costs_the_same_whatever_there_is(admin_browser: Client) -> None:
    overview = reverse("admin:index")
    for number in range(2):
        a_little_of_everything(number)
    price(admin_browser, overview)
    few = price(admin_browser, overview)
    for number in range(2, 20):
        a_little_of_everything(number)
    assert price(admin_browser, overview) == few
    assert few <= 10


def test_every_page_answers(admin_browser: Client) -> None:
    a_little_of_everything(0)
    for model in REGISTERED:
        row = model._default_manager.first()
        assert row is not None, model
        for page in ("change", "history"):
            assert admin_browser.get(url(model, page, row.pk)).status_code == 200, (model, page)
        model_admin = admin.site._registry[model]
        assert admin_browser.get(url(model, "add")).status_code in ((200,) if _is_made_by_hand(model_admin) else (403,)), model


def _is_made_by_hand(model_admin: Any) -> bool:
    return model_admin.model not in (Delivery, Task, TaskList, Order, DeliveryQuote, Event, Connection, Subscription, Call) and (
        model_admin.model._meta.app_label != "procrastinate"
    )


@pytest.mark.parametrize("model", [Delivery, Task], ids=lambda model: model._meta.model_name)
@pytest.mark.parametrize(
    ("facets", "found"),
    [
        ("", True),
        ("open=yes", True),
        ("open=no", False),
        ("day=today", True),
        ("day=tomorrow", False),
        ("day=yesterday", False),
        ("date=2026-11-20", True),
        ("date=2026-11-22", False),
        ("late=yes", False),
        ("late=no", True),
        ("unassigned=yes", False),
        ("unassigned=no", True),
        ("house=yes", True),
        ("house=no", False),
        ("review=yes", False),
        ("review=no", True),
    ],
)
def test_facets_find(model: type[Model], facets: str, found: bool, admin_browser: Client) -> None:
    a_little_of_everything(0)
    response = admin_browser.get(f"{url(model, 'changelist')}?{facets}")
    assert (response.context["cl"].result_count > 0) is found


@pytest.mark.parametrize("facet", ["store", "courier"])
def test_a_facet_of_rows_finds_those_alone(facet: str, admin_browser: Client) -> None:
    wanted = a_little_of_everything(0)
    a_little_of_everything(1)
    response = admin_browser.get(f"{url(Delivery, 'changelist')}?{facet}={getattr(wanted, f'{facet}_id')}")
    assert [row.pk for row in response.context["cl"].result_list] == [wanted.pk]


@pytest.mark.parametrize(
    "facet", ["store=x", "store=99999999999999999999", "date=x", "date=2026-13-01", "courier=-1", "p=x", "o=9.9", "x=1"]
)
def test_a_facet_that_makes_no_sense_is_no_accident(facet: str, admin_browser: Client) -> None:
    response = admin_browser.get(f"{url(Delivery, 'changelist')}?{facet}", follow=True)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "words",
    [
        *("Lovelace", "LOVÉLACE", "rivoli", "ada rivoli", "helene", "Hélène", "héléne lovelace"),
        *("06 12 34 56 78", "0612345678", "06.12.34.56.78", "+33612345678", "+33 6 12 34 56 78", "(0)6 12 34 56 78"),
        *("T-100", "#{pk}", "delivery {pk}", "Delivery #{pk}", "delivery{pk}", "{order}", "{public}", "quickfoot"),
    ],
)
def test_search_finds_a_delivery(words: str, admin_browser: Client) -> None:
    wanted = a_little_of_everything(0)
    other = a_little_of_everything(1)
    Order.objects.filter(pk=other.order_id).update(ref="OTHER")
    Address.objects.filter(tasks__delivery=other).update(street_address="1, Rue Autre")
    dropoff = wanted.tasks.latest("position")
    Task.objects.filter(pk=dropoff.pk).update(ref="T-100")
    Address.objects.filter(pk=dropoff.address_id).update(contact_name="Ada Hélène Lovelace", telephone="+33612345678")
    Address.objects.filter(tasks__delivery=other).update(telephone="+33612340678")
    User.objects.filter(courier__deliveries=wanted).update(first_name="Quickfoot")
    Order.objects.filter(pk=wanted.order_id).update(ref="4711")
    asked = words.format(pk=wanted.pk, order="4711", public=wanted.order.public_id)
    response = admin_browser.get(url(Delivery, "changelist"), {"q": asked})
    assert [row.pk for row in response.context["cl"].result_list] == [wanted.pk]


def test_the_most_urgent_comes_first(admin_browser: Client) -> None:
    later = factories.delivery(stops=factories.stops(due=NOON.replace(hour=18)))
    soon = factories.delivery(stops=factories.stops(due=NOON.replace(hour=12)))
    over = factories.delivery(stops=factories.stops(due=NOON.replace(hour=11, minute=30)))
    transitions.cancel_delivery(over, by=SYSTEM, at=NOON)
    for model, expected in ((Delivery, [soon.pk, later.pk, over.pk]), (Task, None)):
        listed = list(admin_browser.get(url(model, "changelist")).context["cl"].result_list)
        seen = [row.pk for row in listed] if expected else list(dict.fromkeys(row.delivery_id for row in listed))
        assert seen == [soon.pk, later.pk, over.pk]


def test_lateness_is_said_in_words(admin_browser: Client, noon: Any) -> None:
    delivery = factories.delivery(stops=factories.stops(due=NOON.replace(hour=13)))
    noon.move_to(delivery.tasks.earliest("position").before.replace(hour=13, minute=30))
    body = admin_browser.get(url(Delivery, "changelist")).content.decode()
    assert "late " in body
    assert "nobody yet" in body
    assert "Not started" in body


@pytest.mark.parametrize("model", [Delivery, Task, Address, Connection, Subscription, Call], ids=lambda model: model._meta.model_name)
def test_facets_can_be_counted(model: type[Model], admin_browser: Client) -> None:
    a_little_of_everything(0)
    assert admin_browser.get(url(model, "changelist"), {"_facets": "True"}).status_code == 200


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label_lower)
@pytest.mark.parametrize("words", ["é", "30", "a 1 b", "06 39 98 01 01", "9" * 30, "%_", "delivery " + "9" * 30])
def test_any_words_may_be_searched_for(words: str, model: type[Model], admin_browser: Client) -> None:
    assert admin_browser.get(url(model, "changelist"), {"q": words}).status_code == 200


def test_search_finds_an_order_by_its_customer(admin_browser: Client) -> None:
    order = factories.order()
    response = admin_browser.get(url(Order, "changelist"), {"q": "lovélace"})
    assert [row.pk for row in response.context["cl"].result_list] == [order.pk]
