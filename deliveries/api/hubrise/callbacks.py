"""The callback of a connection: who is called and of what, and the events that nobody has acknowledged yet."""

from typing import Any

import orjson
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from deliveries.api import conditional
from deliveries.api.hubrise import answers, inputs, listing
from deliveries.api.hubrise.endpoint import Answer, Endpoint, Resource, json_object
from deliveries.api.hubrise.openapi import describe
from deliveries.api.hubrise.voice import FOLLOWING, HubRiseVoice
from deliveries.models import Call, CallState, Subscription
from deliveries.outbox import sending, subscriptions
from stores.refusals import NotFound

Json = dict[str, Any]

STATES = frozenset(["previous_state", "new_state"])
TAG = "Callbacks"


class CallbackEndpoint(Endpoint):
    """A call about the callback of the token's own connection: reading orders is right enough to be told of them."""

    needs_scope = False

    def check_level(self, path: dict[str, Any]) -> None:
        """A callback belongs to a connection, be it with a location or with an account."""
        self.caller.check_scope(writing=False)

    def subscription(self) -> Subscription | None:
        """The callback of this connection."""
        found: Subscription | None = (
            Subscription.objects.select_related("client", "store").filter(connection=self.caller.connection).first()
        )
        return found

    def subscribed(self) -> Subscription:
        """The same; raises when there is none."""
        found = self.subscription()
        if found is None:
            raise NotFound("Callback does not exist")
        return found

    def calls(self) -> QuerySet[Call]:
        """Every event of this connection."""
        return Call.objects.filter(subscription__connection=self.caller.connection).select_related("subscription")

    def call(self, event_id: str, *, acknowledged: bool = False) -> Call:
        """One of them; `acknowledged` ones are gone, unless they are asked for."""
        rows = self.calls() if acknowledged else self.calls().exclude(state=CallState.ACKNOWLEDGED)
        found = rows.filter(message_id=event_id).first()
        if found is None:
            raise NotFound("Event does not exist")
        return found


class Callback(CallbackEndpoint):
    """Where events go, and which."""

    def current(self) -> Json:  # type: ignore[override]  # these paths have no ids
        """The callback as it is now."""
        return _callback(self.subscription())

    @describe(TAG, "Retrieve the callback", answers.Callback)
    def get(self, request: Request) -> HttpResponse:
        """Retrieve the callback of this connection; without one, `url` is null and `events` is empty."""
        return Resource(self.current())

    @describe(TAG, "Create or replace the callback", answers.Callback, inputs.NewCallback)
    @conditional.to_one
    def post(self, request: Request) -> HttpResponse:
        """Set the callback of this connection, replacing one that is there; events that are owed stay owed.

        Without a `url` events wait to be read. `catalog`, `inventory` and `customer` events are accepted and never happen.
        """
        filled = inputs.NewCallback(data=json_object(request))
        filled.is_valid(raise_exception=True)
        url, names = filled.validated_data.get("url") or "", filled.validated_data["events"]
        made = subscriptions.call_back(
            self.caller.connection, url, names, follows_positions=FOLLOWING in names, by=self.caller.actor, at=self.at
        )
        return Resource(_callback(made))

    @describe(TAG, "Delete the callback", answers.Callback)
    def delete(self, request: Request) -> HttpResponse:
        """End the callback of this connection, with every event that is not acknowledged."""
        found = self.subscription()
        if found is not None:
            subscriptions.unsubscribe(found, by=self.caller.actor)
        return Resource(_callback(None))


class CallbackTest(CallbackEndpoint):
    """An event that did not happen."""

    def current(self) -> Json:  # type: ignore[override]  # as above
        """The callback that is tested."""
        return _callback(self.subscribed())

    @describe(TAG, "Send a test event", answers.CallbackEvent, refusals=[400, 413, 415, 422])
    @conditional.to_one
    def post(self, request: Request) -> HttpResponse:
        """Send an event of the first type asked for, about nothing. It appears among the events as any other."""
        json_object(request)  # clients send `{}` or nothing; what is no JSON is refused here as anywhere
        return Resource(_event(sending.send_test(self.subscribed(), voice=HubRiseVoice(), at=self.at)))


class CallbackEvents(CallbackEndpoint):
    """Events that nobody has acknowledged."""

    @describe(TAG, "List events", answers.CallbackEventHead(many=True), parameters=listing.PAGING, refusals=[422])
    def get(self, request: Request) -> HttpResponse:
        """List the events that are not acknowledged, the oldest first and without their states; those given up are among them."""
        rows = self.calls().exclude(state=CallState.ACKNOWLEDGED)
        found, cursor = listing.page_of_calls(rows, listing.read_paging(request.query_params))
        answer = Answer([{name: value for name, value in _event(call).items() if name not in STATES} for call in found])
        if cursor is not None:
            answer.headers["X-Cursor-Next"] = cursor
        return answer


class CallbackEvent(CallbackEndpoint):
    """One event that is not acknowledged."""

    def current(self, event_id: str) -> Json:  # type: ignore[override]  # the path of these calls
        """The event, which never changes."""
        return _event(self.call(event_id))

    @describe(TAG, "Retrieve an event", answers.CallbackEvent)
    def get(self, request: Request, event_id: str) -> HttpResponse:
        """Retrieve an event with the states of its resource before and after; 404 once it is acknowledged."""
        return Resource(self.current(event_id))

    @describe(TAG, "Acknowledge an event", answers.CallbackEvent)
    def delete(self, request: Request, event_id: str) -> HttpResponse:
        """Acknowledge an event: it is not sent any more, and not listed."""
        found = self.call(event_id)
        sending.acknowledge(found, by=self.caller.actor, at=self.at)
        return Resource(_event(found))


class CallbackEventAgain(CallbackEndpoint):
    """One event, acknowledged or not."""

    def current(self, event_id: str) -> Json:  # type: ignore[override]  # as above
        """The event, which never changes."""
        return _event(self.call(event_id, acknowledged=True))

    @describe(TAG, "Resend an event", answers.CallbackEvent, refusals=[400, 413, 415, 422])
    @conditional.to_one
    def post(self, request: Request, event_id: str) -> HttpResponse:
        """Send an event again that was acknowledged or given up; one that is still owed stays as it is."""
        json_object(request)  # as above
        found = self.call(event_id, acknowledged=True)
        sending.resend(found, by=self.caller.actor, at=self.at)
        return Resource(_event(found))


def _callback(row: Subscription | None) -> Json:
    events: dict[str, list[str]] = {}
    for name in row.names if row is not None else ():
        resource, _, kind = name.partition(".")
        events.setdefault(resource, []).append(kind)
    return {"url": (row.url or None) if row is not None else None, "events": events}


def _event(call: Call) -> Json:
    """An event as it was sent, or would be."""
    body: Json = orjson.loads(call.body)
    return body
