"""Requests that schemathesis makes up from the OpenAPI document: whatever comes, the answer is one that it describes."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from config.wsgi import application
from tests import factories
from tests.api.hubrise.till import DELIVERY, QUOTE, Till, scene

pytestmark = pytest.mark.django_db

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", application)


Known = tuple[dict[str, str], dict[str, str]]


@pytest.fixture
def known(noon: Any) -> Iterator[Known]:
    """A token for short paths and one for long paths, and ids that exist: made-up ones would never get past the 404."""
    shop = scene()
    quote = shop.till.post(f"{shop.path}/delivery_quotes", QUOTE).json["id"]
    shop.till.post(f"{shop.path}/delivery", DELIVERY)
    ids = {"location_id": shop.store.public_id, "account_id": shop.store.account.public_id, "order_id": shop.order.public_id}
    owner = Till(factories.hubrise_token(account=shop.store.account))
    owner.post("/callback", {"events": {"order": ["update"]}})
    ids["event_id"] = owner.post("/callback/test").json["id"]
    # The connection holds the transaction of the test: no request may close it.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield {"short": str(shop.till.token), "long": str(owner.token)}, ids | {"quote_id": quote}
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_made_up_requests(case: Any, known: Known) -> None:
    tokens, ids = known
    form = "short" if case.path.startswith("/v1/location/") or case.path == "/v1/location" else "long"
    if case.path_parameters:
        case.path_parameters = {name: ids.get(name, value) for name, value in case.path_parameters.items()}
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = "*"  # a made-up tag would never get past the 412
    case.call_and_validate(headers={"X-Access-Token": tokens[form]}, checks=CHECKS)
