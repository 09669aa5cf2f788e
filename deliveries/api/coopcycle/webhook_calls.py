"""What a webhook was and is owed: `/api/webhooks/{id}/calls`, every attempt at each, and sending them again."""

from typing import Any

import orjson
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from deliveries.api import conditional
from deliveries.api.coopcycle import collections, payloads
from deliveries.api.coopcycle.describing import PAGES, described, query
from deliveries.api.coopcycle.voice import CoopCycleVoice
from deliveries.api.coopcycle.webhooks import IRI, PER_PAGE, TAG, WebhookEndpoint, maybe_moment
from deliveries.models import Attempt, Call, CallState
from deliveries.outbox import sending
from stores.refusals import NotFound

STATES = query("state", enum=CallState.values)


class CallEndpoint(WebhookEndpoint):
    """What calls on one call share."""

    def call(self, pk: int, call_id: int) -> Call:
        """The call, when it is owed to a webhook of the caller's."""
        row = self.webhook(pk).calls.filter(pk=call_id).first()
        if row is None:
            raise NotFound("Not Found")
        return row

    def current(self, pk: int, call_id: int) -> dict[str, Any]:  # type: ignore[override]  # the path of these calls
        """The call as it is now."""
        return shown(self.call(pk, call_id))


class CallsView(WebhookEndpoint):
    """All calls of a webhook."""

    @described("list_webhook_calls", "List the calls of a webhook", tag=TAG, lists="WebhookCall", parameters=(STATES, *PAGES))
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The newest first. Settled ones are kept for 30 days."""
        iri = f"{IRI}/{pk}/calls"
        page = collections.Page.read(request, size=PER_PAGE)
        rows = _in_state(self.webhook(pk).calls.order_by("-id"), request._request.GET.get("state", ""))
        return self.answer(page.collection("WebhookCall", iri, rows, member, search=collections.Search(iri, ("state",))))


class CallView(CallEndpoint):
    """One call."""

    @described("get_webhook_call", "Get a call of a webhook", tag=TAG, gives="LoneWebhookCall")
    def get(self, request: Request, pk: int, call_id: int) -> HttpResponse:
        """With every attempt at it, and the first 2 kB of what was answered."""
        return self.resource(self.current(pk, call_id))


class ResendView(CallEndpoint):
    """Once more."""

    @described("resend_webhook_call", "Resend a call of a webhook", tag=TAG, gives="LoneWebhookCall", status=202)
    @conditional.to_one
    def post(self, request: Request, pk: int, call_id: int) -> HttpResponse:
        """Under the same `webhook-id`. What is still owed is sent in its turn and stays as it is."""
        row = self.call(pk, call_id)
        sending.resend(row, by=self.by, at=self.at)
        row.refresh_from_db()
        return self.resource(shown(row), status=202, iri=f"{IRI}/{pk}/calls/{call_id}")


class SendTestView(WebhookEndpoint):
    """A rehearsal."""

    @described("test_webhook", "Test a webhook", tag=TAG, gives="LoneWebhookCall", status=202)
    @conditional.to_one
    def post(self, request: Request, pk: int) -> HttpResponse:
        """Send the event asked for, about a delivery that does not exist; the call is found where `Location` says."""
        made = sending.send_test(self.webhook(pk), voice=CoopCycleVoice(), at=self.at)
        made.refresh_from_db()
        return self.resource(shown(made), status=202, iri=f"{IRI}/{pk}/calls/{made.pk}")


def shown(row: Call) -> dict[str, Any]:
    """A call by itself, with its attempts."""
    return {"@context": "/api/contexts/WebhookCall", **member(row), "attempts": [attempt(each) for each in row.attempts.all()]}


def member(row: Call) -> dict[str, Any]:
    """A call in a collection; `id` is the `webhook-id` it is sent with."""
    return {
        "@id": f"{IRI}/{row.subscription_id}/calls/{row.pk}",
        "@type": "WebhookCall",
        "id": row.message_id,
        **orjson.loads(row.body)["data"],
        "state": row.state,
        "tries": row.tries,
        "createdAt": payloads.moment(row.created_at),
        "nextTryAt": maybe_moment(row.due_at),
        "settledAt": maybe_moment(row.settled_at),
    }


def attempt(row: Attempt) -> dict[str, Any]:
    """One try at a call: the status answered, or the error that kept an answer away."""
    return {
        "@type": "WebhookAttempt",
        "startedAt": payloads.moment(row.started_at),
        "durationMs": row.duration_ms,
        "status": row.status,
        "answer": row.excerpt,
        "error": row.error or None,
    }


def _in_state(rows: QuerySet[Call], state: str) -> QuerySet[Call]:
    if state and state not in CallState.values:
        raise collections.BadParameter(f"“{state[:40]}” is no state; there are {', '.join(CallState.values)}.", path=("state",))
    return rows.filter(state=state) if state else rows
