"""The forms of bodies: which fields, of which type, how long. Nothing here looks at the database.

Keys that a form does not name are ignored, as clients send more than is asked for.
"""

from typing import Any

from rest_framework import serializers

from deliveries.api.hubrise.fields import Count, Decimal, Degrees, EventNames, Fee, Flag, Json, Money, Name, Object, Text, Time, Url
from deliveries.outbox.targets import LONGEST_URL
from deliveries.statuses import DeliveryStatus
from stores.models import OrderStatus, ServiceType

MOST_ELEMENTS = 500
LONGEST_NOTE = 10_000


class Form(serializers.Serializer[Any]):
    """A JSON object."""

    default_error_messages = {"invalid": "must be an object"}


def _optional(field: type[serializers.Field[Any, Any, Any, Any]], **options: Any) -> Any:
    return field(required=False, allow_null=True, **options)


def _many(element: Form) -> "serializers.ListSerializer[Any]":
    return serializers.ListSerializer(child=element, required=False, max_length=MOST_ELEMENTS)


class NewQuote(Form):
    """A carrier's offer. A `status` is often sent along, which quotes do not have."""

    carrier = Name()
    carrier_ref = Text(64)
    ref = Text()
    fee = Fee()
    estimated_pickup_at = Time()
    estimated_dropoff_at = Time()


class DeliveryReport(Form):
    """What a carrier may say of its delivery at any time."""

    ref = Text()
    status = serializers.ChoiceField(choices=DeliveryStatus.choices, required=False)
    estimated_pickup_at = Time()
    estimated_dropoff_at = Time()
    tracking_url = Url()
    driver_pickup_url = Url()
    driver_name = Text()
    driver_phone = Text(64)
    driver_phone_access_code = Text(64)
    driver_latitude = Degrees(90)
    driver_longitude = Degrees(180)
    assigned_at = Time()
    pickup_at = Time()
    delivered_at = Time()
    cancelled_at = Time()


class NewDelivery(DeliveryReport):
    """A carrier takes on an order."""

    carrier = Name()
    carrier_ref = Text(64)
    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    fee = _optional(Fee)


class DeliveryChange(DeliveryReport):
    """A report, with the three fields that cannot change for clients that send the whole object back."""

    carrier = Name(required=False)
    carrier_ref = Text(64)
    fee = _optional(Fee)


class Option(Form):
    """An option chosen for an item."""

    option_list_name = Name()
    name = Name()
    ref = Text()
    price = _optional(Money)
    quantity = Count(min_value=0, max_value=10_000, default=1)
    removed = Flag(default=False)


class DealLine(Form):
    """The deal that an item is part of."""

    deal_key = Name()
    label = Text()  # type: ignore[assignment]  # a field of the body, which hides a word of the form
    pricing_effect = Text(32)
    pricing_value = Text(64)


class Element(Form):
    """A part of an order, which a client may call by a name of its own."""

    private_ref = Text()


class Item(Element):
    """Something bought."""

    product_name = Name()
    sku_name = Text()
    sku_ref = Text()
    price = Money()
    quantity = Decimal()
    tax_rate = _optional(Decimal)
    customer_notes = Text(LONGEST_NOTE)
    points_earned = _optional(Decimal)
    points_used = _optional(Decimal)
    options = _many(Option())
    deal_line = DealLine(required=False, allow_null=True)


class Discount(Element):
    """Something taken off the price."""

    name = Name()
    ref = Text()
    price_off = Money()


class Charge(Element):
    """Something added to the price."""

    name = Name()
    ref = Text()
    price = Money()
    tax_rate = _optional(Decimal)


class Payment(Element):
    """Something paid."""

    name = Text()
    ref = Text()
    amount = Money()
    info = _optional(Object)


class Deal(Form):
    """A menu, of which items can be lines."""

    name = Name()
    ref = Text()


class Customer(Form):
    """A guest, as known when the order was made."""

    email = Text()
    first_name = Text()
    last_name = Text()
    gender = Text(32)
    birth_date = serializers.DateField(required=False, allow_null=True)
    company_name = Text()
    phone = Text(64)
    phone_access_code = Text(64)
    address_1 = Text()
    address_2 = Text()
    postal_code = Text(20)
    city = Text()
    state = Text()
    country = Text(64)
    latitude = Degrees(90)
    longitude = Degrees(180)
    delivery_notes = Text(LONGEST_NOTE)
    sms_marketing = _optional(Flag)
    email_marketing = _optional(Flag)


class NewOrder(Form):
    """An order as a till or a shop sends it."""

    ref = Text()
    private_ref = Text()
    status = serializers.ChoiceField(choices=OrderStatus.choices)
    service_type = serializers.ChoiceField(choices=ServiceType.choices, required=False, allow_null=True)
    service_type_ref = Text()
    expected_time = Time()
    expected_time_pickup = _optional(Flag)
    asap = _optional(Flag)
    confirmed_time = Time()
    channel = Text()
    customer_notes = Text(LONGEST_NOTE)
    seller_notes = Text(LONGEST_NOTE)
    collection_code = Text(64)
    coupon_codes = serializers.ListField(child=Name(), required=False, max_length=MOST_ELEMENTS)
    items = _many(Item())
    deals = serializers.DictField(child=Deal(), required=False, allow_null=True)
    discounts = _many(Discount())
    charges = _many(Charge())
    payments = _many(Payment())
    customer_id = Text()
    customer_list_id = Text()
    customer_private_ref = Text()
    customer = Customer(required=False, allow_null=True)
    custom_fields = _optional(Object)

    def validate(self, attrs: Json) -> Json:
        """Customers are guests here, so no id leads to one; and an item's deal must be among the deals."""
        ids = ("customer_id", "customer_list_id", "customer_private_ref")
        problems: Json = {name: f"not found ('{attrs[name]}' given)" for name in ids if attrs.get(name)}
        deals = attrs.get("deals") or {}
        if len(deals) > MOST_ELEMENTS:
            problems["deals"] = f"must not have more than {MOST_ELEMENTS} items"
        for number, item in enumerate(attrs.get("items", ())):
            line = item.get("deal_line")
            if line and line["deal_key"] not in deals:
                problem = {"deal_line": {"deal_key": f"not found ('{line['deal_key']}' given)"}}
                problems.setdefault("items", {})[number] = problem
        if problems:
            raise serializers.ValidationError(problems)
        return attrs


class Amendment(serializers.Serializer[Any]):
    """What may be said of an element that exists: that it is gone, and what the caller calls it."""

    id = Name(20)
    deleted = Flag(required=False)
    private_ref = Text()

    def to_internal_value(self, data: Any) -> Json:
        fixed = sorted(set(data) - set(self.fields))
        if fixed:
            raise serializers.ValidationError({name: ["cannot be changed"] for name in fixed})
        read: Json = super().to_internal_value(data)
        return read


class ElementChange(Form):
    """A new element, or, when it has an `id`, an amendment of one that exists."""

    def to_internal_value(self, data: Any) -> Json:
        if isinstance(data, dict) and data.get("id") is not None:
            return Amendment(context=self.context).to_internal_value(data)
        read: Json = super().to_internal_value(data)
        return read


class ItemChange(ElementChange, Item):
    """An item to append or amend."""


class DiscountChange(ElementChange, Discount):
    """A discount to append or amend."""


class ChargeChange(ElementChange, Charge):
    """A charge to append or amend."""


class PaymentChange(ElementChange, Payment):
    """A payment to append or amend."""


class NewCallback(Form):
    """Who is called, and of what; without a URL the events wait to be read."""

    url = Text(LONGEST_URL)
    events = EventNames()


class OrderChange(Form):
    """What may change in an order; its content only grows."""

    private_ref = Text()
    status = serializers.ChoiceField(choices=OrderStatus.choices, required=False)
    confirmed_time = Time()
    seller_notes = Text(LONGEST_NOTE)
    collection_code = Text(64)
    custom_fields = _optional(Object)
    items = _many(ItemChange())
    discounts = _many(DiscountChange())
    charges = _many(ChargeChange())
    payments = _many(PaymentChange())
