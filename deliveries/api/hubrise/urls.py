"""Every path of this dialect: each with `/v1` and without it, under a location's id and short under the token's own."""

from django.urls import URLPattern, path, re_path, register_converter
from rest_framework.views import APIView

from deliveries.api.hubrise import callbacks, deliveries, endpoint, openapi, orders, places, quotes


class NameConverter:
    """An id, or whatever stands in its place: only the rows know which ids there are."""

    regex = r"[^/\x00]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(NameConverter, "name")

OF_A_LOCATION: tuple[tuple[str, type[APIView]], ...] = (
    ("", places.Location),
    ("/orders", orders.Orders),
    ("/orders/<name:order_id>", orders.OrderDetail),
    ("/orders/<name:order_id>/delivery_quotes", quotes.Quotes),
    ("/orders/<name:order_id>/delivery_quotes/<name:quote_id>", quotes.Quote),
    ("/orders/<name:order_id>/delivery_quotes/<name:quote_id>/accept", quotes.QuoteAcceptance),
    ("/orders/<name:order_id>/delivery", deliveries.OrderDelivery),
)
OF_AN_ACCOUNT: tuple[tuple[str, type[APIView]], ...] = (
    ("", places.Account),
    ("/orders", orders.AccountOrders),
)
OF_A_CONNECTION: tuple[tuple[str, type[APIView]], ...] = (
    ("", callbacks.Callback),
    ("/test", callbacks.CallbackTest),
    ("/events", callbacks.CallbackEvents),
    ("/events/<name:event_id>", callbacks.CallbackEvent),
    ("/events/<name:event_id>/resend", callbacks.CallbackEventAgain),
)


def _everywhere(prefix: str) -> list[URLPattern]:
    def at(route: str, view: type[APIView]) -> URLPattern:
        found: URLPattern = path(prefix + route, view.as_view())
        return found

    return [
        *(at(place + rest, view) for rest, view in OF_A_LOCATION for place in ("locations/<name:location_id>", "location")),
        at("locations", places.Locations),
        *(at(owner + rest, view) for rest, view in OF_AN_ACCOUNT for owner in ("accounts/<name:account_id>", "account")),
        *(at(f"callback{rest}", view) for rest, view in OF_A_CONNECTION),
    ]


urlpatterns = [
    path("v1/openapi.json", openapi.openapi, name="hubrise-openapi"),
    path("v1/docs", openapi.Docs.as_view(), name="hubrise-docs"),
    *_everywhere("v1/"),
    *_everywhere(""),
    re_path(r"^(?:v1|locations?|accounts?|callback)(?:/.*)?$", endpoint.NoRoute.as_view()),
]
