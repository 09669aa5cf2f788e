"""Orders: taken in, read, listed page by page, and amended."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from deliveries import intake
from deliveries.api.hubrise import answers, drafts, inputs, listing, payloads, reach
from deliveries.api.hubrise.endpoint import AccountEndpoint, Answer, Endpoint, Resource
from deliveries.api.hubrise.openapi import describe
from stores.models import Order


class Orders(Endpoint):
    """The orders of a location."""

    @describe("Orders", "List orders", answers.Order(many=True), parameters=listing.PARAMETERS, refusals=[422])
    def get(self, request: Request, location_id: str | None = None) -> HttpResponse:
        """List the orders of a location, the newest first."""
        store = reach.store(self.caller, location_id)
        return _page(self, request, reach.orders().for_store(store.pk), store.tz)

    @describe("Orders", "Create an order", answers.Order, inputs.NewOrder)
    def post(self, request: Request, location_id: str | None = None) -> HttpResponse:
        """Create an order; only its status is required."""
        store = reach.store(self.caller, location_id)
        draft = drafts.order(self.read(inputs.NewOrder, request, store).validated_data, by=self.caller.actor)
        order = intake.take_order(store, draft, by=self.caller.actor, at=self.at)
        return Resource(payloads.order(order, client_id=self.caller.client_id))


class OrderDetail(Endpoint):
    """One order."""

    def current(self, order_id: str, location_id: str | None = None) -> payloads.Json:  # type: ignore[override]  # the path of these calls
        """The order as it is now."""
        return payloads.order(reach.order(self.caller, location_id, order_id), client_id=self.caller.client_id)

    @describe("Orders", "Retrieve an order", answers.Order)
    def get(self, request: Request, order_id: str, location_id: str | None = None) -> HttpResponse:
        """Retrieve an order of a location."""
        return Resource(self.current(order_id, location_id))

    @describe("Orders", "Update an order", answers.Order, inputs.OrderChange)
    def patch(self, request: Request, order_id: str, location_id: str | None = None) -> HttpResponse:
        """Change the fields that may change; elements are appended, or, as `{id, deleted: true}` or `{id, private_ref}`, amended."""
        order = reach.order(self.caller, location_id, order_id)
        changes = drafts.amendment(self.read(inputs.OrderChange, request, order.store).validated_data, by=self.caller.actor)
        amended = intake.amend_order(order, changes, by=self.caller.actor, at=self.at)
        return Resource(payloads.order(amended, client_id=self.caller.client_id))

    @describe("Orders", "Update an order, as older clients do", answers.Order, inputs.OrderChange)
    def put(self, request: Request, order_id: str, location_id: str | None = None) -> HttpResponse:
        """The same as PATCH."""
        return self.patch(request, order_id=order_id, location_id=location_id)


class AccountOrders(AccountEndpoint):
    """The orders of every location of an account."""

    @describe("Orders", "List orders of an account", answers.Order(many=True), parameters=listing.PARAMETERS, refusals=[422])
    def get(self, request: Request, account_id: str | None = None) -> HttpResponse:
        """List the orders of all locations of the account, the newest first."""
        account = reach.account(self.caller, account_id)
        rows = reach.orders().filter(store__account_id=account.pk)
        return _page(self, request, rows, ZoneInfo(settings.TIME_ZONE))


def _page(endpoint: Endpoint, request: Request, rows: QuerySet[Order], tz: ZoneInfo) -> HttpResponse:
    """The page that the query asks for, with a header that says where the next one begins."""
    client_id = endpoint.caller.client_id
    found, cursor = listing.page(rows, listing.read(request.query_params, tz=tz, client_id=client_id))
    answer = Answer([payloads.order(row, client_id=client_id) for row in found])
    if cursor is not None:
        answer.headers["X-Cursor-Next"] = cursor
    return answer
