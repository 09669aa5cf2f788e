"""Orders and quotes at the desk: what was bought, what carriers ask for it, and whose offer is taken."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Count, DateTimeField, Value
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from deliveries import booking, intake, queries
from deliveries.admin import columns, facets, telling
from deliveries.admin.acts import AboutRows, Act, ActingAdmin
from deliveries.admin.asking import WallClockField
from deliveries.admin.desk import moment_of
from deliveries.statuses import COLORS
from quotes.models import DeliveryQuote
from quotes.offers import Offer
from stores import orders
from stores.actors import Actor
from stores.models import Order, OrderStatus, ServiceType

ORDER_COLORS: dict[str, str] = {
    OrderStatus.NEW: "info",
    OrderStatus.RECEIVED: "info",
    OrderStatus.ACCEPTED: "info",
    OrderStatus.IN_PREPARATION: "warning",
    OrderStatus.AWAITING_SHIPMENT: "warning",
    OrderStatus.AWAITING_COLLECTION: "warning",
    OrderStatus.IN_DELIVERY: "primary",
    OrderStatus.COMPLETED: "success",
    OrderStatus.REJECTED: "danger",
    OrderStatus.CANCELLED: "danger",
    OrderStatus.DELIVERY_FAILED: "danger",
}


class OfferForm(AboutRows):
    """What the house asks for carrying an order, and when it would."""

    fee = forms.DecimalField(
        min_value=0, max_digits=10, decimal_places=2, initial=Decimal("5.00"), widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"})
    )
    pickup = WallClockField(label="Picked up at", required=False)
    dropoff = WallClockField(label="Dropped off at", required=False)

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["fee"].help_text = "In " + " or ".join(sorted({order.store.account.currency for order in self.rows})) + "."
        for name in ("pickup", "dropoff"):
            self.fields[name].help_text = "On the store's clock; leave it empty when it is not known."


def offer(order: Order, *, fee: Decimal, pickup: datetime | None, dropoff: datetime | None, by: Actor, at: datetime) -> DeliveryQuote:
    """Offer to carry an order with the house's own fleet; times are wall-clock times of its store."""
    zone = order.store.tz
    wanted = Offer(
        carrier=settings.HOUSE_CARRIER["name"],
        carrier_ref=settings.HOUSE_CARRIER["ref"],
        ref="",
        fee_cents=int(fee * 100),
        estimated_pickup_at=pickup and pickup.replace(tzinfo=zone),
        estimated_dropoff_at=dropoff and dropoff.replace(tzinfo=zone),
    )
    return intake.offer_quote(order, wanted, by=by, at=at)


OFFER = Act(
    name="offer",
    label="Offer the house's quote",
    icon="sell",
    call=offer,
    form=OfferForm,
    fits=lambda order: order.service_type == ServiceType.DELIVERY and not hasattr(order, "delivery"),
    done=lambda count: ngettext("%(count)d quote offered.", "%(count)d quotes offered.", count) % {"count": count},
)

ACCEPT = Act(
    name="accept",
    label="Accept",
    icon="check",
    call=booking.accept_quote,
    fits=lambda quote: quote.accepted_at is None,
    done=lambda count: ngettext("%(count)d quote is accepted.", "%(count)d quotes are accepted.", count) % {"count": count},
)


@admin.register(Order)
class OrderAdmin(ActingAdmin):
    """Every order; what it holds is for its store to say."""

    by_hand = False
    acts = (OFFER,)
    change_form_template = "admin/stores/order/change_form.html"
    list_display = ("name", "shown_status", "taken", "wanted", "store", "customer_cell", "total", "shown_delivery", "quote_count")
    list_filter = (("status", ChoicesCheckboxFilter), facets.StoreFacet, ("service_type", ChoicesCheckboxFilter))
    list_select_related = ("store__account", "delivery", "created_by")
    search_fields = (
        "=id",
        "ref",
        "public_id",
        "collection_code",
        "customer__first_name",
        "customer__last_name",
        "customer__company_name",
        "customer__phone",
        "customer__address_1",
    )
    search_help_text = "Customer's name, phone or address, order reference"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("badge", "shown_delivery"),
                    ("store_link", "service_type"),
                    ("taken", "wanted"),
                    ("channel", "made_by"),
                    ("collection_code", "total"),
                )
            },
        ),
        ("Customer", {"fields": (("customer_name", "customer_phone"), "customer_address", "customer_notes", "seller_notes")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Orders with how many quotes they have, and the moment they are looked at."""
        rows = super().get_queryset(request)
        return rows.select_related("store__account", "delivery").annotate(
            quotes_made=Count("quotes"), looked_at=Value(moment_of(request), output_field=DateTimeField())
        )

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The page of an order, with what was bought, its quotes and its log."""
        context = dict(extra_context or {})
        order = None if object_id is None else self.get_object(request, object_id)
        if order is not None:
            currency, zone = order.store.account.currency, order.store.tz
            events = queries.order_timeline(order.pk)
            context |= {
                "items": [_item(item, currency) for item in order.items if not item.get("deleted")],
                "charges": [
                    (charge["name"], columns.price(charge["price"], currency)) for charge in order.charges if not charge["deleted"]
                ],
                "quotes": [
                    {"quote": quote, "fee": columns.price(quote.fee_cents, currency), "row": columns.link(quote)}
                    for quote in order.quotes.all()
                ],
                "timeline": telling.timeline(events, zone, now=moment_of(request)),
                "timeline_zone": order.store.timezone,
            }
        return super().changeform_view(request, object_id, form_url, context)

    @display(description="Order", header=True, ordering="id")
    def name(self, order: Any) -> list[str]:
        return [order.ref or order.public_id, order.public_id if order.ref else ""]

    @display(description="Status", label=ORDER_COLORS, ordering="status")
    def shown_status(self, order: Any) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description="Status")
    def badge(self, order: Any) -> SafeString:
        return columns.badge(order.get_status_display(), ORDER_COLORS[order.status])

    @display(description="Taken in", ordering="created_at")
    def taken(self, order: Any) -> str:
        return columns.clock(order.created_at, order.store.tz, now=order.looked_at)

    @display(description="Wanted", ordering="expected_time")
    def wanted(self, order: Any) -> str:
        return "as soon as possible" if order.asap else columns.clock(order.expected_time, order.store.tz, now=order.looked_at) or "–"

    @display(description="Made by")
    def made_by(self, order: Any) -> str:
        return str(order.created_by or "–")

    @display(description="Store")
    def store_link(self, order: Any) -> SafeString | str:
        return columns.link(order.store)

    @display(description="Customer")
    def customer_cell(self, order: Any) -> SafeString | str:
        return columns.lines(order.customer_name, (order.customer or {}).get("address_1"))

    @display(description="Name")
    def customer_name(self, order: Any) -> str:
        return order.customer_name or "–"

    @display(description="Phone")
    def customer_phone(self, order: Any) -> str:
        return (order.customer or {}).get("phone") or "–"

    @display(description="Address")
    def customer_address(self, order: Any) -> str:
        customer = order.customer or {}
        parts = [str(customer[part]) for part in ("address_1", "address_2", "postal_code", "city") if customer.get(part)]
        # A street that was written in one line with its town says both already.
        return ", ".join(part for number, part in enumerate(parts) if not number or part not in parts[0]) or "–"

    @display(description="Total", ordering="total_cents")
    def total(self, order: Any) -> str:
        return columns.price(order.total_cents, order.store.account.currency)

    @display(description="Delivery")
    def shown_delivery(self, order: Any) -> SafeString | str:
        return columns.link(order.delivery, order.delivery.get_status_display()) if hasattr(order, "delivery") else "–"

    @display(description="Quotes", ordering="quotes_made")
    def quote_count(self, order: Any) -> str:
        return str(order.quotes_made) if order.quotes_made else "–"


@admin.register(DeliveryQuote)
class QuoteAdmin(ActingAdmin):
    """Every quote; accepted once and for good."""

    by_hand = False
    acts = (ACCEPT,)
    list_display = ("carrier", "order_link", "store", "fee", "shown_pickup", "shown_dropoff", "state", "offered")
    list_filter = ("by_house", ("accepted_at", admin.EmptyFieldListFilter))
    list_select_related = ("order__store__account",)
    search_fields = ("carrier", "ref", "=public_id", "order__ref", "order__public_id")
    search_help_text = "Carrier, quote or order reference"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("badge", "offered"),
                    ("carrier", "carrier_ref"),
                    ("order_link", "store"),
                    ("fee", "ref"),
                    ("shown_pickup", "shown_dropoff"),
                    "public_id",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Quotes with the moment they are looked at."""
        rows = super().get_queryset(request)
        return rows.select_related("order__store__account").annotate(looked_at=Value(moment_of(request), output_field=DateTimeField()))

    def get_ordering(self, request: HttpRequest) -> Any:
        """The newest first."""
        return ["-created_at", "-id"]

    @display(description="Order")
    def order_link(self, quote: Any) -> SafeString | str:
        return columns.link(quote.order)

    @display(description="Store")
    def store(self, quote: Any) -> str:
        return str(quote.order.store)

    @display(description="Fee", ordering="fee_cents")
    def fee(self, quote: Any) -> str:
        return columns.price(quote.fee_cents, quote.order.store.account.currency)

    @display(description="Pickup")
    def shown_pickup(self, quote: Any) -> str:
        return columns.clock(quote.estimated_pickup_at, quote.order.store.tz, now=quote.looked_at) or "–"

    @display(description="Dropoff")
    def shown_dropoff(self, quote: Any) -> str:
        return columns.clock(quote.estimated_dropoff_at, quote.order.store.tz, now=quote.looked_at) or "–"

    @display(description="State", label={"accepted": COLORS["delivered"], "offered": "info"}, ordering="accepted_at")
    def state(self, quote: Any) -> tuple[str, str]:
        return ("accepted", "Accepted") if quote.accepted_at else ("offered", "Offered")

    @display(description="State")
    def badge(self, quote: Any) -> SafeString:
        return columns.badge("Accepted", "success") if quote.accepted_at else columns.badge("Offered", "info")

    @display(description="Offered", ordering="created_at")
    def offered(self, quote: Any) -> str:
        return columns.clock(quote.created_at, quote.order.store.tz, now=quote.looked_at)


def _item(item: dict[str, Any], currency: str) -> dict[str, Any]:
    """One thing bought, as the page of its order shows it."""
    options = [option for option in item.get("options") or () if not option.get("removed")]
    return {
        "quantity": item["quantity"],
        "name": item.get("product_name") or "",
        "more": " · ".join(
            part for part in (item.get("sku_name"), *(option.get("name") for option in options), item.get("customer_notes")) if part
        ),
        "price": columns.price(orders.subtotal(item), currency),
    }
