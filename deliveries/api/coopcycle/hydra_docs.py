"""What a program reads before it calls: the entrypoint, the contexts, and the Hydra documentation; open to all."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from deliveries.api.coopcycle import media, vocabulary
from deliveries.api.coopcycle.endpoint import OpenEndpoint
from deliveries.api.coopcycle.schemas import ref
from stores.refusals import NotFound

DOCUMENTATION = "/api/docs.jsonld"
OBJECT: dict[Any, Any] = {(200, media.LD): {"type": "object", "additionalProperties": True}, (406, media.LD): ref("Error")}


class Described(OpenEndpoint):
    """An answer that is JSON-LD by nature: the plain form would strip what it is about."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.plain = False


def vocabulary_url(request: Request) -> str:
    """What every word of this dialect expands against: the documentation's own URL with `#`."""
    return f"{request.build_absolute_uri(DOCUMENTATION)}#"


class EntrypointView(Described):
    """`GET /api`, which shop plugins ping."""

    @extend_schema(operation_id="entrypoint", summary="List the collections of this API", tags=["Hydra"], responses=OBJECT, auth=[])
    def get(self, request: Request) -> HttpResponse:
        """The address of each collection; also tells whether the API is up."""
        # Shop plugins want exactly this `@context`.
        return self.answer({"@context": "/api/contexts/Entrypoint", "@id": "/api", "@type": "Entrypoint", **vocabulary.ENTRIES})


class ContextView(Described):
    """`GET /api/contexts/{name}`: what the keys of a class mean."""

    @extend_schema(
        operation_id="context",
        summary="Get the JSON-LD context of a class",
        tags=["Hydra"],
        responses={**OBJECT, (404, media.LD): ref("Error")},
        auth=[],
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        """What the keys of a class mean."""
        context = vocabulary.context(name, vocabulary_url(request))
        if context is None:
            raise NotFound("Not Found")
        return self.answer({"@context": context})


class ApiDocumentationView(Described):
    """`GET /api/docs.jsonld`: every class with its properties and operations."""

    @extend_schema(operation_id="documentation", summary="Get the Hydra documentation", tags=["Hydra"], responses=OBJECT, auth=[])
    def get(self, request: Request) -> HttpResponse:
        """Every class with its properties and operations."""
        return self.answer(vocabulary.documentation(settings.RELAIS_BRAND, vocabulary_url(request)))
