"""What every call of this dialect has in common: who asks, in which form, with which headers, and how it says no."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deliveries.api import conditional, once
from deliveries.api.coopcycle import errors, media
from deliveries.api.coopcycle.auth import NOT_FOUND, Bearer, Caller
from stores.actors import Actor
from stores.refusals import NotAllowed, NotFound, Refused

logger = logging.getLogger(__name__)

RETRY_AFTER_S = "5"
"""Long enough for a database to come back, or for whoever held a lock to let go."""

Right = Callable[[Actor], bool]
Form = TypeVar("Form")

EXPOSED = "Link, Location, ETag, Idempotency-Replayed, Retry-After"
UNDERSTOOD = "Content-Type, Authorization, Idempotency-Key, If-Match, If-None-Match"
METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
DOCS_RELATION = 'rel="http://www.w3.org/ns/hydra/core#apiDocumentation"'


class Endpoint(APIView):
    """Authorise, parse, call the core once, render.

    `right` tells by the actor alone whether a method is open to it; what depends on the row is left to `visible_to`.
    `for_people` makes a missing token be named as people's clients expect. Handlers find the actor in `self.by` and
    the time of the request in `self.at`.
    """

    authentication_classes: Sequence[type[BaseAuthentication]] = (Bearer,)
    permission_classes = ()
    renderer_classes = (media.JsonLdRenderer, media.PlainRenderer)
    parser_classes = (media.JsonLdParser, media.PlainParser)
    right: ClassVar[Right | None] = None
    for_people: ClassVar[bool] = False

    plain = False
    caller: Caller
    by: Actor
    at: datetime

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Browsers ask with OPTIONS and without a token whether they may call."""
        if request.method == "OPTIONS":
            return preflight(request, self.allowed_methods)
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Settle the form of the answer, then the time, then who asks and whether they may."""
        self.at = timezone.now()
        self.plain = media.wants_plain(request.META.get("HTTP_ACCEPT") or "*/*")
        if not self.authentication_classes:
            return
        caller = request.user
        if not isinstance(caller, Caller):
            raise exceptions.NotAuthenticated
        self.caller, self.by = caller, caller.actor
        if self.right is not None and not type(self).right(self.by):  # type: ignore[misc]  # a function kept on the class
            raise NotAllowed("Access Denied.")
        self.guard(request._request, kwargs)

    def guard(self, request: HttpRequest, path: dict[str, Any]) -> None:
        """See to it that the call is made once under its key, and only on what its maker has seen, where it asks for that."""
        name = (request.method or "").lower()
        handler = getattr(self, name, None)
        if handler is not None and conditional.changes_one(handler, name.upper()) and conditional.IF_MATCH in request.META:
            handler = conditional.guarded(handler, request.META[conditional.IF_MATCH], lambda: self.tags(**path))
            setattr(self, name, handler)
        if handler is not None and request.method in once.METHODS and once.HEADER in request.META:
            setattr(self, name, once.guarded(handler, request, request.body, by=self.by, at=self.at))

    def current(self, **path: Any) -> dict[str, Any] | None:
        """What a call here changes, as a read prints it; None for what has no tag."""
        return None

    def tags(self, **path: Any) -> list[str]:
        """The tags of what is there now, one for each form of an answer."""
        payload = self.current(**path)
        return [] if payload is None else [conditional.tag(media.write(form)) for form in (payload, media.stripped(payload))]

    def read(self, form: Callable[[Any], Form]) -> Form:
        """The body, which must be JSON, through one of `inputs`."""
        request = self.request._request
        if request.body:
            media.check_readable(request.META.get("CONTENT_TYPE", ""))
        return form(media.read(request.body))

    def answer(self, payload: dict[str, Any], *, status: int = 200, iri: str = "") -> HttpResponse:
        """A payload in the form asked for; `iri` is where it can be found when that is not here."""
        body = media.write(media.stripped(payload) if self.plain else payload)
        response = HttpResponse(body, status=status, content_type=_CONTENT_TYPES[self.plain])
        if iri:
            response.headers["Location"] = iri
        if status < 300:
            response.headers["Content-Location"] = iri or self.request._request.path
        return response

    def resource(self, payload: dict[str, Any], *, status: int = 200, iri: str = "") -> HttpResponse:
        """The same for what one thing is now, with its tag."""
        return conditional.tagged(self.answer(payload, status=status, iri=iri))

    def answer_plainly(self, payload: Any) -> HttpResponse:
        """What was never linked data, as plain JSON."""
        return HttpResponse(media.write(payload), content_type=media.JSON)

    def nothing(self) -> HttpResponse:
        """204."""
        response = HttpResponse(status=204)
        del response.headers["Content-Type"]
        return response

    def seen(self, rows: Any, pk: int) -> Any:
        """The row when the actor may see it; otherwise tells what is another's (403) from what is not there (404)."""
        row = rows.visible_to(self.by).filter(pk=pk).first()
        if row is None:
            raise self.missing(rows.model, pk)
        return row

    def missing(self, model: Any, pk: int) -> Refused:
        """What to say of a row that the actor was not shown."""
        return NotAllowed("Access Denied.") if model.objects.filter(pk=pk).exists() else NotFound("Not Found")

    def handle_exception(self, exc: Exception) -> Response:
        """Say no in this dialect; what nobody foresaw goes on up."""
        status, payload, headers = self._explain(exc)
        response = self.answer(payload, status=status)
        for name, value in headers.items():
            response.headers[name] = value
        return response  # type: ignore[return-value]  # any HttpResponseBase will do

    def _explain(self, exc: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
        headers: dict[str, str] = {}
        match exc:
            case Refused():
                return *errors.refused(exc, plain=self.plain), {**once.retry_after(exc)}
            case exceptions.AuthenticationFailed():
                return 401, {"code": 401, "message": str(exc.detail)}, {"WWW-Authenticate": "Bearer"}
            case exceptions.NotAuthenticated():
                return 401, self._who_are_you(), {"WWW-Authenticate": "Bearer"}
            case exceptions.MethodNotAllowed():
                allowed = ", ".join(self.allowed_methods)
                sentence = f"Method {self.request.method} is not allowed here. Allowed: {allowed}."
                return 405, errors.error(sentence, plain=self.plain), {"Allow": allowed}
            case exceptions.NotAcceptable():
                sentence = f'Requested format is not supported. Supported MIME types are "{media.LD}", "{media.JSON}".'
                return 406, errors.error(sentence, plain=False), headers
            case exceptions.APIException():
                return exc.status_code, errors.error(str(exc.detail), plain=self.plain), headers
            case media.Unreadable():
                return 400, errors.error(str(exc), plain=self.plain), headers
            case RequestDataTooBig():
                return 413, errors.error("The body is too large.", plain=self.plain), headers
            case OperationalError() | InterfaceError():
                logger.warning("the database did not answer %s: %s", self.request.path, exc)
                return (
                    503,
                    errors.error("The database does not answer. Please try again.", plain=self.plain),
                    {"Retry-After": RETRY_AFTER_S},
                )
            case Http404():
                return 404, errors.error("Not Found", plain=self.plain), headers
        raise exc

    def _who_are_you(self) -> dict[str, Any]:
        if self.for_people:
            return {"code": 401, "message": NOT_FOUND}
        return errors.error("Full authentication is required to access this resource.", plain=self.plain)

    def finalize_response(self, request: Any, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Any:
        """Print what a handler returned as data, and add the headers of every answer."""
        if isinstance(response, Response):
            response = self.answer(response.data, status=response.status_code)
        return with_headers(request, conditional.settled(request, response))


def with_headers(request: Any, response: HttpResponseBase) -> HttpResponseBase:
    """The headers of every answer."""
    headers = response.headers
    headers["Vary"] = "Accept"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "deny"
    documented = f"<{request.scheme}://{request.get_host()}/api/docs.jsonld>; {DOCS_RELATION}"
    headers["Link"] = f"{headers['Link']}, {documented}" if "Link" in headers else documented
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = EXPOSED
    return response


def preflight(request: HttpRequest, allowed: Sequence[str]) -> HttpResponseBase:
    """What a browser is told that asks whether it may call."""
    response = HttpResponse(status=204)
    response.headers["Access-Control-Allow-Methods"] = METHODS
    response.headers["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", UNDERSTOOD)
    response.headers["Access-Control-Max-Age"] = "3600"
    response.headers["Allow"] = ", ".join(allowed)
    del response.headers["Content-Type"]
    return with_headers(request, response)


class OpenEndpoint(Endpoint):
    """An endpoint that asks nobody who they are."""

    authentication_classes = ()


class Nowhere(OpenEndpoint):
    """Every path under /api that is none."""

    schema = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """404 in this dialect, whatever the method."""
        if request.method == "OPTIONS":
            return preflight(request, self.allowed_methods)
        self.request = self.initialize_request(request, *args, **kwargs)
        self.plain = "json" in request.headers.get("Accept", "") and "ld+json" not in request.headers.get("Accept", "")
        refusal = self.answer(errors.error(f'No route found for "{request.method} {request.path}"', plain=self.plain), status=404)
        answered: HttpResponseBase = self.finalize_response(request, refusal)
        return answered


_CONTENT_TYPES = {False: f"{media.LD}; charset=utf-8", True: f"{media.JSON}; charset=utf-8"}
