"""What a delivery would cost, and whether a rule matches it; nothing is kept."""

import hashlib
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from deliveries import booking
from deliveries.api.coopcycle import inputs, lookups, rights, vocabulary
from deliveries.api.coopcycle.describing import described, query
from deliveries.api.coopcycle.endpoint import Endpoint
from deliveries.api.coopcycle.errors import NotAChoice, calculation
from deliveries.api.coopcycle.hydra_docs import vocabulary_url
from deliveries.api.coopcycle.payloads import Payload
from deliveries.booking import Request as Wanted
from quotes.models import PricingRule
from quotes.pricing import counting, wording
from quotes.pricing.counting import Price
from stores.refusals import NotAllowed, NotFound

TAG = "Prices"
TAXES = ("included", "excluded")
GENID = "/api/.well-known/genid/{}"


class PricesEndpoint(Endpoint):
    """What calls about a delivery that nobody has asked for yet share."""

    right = rights.sends

    def wanted(self) -> Wanted:
        """The delivery as sent, ready to be booked."""
        sent = self.read(lambda body: inputs.delivery(body, now=self.at, desk=self.by.runs_the_desk))
        return lookups.request(self.caller, sent, at=self.at)


class RetailPriceView(PricesEndpoint):
    """Prices of deliveries to come."""

    @described(
        "calculate_price",
        "Get what a delivery would cost",
        tag=TAG,
        gives="RetailPrice",
        takes="DeliveryInput",
        parameters=(query("tax", enum=TAXES),),
    )
    def post(self, request: Request) -> HttpResponse:
        """By the price list of its store, with the reasons; nothing is booked. Answers 400 when no rule foresees such a delivery."""
        tax = request._request.GET.get("tax") or TAXES[0]
        if tax not in TAXES:
            raise NotAChoice("The value you selected is not a valid choice.", path=("tax",))
        wanted = self.wanted()
        price = booking.price(wanted, at=self.at)
        return self.answer(retail_price(price, currency=wanted.store.account.currency, gateway=wanted.payment_gateway, net=tax == TAXES[1]))


class EvaluateView(PricesEndpoint):
    """One rule."""

    @described("evaluate_rule", "Check whether a rule matches a delivery", tag=TAG, gives="YesNoOutput", takes="DeliveryInput")
    def post(self, request: Request, pk: int) -> HttpResponse:
        """Whether it matches the delivery as sent; nothing is booked. Stores ask about the rules they are priced by."""
        rule = PricingRule.objects.filter(pk=pk).first()
        if rule is None:
            raise NotFound("Not Found")
        wanted = self.wanted()
        if not self.by.runs_the_desk and rule.rule_set_id != wanted.store.pricing_rule_set_id:
            raise NotAllowed("Access Denied.")
        matched = counting.matches(rule.read, booking.facts(wanted, at=self.at))
        return self.answer(
            {
                "@context": inline(request, "YesNoOutput", "result"),
                "@type": "YesNoOutput",
                "@id": genid({"rule": pk, "result": matched}),
                "result": matched,
            }
        )


def inline(request: Request, name: str, *properties: str) -> Payload:
    """The context of something that has no address, spelled out."""
    words = {each: f"{name}/{each}" for each in properties}
    return {"@vocab": vocabulary_url(request), "hydra": vocabulary.HYDRA, **words}


def genid(content: Any) -> str:
    """A name for something that has no address: the same for the same content."""
    return GENID.format(_digest(content))


def retail_price(price: Price, *, currency: str, gateway: str, net: bool) -> Payload:
    """A price with its reasons; the order in it is never `net`."""
    order = _order(price, gateway=gateway)
    return {
        "@context": "/api/contexts/RetailPrice",
        "@id": f"/api/retail_prices/{_digest(order)}",
        "@type": "RetailPrice",
        "amount": price.amount_cents - price.tax_cents if net else price.amount_cents,
        "currency": currency,
        "tax": {"amount": price.tax_cents, "included": not net},
        "order": order,
        "calculation": calculation(price.rule_set, price.verdicts),
    }


def _order(price: Price, *, gateway: str) -> Payload:
    lines = [{"label": line.label, "amount": line.amount_cents} for line in price.lines if not line.by_hand]
    by_hand = [{"label": line.label, "amount": line.amount_cents} for line in price.lines if line.by_hand]
    words = ", ".join(line.words for line in price.lines)
    vat = f"VAT {wording.percent(settings.RELAIS_VAT_PERCENT)}%"
    adjustments: Payload = {"order_item_package_delivery_calculated": lines}
    if by_hand:
        adjustments["order_item_package_delivery_manual_supplement"] = by_hand
    adjustments["tax"] = [{"label": vat, "amount": price.tax_cents}]
    code = _digest(price.as_json())
    item = {
        "@id": genid({"item": code}),
        "@type": "OrderItem",
        "name": "On demand delivery",
        "variantName": words,
        "vendor": None,
        "player": None,
        "variant": {"@id": genid({"variant": code}), "@type": "ProductVariant", "code": f"PRICE-{code}", "name": words},
        "quantity": 1,
        "unitPrice": 0,
        "total": price.amount_cents,
        "adjustments": adjustments,
    }
    return {
        "@id": genid({"order": code}),
        "@type": "Order",
        "items": [item],
        "total": price.amount_cents,
        "taxTotal": price.tax_cents,
        "shippingAddress": None,
        "paymentGateway": gateway,
    }


def _digest(content: Any) -> str:
    return hashlib.sha256(orjson.dumps(content)).hexdigest()[:20]
