"""Which of the two forms an answer takes: JSON-LD, or the same object without its linked-data keys."""

from functools import lru_cache
from typing import Any

import orjson
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import NotAcceptable, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

LD = "application/ld+json"
JSON = "application/json"
READABLE = frozenset([LD, JSON])
_ANSWERS_AS_LD = frozenset([LD, "application/merge-patch+json", "application/*", "*/*"])


class JsonLdRenderer(BaseRenderer):
    """Names the form for the OpenAPI document; `write` does the work."""

    media_type = LD
    format = "json"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """The object as it is."""
        return write(data)


class PlainRenderer(JsonLdRenderer):
    """As above, for plain JSON."""

    media_type = JSON


class JsonLdParser(BaseParser):
    """Names what may be sent for the OpenAPI document; `read` does the work."""

    media_type = LD

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Whatever the body says."""
        return read(stream.read())


class PlainParser(JsonLdParser):
    """As above, for plain JSON."""

    media_type = JSON


class Unreadable(Exception):
    """The body is no JSON, or no form, or holds text that no database keeps."""


@lru_cache(maxsize=256)
def wants_plain(accept: str) -> bool:
    """Whether an `Accept` header asks for plain JSON first; raises `NotAcceptable` when neither form will do."""
    best = (0.0, False)
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        plain = kind == JSON
        weight = _weight(parameters)
        if (plain or kind in _ANSWERS_AS_LD or not kind) and weight > best[0]:
            best = (weight, plain)
    if not best[0]:
        raise NotAcceptable
    return best[1]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def check_readable(content_type: str) -> None:
    """Raise `UnsupportedMediaType` for a body that is not JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in READABLE:
        raise UnsupportedMediaType(kind, f'The content-type "{kind}" is not supported. Supported MIME types are "{LD}", "{JSON}".')


def read(body: bytes) -> Any:
    """The JSON of a body; raises `Unreadable`."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("Syntax error") from error
    if b"\\u0000" in body and _holds_nul(value):
        raise Unreadable("The body holds a NUL character.")
    return value


def form(request: HttpRequest) -> QueryDict:
    """The fields of a form, whatever its encoding; raises `Unreadable`, or `RequestDataTooBig`."""
    try:
        return request.POST
    except RequestDataTooBig:
        raise
    except (MultiPartParserError, BadRequest, SuspiciousOperation) as error:
        raise Unreadable("The form cannot be read.") from error


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(_holds_nul(part) for part in value)


def write(payload: Any) -> bytes:
    """The bytes of a payload."""
    return orjson.dumps(payload)


def stripped(payload: Any) -> Any:
    """A payload without linked-data keys; a collection becomes its bare list. Relations stay IRIs."""
    if isinstance(payload, dict):
        if payload.get("@type") == "hydra:Collection":
            return [stripped(member) for member in payload["hydra:member"]]
        return {key: stripped(value) for key, value in payload.items() if not key.startswith(("@", "hydra:"))}
    return [stripped(member) for member in payload] if isinstance(payload, list) else payload
