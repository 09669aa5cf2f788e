"""Rules and sets of them, read once from their texts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache

from quotes.pricing import compiling, grammar
from quotes.pricing.compiling import Value
from quotes.pricing.grammar import BadRule, Node

REMEMBERED = 8_192


class Strategy(StrEnum):
    """Which of the rules that match count: the first, or all."""

    FIND = "find"
    MAP = "map"


class Target(StrEnum):
    """What a rule is evaluated for. The last is of old sets: the whole delivery when it has two points, else each point."""

    DELIVERY = "DELIVERY"
    TASK = "TASK"
    DYNAMIC = "LEGACY_TARGET_DYNAMIC"


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule counts. One that is never true belongs to a supplement, which people add by hand."""

    tree: Node
    test: Value
    by_hand: bool
    asks_slot: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """What a rule costs: an amount in hundredths, or what the amount so far is multiplied by, in hundredths of a per cent.

    `measured` says that the amount is already that of the whole quantity of a supplement.
    """

    tree: Node
    value: Value
    is_percentage: bool
    measured: bool


@lru_cache(maxsize=REMEMBERED)
def condition(text: str) -> Condition:
    """Read a condition; raises `BadRule` with the path ("expression",)."""
    try:
        tree = grammar.parse(text)
        names = {str(node.children[0]) for node in tree.find_data("name")}
        return Condition(tree, compiling.compiled(tree), by_hand=tree.data == "false", asks_slot="time_slot" in names)
    except BadRule as error:
        error.path = ("expression",)
        raise


@lru_cache(maxsize=REMEMBERED)
def cost(text: str) -> Cost:
    """Read a price; raises `BadRule` with the path ("price",)."""
    try:
        tree = grammar.parse(text)
        names = {str(node.children[0]) for node in tree.find_data("name")}
        factor = compiling.percentage(tree)
        value = compiling.compiled(tree, prices=True) if factor is None else factor
        return Cost(tree, value, is_percentage=factor is not None, measured="quantity" in names)
    except BadRule as error:
        error.path = ("price",)
        raise


@dataclass(frozen=True)
class Rule:
    """One line of a price list; `name` is empty when its condition says enough."""

    pk: int
    expression: str
    price: str
    target: Target = Target.DELIVERY
    name: str = ""

    @cached_property
    def condition(self) -> Condition:
        """When it counts."""
        return condition(self.expression)

    @cached_property
    def cost(self) -> Cost:
        """What it costs."""
        return cost(self.price)


@dataclass(frozen=True)
class RuleSet:
    """A price list: `rules` in order of position."""

    pk: int
    version: int
    strategy: Strategy
    rules: Sequence[Rule] = field(default_factory=list)

    def asks_slot(self) -> bool:
        """Whether anything depends on the time slot that windows belong to."""
        return any(rule.condition.asks_slot for rule in self.rules)
