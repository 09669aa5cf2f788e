"""Price lists as rows: saved whole or not at all, counted in versions, and kept while anybody is priced by them."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from quotes import price_lists
from quotes.models import PricingRule, PricingRuleSet, check_condition, check_price
from quotes.price_lists import InUse, RuleDraft
from quotes.pricing.grammar import BadRule
from stores.refusals import Invalid, NotFound
from tests import factories

pytestmark = pytest.mark.django_db

BANDS = (("distance in 0..2999", "499"), ("distance > 2999", "699"))


def texts(row: PricingRuleSet) -> list[tuple[str, str]]:
    return list(PricingRule.objects.filter(rule_set=row).values_list("expression", "price"))


def test_a_list_is_read_whole_in_one_query() -> None:
    row = factories.price_list(*BANDS)
    with CaptureQueriesContext(connection) as told:
        read = price_lists.read(row)
    assert len(told.captured_queries) == 1
    assert (read.pk, read.version, read.strategy) == (row.pk, 1, "find")
    assert [(rule.expression, rule.price) for rule in read.rules] == list(BANDS)


def test_rules_come_in_order_of_position() -> None:
    row = factories.price_list()
    price_lists.save(row, [RuleDraft(expression="true", price="2", position=2), RuleDraft(expression="true", price="1", position=1)])
    assert [rule.price for rule in price_lists.read(row).rules] == ["1", "2"]


def test_every_change_raises_the_version() -> None:
    row = factories.price_list(*BANDS)
    row.name = "Other"
    assert price_lists.save(row, None).version == 2
    assert texts(row) == list(BANDS)
    price_lists.changed(row)
    assert price_lists.read(row).version == 3
    assert price_lists.save(row, []).version == 4
    assert texts(row) == []


def test_rules_keep_their_id_when_they_are_named() -> None:
    row = factories.price_list(*BANDS)
    first, second = PricingRule.objects.filter(rule_set=row)
    price_lists.save(
        row, [RuleDraft(pk=second.pk, expression="true", price="1", position=0), RuleDraft(expression="true", price="2", position=1)]
    )
    kept, new = PricingRule.objects.filter(rule_set=row)
    assert (kept.pk, kept.price) == (second.pk, "1")
    assert new.pk not in (first.pk, second.pk)


def test_rules_of_another_list_are_not_taken() -> None:
    row, other = factories.price_list(*BANDS), factories.price_list(("true", "1"))
    with pytest.raises(Invalid) as caught:
        price_lists.save(row, [RuleDraft(pk=price_lists.read(other).rules[0].pk, expression="true", price="1", position=0)])
    assert [(type(problem), problem.path) for problem in caught.value.problems] == [(NotFound, ("rules", 0, "@id"))]
    assert (texts(row), texts(other)) == (list(BANDS), [("true", "1")])


def test_bad_rules_are_refused_all_at_once_and_nothing_is_saved() -> None:
    drafts = [RuleDraft(expression="distance >", price="1", position=0), RuleDraft(expression="true", price="1 +", position=1)]
    with pytest.raises(Invalid) as caught:
        price_lists.save(PricingRuleSet(name="Bad", strategy="find"), drafts)
    assert [(type(problem), problem.path) for problem in caught.value.problems] == [
        (BadRule, ("rules", 0, "expression")),
        (BadRule, ("rules", 1, "price")),
    ]
    assert "column 11" in str(caught.value.problems[0])
    assert not PricingRuleSet.objects.exists()


def test_columns_refuse_what_the_grammar_refuses() -> None:
    check_condition("distance > 0")
    check_price("499")
    with pytest.raises(ValidationError, match="column 11"):
        check_condition("distance >")
    with pytest.raises(ValidationError, match="column 4"):
        check_price("1 +")


def test_a_list_in_use_stays() -> None:
    store = factories.StoreFactory.create(name="Acme")
    row = factories.price_list(*BANDS, name="Town", store=store)
    assert list(price_lists.applications(row)) == [store]
    with pytest.raises(Invalid) as caught:
        price_lists.remove(row)
    assert [(type(problem), str(problem)) for problem in caught.value.problems] == [(InUse, "Town is used by Acme")]
    store.pricing_rule_set = None
    store.save()
    price_lists.remove(row)
    assert not PricingRule.objects.exists()


def test_rows_are_called_by_name() -> None:
    row = factories.price_list(*BANDS, name="Town")
    assert str(row) == "Town"
    assert [str(rule) for rule in PricingRule.objects.filter(rule_set=row)] == [condition for condition, _ in BANDS]
