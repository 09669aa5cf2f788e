"""Price lists as rows: read one whole, and change one; every change raises its version and leaves past prices alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, QuerySet

from quotes.models import PricingRule, PricingRuleSet
from quotes.pricing import rules
from quotes.pricing.counting import NotASupplement, Supplement
from quotes.pricing.grammar import BadRule
from quotes.pricing.rules import RuleSet, Strategy, Target
from stores import effects
from stores.compiled import Compiled
from stores.models import Store
from stores.refusals import Invalid, NotFound, Refused

MOST_RULES = 500


class InUse(Refused):
    """A price list that a store is priced by is not deleted."""

    code = "rule_set_in_use"


@dataclass(frozen=True, kw_only=True)
class RuleDraft:
    """A rule as it is to be; `pk` names the one it replaces."""

    expression: str
    price: str
    position: int
    name: str = ""
    target: Target = Target.DELIVERY
    pk: int | None = None


_RULES: Compiled[PricingRule] = Compiled(
    lambda pk: PricingRule.objects.filter(rule_set_id=pk).select_related("rule_set").order_by("position", "id"), pk=int
)


def read(row: PricingRuleSet) -> RuleSet:
    """The price list, ready to price by; one query, whose rules and version belong together."""
    rows = _RULES.fetch(pk=row.pk)
    known = rows[0].rule_set if rows else row
    return RuleSet(known.pk, known.version, Strategy(known.strategy), [rule.read for rule in rows])


def supplements(rule_set: RuleSet | None, wanted: Sequence[tuple[int, int]]) -> list[Supplement]:
    """Rules added by hand, from (rule id, quantity); raises `Invalid` naming ("order", "manualSupplements", n) for each that is none."""
    known = {rule.pk: rule for rule in (rule_set.rules if rule_set else ()) if rule.condition.by_hand}
    problems: list[Refused] = [
        NotASupplement("This rule is not one of the store's.", path=("order", f"manualSupplements[{number}][pricingRule]"))
        for number, (pk, _) in enumerate(wanted)
        if pk not in known
    ]
    if problems:
        raise Invalid(*problems)
    return [Supplement(known[pk], quantity) for pk, quantity in wanted]


def save(row: PricingRuleSet, drafts: Sequence[RuleDraft] | None) -> PricingRuleSet:
    """Save a new or changed price list, and its rules unless `drafts` is None; rules that are not among them go.

    Raises `Invalid` naming every rule at fault, as ("rules", 0, "expression").
    """
    check(drafts or ())
    with effects.atomic():
        if row.pk is None:
            effects.locked()
            row.save()
        else:
            row.version = PricingRuleSet.objects.select_for_update().get(pk=row.pk).version + 1
            effects.locked()
            row.save(update_fields=["name", "strategy", "version"])
        if drafts is not None:
            _replace(row, drafts)
    return row


def changed(row: PricingRuleSet) -> None:
    """Say that rules of the list were changed by other hands."""
    PricingRuleSet.objects.filter(pk=row.pk).update(version=F("version") + 1)


def remove(row: PricingRuleSet) -> None:
    """Delete a price list; raises `Invalid` with an `InUse` for each store that is priced by it."""
    with effects.atomic():
        PricingRuleSet.objects.select_for_update().get(pk=row.pk)
        effects.locked()
        users = [InUse(f"{row.name} is used by {store.name}") for store in applications(row)]
        if users:
            raise Invalid(*users)
        row.delete()


def applications(row: PricingRuleSet) -> QuerySet[Store]:
    """The stores that are priced by a list, by name."""
    return Store.objects.filter(pricing_rule_set_id=row.pk).order_by("name", "id")


def check(drafts: Sequence[RuleDraft]) -> None:
    """Read every rule, and raise `Invalid` with what is wrong in all of them."""
    problems: list[Refused] = []
    for number, draft in enumerate(drafts):
        for reading, text in ((rules.condition, draft.expression), (rules.cost, draft.price)):
            try:
                reading(text)
            except BadRule as refusal:
                problems.append(BadRule(str(refusal), path=("rules", number, *refusal.path)))
    if problems:
        raise Invalid(*problems)


def _replace(row: PricingRuleSet, drafts: Sequence[RuleDraft]) -> None:
    known = {rule.pk: rule for rule in row.rules.all()}
    unknown = [
        NotFound("This rule is not one of the set.", path=("rules", n, "@id")) for n, d in enumerate(drafts) if d.pk and d.pk not in known
    ]
    if unknown:
        raise Invalid(*unknown)
    kept = {draft.pk for draft in drafts if draft.pk}
    PricingRule.objects.filter(rule_set=row).exclude(pk__in=kept).delete()
    values = [{name: getattr(draft, name) for name in ("expression", "price", "position", "name", "target")} for draft in drafts]
    rows = [PricingRule(pk=draft.pk, rule_set=row, **each) for draft, each in zip(drafts, values, strict=True)]
    PricingRule.objects.bulk_update([rule for rule in rows if rule.pk], ["expression", "price", "position", "name", "target"])
    PricingRule.objects.bulk_create([rule for rule in rows if not rule.pk])
