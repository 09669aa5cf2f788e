"""Orders: `/api/orders/{id}`, which webhooks name."""

from django.http import HttpResponse
from rest_framework.request import Request

from deliveries.api.coopcycle import payloads, rights
from deliveries.api.coopcycle.describing import described
from deliveries.api.coopcycle.endpoint import Endpoint
from stores.models import Order


class OrderView(Endpoint):
    """One order."""

    right = rights.sends

    @described("get_order", "Get an order", tag="Orders", gives="LoneOrder")
    def get(self, request: Request, pk: int) -> HttpResponse:
        """What was ordered, how far it has come, and the delivery that brings it, if there is one."""
        row = self.seen(Order.objects.select_related("delivery"), pk)
        return self.resource(payloads.order(row))
