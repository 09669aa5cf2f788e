"""Make and accept the offers of carriers; the only module that accepts a quote."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from quotes.models import DeliveryQuote
from stores.actors import Actor
from stores.models import Order, ServiceType
from stores.refusals import Refused


class NotForDelivery(Refused):
    """The order is eaten in or collected: there is nothing to carry."""

    code = "not_for_delivery"


class NotYourFleet(Refused):
    """Software of an outside carrier speaks in the name of the house."""

    code = "not_your_fleet"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a carrier offers: `fee_cents` in hundredths of the account's currency, times in UTC."""

    carrier: str
    carrier_ref: str
    ref: str
    fee_cents: int
    estimated_pickup_at: datetime | None
    estimated_dropoff_at: datetime | None


def is_house(carrier_ref: str) -> bool:
    """Whether this ref names the instance's own fleet."""
    return carrier_ref == settings.HOUSE_CARRIER["ref"]


def check_carrier(order: Order, carrier_ref: str, *, by: Actor) -> None:
    """Refuse orders that are not delivered, and outside carriers that sign as the house."""
    if order.service_type != ServiceType.DELIVERY:
        raise NotForDelivery("The order's service type is not delivery.")
    if by.carrier_ref and is_house(carrier_ref):
        raise NotYourFleet(f"'{carrier_ref}' is the house's own fleet", path=("carrier_ref",))


def make(order: Order, offer: Offer, *, by: Actor, at: datetime) -> DeliveryQuote:
    """Keep a carrier's offer for an order that is to be delivered."""
    check_carrier(order, offer.carrier_ref, by=by)
    return DeliveryQuote.objects.create(
        order=order,
        carrier=offer.carrier,
        carrier_ref=offer.carrier_ref,
        by_house=is_house(offer.carrier_ref),
        ref=offer.ref,
        fee_cents=offer.fee_cents,
        estimated_pickup_at=offer.estimated_pickup_at,
        estimated_dropoff_at=offer.estimated_dropoff_at,
        created_by_id=by.client_id,
        created_at=at,
    )


def accept(quote: DeliveryQuote, *, at: datetime) -> bool:
    """Accept a quote; True the first time. Accepting again keeps the first moment, as it cannot be undone.

    A conditional update claims it, so that of two at once only one is the first.
    """
    claimed = DeliveryQuote.objects.filter(pk=quote.pk, accepted_at__isnull=True).update(accepted_at=at)
    quote.refresh_from_db(fields=["accepted_at"])
    return claimed == 1
