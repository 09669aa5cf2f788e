"""The shapes of answers, for the OpenAPI document alone: what is sent is printed by `payloads`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deliveries.api.hubrise.fields import DECIMAL, FEE, MONEY, EventNames
from deliveries.statuses import DeliveryStatus
from stores.models import OrderStatus, ServiceType

OFFSET = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}$"


class Shape(serializers.Serializer[Any]):
    """A JSON object that we send."""


@extend_schema_field(MONEY)
class Money(serializers.CharField):
    """An amount."""


@extend_schema_field(FEE)
class Fee(serializers.CharField):
    """An amount that is not below zero."""


@extend_schema_field(DECIMAL)
class Decimal(serializers.CharField):
    """A decimal number in a string."""


@extend_schema_field({"type": "string", "format": "date-time", "pattern": OFFSET, "example": "2023-01-01T12:00:00+01:00"})
class Time(serializers.CharField):
    """A moment on the location's clock."""


@extend_schema_field({"type": "object", "additionalProperties": True})
class Object(serializers.JSONField):
    """Any JSON object."""


def text() -> serializers.CharField:
    """A text, or null."""
    return serializers.CharField(allow_null=True)


def time() -> Time:
    """A moment, or null."""
    return Time(allow_null=True)


def decimal() -> Decimal:
    """A decimal number, or null."""
    return Decimal(allow_null=True)


class Quote(Shape):
    """A delivery quote."""

    id = serializers.CharField()
    order_id = serializers.CharField()
    location_id = serializers.CharField()
    carrier = serializers.CharField()
    carrier_ref = text()
    ref = text()
    fee = Fee()
    estimated_pickup_at = time()
    estimated_dropoff_at = time()
    accepted_at = time()


class OrderedDelivery(Shape):
    """A delivery as it is shown in its order, without the driver's position."""

    id = serializers.CharField()
    order_id = serializers.CharField()
    location_id = serializers.CharField()
    carrier = serializers.CharField()
    carrier_ref = text()
    ref = text()
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    fee = Fee(allow_null=True)
    estimated_pickup_at = time()
    estimated_dropoff_at = time()
    tracking_url = text()
    driver_pickup_url = text()
    driver_name = text()
    driver_phone = text()
    driver_phone_access_code = text()
    assigned_at = time()
    pickup_at = time()
    delivered_at = time()
    cancelled_at = time()


class Delivery(OrderedDelivery):
    """A delivery."""

    driver_latitude = decimal()
    driver_longitude = decimal()


class OrderOption(Shape):
    """An option of an item."""

    option_list_name = serializers.CharField()
    name = serializers.CharField()
    ref = text()
    price = Money()
    quantity = serializers.IntegerField()
    removed = serializers.BooleanField()


class OrderElement(Shape):
    """A part of an order; `private_ref` is the caller's own."""

    id = serializers.CharField()
    private_ref = text()
    deleted = serializers.BooleanField()


class OrderItem(OrderElement):
    """Something bought."""

    product_name = serializers.CharField()
    sku_name = text()
    sku_ref = text()
    price = Money()
    quantity = Decimal()
    subtotal = Money()
    tax_rate = decimal()
    customer_notes = text()
    points_earned = decimal()
    points_used = decimal()
    options = OrderOption(many=True)
    deal_line = Object(allow_null=True)


class OrderDiscount(OrderElement):
    """Something taken off the price."""

    name = serializers.CharField()
    ref = text()
    price_off = Money()


class OrderCharge(OrderElement):
    """Something added to the price."""

    name = serializers.CharField()
    ref = text()
    price = Money()
    tax_rate = decimal()


class OrderPayment(OrderElement):
    """Something paid."""

    name = text()
    ref = text()
    amount = Money()
    info = Object(allow_null=True)


class OrderCustomer(Shape):
    """The customer as known when the order was made; without an id, a guest."""

    id = text()
    customer_list_id = text()
    private_ref = text()
    email = text()
    first_name = text()
    last_name = text()
    gender = text()
    birth_date = text()
    company_name = text()
    phone = text()
    phone_access_code = text()
    address_1 = text()
    address_2 = text()
    postal_code = text()
    city = text()
    state = text()
    country = text()
    latitude = text()
    longitude = text()
    delivery_notes = text()
    sms_marketing = serializers.BooleanField()
    email_marketing = serializers.BooleanField()
    nb_orders = serializers.IntegerField(allow_null=True)
    order_total = Money(allow_null=True)
    first_order_date = time()
    last_order_date = time()
    anonymised = serializers.BooleanField()
    loyalty_cards = serializers.ListField(child=Object())
    custom_fields = Object()


class Order(Shape):
    """An order."""

    id = serializers.CharField()
    location_id = serializers.CharField()
    ref = text()
    private_ref = text()
    status = serializers.ChoiceField(choices=OrderStatus.choices)
    service_type = serializers.ChoiceField(choices=ServiceType.choices, allow_null=True)
    service_type_ref = text()
    created_at = Time()
    created_by = serializers.CharField()
    channel = text()
    expected_time = time()
    expected_time_pickup = serializers.BooleanField()
    asap = serializers.BooleanField()
    confirmed_time = time()
    customer_notes = text()
    seller_notes = text()
    collection_code = text()
    coupon_codes = serializers.ListField(child=serializers.CharField())
    total = Money()
    total_discrepancy = Money()
    payment_discrepancy = Money()
    items = OrderItem(many=True)
    deals = Object()
    discounts = OrderDiscount(many=True)
    charges = OrderCharge(many=True)
    payments = OrderPayment(many=True)
    customer = OrderCustomer(allow_null=True)
    delivery = OrderedDelivery(required=False)
    loyalty_operations = serializers.ListField(child=Object())
    custom_fields = Object()


class Account(Shape):
    """The business that owns locations."""

    id = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()


class Timezone(Shape):
    """A time zone."""

    name = serializers.CharField()


class OrderAcceptance(Shape):
    """Whether a location takes orders."""

    mode = serializers.ChoiceField(choices=["normal", "paused"])
    resume_at = time()
    extra_preparation_time = serializers.IntegerField(allow_null=True)
    reason = text()


class Location(Shape):
    """A place that sends."""

    id = serializers.CharField()
    name = serializers.CharField()
    account = Account()
    address = serializers.CharField()
    postal_code = text()
    city = text()
    country = text()
    timezone = Timezone()
    cutoff_time = serializers.CharField()
    opening_hours = Object(allow_null=True)
    preparation_time = serializers.IntegerField()
    order_acceptance = OrderAcceptance()
    custom_fields = Object()


class Callback(Shape):
    """Who is called, and of what."""

    url = text()
    events = EventNames()


class CallbackEventHead(Shape):
    """Something that happened to a resource, without its states; the ids are those of the resource and of what holds it."""

    id = serializers.CharField()
    resource_type = serializers.CharField()
    event_type = serializers.CharField()
    created_at = Time()
    order_id = serializers.CharField(required=False, allow_null=True)
    location_id = serializers.CharField(required=False, allow_null=True)
    account_id = serializers.CharField(required=False, allow_null=True)


class CallbackEvent(CallbackEventHead):
    """Something that happened to a resource, with what it was and is."""

    previous_state = Object(required=False, allow_null=True)
    new_state = Object(required=False, allow_null=True)


class Problem(Shape):
    """One field that is wrong, as a pointer into the body."""

    field = serializers.CharField()
    message = serializers.CharField()


class Error(Shape):
    """What went wrong."""

    error_type = serializers.CharField()
    message = serializers.CharField(required=False)
    errors = Problem(many=True, required=False)  # type: ignore[assignment]  # a field of the body, which hides a word of the shape
