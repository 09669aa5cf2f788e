"""Prices and price lists as programs and the desk meet them."""

from typing import Any

import orjson
import pytest

from deliveries.models import Delivery
from quotes.models import PricingRule, PricingRuleSet
from stores.models import Order
from tests import factories
from tests.api.coopcycle import prices
from tests.api.coopcycle.knocking import World
from tests.api.coopcycle.test_document import REQUEST

DOCUMENT: dict[str, Any] = orjson.loads(REQUEST)
LISTS = "/api/pricing_rule_sets"
CALCULATE = "/api/retail_prices/calculate"


def test_a_delivery_costs_what_was_calculated(world: World) -> None:
    prices.rule(world)
    price = world["client"].post(CALCULATE, REQUEST).json()
    assert Order.objects.count() == 2, "asking books nothing"
    made = world["client"].post("/api/deliveries", REQUEST).json()
    assert (made["order"]["total"], made["order"]["taxTotal"]) == (price["amount"], price["tax"]["amount"]) == (499, 83)
    net = world["client"].post(f"{CALCULATE}?tax=excluded", REQUEST).json()
    assert (net["amount"], net["tax"], net["order"]["total"]) == (416, {"amount": 83, "included": False}, 499)


def test_a_tax_that_is_none(world: World) -> None:
    refused = world["client"].post(f"{CALCULATE}?tax=none", REQUEST)
    assert (refused.status_code, refused.json()["violations"][0]["propertyPath"]) == (400, "tax")


def test_without_a_list_there_is_no_price_to_ask_for(world: World) -> None:
    refused = world["client"].post(CALCULATE, REQUEST)
    assert (refused.status_code, refused.json()["hydra:description"]) == (400, "No pricing configured")
    assert world["client"].post("/api/deliveries", REQUEST).json()["order"]["total"] == 0


@pytest.mark.parametrize("path", [CALCULATE, "/api/deliveries"])
def test_a_gap_in_the_list_is_told_with_what_was_asked(world: World, path: str) -> None:
    factories.price_list(("distance > 999999", "499"), store=world.store)
    refused = world["client"].post(path, REQUEST)
    assert (refused.status_code, refused.json()["hydra:description"]) == (400, "Price could not be calculated")
    [item] = refused.json()["calculation"]["items"]
    assert [(rule["expression"], rule["matched"]) for rule in item["rules"]] == [("distance > 999999", False)]
    assert Delivery.objects.count() == 2


def test_a_gap_in_the_list_does_not_stop_the_desk(world: World) -> None:
    factories.price_list(("distance > 999999", "499"), store=world.store)
    made = world["dispatcher"].post("/api/deliveries", {**DOCUMENT, "store": f"/api/stores/{world.store.pk}"})
    assert (made.status_code, made.json()["order"]["total"]) == (201, 0)


def test_the_desk_adds_supplements_and_names_prices(world: World) -> None:
    store = prices.priced(world)
    by_hand = PricingRule.objects.get(rule_set_id=world.store.pricing_rule_set_id, expression="false")
    supplements = {"manualSupplements": [{"pricingRule": f"/api/pricing_rules/{by_hand.pk}", "quantity": 2}]}
    body: dict[str, Any] = {**DOCUMENT, "store": store, "order": supplements}
    price = world["dispatcher"].post(CALCULATE, body).json()
    added = price["order"]["items"][0]["adjustments"]["order_item_package_delivery_manual_supplement"]
    assert (price["amount"], added) == (999, [{"label": "2 x false - 5.00", "amount": 500}])
    assert world["dispatcher"].post("/api/deliveries", body).json()["order"]["total"] == 999
    assert world["client"].post("/api/deliveries", body).json()["order"]["total"] == 499, "stores add none"
    named = {**body, "order": {"arbitraryPrice": {"variantPrice": 1200, "variantName": "Agreed"}}}
    assert world["dispatcher"].post("/api/deliveries", named).json()["order"]["total"] == 1200


@pytest.mark.parametrize("quantity", [0, -1, "two"])
def test_supplements_come_in_whole_numbers(world: World, quantity: Any) -> None:
    supplement = {"pricingRule": f"/api/pricing_rules/{prices.rule(world).pk}", "quantity": quantity}
    body = {**DOCUMENT, "store": f"/api/stores/{world.store.pk}", "order": {"manualSupplements": [supplement]}}
    refused = world["dispatcher"].post("/api/deliveries", body)
    assert [each["propertyPath"] for each in refused.json()["violations"]] == ["order.manualSupplements[0][quantity]"]


def test_putting_a_list_replaces_its_rules_and_keeps_those_that_are_named(world: World) -> None:
    kept = prices.rule(world)
    iri = f"{LISTS}/{kept.rule_set_id}"
    rules = [
        {"@id": f"/api/pricing_rules/{kept.pk}", "expression": "distance > 0", "price": "599", "position": 2},
        {"expression": "true", "price": 1, "position": 1, "name": None},
    ]
    answer = world["admin"].put(iri, {"strategy": "map", "rules": rules}).json()
    assert (answer["name"], answer["strategy"]) == ("Town", "map")
    assert [(rule["price"], rule["name"], rule["@id"] == f"/api/pricing_rules/{kept.pk}") for rule in answer["rules"]] == [
        ("1", "", False),
        ("599", "", True),
    ]
    assert PricingRuleSet.objects.get(pk=kept.rule_set_id).version == 2
    assert world["client"].post("/api/deliveries", REQUEST).json()["order"]["total"] == 600


BAD: list[tuple[Any, list[str]]] = [
    ({}, ["name"]),
    ({"name": "x", "strategy": "guess"}, ["strategy"]),
    ({"name": "x", "rules": "all"}, ["rules"]),
    ({"name": "x", "rules": [{}]}, ["rules[0].expression", "rules[0].price"]),
    (
        {"name": "x", "rules": [{"expression": "true", "price": "1", "target": "MOON", "position": -1}]},
        ["rules[0].position", "rules[0].target"],
    ),
    ({"name": "x", "rules": [{"expression": "true", "price": "1"}, {"expression": "1 +", "price": "1"}]}, ["rules[1].expression"]),
    ({"name": "x" * 256}, ["name"]),
    ({"name": "x", "rules": [{"expression": "true", "price": "1"}] * 501}, ["rules"]),
]


@pytest.mark.parametrize(("body", "paths"), BAD)
def test_bad_lists_are_refused_field_by_field(world: World, body: Any, paths: list[str]) -> None:
    refused = world["admin"].post(LISTS, body)
    assert refused.status_code == 400
    assert [each["propertyPath"] for each in refused.json()["violations"]] == paths
    assert not PricingRuleSet.objects.exists()


def test_a_list_in_use_is_not_deleted(world: World) -> None:
    kept = prices.rule(world)
    refused = world["admin"].delete(f"{LISTS}/{kept.rule_set_id}")
    assert refused.status_code == 400
    assert refused.json()["violations"] == [{"propertyPath": "", "message": "Town is used by Acme", "code": None}]
    assert world["admin"].delete(f"{LISTS}/999999").status_code == 404


def test_a_rule_says_whether_it_matches(world: World) -> None:
    prices.rule(world)
    yes, no = PricingRule.objects.filter(rule_set_id=world.store.pricing_rule_set_id)
    for rule, result in ((yes, True), (no, False)):
        assert world["client"].post(f"/api/pricing_rules/{rule.pk}/evaluate", REQUEST).json()["result"] is result
    assert world["client"].post("/api/pricing_rules/999999/evaluate", REQUEST).status_code == 404


def test_a_store_tells_its_list(world: World) -> None:
    kept = prices.rule(world)
    assert world["client"].get(f"/api/stores/{world.store.pk}").json()["pricingRuleSet"] == f"{LISTS}/{kept.rule_set_id}"
