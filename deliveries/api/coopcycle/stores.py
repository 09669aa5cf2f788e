"""Stores, their deliveries, and addresses: `/api/stores`, `/api/addresses`."""

from django.http import HttpResponse
from rest_framework.request import Request

from deliveries import queries
from deliveries.api.coopcycle import collections, delivery_filters, payloads, rights
from deliveries.api.coopcycle.describing import PAGES, described, query
from deliveries.api.coopcycle.endpoint import Endpoint
from deliveries.models import Delivery
from stores.compiled import Seen
from stores.models import Address, Store

PARAMETERS = (
    *(query(name, enum=["asc", "desc"]) for name in delivery_filters.ORDERS),
    *(query(name) for name in delivery_filters.FILTERS),
    *PAGES,
)
STORES_PER_PAGE = 30
DELIVERIES_PER_PAGE = 15


class StoresView(Endpoint):
    """All stores."""

    right = rights.runs_the_desk

    @described("list_stores", "List stores", tag="Stores", lists="Store", parameters=PAGES)
    def get(self, request: Request) -> HttpResponse:
        """By name."""
        page = collections.Page.read(request, size=STORES_PER_PAGE)
        rows = Store.objects.visible_to(self.by).select_related("address").order_by("name", "id")
        return self.answer(page.collection("Store", "/api/stores", rows, payloads.store_member))


class MyStoresView(Endpoint):
    """The stores somebody owns, or a program speaks for."""

    @described("list_my_stores", "List one's own stores", tag="Stores", lists="Store", parameters=PAGES)
    def get(self, request: Request) -> HttpResponse:
        """By name."""
        page = collections.Page.read(request, size=STORES_PER_PAGE)
        rows = Store.objects.filter(pk__in=self.by.store_ids).select_related("address").order_by("name", "id")
        return self.answer(page.collection("Store", "/api/me/stores", rows, payloads.store_member))


class StoreView(Endpoint):
    """One store."""

    @described("get_store", "Get a store", tag="Stores", gives="Store")
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The store; couriers may look at any."""
        rows = Store.objects.select_related("address")
        row = rows.filter(pk=pk).first() if self.by.is_courier_only else self.seen(rows, pk)
        if row is None:
            raise self.missing(Store, pk)
        return self.resource(payloads.store(row))


_STORE: Seen[Store] = Seen(Store.objects.all)


class StoreDeliveriesView(Endpoint):
    """What a store has sent."""

    right = rights.sends

    @described("list_store_deliveries", "List the deliveries of a store", tag="Stores", lists="Delivery", parameters=PARAMETERS)
    def get(self, request: Request, pk: int) -> HttpResponse:
        """A page of its deliveries, the newest first unless asked otherwise."""
        row = _STORE.first(self.by, pk)
        if row is None:
            raise self.missing(Store, pk)
        iri = f"/api/stores/{row.pk}/deliveries"
        page = collections.Page.read(request, size=DELIVERIES_PER_PAGE, viewed=True)
        rows = delivery_filters.filtered(queries.deliveries().visible_to(self.by).for_store(row.pk), request, now=self.at)
        search = collections.Search(iri, delivery_filters.NAMES)
        return self.answer(page.collection("Delivery", iri, rows, self._printed, search=search))

    def _printed(self, row: Delivery) -> payloads.Payload:
        return payloads.delivery_member(row, at=self.at)


class AddressView(Endpoint):
    """One address."""

    @described("get_address", "Get an address", tag="Stores", gives="Address")
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The place, with its town."""
        row = queries.addresses(self.by).filter(pk=pk).first()
        if row is None:
            raise self.missing(Address, pk)
        return self.resource(payloads.lone_place(row))
