"""Price lists: `/api/pricing_rule_sets`, which the desk and couriers may read and admins change."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from deliveries.api.coopcycle import collections, forms, rights
from deliveries.api.coopcycle.describing import PAGES, described
from deliveries.api.coopcycle.endpoint import Endpoint
from deliveries.api.coopcycle.errors import Malformed, NotAChoice
from deliveries.api.coopcycle.forms import ABSENT, Problems
from deliveries.api.coopcycle.payloads import Payload
from quotes import price_lists
from quotes.models import PricingRule, PricingRuleSet
from quotes.price_lists import MOST_RULES, RuleDraft
from quotes.pricing import grammar, rules
from quotes.pricing.rules import Strategy, Target
from stores.models import Store
from stores.refusals import Missing, NotAllowed, Path

IRI = "/api/pricing_rule_sets"
APPLICATION = "PricingRuleSetApplication"
TAG = "Pricing rule sets"
PER_PAGE = 30
LAST_POSITION = 10**6


@dataclass(kw_only=True)
class SentRuleSet:
    """A price list as sent; what is None was not said."""

    name: str | None = None
    strategy: str | None = None
    rules: list[RuleDraft] | None = field(default=None)


class RuleSetEndpoint(Endpoint):
    """What calls on price lists share."""

    right = rights.reads_rules

    def row(self, pk: int) -> PricingRuleSet:
        """The price list."""
        row = PricingRuleSet.objects.filter(pk=pk).first()
        if row is None:
            raise self.missing(PricingRuleSet, pk)
        return row

    def current(self, pk: int) -> Payload:  # type: ignore[override]  # the path of these calls
        """The price list as it is now."""
        return rule_set(self.row(pk))

    def check_writes(self) -> None:
        """Raise `NotAllowed` for all but admins."""
        if not self.by.is_admin:
            raise NotAllowed("Access Denied.")


class RuleSetsView(RuleSetEndpoint):
    """All price lists."""

    @described("list_rule_sets", "List pricing rule sets", tag=TAG, lists="PricingRuleSet", parameters=PAGES)
    def get(self, request: Request) -> HttpResponse:
        """By name."""
        page = collections.Page.read(request, size=PER_PAGE)
        rows = PricingRuleSet.objects.order_by("name", "id").prefetch_related("rules")
        return self.answer(page.collection("PricingRuleSet", IRI, rows, member))

    @described("create_rule_set", "Create a pricing rule set", tag=TAG, gives="PricingRuleSet", takes="PricingRuleSetInput", status=201)
    def post(self, request: Request) -> HttpResponse:
        """With its rules; a rule that cannot be read is refused with the place of its error."""
        self.check_writes()
        sent = self.read(asked_for)
        made = price_lists.save(PricingRuleSet(name=sent.name or "", strategy=sent.strategy or Strategy.FIND.value), sent.rules or [])
        return self.resource(rule_set(made), status=201, iri=f"{IRI}/{made.pk}")


class RuleSetView(RuleSetEndpoint):
    """One price list."""

    @described("get_rule_set", "Get a pricing rule set", tag=TAG, gives="PricingRuleSet")
    def get(self, request: Request, pk: int) -> HttpResponse:
        """With its rules."""
        return self.resource(self.current(pk))

    @described("change_rule_set", "Change a pricing rule set", tag=TAG, gives="PricingRuleSet", takes="PricingRuleSetInput")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """What is not sent stays. `rules` is the whole list; a rule is kept by its `@id`. Past prices stay as they are."""
        self.check_writes()
        row = self.row(pk)
        sent = self.read(lambda body: asked_for(body, partial=True))
        row.name, row.strategy = sent.name or row.name, sent.strategy or row.strategy
        price_lists.save(row, sent.rules)
        return self.resource(self.current(pk))

    @described("delete_rule_set", "Delete a pricing rule set", tag=TAG, status=204)
    def delete(self, request: Request, pk: int) -> HttpResponse:
        """Only when no store is priced by it."""
        self.check_writes()
        price_lists.remove(self.row(pk))
        return self.nothing()


class ApplicationsView(RuleSetEndpoint):
    """Who is priced by a list."""

    @described(
        "list_rule_set_applications",
        "List who is priced by a pricing rule set",
        tag=TAG,
        lists=APPLICATION,
        parameters=PAGES,
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The stores, by name."""
        page = collections.Page.read(request, size=PER_PAGE)
        rows = price_lists.applications(self.row(pk))
        return self.answer(page.collection(APPLICATION, f"{IRI}/{pk}/applications", rows, application))


def asked_for(body: Any, *, partial: bool = False) -> SentRuleSet:
    """Read the body of a new or, when `partial`, of a changed price list; raises `Invalid` naming every field at fault."""
    sent, problems = forms.mapping(body, ()), Problems()
    name: str = problems.take(_filled, sent.get("name"), ("name",), "") if not partial or "name" in sent else ""
    strategy = sent.get("strategy")
    wanted = SentRuleSet(
        name=name or None,
        strategy=None if strategy in ABSENT else problems.take(_word, strategy, ("strategy",), "", words=tuple(Strategy)),
    )
    if sent.get("rules") is not None:
        listed: list[Any] = problems.take(_listed, sent["rules"], ("rules",), [])
        wanted.rules = [_rule(problems, each, ("rules", number), number) for number, each in enumerate(listed)]
    problems.check()
    return wanted


def _rule(problems: Problems, value: Any, at: Path, number: int) -> RuleDraft:
    sent: dict[str, Any] = problems.take(forms.mapping, value, at, {})
    pk, target, position = sent.get("@id"), sent.get("target"), sent.get("position")
    return RuleDraft(
        expression=problems.take(_filled, sent.get("expression"), (*at, "expression"), "true", longest=grammar.LONGEST),
        price=problems.take(_price, sent.get("price"), (*at, "price"), "0"),
        position=number if position is None else problems.take(forms.whole, position, (*at, "position"), 0, most=LAST_POSITION),
        name=problems.take(forms.text, sent.get("name"), (*at, "name"), "").strip(),
        target=Target.DELIVERY if target in ABSENT else Target(problems.take(_word, target, (*at, "target"), "TASK", words=tuple(Target))),
        pk=None if pk in ABSENT else problems.take(forms.reference, pk, (*at, "@id"), None, to="pricing_rules"),
    )


def _listed(value: Any, path: Path) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed("This value should be of type array.", path=path)
    if len(value) > MOST_RULES:
        raise Malformed(f"This collection should contain {MOST_RULES} elements or less.", path=path)
    return value


def _filled(value: Any, path: Path, *, longest: int = 255) -> str:
    text = forms.text(value, path, longest=longest)
    if not text.strip():
        raise Missing("This value should not be blank.", path=path)
    return text


def _price(value: Any, path: Path) -> str:
    """An expression, or its amount as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _filled(value, path, longest=grammar.LONGEST)


def _word(value: Any, path: Path, *, words: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in words:
        raise NotAChoice("The value you selected is not a valid choice.", path=path)
    return value


def rule_set(row: PricingRuleSet) -> Payload:
    """A price list by itself."""
    return {"@context": "/api/contexts/PricingRuleSet", **member(row)}


def member(row: PricingRuleSet) -> Payload:
    """A price list in a collection."""
    return {
        "@id": f"{IRI}/{row.pk}",
        "@type": "PricingRuleSet",
        "id": row.pk,
        "name": row.name,
        "strategy": row.strategy,
        "options": [],
        "rules": [_printed(rule) for rule in row.rules.all()],
    }


def _printed(rule: PricingRule) -> Payload:
    read = rule.read
    return {
        "@id": f"/api/pricing_rules/{rule.pk}",
        "@type": "PricingRule",
        "id": rule.pk,
        "target": rule.target,
        "expression": rule.expression,
        "price": rule.price,
        "position": rule.position,
        "name": rule.name,
        "expressionAst": grammar.expressed(read.condition.tree),
        "priceAst": grammar.expressed(rules.cost(rule.price).tree),
    }


def application(store: Store) -> Payload:
    """A store that is priced by a list."""
    return {"@id": f"/api/stores/{store.pk}", "@type": "PricingRuleSetApplication", "entity": "Store", "name": store.name, "id": store.pk}
