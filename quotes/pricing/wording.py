"""What a rule is called on a bill: its own name, or its condition in words."""

from collections.abc import Callable
from decimal import Decimal

from lark import Token, Tree

from quotes.pricing import grammar
from quotes.pricing.grammar import Node
from quotes.pricing.rules import Rule

UNITS: dict[str, Callable[[float], str]] = {
    "distance": lambda metres: f"{metres / 1000:.2f} km",
    "weight": lambda grams: f"{grams / 1000:.2f} kg",
}
ORDERED = {">": "More than", ">=": "At least", "<": "Less than", "<=": "Up to"}
STOPS = {"PICKUP": "Pickup", "DROPOFF": "Dropoff"}
VEHICLES = {"bike": "By bike", "cargo_bike": "By cargo bike"}
LONGEST = 200


def named(rule: Rule) -> str:
    """The rule's own name, else its condition in words, as “More than 0.00 km”, else its condition as it is written."""
    said = rule.name or _said(rule.condition.tree) or rule.expression
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def money(cents: int) -> str:
    """An amount without its currency: 499 is "4.99"."""
    units, hundredths = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{units}.{hundredths:02}"


def percent(rate: Decimal) -> str:
    """A rate without needless zeros: 20, or 5.5."""
    return f"{rate.normalize():f}"


def _said(node: Node) -> str | None:
    match str(node.data), node.children:
        case "both", [Tree() as left, Token(), Tree() as right]:
            first, second = _said(left), _said(right)
            return None if first is None or second is None else f"{first}, {second[:1].lower()}{second[1:]}"
        case "compared", [Tree() as left, Token() as operator, Tree() as right]:
            return _compared(left, str(operator), right)
        case "inside", [Tree() as left, Token(), Tree(data="span", children=[Tree() as low, Token(), Tree() as high])]:
            unit, least, most = _unit(left), _number(low), _number(high)
            return None if unit is None or least is None or most is None else f"Between {unit(least)} and {unit(most)}"
        case "call", [Token() as name, Tree(children=[Tree() as stop, Tree(data="text", children=[Token() as zone])])]:
            words = {"in_zone": "in", "out_zone": "outside"}
            if str(name) in words and stop.data == "member":
                return f"{str(stop.children[0]).capitalize()} {words[str(name)]} {grammar.literal(zone)}"
        case "method", [Token(), Token("NAME", "containsAtLeastOne"), Tree(children=[Tree(data="text", children=[Token() as package])])]:
            return f"With {grammar.literal(package)}"
    return None


def _compared(left: Node, operator: str, right: Node) -> str | None:
    unit, limit = _unit(left), _number(right)
    if unit is not None and limit is not None and operator in ORDERED:
        return f"{ORDERED[operator]} {unit(limit)}"
    if operator in ("==", "===") and right.data == "text":
        word = grammar.literal(right.children[0])  # type: ignore[arg-type]  # a text holds its token
        of = ".".join(str(child) for child in left.children) if left.data in ("name", "member") else ""
        return {"task.type": STOPS, "vehicle": VEHICLES}.get(of, {}).get(word)
    return None


def _unit(node: Node) -> Callable[[float], str] | None:
    return UNITS.get(str(node.children[0])) if node.data == "name" else None


def _number(node: Node) -> float | None:
    return grammar.number(node.children[0]) if node.data == "number" else None  # type: ignore[arg-type]  # as above
