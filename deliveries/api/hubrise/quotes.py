"""The quotes of carriers for an order: offered, read, accepted."""

from django.http import HttpResponse
from rest_framework.request import Request

from deliveries import booking, intake
from deliveries.api import conditional
from deliveries.api.hubrise import answers, drafts, inputs, payloads, reach
from deliveries.api.hubrise.endpoint import Answer, Endpoint, Resource, json_object
from deliveries.api.hubrise.openapi import describe


class Quotes(Endpoint):
    """Every offer for one order."""

    @describe("Delivery quotes", "List delivery quotes", answers.Quote(many=True))
    def get(self, request: Request, order_id: str, location_id: str | None = None) -> HttpResponse:
        """List the delivery quotes attached to an order, the first one first."""
        order = reach.order(self.caller, location_id, order_id)
        return Answer([payloads.quote(quote, order) for quote in order.quotes.all()])

    @describe("Delivery quotes", "Create a delivery quote", answers.Quote, inputs.NewQuote)
    def post(self, request: Request, order_id: str, location_id: str | None = None) -> HttpResponse:
        """Offer to carry an order whose service type is delivery."""
        order = reach.order(self.caller, location_id, order_id)
        offer = drafts.offer(self.read(inputs.NewQuote, request, order.store).validated_data)
        quote = intake.offer_quote(order, offer, by=self.caller.actor, at=self.at)
        return Resource(payloads.quote(quote, order))


class QuoteEndpoint(Endpoint):
    """What calls on one offer share."""

    def current(self, order_id: str, quote_id: str, location_id: str | None = None) -> payloads.Json:  # type: ignore[override]  # their path
        """The offer as it is now."""
        quote = reach.quote(self.caller, location_id, order_id, quote_id)
        return payloads.quote(quote, quote.order)


class Quote(QuoteEndpoint):
    """One offer."""

    @describe("Delivery quotes", "Retrieve a delivery quote", answers.Quote)
    def get(self, request: Request, order_id: str, quote_id: str, location_id: str | None = None) -> HttpResponse:
        """Retrieve a delivery quote attached to an order."""
        return Resource(self.current(order_id, quote_id, location_id))


class QuoteAcceptance(QuoteEndpoint):
    """The moment an offer is taken."""

    @describe("Delivery quotes", "Accept a delivery quote", answers.Quote, refusals=[400, 413, 415, 422])
    @conditional.to_one
    def post(self, request: Request, order_id: str, quote_id: str, location_id: str | None = None) -> HttpResponse:
        """Accept a delivery quote for good; again changes nothing. The house's own is booked at once."""
        json_object(request)  # clients send `{}` or nothing; what is no JSON is refused here as anywhere
        quote = reach.quote(self.caller, location_id, order_id, quote_id)
        accepted = booking.accept_quote(quote, by=self.caller.actor, at=self.at)
        return Resource(payloads.quote(accepted, quote.order))
