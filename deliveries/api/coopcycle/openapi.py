"""The OpenAPI document of this dialect alone, and the page to try it out on; open to all."""

from functools import cache
from threading import Lock
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request

from deliveries.api.coopcycle import media
from deliveries.api.coopcycle.endpoint import OpenEndpoint
from deliveries.api.coopcycle.schemas import COMPONENTS, Schema, ref

URLS = "deliveries.api.coopcycle.urls"
OPENAPI = "application/vnd.openapi+json"
TITLE = f"{settings.RELAIS_BRAND} · CoopCycle API"
DESCRIPTION = """Deliveries, tasks and stores as JSON-LD, in the language of CoopCycle clients.

Programs get a token at `/oauth2/token` with their client credentials, or hold an API key; people log in at `/api/login_check`.

[To the front page](/)
"""
_GENERATING = Lock()


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registry is not typed
    """How `auth.Bearer` is written down."""

    target_class = "deliveries.api.coopcycle.auth.Bearer"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        """A token in the Authorization header."""
        return {"type": "http", "scheme": "bearer", "description": "An OAuth2 token, an API key (ak_...), or a person's token."}


@cache
def document() -> bytes:
    """The document, made once in a process: it does not change while that runs."""
    overrides = {
        "TITLE": TITLE,
        "DESCRIPTION": DESCRIPTION,
        "PATH_CONVERTER_OVERRIDES": {"id": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}},
    }
    with _GENERATING, patched_settings(overrides):
        schema: Schema = SchemaGenerator(urlconf=URLS).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    schema.setdefault("components", {})["schemas"] = COMPONENTS
    schema["paths"]["/oauth2/token"] = {"post": _TOKEN}
    return media.write(schema)


_TOKEN: Schema = {
    "operationId": "get_oauth2_token",
    "summary": "Get a token for a program",
    "description": "The client authenticates with HTTP Basic, or with `client_id` and `client_secret` in the body.",
    "tags": ["Tokens"],
    "security": [],
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"const": "client_credentials"},
                        "scope": {"type": "string", "description": "As “tasks deliveries”; absent: deliveries."},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string"},
                    },
                }
            }
        }
    },
    "responses": {
        "200": {"description": "A token", "content": {media.JSON: {"schema": ref("OAuth2Token")}}},
        "400": {"description": "Another grant, or an unknown scope", "content": {media.JSON: {"schema": ref("OAuth2Error")}}},
        "413": {"description": "The body is too large", "content": {media.JSON: {"schema": ref("OAuth2Error")}}},
        "401": {"description": "Unknown client, or wrong secret", "content": {media.JSON: {"schema": ref("OAuth2Error")}}},
    },
}


class OpenApiView(OpenEndpoint):
    """`GET /api/docs.json`."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whatever form was asked for, it is JSON."""

    def get(self, request: Request) -> HttpResponse:
        """The document; named as OpenAPI to those who ask for that."""
        kind = OPENAPI if OPENAPI in request.META.get("HTTP_ACCEPT", "") else media.JSON
        return HttpResponse(document(), content_type=kind)


class DocsView(SpectacularSwaggerSplitView):
    """`GET /api/docs`: the interactive page, whatever form is asked for; its files and its start-up script are ours."""

    url = "/api/docs.json"
    authentication_classes = []
    title = TITLE
    schema = None

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """It is a page and nothing else."""
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type
