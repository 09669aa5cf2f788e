"""A delivery across a town, for rules to be asked about."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from quotes.pricing import counting
from quotes.pricing.facts import Facts, Packed, Stop, StopType
from quotes.pricing.rules import Rule, RuleSet, Strategy, Target
from stores.places import Point
from tests.factories import NOON

PARIS = ZoneInfo("Europe/Paris")
VAT = Decimal(20)
XL = Packed("Big box", "XL", 3, 2)
SMALL = Packed("SMALL", "S", 1, 1)

PICKUP = Stop(StopType.PICKUP, Point(48.87, 2.33), NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=2))
DROPOFF = Stop(
    StopType.DROPOFF,
    Point(48.85, 2.36),
    NOON,
    NOON + timedelta(hours=3),
    NOON + timedelta(hours=4, minutes=30),
    weight=6_000,
    packages=(XL, SMALL),
    doorstep=True,
)
FACTS = Facts(distance=3_000, stops=[PICKUP, DROPOFF], tz=PARIS, weight=6_000, packages=(XL, SMALL), items_total=2_500)


def ways(*dropoffs: Stop) -> Facts:
    """From the pickup to several dropoffs."""
    return replace(FACTS, stops=[PICKUP, *dropoffs])


def rules(*pairs: tuple[str, str], strategy: str = "find", target: str = "DELIVERY") -> RuleSet:
    """A set of (condition, price), numbered from 1."""
    made = [Rule(number, *pair, Target(target)) for number, pair in enumerate(pairs, start=1)]
    return RuleSet(1, 1, Strategy(strategy), made)


def cost(*pairs: tuple[str, str], facts: Facts = FACTS, **shape: Any) -> int:
    """What the facts cost by such a set."""
    return counting.price(rules(*pairs, **shape), facts, vat=VAT).amount_cents
