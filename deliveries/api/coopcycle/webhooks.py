"""Webhooks: `/api/webhooks`, where programs say what they want to be told and where; each sees and ends its own."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse
from rest_framework.request import Request

from deliveries.api import conditional
from deliveries.api.coopcycle import collections, forms, lookups, payloads, rights
from deliveries.api.coopcycle.describing import PAGES, described
from deliveries.api.coopcycle.endpoint import Endpoint
from deliveries.api.coopcycle.errors import NotAChoice
from deliveries.api.coopcycle.voice import ALL_NAMES
from deliveries.models import UNSETTLED, CallState, Subscription
from deliveries.outbox import sending, subscriptions, targets
from stores.refusals import Missing, Path

IRI = "/api/webhooks"
PER_PAGE = 30
TAG = "Webhooks"


@dataclass(frozen=True, kw_only=True)
class SentWebhook:
    """A webhook as asked for."""

    event: str
    url: str


class WebhookEndpoint(Endpoint):
    """What calls on one webhook share."""

    right = rights.subscribes

    def webhook(self, pk: int) -> Subscription:
        """The webhook, when it is the caller's."""
        row: Subscription = self.seen(Subscription.objects, pk)
        return row

    def current(self, pk: int) -> dict[str, Any]:  # type: ignore[override]  # the path of these calls
        """The webhook as it is now."""
        return webhook(self.webhook(pk))


class StateEndpoint(WebhookEndpoint):
    """Calls that answer how a webhook does."""

    def current(self, pk: int) -> dict[str, Any]:  # type: ignore[override]  # as above
        """How it does now."""
        return state(self.webhook(pk))


class WebhooksView(WebhookEndpoint):
    """All of a program's webhooks."""

    @described("list_webhooks", "List one's own webhooks", tag=TAG, lists="Webhook", parameters=PAGES)
    def get(self, request: Request) -> HttpResponse:
        """The newest first; without their secrets."""
        page = collections.Page.read(request, size=PER_PAGE)
        rows = Subscription.objects.visible_to(self.by).order_by("-id")
        return self.answer(page.collection("Webhook", IRI, rows, member))

    @described("create_webhook", "Create a webhook", tag=TAG, gives="NewWebhook", takes="WebhookInput", status=201)
    def post(self, request: Request) -> HttpResponse:
        """Have a URL called whenever an event happens in the store. The secret is in this answer and in no other."""
        sent = self.read(asked_for)
        store, client = lookups.store_for(self.caller, self.by.only_store_id), self.caller.client
        assert client is not None, "only programs get here"
        made, secret = subscriptions.subscribe(client, store, sent.url, [sent.event], key=self.caller.key, by=self.by, at=self.at)
        return self.resource(webhook(made, secret=secret), status=201, iri=f"{IRI}/{made.pk}")


class WebhookView(WebhookEndpoint):
    """One webhook."""

    @described("get_webhook", "Get a webhook", tag=TAG, gives="Webhook")
    def get(self, request: Request, pk: int) -> HttpResponse:
        """What it asks for; the secret is not shown again."""
        return self.resource(self.current(pk))

    @described("delete_webhook", "Delete a webhook", tag=TAG, status=204)
    def delete(self, request: Request, pk: int) -> HttpResponse:
        """With everything it is still owed."""
        subscriptions.unsubscribe(self.webhook(pk), by=self.by)
        return self.nothing()


class StateView(StateEndpoint):
    """How a webhook does."""

    @described("get_webhook_state", "Get how a webhook does", tag=TAG, gives="WebhookState")
    def get(self, request: Request, pk: int) -> HttpResponse:
        """Whether it is switched off, since when and why, and how many calls are owed or were given up."""
        return self.resource(self.current(pk))


class EnableView(StateEndpoint):
    """On again."""

    @described("enable_webhook", "Enable a webhook", tag=TAG, gives="WebhookState")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """Send again, beginning with what was owed when it was switched off."""
        subscriptions.enable(self.webhook(pk), by=self.by, at=self.at)
        return self.resource(self.current(pk))


class DisableView(StateEndpoint):
    """Off."""

    @described("disable_webhook", "Disable a webhook", tag=TAG, gives="WebhookState")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """Send nothing until it is enabled; of what happens meanwhile the feed tells."""
        subscriptions.disable(self.webhook(pk), by=self.by, at=self.at)
        return self.resource(self.current(pk))


class RotateView(WebhookEndpoint):
    """Another secret."""

    @described("rotate_webhook_secret", "Rotate the secret of a webhook", tag=TAG, gives="NewWebhook")
    @conditional.to_one
    def post(self, request: Request, pk: int) -> HttpResponse:
        """The new one is in this answer and in no other. For 24 hours `webhook-signature` is made with the former as well."""
        row = self.webhook(pk)
        return self.resource(webhook(row, secret=subscriptions.rotate(row, by=self.by, at=self.at)), iri=f"{IRI}/{pk}")


class ResendFailedView(WebhookEndpoint):
    """Once more, everything."""

    @described("resend_failed_calls", "Resend all failed calls of a webhook", tag=TAG, gives="WebhookResend", status=202)
    @conditional.to_one
    def post(self, request: Request, pk: int) -> HttpResponse:
        """What was given up is owed again; `count` says how many calls."""
        count = sending.resend_failed(self.webhook(pk), by=self.by, at=self.at)
        iri = f"{IRI}/{pk}/resend"
        return self.answer({"@context": "/api/contexts/WebhookResend", "@id": iri, "@type": "WebhookResend", "count": count}, status=202)


def asked_for(body: Any) -> SentWebhook:
    """Read the body of a new webhook; raises `Invalid` naming every field at fault."""
    sent, problems = forms.mapping(body, ()), forms.Problems()
    event: str = problems.take(_event, sent.get("event"), ("event",), "")
    url: str = problems.take(_filled, sent.get("url"), ("url",), "", longest=targets.LONGEST_URL)
    problems.check()
    return SentWebhook(event=event, url=url)


def webhook(row: Subscription, *, secret: str = "") -> dict[str, Any]:
    """A webhook by itself, with its secret when it is new."""
    shown = {"secret": secret} if secret else {}
    return {"@context": "/api/contexts/Webhook", **member(row), **shown}


def member(row: Subscription) -> dict[str, Any]:
    """A webhook in a collection."""
    return {"@id": f"{IRI}/{row.pk}", "@type": "Webhook", "url": row.url, "event": row.names[0]}


def state(row: Subscription) -> dict[str, Any]:
    """How a webhook does; one query."""
    unsettled, given_up = Q(state__in=UNSETTLED), Q(state=CallState.FAILED)
    counts = row.calls.filter(unsettled | given_up).aggregate(owed=Count("pk", filter=unsettled), failed=Count("pk", filter=given_up))
    return {
        "@context": "/api/contexts/WebhookState",
        "@id": f"{IRI}/{row.pk}/state",
        "@type": "WebhookState",
        "webhook": f"{IRI}/{row.pk}",
        "enabled": row.disabled_at is None,
        "disabledAt": maybe_moment(row.disabled_at),
        "disabledWhy": row.disabled_why or None,
        "failingSince": maybe_moment(row.failing_since),
        "formerSecretUntil": maybe_moment(row.previous_until),
        **counts,
    }


def maybe_moment(value: Any) -> str | None:
    """A time as this dialect prints it, if there is one."""
    return None if value is None else payloads.moment(value)


def _filled(value: Any, path: Path, *, longest: int = 255) -> str:
    text = forms.text(value, path, longest=longest)
    if not text.strip():
        raise Missing("This value should not be blank.", path=path)
    return text


def _event(value: Any, path: Path) -> str:
    name = _filled(value, path)
    if name not in ALL_NAMES:
        raise NotAChoice("The value you selected is not a valid choice.", path=path)
    return name
