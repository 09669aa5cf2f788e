"""What an order adds up to, and how it is taken in and moved."""

from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries import intake
from stores import orders
from stores.actors import SYSTEM
from stores.models import Order, OrderStatus, ServiceType
from stores.money import LIMIT
from stores.orders import OrderDraft
from stores.refusals import Invalid
from tests import factories
from tests.deliveries.rows import LATER
from tests.factories import NOON


def item(price: int, quantity: str = "1", *options: tuple[int, int], **more: Any) -> dict[str, Any]:
    return {"price": price, "quantity": quantity, "options": [{"price": each, "quantity": count} for each, count in options], **more}


@pytest.mark.parametrize(
    ("of", "cents"),
    [
        (item(1190), 1190),
        (item(350, "2"), 700),
        (item(300, "2", (50, 1)), 700),
        (item(300, "2", (50, 3), (0, 1)), 900),
        (item(1000, "0.333"), 333),
        (item(999, "0.5"), 500),
        (item(1, "0.5"), 1),
        (item(1, "0.49"), 0),
        (item(-1, "0.5"), -1),
        (item(0, "1000"), 0),
        ({"price": 5, "quantity": "3.0"}, 15),
        ({"price": 300, "quantity": "1", "options": [{"price": 50, "quantity": 1, "removed": True}]}, 300),
    ],
)
def test_a_subtotal_is_rounded_half_up(of: dict[str, Any], cents: int) -> None:
    assert orders.subtotal(of) == cents


def test_the_documents_example_adds_up() -> None:
    order = Order(
        items=[item(1190), item(300, "2", (50, 1))],
        charges=[{"price": 200}],
        discounts=[{"price_off": 200}],
    )
    assert orders.total(order) == 1890


def test_what_was_taken_out_does_not_count() -> None:
    order = Order(
        items=[item(100), item(7, deleted=True)],
        charges=[{"price": 20}, {"price": 7, "deleted": True}],
        discounts=[{"price_off": 3}, {"price_off": 7, "deleted": True}],
    )
    assert orders.total(order) == 117
    assert orders.total(Order()) == 0


cents = st.integers(-(10**6), 10**6)
quantities = st.decimals("0", "999.999", places=3).map(str)
options = st.lists(st.tuples(cents, st.integers(1, 99)), max_size=3)
items = st.builds(lambda price, quantity, chosen: item(price, quantity, *chosen), cents, quantities, options)


@given(items)
def test_a_subtotal_is_less_than_a_cent_off(of: dict[str, Any]) -> None:
    exact = (of["price"] + sum(option["price"] * option["quantity"] for option in of["options"])) * Fraction(of["quantity"])
    assert abs(orders.subtotal(of) - exact) <= Fraction(1, 2)


@given(st.lists(items, max_size=8), st.lists(cents, max_size=4), st.lists(cents, max_size=4))
def test_a_total_is_the_sum_of_what_is_shown(of: list[dict[str, Any]], charges: list[int], discounts: list[int]) -> None:
    order = Order(items=of, charges=[{"price": each} for each in charges], discounts=[{"price_off": each} for each in discounts])
    assert orders.total(order) == sum(orders.subtotal(each) for each in of) + sum(charges) - sum(discounts)
    order.items = list(reversed(of))
    assert orders.total(order) == sum(orders.subtotal(each) for each in of) + sum(charges) - sum(discounts)


@given(items, st.integers(1, 5))
def test_whole_quantities_are_counted_without_rounding(of: dict[str, Any], count: int) -> None:
    one, many = {**of, "quantity": "1"}, {**of, "quantity": str(Decimal(count).quantize(Decimal("0.001")))}
    assert orders.subtotal(many) == count * orders.subtotal(one)


# --- Taken in and moved --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_order_is_numbered_counted_and_told() -> None:
    store = factories.StoreFactory.create()
    draft = OrderDraft(
        status=OrderStatus.NEW,
        service_type=ServiceType.COLLECTION,
        items=[item(1190), item(300, "2", (50, 1))],
        charges=[{"name": "Bag", "price": 200}],
        discounts=[{"name": "Off", "price_off": 200}],
        payments=[{"amount": 1890}],
        fields={"ref": "T1"},
    )
    order = intake.take_order(store, draft, by=SYSTEM, at=NOON)
    order.refresh_from_db()
    assert (order.status, order.service_type, order.total_cents, order.ref, order.created_by) == ("new", "collection", 1890, "T1", None)
    assert (order.created_at, order.updated_at) == (NOON, NOON)
    assert [each["id"] for each in order.items] == ["1", "2"]
    assert {each["deleted"] for name in orders.ELEMENTS for each in getattr(order, name)} == {False}
    assert [event.kind for event in order.events.all()] == ["order.created"]


@pytest.mark.django_db
def test_more_than_can_be_counted_is_refused_and_leaves_nothing() -> None:
    store = factories.StoreFactory.create()
    draft = OrderDraft(status=OrderStatus.NEW, charges=[{"price": LIMIT - 1}, {"price": 1}])
    with pytest.raises(Invalid) as refused:
        intake.take_order(store, draft, by=SYSTEM, at=NOON)
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [("bad_money", ("items",))]
    assert not Order.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("left", "to"), list(product(OrderStatus, repeat=2)))
def test_any_status_may_follow_any_other(left: OrderStatus, to: OrderStatus) -> None:
    order = factories.order(status=left)
    assert orders.move(order, to, at=LATER) == (left != to)
    order.refresh_from_db()
    assert (order.status, order.updated_at) == (to, NOON if left == to else LATER)
