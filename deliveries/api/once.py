"""`Idempotency-Key`: a request that comes again is not carried out again, and is answered as it was the first time.

The header follows the IETF draft "The Idempotency-Key HTTP Header Field". Only answers of success are kept: a refusal has
changed nothing, so that a corrected request may come under the same key.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter

from stores import effects, keeping
from stores.actors import Actor
from stores.refusals import Refused

HEADER = "HTTP_IDEMPOTENCY_KEY"
LONGEST_KEY = 255
KEPT_HEADERS = ("Content-Type", "Location", "Content-Location", "ETag")
REPLAYED = "Idempotency-Replayed"
RETRY_AFTER_S = "1"
"""How long whoever asks again too soon is told to wait: most requests take less."""

PARAMETER = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": 2 * LONGEST_KEY + 2, "examples": ['"8e03978e-40d5-43dd-bc93-6894a57f9324"']},
    OpenApiParameter.HEADER,
    description="Makes it safe to send the request again: under the same key it is carried out once, within 24 hours.",
)
METHODS = frozenset(["POST", "PATCH"])
REFUSALS = {
    409: "The first request with this `Idempotency-Key` is still being carried out; `Retry-After` says when to ask again",
    422: "The `Idempotency-Key` was used for another request",
}

_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!#-+\--~]+")
_ESCAPED = re.compile(r"\\(.)")

Handler = Callable[..., HttpResponse]


class BadKey(Refused):
    """An `Idempotency-Key` that cannot be read."""

    code = "bad_idempotency_key"


class _NotKept(Exception):
    """Undoes whatever was done for an answer that is none of success."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


def read(text: str) -> str:
    """The key in a header, in double quotes or bare; raises `BadKey`."""
    found = _QUOTED.fullmatch(text.strip()) or _BARE.fullmatch(text.strip())
    key = "" if found is None else _ESCAPED.sub(r"\1", found[1]) if found.re is _QUOTED else found[0]
    if not 1 <= len(key) <= LONGEST_KEY:
        raise BadKey(f'Idempotency-Key must be a string of 1 to {LONGEST_KEY} characters, as "8e03978e-40d5-43dd-bc93-6894a57f9324".')
    return key


def guarded(handler: Handler, request: HttpRequest, body: bytes, *, by: Actor, at: datetime) -> Handler:
    """A handler that carries out the request once, its effect and its answer being kept in one transaction.

    Raises `BadKey` at once; the handler raises `keeping.InFlight`, `keeping.OtherRequest` and `keeping.AnswerLost`.
    """
    told = b"\0".join([(request.method or "").encode(), request.get_full_path().encode(), body])
    asked = keeping.Asked(keeping.caller(by), read(request.META[HEADER]), hashlib.sha256(told).hexdigest())

    def once(*args: Any, **kwargs: Any) -> HttpResponse:
        with keeping.claimed(asked) as ours:
            kept = keeping.find(asked, at=at)
            if kept is not None:
                return _again(kept)
            if not ours:
                raise keeping.InFlight("The first request with this idempotency key is still being carried out.")
            try:
                with effects.kept_open():
                    response = handler(*args, **kwargs)
                    if not 200 <= response.status_code < 300:
                        raise _NotKept(response)
                    keeping.keep(asked, _taken_down(response), at=at)
            except _NotKept as refused:
                return refused.response
            except keeping.AlreadyKept:
                kept = keeping.find(asked, at=at)
                assert kept is not None, "a row that is in the way is there"
                return _again(kept)
            return response

    return once


def retry_after(refusal: Exception) -> Mapping[str, str]:
    """The header that says when to ask again, of a refusal that passes."""
    return {"Retry-After": RETRY_AFTER_S} if isinstance(refusal, keeping.InFlight) else {}


def _taken_down(response: HttpResponse) -> keeping.Answer:
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return keeping.Answer(response.status_code, headers, response.content)


def _again(kept: keeping.Answer) -> HttpResponse:
    response = HttpResponse(kept.body, status=kept.status, headers={**kept.headers, REPLAYED: "true"})
    if "Content-Type" not in kept.headers:
        del response.headers["Content-Type"]
    return response
