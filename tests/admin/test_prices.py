"""Price lists at the desk: rules beside each other, errors at their field, versions that rise, and a price to look at."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from quotes.models import PricingRule, PricingRuleSet
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def form(row: PricingRuleSet | None, *rules: tuple[str, str], **fields: str) -> dict[str, Any]:
    """The page of a list, filled in; rules that are there keep their place."""
    known = [] if row is None else list(PricingRule.objects.filter(rule_set=row))
    sent: dict[str, Any] = {"name": "Town", "strategy": "find", **fields}
    sent |= {"rules-TOTAL_FORMS": len(rules), "rules-INITIAL_FORMS": len(known)}
    for number, (expression, price) in enumerate(rules):
        values = {"position": number, "name": "", "target": "DELIVERY", "expression": expression, "price": price}
        values["id"] = known[number].pk if number < len(known) else ""
        values["rule_set"] = row.pk if row else ""
        sent |= {f"rules-{number}-{name}": value for name, value in values.items()}
    return sent


def page(row: PricingRuleSet) -> str:
    return reverse("admin:quotes_pricingruleset_change", args=[row.pk])


def test_a_list_is_made_with_its_rules(admin_browser: Client) -> None:
    answer = admin_browser.post(reverse("admin:quotes_pricingruleset_add"), form(None, ("distance > 0", "499"), ("false", "100")))
    assert answer.status_code == 302
    row = PricingRuleSet.objects.get()
    assert (row.name, row.version) == ("Town", 1)
    assert list(row.rules.values_list("expression", "price")) == [("distance > 0", "499"), ("false", "100")]


@pytest.mark.parametrize(("rule", "field", "column"), [(("distance >", "1"), "expression", 11), (("true", "1 +"), "price", 4)])
def test_a_bad_rule_is_refused_at_its_field_with_its_place(admin_browser: Client, rule: tuple[str, str], field: str, column: int) -> None:
    row = factories.price_list(("true", "499"))
    answer = admin_browser.post(page(row), form(row, rule))
    assert answer.status_code == 200
    [errors] = answer.context["inline_admin_formsets"][0].formset.errors
    assert list(errors) == [field]
    assert f"column {column}" in errors[field][0]
    assert f"column {column}".encode() in answer.content
    row.refresh_from_db()
    assert (row.version, row.rules.get().price) == (1, "499")


def test_every_change_is_another_version(admin_browser: Client) -> None:
    row = factories.price_list(("true", "499"), name="Town")
    for sent, version in ((form(row, ("true", "499")), 1), (form(row, ("true", "599")), 2), (form(row, ("true", "599"), name="City"), 3)):
        assert admin_browser.post(page(row), sent).status_code == 302
        row.refresh_from_db()
        assert row.version == version
    assert (row.name, row.rules.get().price) == ("City", "599")


def test_a_list_is_tried_on_a_usual_delivery(admin_browser: Client) -> None:
    row = factories.price_list(("distance in 0..5000", "price_range(distance, 100, 1000, 0) + packages.quantity('S') * 50"))
    answer = admin_browser.get(page(row)).content.decode()
    assert "4.00, of which tax 0.67: 1 x Between 0.00 km and 5.00 km - 4.00" in answer
    gap = factories.price_list(("distance > 9000", "1"))
    assert "No rule matches this delivery." in admin_browser.get(page(gap)).content.decode()


def test_dispatchers_look_and_do_not_touch(dispatcher_browser: Client) -> None:
    row = factories.price_list(("true", "499"), name="Town")
    assert "499" in dispatcher_browser.get(page(row)).content.decode()
    assert dispatcher_browser.post(page(row), form(row, ("true", "1"))).status_code == 403
    assert row.rules.get().price == "499"


def test_a_list_in_use_is_not_deleted(admin_browser: Client) -> None:
    store = factories.StoreFactory.create()
    row = factories.price_list(("true", "499"), store=store)
    admin_browser.post(reverse("admin:quotes_pricingruleset_delete", args=[row.pk]), {"post": "yes"})
    assert PricingRuleSet.objects.filter(pk=row.pk).exists()


def test_a_delivery_booked_at_the_desk_is_priced_by_the_list(admin_browser: Client) -> None:
    store = factories.StoreFactory.create()
    factories.price_list(("true", "499"), store=store)
    booked = {"store": store.pk, "dropoff_address": "48, Rue de Rivoli, Paris", "before_0": "2026-11-20", "before_1": "18:00"}
    for price, total in (("", 499), ("7.50", 750), ("0", 0)):
        address = reverse("admin:deliveries_delivery_new")
        answer = admin_browser.post(address, {**booked, "before": "2026-11-20T18:00", "price": price})
        assert answer.status_code == 302, answer.context["form"].errors
        assert store.orders.latest("id").total_cents == total
