"""Rules and facts come to a price: which rules matched, what each of them adds, and the tax inside the sum."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from quotes.pricing import operators, wording
from quotes.pricing.facts import Facts, Subject
from quotes.pricing.operators import RuleFailed
from quotes.pricing.rules import Rule, RuleSet, Strategy, Target
from stores import money
from stores.refusals import Path, Refused

LARGEST_CENTS = 10**9
WHOLE = 10_000
"""A hundred per cent, as prices say it."""

FLOOR = "Not less than nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule matched the whole delivery (`point` None) or the stop at `point`, counted from 0."""

    rule: Rule
    point: int | None
    matched: bool


@dataclass(frozen=True, slots=True)
class Line:
    """What one rule adds to the price, in hundredths. `words` say why; `by_hand` that a person added it."""

    words: str
    amount_cents: int
    rule_id: int | None = None
    point: int | None = None
    quantity: int = 1
    by_hand: bool = False

    @property
    def label(self) -> str:
        """As on a bill: “1 x More than 0.00 km - 4.99”."""
        return f"{self.quantity} x {self.words} - {wording.money(self.amount_cents)}"

    def as_json(self) -> dict[str, Any]:
        """The line as it is kept."""
        kept = {"rule": self.rule_id, "point": self.point, "quantity": self.quantity, "words": self.words}
        return {**kept, "amount": self.amount_cents, "by_hand": self.by_hand}


@dataclass(frozen=True, slots=True)
class Supplement:
    """A rule that somebody adds by hand, and how much of it."""

    rule: Rule
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Price:
    """What a delivery costs, taxes included, and why; `verdicts` has every rule that was asked, in the order of asking."""

    rule_set: RuleSet
    amount_cents: int
    tax_cents: int
    lines: list[Line] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The price as an order keeps it, whatever becomes of the rules."""
        lines = [line.as_json() for line in self.lines]
        return {"rule_set": self.rule_set.pk, "version": self.rule_set.version, "lines": lines}


class NoRuleMatches(Refused):
    """None of the rules is meant for such a delivery; `verdicts` has what was asked."""

    code = "no_rule_matches"

    def __init__(self, message: str, *, rule_set: RuleSet | None = None, verdicts: Sequence[Verdict] = (), path: Path = ()) -> None:
        super().__init__(message, path=path)
        self.rule_set, self.verdicts = rule_set, verdicts


class NotASupplement(Refused):
    """Only rules that never match by themselves are added by hand."""

    code = "not_a_supplement"


def price(rule_set: RuleSet, facts: Facts, *, vat: Decimal, supplements: Sequence[Supplement] = ()) -> Price:
    """Price a delivery; `vat` in per cent is inside the price. Raises `NoRuleMatches`, `NotASupplement`, and `RuleFailed`."""
    verdicts: list[Verdict] = []
    lines: list[Line] = []
    so_far = 0
    for rule, subject, point in _matching(rule_set, facts, verdicts):
        lines.append(_line(rule, subject, so_far=so_far, point=point))
        so_far += lines[-1].amount_cents
    if not lines:
        raise NoRuleMatches("No rule matches this delivery.", rule_set=rule_set, verdicts=verdicts)
    for each in supplements:
        if not each.rule.condition.by_hand or each.quantity < 1:
            raise NotASupplement("This rule is not one that is added by hand.")
        lines.append(_line(each.rule, replace(facts.whole, quantity=each.quantity), so_far=so_far, point=None, by_hand=True))
        so_far += lines[-1].amount_cents
    if so_far < 0:
        lines.append(Line(FLOOR, -so_far))
        so_far = 0
    return Price(rule_set, _limited(so_far), money.vat_included(so_far, vat), lines, verdicts)


def matches(rule: Rule, facts: Facts) -> bool:
    """Whether a rule matches the delivery, or any of its stops when it is about stops. Raises `RuleFailed`."""
    return any(operators.truth(rule.condition.test(subject)) for subject, _ in _subjects(rule, facts))


def _subjects(rule: Rule, facts: Facts) -> list[tuple[Subject, int | None]]:
    if rule.target == Target.DELIVERY or (rule.target == Target.DYNAMIC and len(facts.stops) <= 2):
        return [(facts.whole, None)]
    return [(subject, number) for number, subject in enumerate(facts.each)]


def _matching(rule_set: RuleSet, facts: Facts, verdicts: list[Verdict]) -> Iterator[tuple[Rule, Subject, int | None]]:
    """The rules that count, each with what it matched; by the strategy `find` one for each subject, the whole delivery last."""
    asked = [(rule, *of) for rule in rule_set.rules for of in _subjects(rule, facts)]
    if rule_set.strategy == Strategy.FIND:
        asked.sort(key=lambda one: len(facts.stops) if one[2] is None else one[2])
    found: set[int | None] = set()
    for rule, subject, point in asked:
        if rule_set.strategy == Strategy.FIND and point in found:
            continue
        matched = operators.truth(rule.condition.test(subject))
        verdicts.append(Verdict(rule, point, matched))
        if matched:
            found.add(point)
            yield rule, subject, point


def _line(rule: Rule, subject: Subject, *, so_far: int, point: int | None, by_hand: bool = False) -> Line:
    worth = operators.amount(rule.cost.value(subject))
    if rule.cost.is_percentage:
        worth = operators.bounded(worth * so_far) / WHOLE - so_far
    if not abs(worth) <= LARGEST_CENTS:
        raise RuleFailed("The rule comes to a price that nobody would pay.")
    cents = int(Decimal(str(worth)).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    times = 1 if rule.cost.measured or rule.cost.is_percentage else subject.quantity
    return Line(wording.named(rule), _limited(cents * times), rule.pk, point, subject.quantity, by_hand)


def _limited(cents: int) -> int:
    if abs(cents) > LARGEST_CENTS:
        raise RuleFailed("The rules come to a price that nobody would pay.")
    return cents
