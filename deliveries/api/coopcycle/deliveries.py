"""Deliveries: `/api/deliveries`."""

from django.http import HttpResponse
from rest_framework.request import Request

from deliveries import amending, booking, queries, transitions
from deliveries.api.coopcycle import actions, inputs, lookups, payloads, rights
from deliveries.api.coopcycle.describing import described
from deliveries.api.coopcycle.endpoint import Endpoint
from deliveries.models import Delivery


class DeliveryEndpoint(Endpoint):
    """What calls on deliveries share."""

    right = rights.sends

    def delivery(self, pk: int) -> Delivery:
        """The delivery, when the actor may see it."""
        row = queries.delivery(pk, actor=self.by)
        if row is None:
            raise self.missing(Delivery, pk)
        return row

    def current(self, pk: int) -> payloads.Payload:  # type: ignore[override]  # the path of these calls
        """The delivery as it is now."""
        return payloads.delivery(self.delivery(pk), at=self.at)

    def shown(self, pk: int, *, iri: str = "") -> HttpResponse:
        """The delivery as it is now; `iri` when the call names itself in `@id`."""
        payload = self.current(pk)
        return self.answer({**payload, "@id": iri}) if iri else self.resource(payload)


class DeliveriesView(DeliveryEndpoint):
    """New deliveries."""

    @described("create_delivery", "Create a delivery", tag="Deliveries", gives="Delivery", takes="DeliveryInput", status=201)
    def post(self, request: Request) -> HttpResponse:
        """Book a delivery from one place to others."""
        sent = self.read(lambda body: inputs.delivery(body, now=self.at, desk=self.by.runs_the_desk))
        wanted = lookups.request(self.caller, sent, at=self.at)
        made = booking.request(wanted, by=self.by, at=self.at)
        payload = payloads.delivery(made, at=self.at)
        return self.resource(payload, status=201, iri=payload["@id"])


class DeliveryView(DeliveryEndpoint):
    """One delivery."""

    @described("get_delivery", "Get a delivery with its tasks", tag="Deliveries", gives="Delivery")
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The delivery with its tasks."""
        return self.shown(pk)

    @described("change_delivery", "Change a delivery", tag="Deliveries", gives="Delivery", takes="DeliveryInput")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """Change what is sent; the rest stays."""
        row = self.delivery(pk)
        sent = self.read(lambda body: inputs.delivery(body, now=self.at, desk=self.by.runs_the_desk, partial=True))
        changes = lookups.changes(self.caller, row, sent, at=self.at)
        amending.amend(row, changes, whole=sent.listed, by=self.by, at=self.at)
        return self.shown(pk)

    @described("cancel_delivery", "Cancel a delivery", tag="Deliveries", status=204)
    def delete(self, request: Request, pk: int) -> HttpResponse:
        """Cancel what is left to do."""
        transitions.cancel_delivery(self.delivery(pk), by=self.by, at=self.at)
        return self.nothing()


class PickView(DeliveryEndpoint):
    """The pickups are done."""

    @described("pick_delivery", "Mark the pickups done", tag="Deliveries", gives="Delivery", takes="Comments")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """Mark every pickup done."""
        row = self.delivery(pk)
        transitions.pick(row, by=self.by, at=self.at, notes=self.read(actions.comments))
        return self.shown(pk, iri=f"/api/deliveries/{pk}/pick")


class DropView(DeliveryEndpoint):
    """The dropoffs are done."""

    @described("drop_delivery", "Mark the dropoffs done", tag="Deliveries", gives="Delivery", takes="Comments")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """Mark every dropoff done."""
        row = self.delivery(pk)
        transitions.drop(row, by=self.by, at=self.at, notes=self.read(actions.comments))
        return self.shown(pk, iri=f"/api/deliveries/{pk}/drop")
