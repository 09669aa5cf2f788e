"""Rule sets come to prices: strategies, targets, supplements, tax, and what a bill says."""

import time
from dataclasses import replace

import pytest

from quotes.pricing import counting, wording
from quotes.pricing import rules as reading
from quotes.pricing.counting import NoRuleMatches, NotASupplement, Supplement, Verdict
from quotes.pricing.facts import Facts
from quotes.pricing.operators import RuleFailed
from quotes.pricing.rules import Rule, RuleSet, Strategy, Target
from tests.quotes.pricing.deliveries import DROPOFF, FACTS, PICKUP, VAT, cost, rules, ways

BANDS = [("distance in 0..2999", "499"), ("distance in 3000..5999", "699"), ("distance > 5999", "1299")]
TWO_DROPOFFS = ways(DROPOFF, replace(DROPOFF, weight=1_000))


def test_find_takes_the_first_that_matches() -> None:
    assert cost(*BANDS) == 699
    assert cost(("distance > 0", "100"), *BANDS) == 100


def test_map_adds_up_all_that_match() -> None:
    assert (
        cost(("true", "300"), ("distance > 1000", "price_range(distance, 100, 1000, 1000)"), ("distance > 9000", "50"), strategy="map")
        == 500
    )


@pytest.mark.parametrize(("factor", "total"), [(10_000, 499), (12_000, 599), (8_500, 424), (0, 0)])
def test_a_percentage_is_of_the_amount_so_far(factor: int, total: int) -> None:
    assert cost(("true", "499"), ("true", f"price_percentage({factor})"), strategy="map") == total


def test_the_order_of_rules_decides_what_a_percentage_is_of() -> None:
    assert cost(("true", "1000"), ("true", "price_percentage(15000)"), ("true", "100"), strategy="map") == 1_600


def test_rules_for_stops_are_asked_of_each() -> None:
    assert cost(("true", "100"), target="TASK", facts=TWO_DROPOFFS) == 300
    assert cost(('task.type == "DROPOFF"', "250"), target="TASK", facts=TWO_DROPOFFS) == 500
    assert cost(("weight > 2000", "400"), ("true", "100"), target="TASK", facts=TWO_DROPOFFS) == 100 + 400 + 100


def test_find_takes_one_for_the_whole_and_one_for_each_stop() -> None:
    whole = [Rule(1, "distance > 0", "500"), Rule(2, "true", "900")]
    stops = [Rule(3, 'task.type == "DROPOFF"', "50", Target.TASK), Rule(4, "true", "7", Target.TASK)]
    assert counting.price(RuleSet(1, 1, Strategy.FIND, whole + stops), TWO_DROPOFFS, vat=VAT).amount_cents == 500 + 50 + 50 + 7


def test_old_sets_are_about_the_whole_when_there_are_two_points() -> None:
    assert cost(("true", "100"), target="LEGACY_TARGET_DYNAMIC") == 100
    assert cost(("distance > 0", "100"), ("distance == -1", "30"), target="LEGACY_TARGET_DYNAMIC", facts=TWO_DROPOFFS) == 90


def test_a_set_in_which_nothing_matches_says_what_was_asked() -> None:
    priced = rules(("distance > 9000", "100"), ("weight > 90000", "100"))
    with pytest.raises(NoRuleMatches) as caught:
        counting.price(priced, FACTS, vat=VAT)
    assert caught.value.verdicts == [Verdict(rule, None, False) for rule in priced.rules]
    assert caught.value.rule_set is priced


def test_find_asks_no_further_than_it_must() -> None:
    price = counting.price(rules(*BANDS), FACTS, vat=VAT)
    assert [(verdict.rule.pk, verdict.matched) for verdict in price.verdicts] == [(1, False), (2, True)]


@pytest.mark.parametrize(("cents", "tax"), [(499, 83), (699, 117), (1299, 217), (1999, 333)])
def test_tax_is_inside_the_price(cents: int, tax: int) -> None:
    price = counting.price(rules(("true", str(cents))), FACTS, vat=VAT)
    assert (price.amount_cents, price.tax_cents) == (cents, tax)


@pytest.mark.parametrize(
    ("text", "quantity", "cents"),
    [("500", 3, 1_500), ("price_range(quantity, 500, 5, 0)", 15, 1_500), ("price_range(quantity, 500, 5, 0)", 11, 1_500)],
)
def test_supplements_are_added_by_hand(text: str, quantity: int, cents: int) -> None:
    supplement = Rule(9, "false", text, name="Waiting")
    price = counting.price(rules(("true", "499")), FACTS, vat=VAT, supplements=[Supplement(supplement, quantity)])
    assert price.amount_cents == 499 + cents
    assert [(line.by_hand, line.label) for line in price.lines] == [
        (False, "1 x true - 4.99"),
        (True, f"{quantity} x Waiting - {wording.money(cents)}"),
    ]


def test_a_supplement_never_matches_by_itself_and_others_are_none() -> None:
    assert cost(("true", "499"), ("false", "100"), strategy="map") == 499
    with pytest.raises(NotASupplement):
        counting.price(rules(("true", "499")), FACTS, vat=VAT, supplements=[Supplement(Rule(9, "true", "1"))])


def test_nothing_costs_less_than_nothing() -> None:
    price = counting.price(rules(("true", "100"), ("true", "-300"), strategy="map"), FACTS, vat=VAT)
    assert price.amount_cents == 0
    assert sum(line.amount_cents for line in price.lines) == 0


@pytest.mark.parametrize("text", ["9999999999", "1 / 0", "diff_hours(pickup) / 0", '"a"', "null / null"])
def test_prices_that_cannot_be(text: str) -> None:
    with pytest.raises(RuleFailed):
        cost(("true", text))


def test_fractions_are_rounded_half_up() -> None:
    assert cost(("true", "distance / 16")) == 188


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("distance > 0", "More than 0.00 km"),
        ("distance <= 2500", "Up to 2.50 km"),
        ("distance in 0..5000", "Between 0.00 km and 5.00 km"),
        ("distance > 0 and weight < 2000", "More than 0.00 km, less than 2.00 kg"),
        ('in_zone(dropoff.address, "Centre")', "Dropoff in Centre"),
        ('packages.containsAtLeastOne("XL")', "With XL"),
        ('vehicle == "cargo_bike"', "By cargo bike"),
        ('task.type == "PICKUP"', "Pickup"),
        ("diff_hours(pickup) < 2", "diff_hours(pickup) < 2"),
    ],
)
def test_a_rule_without_a_name_is_called_by_its_condition(condition: str, words: str) -> None:
    assert wording.named(Rule(1, condition, "499")) == words
    assert wording.named(Rule(1, condition, "499", name="Express")) == "Express"


def test_a_line_of_the_bill() -> None:
    [line] = counting.price(rules(("distance > 0", "499")), FACTS, vat=VAT).lines
    assert line.label == "1 x More than 0.00 km - 4.99"


def test_what_an_order_keeps() -> None:
    assert counting.price(rules(("distance > 0", "499")), FACTS, vat=VAT).as_json() == {
        "rule_set": 1,
        "version": 1,
        "lines": [{"rule": 1, "point": None, "quantity": 1, "words": "More than 0.00 km", "amount": 499, "by_hand": False}],
    }


def test_matching_one_rule() -> None:
    assert counting.matches(Rule(1, "distance > 0", "1"), FACTS)
    assert counting.matches(Rule(1, 'task.type == "PICKUP"', "1", Target.TASK), FACTS)
    assert not counting.matches(Rule(1, 'task.type == "PICKUP"', "1"), FACTS)


def test_fifty_rules_take_less_than_two_milliseconds() -> None:
    conditions = [
        f"distance in {low}..{low + 499} and weight < {low + 9000} and not packages.containsAtLeastOne('M{low}')"
        " or diff_hours(dropoff, '< 1') and time_range_length(pickup, 'hours') > 2 and out_zone(dropoff.address, 'far')"
        for low in range(0, 25_000, 500)
    ]
    fifty = rules(*[(text, "price_range(distance, 100, 500, 1000) + 300") for text in conditions], strategy="map")
    facts = [replace(FACTS, distance=100 * number, stops=[PICKUP, DROPOFF]) for number in range(50)]
    counting.price(fifty, FACTS, vat=VAT)
    best = min(_seconds(fifty, each) for each in facts)
    assert best < 0.002, f"{best * 1000:.2f} ms"
    assert reading.condition.cache_info().maxsize == reading.REMEMBERED


def _seconds(rule_set: RuleSet, facts: Facts) -> float:
    begin = time.perf_counter()
    counting.price(rule_set, facts, vat=VAT)
    return time.perf_counter() - begin
