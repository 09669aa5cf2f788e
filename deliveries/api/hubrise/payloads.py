"""Rows as this dialect prints them, key by key in the order of its documents; nothing here asks the database."""

import re
from datetime import datetime
from typing import Any

from django.conf import settings

from deliveries import queries
from deliveries.api.hubrise import formats
from deliveries.models import Delivery
from deliveries.tracking_links import tracking_url
from quotes.models import DeliveryQuote
from stores import orders
from stores.models import Account, Address, Order, Store

Json = dict[str, Any]

COORDINATES = ("driver_latitude", "driver_longitude")
TEXTS = (
    *("carrier_ref", "ref", "tracking_url", "driver_pickup_url"),
    *("driver_name", "driver_phone", "driver_phone_access_code"),
)
CUSTOMER_FIELDS = (
    *("email", "first_name", "last_name", "gender", "birth_date", "company_name", "phone", "phone_access_code"),
    *("address_1", "address_2", "postal_code", "city", "state", "country", "latitude", "longitude", "delivery_notes"),
)


def quote(row: DeliveryQuote, place: Order) -> Json:
    """A delivery quote of the order `place`."""
    tz = place.store.tz
    return {
        "id": row.public_id,
        "order_id": place.public_id,
        "location_id": place.store.public_id,
        "carrier": row.carrier,
        "carrier_ref": row.carrier_ref or None,
        "ref": row.ref or None,
        "fee": formats.amount(row.fee_cents, place.store.account.currency),
        "estimated_pickup_at": formats.moment(row.estimated_pickup_at, tz),
        "estimated_dropoff_at": formats.moment(row.estimated_dropoff_at, tz),
        "accepted_at": formats.moment(row.accepted_at, tz),
    }


def delivery(row: Delivery, store: Store, *, at: datetime) -> Json:
    """A delivery, with the house's courier for a driver as long as nobody reported one."""
    shown = _without_position(row, store)
    latitude, longitude = row.driver_latitude, row.driver_longitude
    if row.by_house and latitude is None and longitude is None:
        live = queries.live_position(row, at=at)
        if live is not None:
            latitude, longitude, _ = live
    position = {"driver_latitude": formats.coordinate(latitude), "driver_longitude": formats.coordinate(longitude)}
    return shown | position | _moments(row, store)


def order(row: Order, *, client_id: int | None) -> Json:
    """An order as the client sees it: each has private refs of its own."""
    store, currency, tz = row.store, row.store.account.currency, row.store.tz
    paid = sum(payment["amount"] for payment in row.payments if not payment.get("deleted"))
    shown = {
        "id": row.public_id,
        "location_id": store.public_id,
        "ref": row.ref or None,
        "private_ref": row.private_refs.get(str(client_id)),
        "status": row.status,
        "service_type": row.service_type,
        "service_type_ref": row.service_type_ref or None,
        "created_at": formats.moment(row.created_at, tz),
        "created_by": row.created_by.name if row.created_by else settings.RELAIS_BRAND,
        "channel": row.channel or None,
        "expected_time": formats.moment(row.expected_time, tz),
        "expected_time_pickup": row.expected_time_pickup,
        "asap": row.asap,
        "confirmed_time": formats.moment(row.confirmed_time, tz),
        "customer_notes": row.customer_notes or None,
        "seller_notes": row.seller_notes or None,
        "collection_code": row.collection_code or None,
        "coupon_codes": row.coupon_codes,
        "total": formats.amount(row.total_cents, currency),
        "total_discrepancy": formats.amount(0, currency),
        "payment_discrepancy": formats.amount(row.total_cents - paid if row.payments else 0, currency),
        "items": [_item(element, currency, client_id) for element in row.items],
        "deals": {key: {"name": deal["name"], "ref": deal.get("ref")} for key, deal in row.deals.items()},
        "discounts": [_discount(element, currency, client_id) for element in row.discounts],
        "charges": [_charge(element, currency, client_id) for element in row.charges],
        "payments": [_payment(element, currency, client_id) for element in row.payments],
        "customer": _customer(row.customer),
    }
    attached = getattr(row, "delivery", None)
    if attached is not None:
        shown["delivery"] = _without_position(attached, store, order_id=row.public_id) | _moments(attached, store)
    return shown | {"loyalty_operations": row.loyalty_operations, "custom_fields": row.custom_fields}


def account(row: Account) -> Json:
    """The business that owns locations."""
    return {"id": row.public_id, "name": row.name, "currency": row.currency}


def location(row: Store) -> Json:
    """A store. It has no point in this dialect, and takes orders all day unless it is switched off."""
    return {
        "id": row.public_id,
        "name": row.name,
        "account": account(row.account),
        "address": _street(row.address),
        "postal_code": row.address.postal_code or None,
        "city": row.address.locality or None,
        "country": row.address.country or None,
        "timezone": {"name": row.timezone},
        "cutoff_time": "00:00",
        "opening_hours": None,
        "preparation_time": row.preparation_minutes,
        "order_acceptance": {
            "mode": "normal" if row.enabled else "paused",
            "resume_at": None,
            "extra_preparation_time": None,
            "reason": None,
        },
        "custom_fields": {},
    }


def _street(address: Address) -> str:
    """What stands before the postal code or the city, which have keys of their own, in an address that is written in one line."""
    text = address.street_address
    ends = [rf"[,\s]+{re.escape(address.postal_code)}\b"] if address.postal_code else []
    ends += [rf"\s*,\s*{re.escape(address.locality)}\s*(?:,|$)"] if address.locality and address.postal_code else []
    found = [match.start() for end in ends if (match := re.search(end, text, re.IGNORECASE))]
    return text[: min(found, default=len(text))] or text


def _without_position(row: Delivery, store: Store, *, order_id: str | None = None) -> Json:
    tz = store.tz
    courier = row.courier.user if row.by_house and row.courier else None
    tracked_at = row.tracking_url or (tracking_url(row) if row.by_house else None)
    return {
        "id": row.public_id,
        "order_id": order_id or row.order.public_id,
        "location_id": store.public_id,
        "carrier": row.carrier,
        "carrier_ref": row.carrier_ref or None,
        "ref": row.ref or None,
        "status": row.status,
        "fee": formats.amount(row.fee_cents, store.account.currency),
        "estimated_pickup_at": formats.moment(row.estimated_pickup_at, tz),
        "estimated_dropoff_at": formats.moment(row.estimated_dropoff_at, tz),
        "tracking_url": tracked_at,
        "driver_pickup_url": row.driver_pickup_url or None,
        "driver_name": row.driver_name or (str(courier) if courier else None),
        "driver_phone": row.driver_phone or (courier.telephone or None if courier else None),
        "driver_phone_access_code": row.driver_phone_access_code or None,
    }


def _moments(row: Delivery, store: Store) -> Json:
    tz = store.tz
    return {
        "assigned_at": formats.moment(row.assigned_at, tz),
        "pickup_at": formats.moment(row.pickup_at, tz),
        "delivered_at": formats.moment(row.delivered_at, tz),
        "cancelled_at": formats.moment(row.cancelled_at, tz),
    }


def _named(element: Json, client_id: int | None) -> Json:
    return {"id": element["id"], "private_ref": element.get("private_refs", {}).get(str(client_id))}


def _item(element: Json, currency: str, client_id: int | None) -> Json:
    return _named(element, client_id) | {
        "product_name": element["product_name"],
        "sku_name": element.get("sku_name"),
        "sku_ref": element.get("sku_ref"),
        "price": formats.amount(element["price"], currency),
        "quantity": formats.decimal(element["quantity"]),
        "subtotal": formats.amount(orders.subtotal(element), currency),
        "tax_rate": formats.decimal(element.get("tax_rate")),
        "customer_notes": element.get("customer_notes"),
        "points_earned": formats.decimal(element.get("points_earned")),
        "points_used": formats.decimal(element.get("points_used")),
        "options": [_option(option, currency) for option in element.get("options", ())],
        "deal_line": _deal_line(element.get("deal_line")),
        "deleted": element.get("deleted", False),
    }


def _deal_line(line: Json | None) -> Json | None:
    return None if line is None else {name: line.get(name) for name in ("deal_key", "label", "pricing_effect", "pricing_value")}


def _option(option: Json, currency: str) -> Json:
    return {
        "option_list_name": option["option_list_name"],
        "name": option["name"],
        "ref": option.get("ref"),
        "price": formats.amount(option["price"], currency),
        "quantity": option["quantity"],
        "removed": option.get("removed", False),
    }


def _discount(element: Json, currency: str, client_id: int | None) -> Json:
    return _named(element, client_id) | {
        "name": element["name"],
        "ref": element.get("ref"),
        "price_off": formats.amount(element["price_off"], currency),
        "deleted": element.get("deleted", False),
    }


def _charge(element: Json, currency: str, client_id: int | None) -> Json:
    return _named(element, client_id) | {
        "name": element["name"],
        "ref": element.get("ref"),
        "price": formats.amount(element["price"], currency),
        "tax_rate": formats.decimal(element.get("tax_rate")),
        "deleted": element.get("deleted", False),
    }


def _payment(element: Json, currency: str, client_id: int | None) -> Json:
    return _named(element, client_id) | {
        "name": element.get("name"),
        "ref": element.get("ref"),
        "amount": formats.amount(element["amount"], currency),
        "info": element.get("info"),
        "deleted": element.get("deleted", False),
    }


def _customer(customer: Json) -> Json | None:
    """Everybody is a guest: nobody has an id. None when nothing is known."""
    if not customer:
        return None
    known = {name: customer.get(name) or None for name in CUSTOMER_FIELDS}
    marketing = {name: bool(customer.get(name)) for name in ("sms_marketing", "email_marketing")}
    history = dict.fromkeys(("nb_orders", "order_total", "first_order_date", "last_order_date"))
    extras: Json = {"anonymised": False, "loyalty_cards": [], "custom_fields": {}}
    return {"id": None, "customer_list_id": None, "private_ref": None} | known | marketing | history | extras
