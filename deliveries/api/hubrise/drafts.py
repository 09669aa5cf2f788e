"""From the fields of a body to what the core takes: columns by name, money in hundredths, "" where a text is null."""

from datetime import datetime
from typing import Any

from rest_framework import exceptions

from deliveries.api.hubrise import payloads
from deliveries.api.hubrise.payloads import COORDINATES, TEXTS
from deliveries.models import Delivery
from quotes.offers import Offer
from stores.actors import Actor
from stores.models import OrderStatus, ServiceType
from stores.orders import OrderDraft

Json = dict[str, Any]

ORDER_TEXTS = ("ref", "service_type_ref", "customer_notes", "seller_notes", "collection_code")
ORDER_TIMES = ("expected_time", "confirmed_time")
ORDER_FLAGS = ("expected_time_pickup", "asap")
ELEMENTS = ("items", "discounts", "charges", "payments")
_COLUMNS = {"fee": "fee_cents"}
FROZEN = {"carrier": "carrier", "carrier_ref": "carrier_ref", "fee": "fee_cents"}


def offer(read: Json) -> Offer:
    """The offer in a quote's body."""
    return Offer(
        carrier=read["carrier"],
        carrier_ref=read.get("carrier_ref") or "",
        ref=read.get("ref") or "",
        fee_cents=read["fee"],
        estimated_pickup_at=read.get("estimated_pickup_at"),
        estimated_dropoff_at=read.get("estimated_dropoff_at"),
    )


def columns(read: Json) -> Json:
    """A delivery's fields as columns; `status` stays what it is, a word."""
    return {_COLUMNS.get(name, name): _column(name, value) for name, value in read.items()}


def report(read: Json, delivery: Delivery, *, at: datetime) -> Json:
    """What a carrier changes. The fixed fields may come along as they are; raises when one differs.

    Clients that send the whole object back also send what we showed where nobody had reported anything; that is left out.
    """
    stood_in = payloads.delivery(delivery, delivery.store, at=at) if delivery.by_house else {}
    said = columns({name: value for name, value in read.items() if value is None or value != stood_in.get(name)})
    different = [name for name, column in FROZEN.items() if column in said and said[column] != getattr(delivery, column)]
    if different:
        raise exceptions.ValidationError({name: ["cannot be changed"] for name in different})
    return {column: value for column, value in said.items() if column not in FROZEN.values()}


def order(read: Json, *, by: Actor) -> OrderDraft:
    """A new order as the core takes it in."""
    keys = {key: str(number) for number, key in enumerate(read.get("deals") or {})}
    fields: Json = {name: read.get(name) or "" for name in ORDER_TEXTS}
    fields |= {name: read.get(name) for name in ORDER_TIMES}
    fields |= {name: bool(read.get(name)) for name in ORDER_FLAGS}
    return OrderDraft(
        status=OrderStatus(read["status"]),
        service_type=ServiceType(read["service_type"]) if read.get("service_type") else None,
        fields=fields
        | {
            "channel": read.get("channel") or by.name,
            "coupon_codes": read.get("coupon_codes", []),
            "deals": {keys[key]: deal for key, deal in (read.get("deals") or {}).items()},
            "customer": _customer(read.get("customer")),
            "custom_fields": {key: value for key, value in (read.get("custom_fields") or {}).items() if value is not None},
            "private_refs": _private_refs(read, by=by),
        },
        **{name: [_element(element, keys=keys, by=by) for element in read.get(name, ())] for name in ELEMENTS},
    )


def amendment(read: Json, *, by: Actor) -> Json:
    """What changes in an order, as `orders.amend` takes it."""
    changes: Json = {name: read[name] for name in ("status", "confirmed_time", "custom_fields") if name in read}
    changes |= {name: read[name] or "" for name in ("seller_notes", "collection_code") if name in read}
    changes |= {"private_ref": read["private_ref"] or None} if "private_ref" in read else {}
    return changes | {name: [_change(element, by=by) for element in read[name]] for name in ELEMENTS if name in read}


def _column(name: str, value: Any) -> Any:
    if name in COORDINATES:
        return None if value is None else float(value)
    return "" if value is None and name in TEXTS else value


def _private_refs(read: Json, *, by: Actor) -> Json:
    return {str(by.client_id): read["private_ref"]} if read.get("private_ref") else {}


def _change(read: Json, *, by: Actor) -> Json:
    """An element to append, or, when it has an `id`, what changes in one that exists."""
    if "id" not in read:
        return _element(read, keys={}, by=by)
    return read | {"private_ref": read["private_ref"] or None} if "private_ref" in read else read


def _element(read: Json, *, keys: dict[str, str], by: Actor) -> Json:
    """A new item, discount, charge or payment; `keys` leads from the keys of deals as sent to those that are kept."""
    element = {name: value for name, value in read.items() if name != "private_ref"}
    line = element.get("deal_line")
    if line:
        element["deal_line"] = line | {"deal_key": keys.get(line["deal_key"], line["deal_key"])}
    if "options" in element:
        element["options"] = [option | {"price": option.get("price") or 0} for option in element["options"]]
    return element | {"private_refs": _private_refs(read, by=by)}


def _customer(read: Json | None) -> Json:
    if not read:
        return {}
    birth_date = read.get("birth_date")
    return {**read, "birth_date": birth_date.isoformat() if birth_date else None}
