"""A delivery asked for costs what its store's price list says, and keeps what it cost."""

from datetime import timedelta
from typing import Any

import pytest

from deliveries import booking
from deliveries.booking import Request
from deliveries.models import Delivery
from deliveries.pricing import NoPriceList
from quotes import price_lists
from quotes.price_lists import RuleDraft
from quotes.pricing.counting import NoRuleMatches, NotASupplement
from quotes.pricing.operators import RuleFailed
from stores.actors import Actor, ActorKind, Role
from stores.models import Order, Store, TimeSlot
from stores.refusals import Invalid
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db

DESK = Actor(kind=ActorKind.USER, name="Dana", roles=frozenset([Role.DISPATCHER]))
SHOP = Actor(kind=ActorKind.CLIENT, name="Shop", scopes=frozenset(["deliveries"]))
XL = {"name": "Big box", "short_code": "XL", "volume": 3, "quantity": 2}


@pytest.fixture
def store() -> Store:
    return factories.StoreFactory.create()


def made(store: Store, **wanted: Any) -> Order:
    return factories.delivery(store, **wanted).order


def costs(store: Store, condition: str, **stop: Any) -> bool:
    """Whether a delivery of the store meets the condition."""
    factories.price_list((condition, "1"), ("true", "0"), store=store)
    return made(store, stops=factories.stops(**stop)).total_cents == 1


def test_a_delivery_costs_what_the_list_says(store: Store) -> None:
    row = factories.price_list(("distance > 0", "499"), store=store)
    delivery = factories.delivery(store)
    order = Order.objects.get(pk=delivery.order_id)
    assert (order.total_cents, order.tax_cents) == (499, 83)
    assert [(charge["name"], charge["price"]) for charge in order.charges] == [("Delivery", 499)]
    assert Delivery.objects.get(pk=delivery.pk).fee_cents == 499
    [rule] = price_lists.read(row).rules
    line = {"rule": rule.pk, "point": None, "quantity": 1, "words": "More than 0.00 km", "amount": 499, "by_hand": False}
    assert order.pricing == {"rule_set": row.pk, "version": 1, "lines": [line]}


def test_changing_a_list_changes_no_past_price(store: Store) -> None:
    row = factories.price_list(("true", "499"), store=store)
    order = made(store)
    price_lists.save(row, [RuleDraft(expression="true", price="999", position=0)])
    kept = Order.objects.get(pk=order.pk)
    assert (kept.total_cents, kept.pricing["version"], kept.pricing["lines"][0]["amount"]) == (499, 1, 499)
    assert made(store).total_cents == 999


@pytest.mark.parametrize("cents", [0, 650])
def test_a_price_that_somebody_named_wins(store: Store, cents: int) -> None:
    factories.price_list(("true", "499"), store=store)
    order = made(store, price_cents=cents)
    assert (order.total_cents, order.pricing) == (cents, {})


def test_without_a_list_it_costs_nothing(store: Store) -> None:
    assert made(store).total_cents == 0
    with pytest.raises(NoPriceList):
        booking.price(Request(store=store, stops=factories.stops()), at=NOON)


@pytest.mark.parametrize(("rule", "refusal"), [(("distance > 999999", "1"), NoRuleMatches), (("true", "1 / 0"), RuleFailed)])
def test_a_gap_in_the_list_refuses_all_but_the_desk(store: Store, rule: tuple[str, str], refusal: type[Exception]) -> None:
    row = factories.price_list(rule, store=store)
    with pytest.raises(refusal):
        made(store, by=SHOP)
    assert not Delivery.objects.exists()
    order = made(store, by=DESK)
    assert order.total_cents == 0
    assert order.pricing == {"rule_set": row.pk, "lines": [], "problem": refusal.code}  # type: ignore[attr-defined]  # both have one


@pytest.mark.parametrize(
    ("condition", "stop"),
    [
        ("distance in 2500..5000", {}),
        ("weight == 6000", {"weight": 6000}),
        ("weight == null", {}),
        ('packages.quantity("XL") == 2 and packages.quantity("Big box") == 2 and packages.totalVolumeUnits() == 6', {"packages": [XL]}),
        ("dropoff.doorstep", {"doorstep": True}),
        ("diff_hours(dropoff) == 2 and diff_days(dropoff) == 0", {}),
        ('time_range_length(dropoff, "minutes", "== 15")', {}),
        ('out_zone(dropoff.address, "anywhere")', {}),
    ],
)
def test_rules_see_the_delivery(store: Store, condition: str, stop: dict[str, Any]) -> None:
    assert costs(store, condition, **stop)
    assert not costs(store, f"not ({condition})", **stop)


def test_rules_for_stops_see_each(store: Store) -> None:
    row = factories.price_list(store=store)
    rule = RuleDraft(expression='task.type == "DROPOFF"', price="200", position=0, target="TASK")  # type: ignore[arg-type]  # as from a form
    price_lists.save(row, [rule])
    two = [*factories.stops(), factories.stops()[1]]
    assert made(store, stops=two).total_cents == 400


def test_a_window_that_is_a_choice_of_the_stores_slot_is_that_slot(store: Store) -> None:
    store.time_slot = TimeSlot.objects.create(name="Day", opening_hours=["Mo-Su 14:00-16:00"], working_days_only=False)
    store.save()
    named = f'time_slot == "/api/time_slots/{store.time_slot.pk}"'
    begin = NOON + timedelta(hours=2)
    assert costs(store, named, after=begin, due=begin + timedelta(hours=2))
    assert not costs(store, named, after=begin, due=begin + timedelta(hours=1))


def test_supplements_are_added(store: Store) -> None:
    row = factories.price_list(("true", "499"), ("false", "price_range(quantity, 500, 5, 0)"), store=store)
    always, by_hand = price_lists.read(row).rules
    order = made(store, supplements=[(by_hand.pk, 15)])
    assert order.total_cents == 1999
    assert [line["by_hand"] for line in order.pricing["lines"]] == [False, True]
    with pytest.raises(Invalid) as caught:
        made(store, supplements=[(always.pk, 1), (by_hand.pk + 999, 1)])
    assert [type(problem) for problem in caught.value.problems] == [NotASupplement, NotASupplement]


def test_asking_for_a_price_writes_nothing(store: Store) -> None:
    factories.price_list(("true", "499"), store=store)
    assert booking.price(Request(store=store, stops=factories.stops()), at=NOON).amount_cents == 499
    assert booking.facts(Request(store=store, stops=factories.stops()), at=NOON).distance > 0
    assert not Order.objects.exists()
