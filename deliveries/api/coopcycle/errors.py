"""Every "no" as this dialect says it: one table from refusals to words, two shapes on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deliveries import amending, booking, pricing, stops, transitions
from deliveries.api import conditional, once
from deliveries.outbox import subscriptions, targets
from quotes import offers, price_lists
from quotes.pricing import counting, grammar, operators
from quotes.pricing.counting import NoRuleMatches, Verdict
from quotes.pricing.rules import RuleSet
from stores import keeping, money, orders, phones, places, refusals, schedules
from stores.refusals import Invalid, Path, Refused

TITLE = "An error occurred"
PROBLEM_TYPE = "https://tools.ietf.org/html/rfc2616#section-10"

NOT_BLANK = "c1051bb4-d103-4f74-8988-acbcafc7fdc3"
NOT_NULL = "ad32d13f-c3d4-423b-909a-857b961eb720"
CHOICE = "8e179f1b-97aa-4560-a02f-2a8b42e49df7"
EXPRESSION = "6b3befbc-2f01-4ddf-be21-b57898905284"

NO_PRICE = "Price could not be calculated"

FIELDS = {"before": "doneBefore", "after": "doneAfter"}
"""What a field of the core is called in a violation's path."""


class Malformed(Refused):
    """A field of the wrong type, or out of range."""

    code = "malformed"


class NotAChoice(Refused):
    """A word that is none of those to choose from."""

    code = "not_a_choice"


class BadReference(Refused):
    """An IRI in the body that names nothing, or nothing of yours."""

    code = "bad_reference"


class SlotNotOffered(Refused):
    """A range that the time slot named beside it does not offer."""

    code = "slot_not_offered"


class PaymentNotOffered(Refused):
    """A way to pay that the store does not take."""

    code = "payment_not_offered"


@dataclass(frozen=True, slots=True)
class Word:
    """How one class of refusal is said: with `violation`, as a violation carrying `code`, else as a bare sentence."""

    status: int = 400
    violation: bool = False
    code: str | None = None
    sentence: str = ""


WORDS: dict[type[Refused], Word] = {
    refusals.Invalid: Word(violation=True),
    refusals.Missing: Word(violation=True, code=NOT_BLANK),
    refusals.NotFound: Word(404),
    refusals.NotAllowed: Word(403, sentence="Access Denied."),
    Malformed: Word(violation=True),
    NotAChoice: Word(violation=True, code=CHOICE),
    BadReference: Word(),
    SlotNotOffered: Word(),
    PaymentNotOffered: Word(),
    phones.BadPhone: Word(),
    money.BadMoney: Word(violation=True),
    places.BadPoint: Word(violation=True),
    places.GeocoderDown: Word(503),
    schedules.BadMoment: Word(),
    orders.TooMuch: Word(violation=True),
    orders.NameTaken: Word(violation=True),
    stops.AddressNotFound: Word(violation=True),
    stops.TooFewStops: Word(violation=True),
    stops.WrongOrder: Word(violation=True),
    stops.BadStopWindow: Word(violation=True),
    amending.UnknownStop: Word(sentence="task.id"),
    booking.AlreadyDelivered: Word(),
    transitions.AlreadyAssigned: Word(),
    transitions.AlreadyCompleted: Word(),
    transitions.AssignedBlocksCancel: Word(),
    transitions.BadWindow: Word(violation=True),
    transitions.CarriedByAnother: Word(),
    transitions.IllegalMove: Word(),
    transitions.PreviousUnfinished: Word(),
    transitions.TaskIsCancelled: Word(),
    targets.UnsafeTarget: Word(violation=True),
    subscriptions.TooManyWebhooks: Word(),
    offers.NotForDelivery: Word(),
    offers.NotYourFleet: Word(403),
    grammar.BadRule: Word(violation=True, code=EXPRESSION),
    operators.RuleFailed: Word(sentence=NO_PRICE),
    counting.NoRuleMatches: Word(sentence=NO_PRICE),
    counting.NotASupplement: Word(violation=True),
    pricing.NoPriceList: Word(),
    price_lists.InUse: Word(violation=True),
    once.BadKey: Word(),
    keeping.InFlight: Word(409),
    keeping.OtherRequest: Word(422),
    keeping.AnswerLost: Word(409),
    conditional.Outdated: Word(412),
}


def word(refusal: Refused) -> Word:
    """The word for a refusal, or for the nearest class above it."""
    return next(WORDS[kind] for kind in type(refusal).__mro__ if kind in WORDS)


def property_path(path: Path) -> str:
    """A path of the core in the dialect's terms: `("tasks", 1, "before")` is `items[1].task.doneBefore`."""
    match path:
        case ("tasks", int(number), *rest):
            return f"items[{number}]" + (f".task.{_joined(rest)}" if rest else "")
        case ("tasks",):
            return "items"
    return _joined(list(path))


def _joined(parts: list[str | int]) -> str:
    joined = ""
    for part in parts:
        name = FIELDS.get(part, part) if isinstance(part, str) else f"[{part}]"
        joined += name if not joined or isinstance(part, int) else f".{name}"
    return joined


def calculation(rule_set: RuleSet | None, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Which rules of a price list were asked about what, and which of them matched."""
    if rule_set is None:
        return {}
    subjects = dict.fromkeys(verdict.point for verdict in verdicts)
    return {
        "ruleSet": f"/api/pricing_rule_sets/{rule_set.pk}",
        "strategy": rule_set.strategy,
        "items": [
            {
                "target": "DELIVERY" if point is None else "TASK",
                "task": point,
                "rules": [_verdict(verdict) for verdict in verdicts if verdict.point == point],
            }
            for point in subjects
        ],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    rule = verdict.rule
    return {"rule": f"/api/pricing_rules/{rule.pk}", "name": rule.name, "expression": rule.expression, "matched": verdict.matched}


def refused(refusal: Refused, *, plain: bool) -> tuple[int, dict[str, Any]]:
    """The status and the body that say no."""
    problems = refusal.problems if isinstance(refusal, Invalid) else (refusal,)
    first = next((problem for problem in problems if not word(problem).violation), None)
    if first is None:
        return 400, violations([(property_path(p.path), str(p), word(p).code) for p in problems], plain=plain)
    said = word(first)
    where = property_path(first.path)
    sentence = said.sentence or (f"{where}: {first}" if where and isinstance(first, schedules.BadMoment) else str(first))
    more = {"calculation": calculation(first.rule_set, first.verdicts)} if isinstance(first, NoRuleMatches) else {}
    return said.status, {**error(sentence, plain=plain), **more}


def error(sentence: str, *, plain: bool) -> dict[str, Any]:
    """A bare sentence."""
    if plain:
        return {"type": PROBLEM_TYPE, "title": TITLE, "detail": sentence}
    return {"@context": "/api/contexts/Error", "@type": "hydra:Error", "hydra:title": TITLE, "hydra:description": sentence}


def violations(found: list[tuple[str, str, str | None]], *, plain: bool) -> dict[str, Any]:
    """Every field at fault, as (path, message, code)."""
    listed = [{"propertyPath": path, "message": message, "code": code} for path, message, code in found]
    sentence = "\n".join(f"{path}: {message}" if path else message for path, message, _ in found)
    if plain:
        return {"type": PROBLEM_TYPE, "title": TITLE, "detail": sentence, "violations": listed}
    return {
        "@context": "/api/contexts/ConstraintViolationList",
        "@type": "ConstraintViolationList",
        "hydra:title": TITLE,
        "hydra:description": sentence,
        "violations": listed,
    }
