"""The delivery of an order: a carrier attaches it, and reports on it."""

from django.http import HttpResponse
from rest_framework.request import Request

from deliveries import booking, transitions
from deliveries.api import conditional
from deliveries.api.hubrise import answers, drafts, inputs, payloads, reach
from deliveries.api.hubrise.endpoint import Endpoint, Resource
from deliveries.api.hubrise.openapi import describe
from deliveries.statuses import DeliveryStatus


class OrderDelivery(Endpoint):
    """An order has one delivery at most, be it cancelled."""

    def current(self, order_id: str, location_id: str | None = None) -> payloads.Json:  # type: ignore[override]  # the path of these calls
        """The delivery as it is now."""
        delivery = reach.delivery(self.caller, location_id, order_id)
        return payloads.delivery(delivery, delivery.store, at=self.at)

    def tags(self, order_id: str, location_id: str | None = None) -> list[str]:  # type: ignore[override]  # as above
        """The tag of the delivery; whoever would create it cannot have seen it. Raises `Outdated`."""
        if self.request.method == "POST" and not hasattr(reach.order(self.caller, location_id, order_id), "delivery"):
            raise conditional.Outdated("The order has no delivery yet.")
        return super().tags(order_id=order_id, location_id=location_id)

    @describe("Deliveries", "Retrieve a delivery", answers.Delivery)
    def get(self, request: Request, order_id: str, location_id: str | None = None) -> HttpResponse:
        """Retrieve the delivery attached to an order; 404 when there is none."""
        return Resource(self.current(order_id, location_id))

    @describe("Deliveries", "Create a delivery", answers.Delivery, inputs.NewDelivery)
    @conditional.to_one
    def post(self, request: Request, order_id: str, location_id: str | None = None) -> HttpResponse:
        """Attach a delivery to an order whose service type is delivery, and which has none yet."""
        order = reach.order(self.caller, location_id, order_id)
        fields = drafts.columns(self.read(inputs.NewDelivery, request, order.store).validated_data)
        status = DeliveryStatus(fields.pop("status"))
        delivery = booking.attach(order, fields, status=status, by=self.caller.actor, at=self.at)
        return Resource(payloads.delivery(delivery, order.store, at=self.at))

    @describe("Deliveries", "Update a delivery", answers.Delivery, inputs.DeliveryChange)
    def patch(self, request: Request, order_id: str, location_id: str | None = None) -> HttpResponse:
        """Update any field but the carrier and its fee; any status may follow any, and writes its time."""
        delivery = reach.delivery(self.caller, location_id, order_id)
        read = self.read(inputs.DeliveryChange, request, delivery.store).validated_data
        changes = drafts.report(read, delivery, at=self.at)
        changed = transitions.report(delivery, changes, by=self.caller.actor, at=self.at)
        return Resource(payloads.delivery(changed, delivery.store, at=self.at))
