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
from tests.api.coopcycle import webhooks
from tests.api.coopcycle.knocking import World

pytestmark = pytest.mark.django_db

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

schema = schemathesis.openapi.from_wsgi("/api/docs.json", application)


@pytest.fixture
def open_world(world: World) -> Iterator[World]:
    """The connection holds the transaction of the test: no request may close it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield world
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_made_up_requests(case: Any, open_world: World) -> None:
    """Asked by an admin, who gets past every wall but one, about rows that exist: made-up ids would never get past the 404."""
    caller = "client" if case.path.startswith("/api/webhooks") else "admin"
    kind = next((each for each in ("stores", "deliveries", "webhooks") if f"/{each}/" in case.path), "tasks")
    hook = open_world.client.subscriptions.first() or webhooks.subscribed(open_world)
    rows = {"stores": open_world.store.pk, "deliveries": open_world.delivery.pk, "tasks": open_world.task_ids(open_world.held)[0]}
    known = {"id": {**rows, "webhooks": hook.pk}[kind], "call_id": (hook.calls.first() or webhooks.owed(hook)).pk}
    case.path_parameters = {**(case.path_parameters or {}), **{name: known[name] for name in case.path_parameters or {} if name in known}}
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = "*"  # a made-up tag would never get past the 412
    case.call_and_validate(headers={"Authorization": f"Bearer {open_world[caller].token}"}, checks=CHECKS)
