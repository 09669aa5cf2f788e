"""The OpenAPI document of this dialect, and the page on which to try it."""

from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import orjson
from django.http import HttpRequest, HttpResponse
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView

from deliveries.api import conditional, once
from deliveries.api.hubrise import answers
from deliveries.api.hubrise.endpoint import ONCE

F = TypeVar("F", bound=Callable[..., Any])

DESCRIPTION = """
Orders, delivery quotes and deliveries. Every path also exists without `/v1`.

Send the access token in `X-Access-Token`. A location-level token may use the short paths under `/location`; an
account-level one names the location. Reading needs the scope `orders.read`, writing `orders.write`.

Every success is a 200. Every error is an object with an `error_type`; a 422 names the fields. An unknown path is a 404, a
method that a path does not have a 405, both with the `error_type` `routing_error`. A POST may stand for a PATCH or a PUT
with `X-Http-Method-Override`.

Whatever changes something may be sent again safely under an `Idempotency-Key`. What has an `ETag` may be read with
`If-None-Match` and changed with `If-Match`.
"""
SETTINGS = {
    "TITLE": "Relais · HubRise API",
    "DESCRIPTION": DESCRIPTION.strip(),
    "SECURITY": [{"accessToken": []}],
    "APPEND_COMPONENTS": {"securitySchemes": {"accessToken": {"type": "apiKey", "in": "header", "name": "X-Access-Token"}}},
    "SCHEMA_PATH_PREFIX": "/v1",
    "ENUM_NAME_OVERRIDES": {
        "DeliveryStatus": "deliveries.statuses.DeliveryStatus",
        "OrderStatus": "stores.models.OrderStatus",
        "ServiceType": "stores.models.ServiceType",
    },
}
REFUSALS = {
    400: "The body is not JSON, or the `Idempotency-Key` cannot be read",
    401: "The access token is missing, unknown or revoked",
    403: "The token has not the level or the scope for this",
    404: "The location, the order or what belongs to it does not exist",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "The content cannot be accepted, and `errors` names the fields; or the `Idempotency-Key` was used for another request",
    503: "The database does not answer; `Retry-After` says in how many seconds to try again",
}
BODY_ONLY = {400, 413, 415}

_generating = Lock()


def describe(
    tag: str, summary: str, answer: Any, body: Any = None, *, parameters: Sequence[OpenApiParameter] = (), refusals: Sequence[int] = ()
) -> Callable[[F], F]:
    """Say of a handler what it takes and answers, under the heading `tag`; the docstring is the description."""
    told = [status for status in REFUSALS if body is not None or status not in {*BODY_ONLY, 422} or status in refusals]
    refused = {status: OpenApiResponse(answers.Error, REFUSALS[status]) for status in told}

    def described(handler: F) -> F:
        also, more = _of_every_call(handler, single=not getattr(answer, "many", False))
        return extend_schema(
            summary=summary, request=body, parameters=[*parameters, *more], responses={200: answer} | also | refused, tags=[tag]
        )(handler)

    return described


def _of_every_call(handler: Callable[..., Any], *, single: bool) -> tuple[dict[int, OpenApiResponse], list[OpenApiParameter]]:
    """What calls of a method answer and take beside their own: see `once` and `conditional`."""
    method = handler.__name__.upper()
    told: dict[int, OpenApiResponse] = {}
    more = []
    if method == "GET" and single:
        told[304] = OpenApiResponse(None, conditional.UNCHANGED)
        more.append(conditional.IF_NONE_MATCH_PARAMETER)
    if method in ONCE:
        told |= {status: OpenApiResponse(answers.Error, sentence) for status, sentence in {**once.REFUSALS, 400: REFUSALS[400]}.items()}
        more.append(once.PARAMETER)
    if conditional.changes_one(handler, method):
        told |= {status: OpenApiResponse(answers.Error, sentence) for status, sentence in conditional.REFUSALS.items()}
        more.append(conditional.IF_MATCH_PARAMETER)
    return told, more


class OwnPaths(EndpointEnumerator):
    """The paths under /v1: those without it are the same calls again."""

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        return path.startswith("/v1/") and bool(super().should_include_endpoint(path, callback))


class Generator(SchemaGenerator):
    """Writes the document of this dialect alone."""

    endpoint_inspector_cls = OwnPaths


@cache
def document() -> bytes:
    """The document as JSON, written once: it only depends on the code."""
    with _generating, patched_settings(SETTINGS):
        generator: Any = Generator
        return orjson.dumps(generator(urlconf="deliveries.api.hubrise.urls").get_schema(public=True))


def openapi(request: HttpRequest) -> HttpResponse:
    """Serve the document to everybody, pages of other sites included."""
    return HttpResponse(document(), content_type="application/json", headers={"Access-Control-Allow-Origin": "*"})


class Docs(SpectacularSwaggerSplitView):
    """The document as a page, its script being served as a file of its own."""

    url_name = "hubrise-openapi"
    title = str(SETTINGS["TITLE"])
