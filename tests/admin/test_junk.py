"""Filters asked for what does not exist: every list of the desk answers, whatever stands in its address."""

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.admin.test_lists import REGISTERED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

JUNK = ("\0", "abc", "", "-1", "9" * 23, "0001-01-01")
ALWAYS = ("q", "p", "o", "nonsense", "status__in", "id__gte")
"""What an address may hold besides the parameters of the facets."""


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label_lower)
def test_junk_in_a_filter_is_no_accident(model: type[Model], admin_browser: Client) -> None:
    factories.delivery()
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    specs = admin_browser.get(url).context["cl"].filter_specs
    own = {name for spec in specs for name in spec.expected_parameters() if name}
    facets = {str(item[0] if isinstance(item, tuple) else item) for item in admin.site._registry[model].list_filter if not callable(item)}
    for name in sorted({*own, *facets, *ALWAYS}):
        for junk in JUNK:
            response = admin_browser.get(url, {name: junk})
            assert response.status_code < 500, (name, junk)
