"""The language of rules: what conditions and prices are worth, and how bad ones are refused."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotes.pricing import compiling, grammar, operators, rules
from quotes.pricing.facts import Facts
from quotes.pricing.grammar import BadRule
from quotes.pricing.operators import RuleFailed
from stores.places import Point
from tests.quotes.pricing.deliveries import DROPOFF, FACTS, PICKUP


def in_town(name: str, point: Point) -> bool:
    return name == "town" and point.latitude > 48.86


ZONED = replace(FACTS, zones=in_town)

TRUE = [
    "distance > 0",
    "distance in 0..5000",
    "distance not in 3001..9000",
    "distance in 5000..0",
    "distance == 3000 and not (distance != 3000)",
    "weight >= 6000 && weight <= 6000",
    "weight < 1 || weight > 5999",
    'vehicle == "bike"',
    "vehicle in ['bike', 'cargo_bike']",
    'packages.quantity("XL") == 2',
    'packages.quantity("Big box") == 2',
    'packages.quantity("unheard of") == 0',
    'packages.containsAtLeastOne("SMALL")',
    'not packages.containsAtLeastOne("M")',
    "packages.totalVolumeUnits() == 7",
    "order.itemsTotal == 2500",
    'in_zone(pickup.address, "town")',
    'out_zone(dropoff.address, "town")',
    'not in_zone(pickup.address, "nowhere")',
    "diff_days(dropoff) == 0",
    'diff_days(dropoff, "< 1")',
    "diff_hours(pickup) == 2",
    'diff_hours(pickup, "< 12")',
    'diff_hours(pickup, "in 0..2")',
    "diff_hours(dropoff, 'not in 0..4')",
    "diff_hours(dropoff) == 4.5",
    'time_range_length(pickup, "hours") == 1',
    'time_range_length(dropoff, "hours", "> 1")',
    'time_range_length(dropoff, "minutes") == 90',
    'time_range_length(dropoff, "days") < 1',
    "ceil(diff_hours(dropoff)) == 5",
    "floor(distance / 1100) == 2",
    "dropoff.doorstep and not pickup.doorstep",
    "pickup.before < dropoff.after",
    "pickup.createdAt == dropoff.createdAt",
    "task.type == null",
    "time_slot == null",
    "2 + 3 * 4 ** 2 / 8 - 7 % 4 == 5",
    "-distance + 3000 == 0",
    "2 ** 3 ** 2 == 512",
    "(distance > 1000 ? 1 : 0) == 1",
    "!false and true",
    '"a\\"b" == \'a"b\'',
]


@pytest.mark.parametrize("text", TRUE)
def test_what_is_true(text: str) -> None:
    test = rules.condition(text).test
    assert operators.truth(test(ZONED.whole)) is True
    assert operators.truth(rules.condition(f"not ({text})").test(ZONED.whole)) is False


def test_what_is_asked_of_one_stop() -> None:
    pickup, dropoff = ZONED.each
    assert rules.condition('task.type == "DROPOFF" and distance == -1').test(dropoff)
    assert rules.condition("weight == 0 and weight < 1").test(pickup)
    assert rules.condition("weight == 6000").test(dropoff)
    for about_the_other in (
        "diff_hours(dropoff) < 99",
        "diff_hours(dropoff) >= 0",
        'out_zone(dropoff.address, "town")',
        "dropoff.doorstep",
    ):
        assert not operators.truth(rules.condition(about_the_other).test(pickup)), about_the_other


def test_the_slot_of_the_dropoff_counts_first() -> None:
    facts = replace(FACTS, stops=[replace(PICKUP, slot="/api/time_slots/1"), replace(DROPOFF, slot="/api/time_slots/2")])
    assert rules.condition('time_slot == "/api/time_slots/2"').test(facts.whole)
    assert rules.condition('time_slot == "/api/time_slots/1"').test(facts.each[0])
    assert rules.condition("time_slot != null").asks_slot
    assert not rules.condition("distance > 0").asks_slot


@pytest.mark.parametrize(("hours", "days"), [(1, 0), (11, 0), (12, 1), (30, 1), (38, 1), (49, 2), (-2, 0), (-40, 1)])
def test_days_are_none_on_the_same_day_and_one_at_least_on_another(hours: int, days: int) -> None:
    late = replace(PICKUP, before=PICKUP.created_at + timedelta(hours=hours))
    assert compiling.compiled(grammar.parse("diff_days(pickup)"))(replace(FACTS, stops=[late]).whole) == days


PRICES = [
    ("499", 499),
    ("price_range(distance, 100, 500, 2000)", 200),
    ("price_range(distance, 100, 1000, 2500)", 100),
    ("price_range(distance, 100, 500, 3000)", 0),
    ("price_range(weight, 50, 2500, 0)", 150),
    ("price_range(packages.totalVolumeUnits(), 20, 2, 1)", 60),
    ('price_per_package(packages, "XL", 500, 2, 1000)', 1500),
    ('price_per_package(packages, "XL", 500, 0, 1000)', 1000),
    ('price_per_package(packages, "XL", 500, 1, 100)', 200),
    ('price_per_package(packages, "XL", 500, 9, 100)', 1000),
    ('price_per_package(packages, "M", 500, 2, 1000)', 0),
    ("300 + price_range(distance, 100, 1000, 0)", 600),
    ("ceil(distance / 7)", 429),
    ("distance > 1000 ? 700 : 400", 700),
]


@pytest.mark.parametrize(("text", "cents"), PRICES)
def test_what_prices_come_to(text: str, cents: int) -> None:
    assert rules.cost(text).value(FACTS.whole) == cents


def test_no_weight_costs_nothing_by_steps() -> None:
    assert rules.cost("price_range(weight, 50, 1000, 0)").value(replace(FACTS, weight=None).whole) == 0


BAD = [
    ("", 1, 1, "a value"),
    ("distance >", 1, 11, "a value"),
    ("distance 5", 1, 10, "a comparison"),
    ("distance > 5)", 1, 13, "the end"),
    ("distance >\n  5 and\n  $", 3, 3, "a value"),
    ("1 < 2 < 3", 1, 7, "an operator"),
    ("speed > 5", 1, 1, "distance"),
    ("1 + pickup", 1, 5, "pickup.before"),
    ("pickup.address == 1", 1, 8, "in_zone"),
    ("pickup.colour == 1", 1, 8, "createdAt"),
    ("order.total == 1", 1, 7, "itemsTotal"),
    ("shop.name == 1", 1, 1, "pickup"),
    ("packages > 1", 1, 1, "totalVolumeUnits"),
    ('packages.weigh("XL")', 1, 10, "quantity"),
    ("packages.quantity(5)", 1, 19, "quotation marks"),
    ('in_zone(dropoff, "x")', 1, 9, "dropoff.address"),
    ("diff_days(packages)", 1, 11, "pickup"),
    ("diff_days()", 1, 1, "1 to 2"),
    ('diff_hours(pickup, "< ")', 1, 23, "a value"),
    ('diff_hours(pickup, "< speed")', 1, 23, "distance"),
    ('time_range_length(pickup, "weeks")', 1, 27, "hours"),
    ("price_range(distance, 1, 2, 3) > 1", 1, 1, "condition"),
    ("__import__('os')", 1, 1, "ceil"),
    ("5km > 1", 1, 1, "a value"),
    ("1234567890123456 > 1", 1, 1, "a value"),
]


@pytest.mark.parametrize(("text", "line", "column", "expected"), BAD)
def test_bad_rules_are_refused_at_their_place(text: str, line: int, column: int, expected: str) -> None:
    with pytest.raises(BadRule) as caught:
        rules.condition(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert expected in caught.value.expected
    assert caught.value.path == ("expression",)
    assert f"column {column}" in str(caught.value)


@pytest.mark.parametrize("text", ["price_percentage()", "1 + price_percentage(5)", "distance >", "price_range(1, 2)"])
def test_bad_prices_are_refused_too(text: str) -> None:
    with pytest.raises(BadRule) as caught:
        rules.cost(text)
    assert caught.value.path == ("price",)


@pytest.mark.parametrize("text", ["1" + " + 1" * 400, "-" * 1_500 + "1", "not " * 400 + "true", "[" * 900 + "]" * 900, "1 or " * 900 + "1"])
def test_rules_have_an_end(text: str) -> None:
    with pytest.raises(BadRule, match=r"nested deeper|longer than"):
        rules.condition(text)


def test_brackets_alone_nest_nothing() -> None:
    assert rules.condition("(" * 900 + "distance > 0" + ")" * 900).test(FACTS.whole)


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0",
        "1 % 0",
        "0 ** -1",
        "9 ** 9 ** 9",
        "(-8) ** 0.5",
        "999999999999999 * 9",
        "distance > 'a'",
        "1 in 5",
        "pickup.before > 3",
        "-'a'",
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_name(text: str) -> None:
    with pytest.raises(RuleFailed):
        rules.condition(text).test(FACTS.whole)


WORDS = st.sampled_from(
    [
        *("distance", "weight", "vehicle", "time_slot", "pickup", "dropoff", "packages", "order", "task", "quantity"),
        *(".", "address", "before", "after", "createdAt", "doorstep", "itemsTotal", "type", "containsAtLeastOne(", "totalVolumeUnits()"),
        *("in_zone(", "out_zone(", "diff_days(", "diff_hours(", "time_range_length(", "ceil(", "floor(", "price_range("),
        *("price_per_package(", "price_percentage(", "(", ")", "[", "]", ",", '"XL"', '"hours"', '"< 12"', "'in 0..1'", '"<"'),
        *("0", "1", "5000", "2.5", "9999999", "and", "or", "not", "in", "==", "!=", "<", ">", "<=", ">=", "..", "+", "-", "*", "/"),
        *("%", "**", "?", ":", "!", "&&", "||", "true", "false", "null"),
    ]
)
TEXTS = st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60)

LEAVES = [
    "distance",
    "weight",
    "0",
    "1",
    "7.5",
    "null",
    "true",
    '"XL"',
    "diff_hours(dropoff)",
    'packages.quantity("XL")',
    "pickup.before",
    "1..9",
]
WELL_FORMED = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(list(operators.BINARY)), inner).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"),
        inner.map(lambda text: f"not ({text})"),
        inner.map(lambda text: f"-({text})"),
        inner.map(lambda text: f"ceil({text})"),
        st.tuples(inner, inner).map(lambda parts: f"price_range({parts[0]}, 5, {parts[1]}, 1)"),
    ),
    max_leaves=12,
)


@given(text=TEXTS, start=st.sampled_from(["expression", "price"]))
def test_reading_a_text_fails_by_bad_rule_alone(text: str, start: str) -> None:
    read = rules.condition if start == "expression" else rules.cost
    with suppress(BadRule):
        assert set(grammar.expressed(read(text).tree)) == {"nodes", "attributes"}


@given(text=WELL_FORMED, about=st.sampled_from([FACTS, replace(FACTS, weight=None, packages=(), distance=0)]))
def test_evaluating_fails_by_a_refusal_alone(text: str, about: Facts) -> None:
    value = rules.cost(text).value
    for subject in (about.whole, *about.each):
        with suppress(RuleFailed):
            assert operators.truth(value(subject)) in (True, False)


def test_a_tree_is_told_as_nodes_and_attributes() -> None:
    assert grammar.expressed(grammar.parse("distance > 0")) == {
        "nodes": {
            "left": {"nodes": [], "attributes": {"name": "distance"}},
            "right": {"nodes": [], "attributes": {"value": 0}},
        },
        "attributes": {"operator": ">"},
    }
