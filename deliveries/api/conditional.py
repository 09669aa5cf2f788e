"""`ETag`: what has not changed is not sent again, and what has changed meanwhile is not overwritten.

A tag is a digest of the very bytes of the body, so that it tells two forms of one resource apart. `If-Match` is judged
twice: before the call does anything, and again when the verb it calls has locked its rows. Of two changes that were made
for the same state, one is carried out. A POST to one thing, such as the acceptance of a quote, is a change of that thing; one
to a collection makes a new thing, of which nobody can have seen anything, so that `If-Match` says nothing there.
"""

import hashlib
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter

from stores import effects
from stores.refusals import Refused

IF_MATCH, IF_NONE_MATCH = "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"
CHANGES = frozenset(["PUT", "PATCH", "DELETE"])
"""Methods that always change one thing. A handler of a POST that does says so: see `to_one`."""
READS = frozenset(["GET", "HEAD"])

IF_MATCH_PARAMETER = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="Change it only if this is its `ETag`, as the same caller reads it; `*` is any."
)
IF_NONE_MATCH_PARAMETER = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="Answer with a bare 304 if this is its `ETag`."
)
UNCHANGED = "It is what `If-None-Match` names"
REFUSALS = {412: "It is not what `If-Match` names any more: read it again"}

Handler = Callable[..., HttpResponse]
H = TypeVar("H", bound=Callable[..., Any])


class Outdated(Refused):
    """What was to be changed is not what the caller has seen."""

    code = "outdated"


def tag(body: bytes) -> str:
    """The strong tag of a body."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def tagged(response: HttpResponse) -> HttpResponse:
    """The same response, with the tag of its body."""
    response.headers["ETag"] = tag(response.content)
    return response


def to_one(handler: H) -> H:
    """Mark the handler of a POST that is about one thing, which its endpoint's `current` knows."""
    handler.to_one = True  # type: ignore[attr-defined]  # read below
    return handler


def changes_one(handler: Callable[..., Any], method: str) -> bool:
    """Whether a handler changes one thing, so that `If-Match` has something to name."""
    return method in CHANGES or getattr(handler, "to_one", False)


def guarded(handler: Handler, wanted: str, current: Callable[[], Collection[str]]) -> Handler:
    """A handler that only acts on what `If-Match` says: `current` gives the tags of what is there, in each of its forms.

    What `current` raises, of what is not there or not shown, stops the call. Raises `Outdated`.
    """
    tags = parse_etags(wanted)

    def check() -> None:
        found = current()
        if "*" not in tags and not set(tags).intersection(found):
            raise Outdated("It has changed since, or was never what If-Match names.")

    def checked(*args: Any, **kwargs: Any) -> HttpResponse:
        check()
        with effects.on_lock(check):
            return handler(*args, **kwargs)

    return checked


def settled(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response to a read; a bare 304 when its caller has it already."""
    wanted = request.META.get(IF_NONE_MATCH)
    if wanted is None or request.method not in READS or "ETag" not in response.headers:
        return response
    found, tags = response.headers["ETag"], parse_etags(wanted)
    if "*" not in tags and found not in {each.removeprefix("W/") for each in tags}:
        return response
    return HttpResponseNotModified(
        headers={name: response.headers[name] for name in ("ETag", "Content-Location") if name in response.headers}
    )
