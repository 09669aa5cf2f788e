"""Price lists of the two stores, as the tests of this dialect need them."""

from typing import Any

from quotes.models import PricingRule
from tests import factories
from tests.api.coopcycle.knocking import World

ASKED: dict[str, Any] = {
    "name": "Town",
    "strategy": "find",
    "rules": [
        {"expression": "distance in 0..2000", "price": "499", "position": 1, "name": "Near"},
        {"expression": "distance > 2000", "price": "price_range(distance, 100, 1000, 0)", "position": 2},
        {"expression": "false", "price": 500, "position": 3, "name": "Waiting"},
    ],
}


def rule(world: World) -> PricingRule:
    """The first rule that the store is priced by: 4.99 for all."""
    world.store.refresh_from_db()
    if world.store.pricing_rule_set_id is None:
        factories.price_list(("distance > 0", "499"), ("false", "250"), name="Town", store=world.store)
    return PricingRule.objects.filter(rule_set_id=world.store.pricing_rule_set_id)[0]


def strange(world: World) -> PricingRule:
    """A rule that nobody is priced by."""
    return PricingRule.objects.filter(rule_set=factories.price_list(("distance > 0", "1"), name="Nobody's"))[0]


def priced(world: World) -> str:
    """The store, which has a price list."""
    rule(world)
    return f"/api/stores/{world.store.pk}"
