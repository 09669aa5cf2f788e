"""Trees of rules become functions of what they are about; names and arguments are checked on the way, none when it runs."""

import math
from collections.abc import Callable
from typing import Any

from lark import Token, Tree

from quotes.pricing import grammar, operators
from quotes.pricing.facts import Stop, Subject
from quotes.pricing.grammar import BadRule, Node, bad

Value = Callable[[Subject], Any]
StopOf = Callable[[Subject], Stop | None]
Comparison = Callable[[Any, Subject], bool]

VARIABLES: dict[str, Value] = {
    "distance": lambda subject: subject.distance,
    "weight": lambda subject: subject.weight,
    "vehicle": lambda subject: subject.vehicle,
    "time_slot": lambda subject: subject.slot,
}
QUANTITY: dict[str, Value] = {"quantity": lambda subject: subject.quantity}
"""Prices may ask how much of a supplement is wanted."""

OF_A_STOP: dict[str, Callable[[Stop], Any]] = {
    "createdAt": lambda stop: stop.created_at,
    "after": lambda stop: stop.after,
    "before": lambda stop: stop.before,
    "doorstep": lambda stop: stop.doorstep,
}
STOPS: dict[str, StopOf] = {
    "pickup": lambda subject: subject.pickup,
    "dropoff": lambda subject: subject.dropoff,
}
MEMBERS: dict[tuple[str, str], Value] = {
    ("order", "itemsTotal"): lambda subject: subject.items_total,
    ("task", "type"): lambda subject: subject.task_type,
}
SECONDS = {"minutes": 60, "hours": 3_600, "days": 86_400}
WHOLE_PRICE = "price_percentage"
"""The one function that is not a number among others: it is about what the rules before it came to."""


def compiled(node: Node, *, prices: bool = False) -> Value:
    """What a tree is worth; with `prices`, the functions of prices may be used. Raises `BadRule`."""
    return _Compiler(prices=prices).value(node)


class _Compiler:
    """One method for each kind of node, each giving a function of the subject."""

    def __init__(self, *, prices: bool) -> None:
        self._prices = prices
        self._functions = {**CONDITIONS, **(PRICES if prices else {})}
        self._variables = {**VARIABLES, **(QUANTITY if prices else {})}

    def value(self, node: Any) -> Value:
        match str(node.data):
            case "number":
                return _constant(grammar.number(_token(node)))
            case "text":
                return _constant(grammar.literal(_token(node)))
            case "true" | "false" | "null" as word:
                return _constant({"true": True, "false": False, "null": None}[word])
            case "list":
                return self._list(node)
        making: Callable[[Any], Value] = getattr(self, f"_{node.data}")
        return making(node)

    def _list(self, node: Node) -> Value:
        parts = [self.value(part) for part in _arguments(node)]
        return lambda subject: [part(subject) for part in parts]

    def _name(self, node: Node) -> Value:
        name = _token(node)
        if name in self._variables:
            return self._variables[name]
        if name in STOPS:
            raise bad(f"“{name}” is a stop, not a value", name, expected=f"one of its fields, as {name}.before")
        if name == "packages":
            raise bad("“packages” is not a value", name, expected="one of its functions, as packages.totalVolumeUnits()")
        raise bad(f"there is no variable “{name}”", name, expected=_some([*self._variables, *STOPS]))

    def _member(self, node: Node) -> Value:
        owner, field = _tokens(node)
        if (owner, field) in MEMBERS:
            return MEMBERS[owner, field]
        if owner in STOPS and field in OF_A_STOP:
            stop, read = STOPS[owner], OF_A_STOP[field]
            return lambda subject: None if (found := stop(subject)) is None else read(found)
        if owner in STOPS and field == "address":
            raise bad("an address is not a value", field, expected="in_zone or out_zone around it")
        known = [*OF_A_STOP, "address"] if owner in STOPS else [name for of, name in MEMBERS if of == owner]
        if not known:
            raise bad(f"“{owner}” has no fields", owner, expected="pickup, dropoff, order or task")
        raise bad(f"“{owner}” has no field “{field}”", field, expected=_some(known))

    def _method(self, node: Node) -> Value:
        owner, name = _tokens(node)
        if owner != "packages":
            raise bad(f"“{owner}” has no functions", owner, expected="packages")
        if name not in METHODS:
            raise bad(f"packages have no function “{name}”", name, expected=_some(METHODS))
        return self._called(node, name, *METHODS[name])

    def _call(self, node: Node) -> Value:
        name = _token(node)
        if name == WHOLE_PRICE and self._prices:
            raise bad(f"“{name}” is a price by itself", name, expected="nothing around it")
        if name in PRICES and not self._prices:
            raise bad(f"“{name}” belongs into a price", name, expected="a condition")
        if name not in self._functions:
            raise bad(f"there is no function “{name}”", name, expected=_some(self._functions))
        return self._called(node, name, *self._functions[name])

    def _called(self, node: Node, name: Token, kinds: tuple[str, ...], needed: int, making: Callable[..., Value]) -> Value:
        given = _arguments(node)
        if not needed <= len(given) <= len(kinds):
            counts = str(needed) if needed == len(kinds) else f"{needed} to {len(kinds)}"
            raise bad(f"“{name}” has {len(given)} arguments", name, expected=f"{counts} of them")
        return making(*[getattr(self, f"_as_{kind}")(each) for kind, each in zip(kinds, given, strict=False)])

    def _as_number(self, node: Node) -> Value:
        return self.value(node)

    def _as_text(self, node: Node) -> str:
        if node.data != "text":
            raise bad("this is no text", node, expected="a text in quotation marks")
        return grammar.literal(_token(node))

    def _as_unit(self, node: Node) -> int:
        unit = self._as_text(node)
        if unit not in SECONDS:
            raise bad(f"“{unit}” is no unit of time", node, expected=_some(SECONDS))
        return SECONDS[unit]

    def _as_stop(self, node: Node) -> StopOf:
        if node.data != "name" or _token(node) not in STOPS:
            raise bad("this is no stop", node, expected=_some(STOPS))
        return STOPS[_token(node)]

    def _as_address(self, node: Node) -> StopOf:
        owner, field = _tokens(node) if node.data == "member" else ("", "")
        if owner not in STOPS or field != "address":
            raise bad("this is no address", node, expected="pickup.address or dropoff.address")
        return STOPS[owner]

    def _as_packages(self, node: Node) -> None:
        if node.data != "name" or _token(node) != "packages":
            raise bad("these are no packages", node, expected="packages")

    def _as_comparison(self, node: Node) -> Comparison:
        """The right half of a comparison, kept in a text, as "< 12"."""
        text = self._as_text(node)
        try:
            tree = grammar.parse(text, start="comparing")
            operator = " ".join(_tokens(tree))
            right, compare = self.value(tree.children[-1]), operators.BINARY[operator]
        except BadRule as error:
            first = node.meta
            column = error.column + first.column if error.line == 1 else error.column
            raise grammar.refusal(error.problem, line=first.line + error.line - 1, column=column, expected=error.expected) from error
        return lambda left, subject: operators.truth(compare(left, right(subject)))

    def _either(self, node: Node) -> Value:
        left, right = self._two(node)
        return lambda subject: operators.truth(left(subject)) or operators.truth(right(subject))

    def _both(self, node: Node) -> Value:
        left, right = self._two(node)
        return lambda subject: operators.truth(left(subject)) and operators.truth(right(subject))

    def _choice(self, node: Node) -> Value:
        asked, yes, no = (self.value(part) for part in node.children)
        return lambda subject: yes(subject) if operators.truth(asked(subject)) else no(subject)

    def _negation(self, node: Node) -> Value:
        inner = self.value(node.children[-1])
        return lambda subject: not operators.truth(inner(subject))

    def _negative(self, node: Node) -> Value:
        inner = self.value(node.children[-1])
        return lambda subject: -operators.amount(inner(subject))

    def _positive(self, node: Node) -> Value:
        inner = self.value(node.children[-1])
        return lambda subject: operators.amount(inner(subject))

    def _binary(self, node: Node) -> Value:
        left, right = self._two(node)
        operate = operators.BINARY[" ".join(_tokens(node))]
        return lambda subject: operate(left(subject), right(subject))

    _compared = _inside = _outside = _span = _arithmetic = _binary

    def _two(self, node: Node) -> tuple[Value, Value]:
        left, right = (self.value(part) for part in node.children if isinstance(part, Tree))
        return left, right


def _constant(value: Any) -> Value:
    return lambda subject: value


def _tokens(node: Node) -> list[Token]:
    return [child for child in node.children if isinstance(child, Token)]


def _token(node: Node) -> Token:
    return _tokens(node)[0]


def _arguments(node: Node) -> list[Node]:
    return [part for inner in node.children if isinstance(inner, Tree) for part in inner.children if isinstance(part, Tree)]


def _some(names: Any) -> str:
    *most, last = sorted(names)
    return f"{', '.join(most)} or {last}" if most else str(last)


def _compared(measure: Callable[[Subject], Any], comparison: Comparison | None) -> Value:
    """The number itself, or whether it is as compared. What a missing stop does not have is a number unlike all others."""
    if comparison is None:
        return measure
    return lambda subject: comparison(measure(subject), subject)


def _days(stop: StopOf, comparison: Comparison | None = None) -> Value:
    def measure(subject: Subject) -> float:
        found = stop(subject)
        if found is None:
            return math.nan
        made, due = (moment.astimezone(subject.tz).replace(tzinfo=None) for moment in (found.created_at, found.before))
        return 0 if made.date() == due.date() else max(1, (due - made).days)

    return _compared(measure, comparison)


def _hours(stop: StopOf, comparison: Comparison | None = None) -> Value:
    def measure(subject: Subject) -> float:
        found = stop(subject)
        return math.nan if found is None else operators.whole((found.before - found.created_at).total_seconds() / SECONDS["hours"])

    return _compared(measure, comparison)


def _length(stop: StopOf, unit: int, comparison: Comparison | None = None) -> Value:
    def measure(subject: Subject) -> float:
        found = stop(subject)
        return math.nan if found is None else operators.whole((found.before - found.after).total_seconds() / unit)

    return _compared(measure, comparison)


def _in_zone(stop: StopOf, name: str) -> Value:
    return lambda subject: (found := stop(subject)) is not None and subject.zones(name, found.point)


def _out_zone(stop: StopOf, name: str) -> Value:
    return lambda subject: (found := stop(subject)) is not None and not subject.zones(name, found.point)


def _rounded(rounding: Callable[[Any], int]) -> Callable[[Value], Value]:
    return lambda value: lambda subject: rounding(value(subject))


def _price_range(value: Value, price: Value, step: Value, threshold: Value) -> Value:
    """A price for each step that is begun above the threshold."""

    def cost(subject: Subject) -> int | float:
        measured = value(subject)
        over = operators.amount(measured) - operators.amount(threshold(subject))
        if measured is None or not over > 0:
            return 0
        return operators.bounded(operators.amount(price(subject)) * operators.up(operators.divided(over, step(subject))))

    return cost


def _price_per_package(packages: None, name: str, unit: Value, offset: Value, discounted: Value) -> Value:
    """The first `offset` - 1 packages at one price, the others at the other; without offset, all at the first."""

    def cost(subject: Subject) -> int | float:
        count, since = subject.count(name), operators.truncated(offset(subject))
        full = count if since <= 0 else min(count, since - 1)
        return operators.bounded(
            full * operators.amount(unit(subject)) + (count - full) * operators.amount(discounted(subject)),
        )

    return cost


def percentage(node: Node) -> Value | None:
    """What a price of nothing but `price_percentage(n)` multiplies by, in hundredths of a per cent; None for other prices."""
    if node.data != "call" or _token(node) != WHOLE_PRICE:
        return None
    given = _arguments(node)
    if len(given) != 1:
        raise bad(f"“{WHOLE_PRICE}” has {len(given)} arguments", node, expected="1 of them")
    return compiled(given[0], prices=True)


CONDITIONS: dict[str, tuple[tuple[str, ...], int, Callable[..., Value]]] = {
    "in_zone": (("address", "text"), 2, _in_zone),
    "out_zone": (("address", "text"), 2, _out_zone),
    "diff_days": (("stop", "comparison"), 1, _days),
    "diff_hours": (("stop", "comparison"), 1, _hours),
    "time_range_length": (("stop", "unit", "comparison"), 2, _length),
    "ceil": (("number",), 1, _rounded(operators.up)),
    "floor": (("number",), 1, _rounded(operators.down)),
}
"""Functions of conditions: the kinds of their arguments, how many must be given, and what makes a function of them."""

METHODS: dict[str, tuple[tuple[str, ...], int, Callable[..., Value]]] = {
    "quantity": (("text",), 1, lambda name: lambda subject: subject.count(name)),
    "containsAtLeastOne": (("text",), 1, lambda name: lambda subject: subject.count(name) > 0),
    "totalVolumeUnits": ((), 0, lambda: lambda subject: subject.volume()),
}
PRICES: dict[str, tuple[tuple[str, ...], int, Callable[..., Value]]] = {
    "price_range": (("number", "number", "number", "number"), 4, _price_range),
    "price_per_package": (("packages", "text", "number", "number", "number"), 5, _price_per_package),
}
