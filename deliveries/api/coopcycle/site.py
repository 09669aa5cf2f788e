"""What the instance says of itself, and the way between points: open to all."""

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from deliveries.api.coopcycle.describing import described
from deliveries.api.coopcycle.endpoint import OpenEndpoint
from deliveries.api.coopcycle.errors import Malformed
from deliveries.api.coopcycle.schemas import ref
from stores import distances
from stores.models import Store
from stores.places import Point

MOST_POINTS = 100
UNSET = (
    *("stripe_publishable_key", "payment_gateway", "mercadopago_publishable_key", "phone_number", "administrator_email"),
    *("guest_checkout_enabled", "split_terms_and_conditions_and_privacy_policy", "average_preparation_time", "average_shipping_time"),
    *("motto", "order_confirm_message", "edenred_client_id", "edenred_authorization_endpoint", "paygreen_public_key", "theme"),
)
"""What clients look for and this instance has nothing to say about."""


class SettingsView(OpenEndpoint):
    """Name, country, money, clock."""

    @described("get_settings", "Get the settings of this instance", tag="Instance", plainly=ref("Settings"), public=True)
    def get(self, request: Request) -> HttpResponse:
        """Plain JSON, whatever was asked for."""
        centre = Store.objects.filter(enabled=True).order_by("id").values_list("address__latitude", "address__longitude").first()
        said = {
            "brand_name": settings.RELAIS_BRAND,
            "country": settings.RELAIS_COUNTRY.lower(),
            "locale": settings.LANGUAGE_CODE,
            "latlng": "{},{}".format(*centre) if centre else None,
            "currency_code": settings.RELAIS_CURRENCY.lower(),
            "timezone": settings.TIME_ZONE,
        }
        return self.answer_plainly({**said, **dict.fromkeys(UNSET)})


class RouteView(OpenEndpoint):
    """The way through points."""

    @described("get_route", "Get a route through points", tag="Instance", plainly=ref("Route"), public=True)
    def get(self, request: Request, points: str) -> HttpResponse:
        """`points` as `lat,lng;lat,lng`; one route, its shape an encoded polyline."""
        pairs = [pair.split(",") for pair in points.split(";")]
        if not 2 <= len(pairs) <= MOST_POINTS or any(len(pair) != 2 for pair in pairs):
            raise Malformed("Points are written as lat,lng;lat,lng.", path=("coordinates",))
        way = distances.router().route([Point.parse(latitude, longitude) for latitude, longitude in pairs])
        route = {"distance": way.distance_m, "duration": way.duration_s, "geometry": way.polyline}
        return self.answer_plainly({"code": "Ok", "routes": [route]})
