"""What every call of this dialect does alike: tell who calls, read JSON, answer JSON, put refusals into words."""

import logging
from datetime import datetime
from typing import Any, TypeVar

import orjson
from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from deliveries.api import conditional, once
from deliveries.api.hubrise import errors
from deliveries.api.hubrise.auth import Caller, authenticate
from stores.models import Store
from stores.refusals import Refused

S = TypeVar("S", bound="Serializer[Any]")

SAFE = frozenset(["GET", "HEAD"])
ONCE = once.METHODS | {"PUT"}
"""A PUT of this dialect is a PATCH by another name, and may append."""
EXPOSED = "X-Cursor-Next, Retry-After, ETag, Idempotency-Replayed, Location"
UNDERSTOOD = "Content-Type, X-Access-Token, X-Http-Method-Override, Idempotency-Key, If-Match, If-None-Match"
OVERRIDES = frozenset(["PUT", "PATCH"])
ESCAPED_NUL = b"\\u0000"
RETRY_AFTER_S = "5"
"""Long enough for a database to come back, or for whoever held a lock to let go."""

logger = logging.getLogger(__name__)


class Answer(HttpResponse):
    """JSON that any page of any site may read."""

    def __init__(self, payload: Any, *, status: int = 200) -> None:
        super().__init__(orjson.dumps(payload), content_type="application/json", status=status)
        open_to_pages(self)


class Resource(Answer):
    """What one thing is now, with its tag."""

    def __init__(self, payload: Any) -> None:
        super().__init__(payload)
        conditional.tagged(self)


def open_to_pages(response: HttpResponseBase) -> None:
    """Let any page of any site read an answer with its headers."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = EXPOSED


class Endpoint(APIView):
    """A call under a path of this dialect. `caller` holds whoever makes it, `at` the moment at which it came in."""

    authentication_classes = ()  # `initial` does it: there is one way in, and no browser session
    permission_classes = ()
    needs_scope = True

    caller: Caller
    at: datetime

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let a POST stand for another method, for clients that can send nothing else."""
        override = _override(request)
        if request.method == "POST" and override in OVERRIDES:
            request.method = override
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who calls, whether the method exists, and whether they may call it."""
        method = request.method or ""
        if method == "OPTIONS":
            return
        if not hasattr(self, method.lower()):
            raise exceptions.MethodNotAllowed(method)
        if method == "POST" and _override(request._request) not in {"", "POST"}:
            raise exceptions.MethodNotAllowed(_override(request._request))
        self.at = timezone.now()
        self.caller = authenticate(request.META.get("HTTP_X_ACCESS_TOKEN", ""))
        request._request.user = self.caller  # type: ignore[assignment]  # for the log, which says who asked
        self.check_level(kwargs)
        if self.needs_scope:
            self.caller.check_scope(writing=method not in SAFE)
        self.guard(request._request, kwargs)

    def guard(self, request: HttpRequest, path: dict[str, Any]) -> None:
        """See to it that the call is made once under its key, and only on what its maker has seen, where it asks for that."""
        name = (request.method or "").lower()
        handler = getattr(self, name)
        if conditional.changes_one(handler, name.upper()) and conditional.IF_MATCH in request.META:
            handler = conditional.guarded(handler, request.META[conditional.IF_MATCH], lambda: self.tags(**path))
            setattr(self, name, handler)
        if request.method in ONCE and once.HEADER in request.META:
            setattr(self, name, once.guarded(handler, request, raw_body(request), by=self.caller.actor, at=self.at))

    def current(self, **path: Any) -> Any:
        """What a call here changes, as a read prints it; None for what has no tag."""
        return None

    def tags(self, **path: Any) -> list[str]:
        """The tag of what is there now."""
        payload = self.current(**path)
        return [] if payload is None else [conditional.tag(orjson.dumps(payload))]

    def check_level(self, path: dict[str, Any]) -> None:
        """A path without a location is short for the token's own."""
        if "location_id" not in path:
            self.caller.check_location_level()

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Answer:  # type: ignore[override]  # printed at once, without negotiation
        """Tell browsers that any page may call."""
        answer = Answer({})
        answer.headers["Allow"] = ", ".join(self.allowed_methods)
        answer.headers["Access-Control-Allow-Methods"] = answer.headers["Allow"]
        answer.headers["Access-Control-Allow-Headers"] = UNDERSTOOD
        return answer

    def read(self, form: type[S], request: Request, store: Store) -> S:
        """The body, read by `form` in the store's currency and time zone; raises when it does not fit."""
        filled = form(data=json_object(request), context={"currency": store.account.currency, "tz": store.tz})
        filled.is_valid(raise_exception=True)
        return filled

    def handle_exception(self, exc: Exception) -> Answer:  # type: ignore[override]  # as above
        """Put what went wrong into this dialect's words; what nobody foresaw is logged, and told to nobody."""
        if isinstance(exc, Refused):
            status, body = errors.explain(exc)
        elif isinstance(exc, exceptions.APIException):
            status, body = errors.explain_request(exc)
        elif isinstance(exc, OperationalError | InterfaceError):
            logger.warning("the database did not answer %s: %s", self.request.path, exc)
            status, body = 503, {"message": "The database does not answer, please try again", "error_type": "service_unavailable"}
        else:
            got_request_exception.send(sender=type(self), request=self.request._request)
            logger.error("%s %s failed", self.request.method, self.request.path, exc_info=exc)
            status, body = 500, {"message": "Something went wrong on our side", "error_type": "internal_error"}
        answer = Answer(body, status=status)
        if isinstance(exc, exceptions.MethodNotAllowed):
            answer.headers["Allow"] = ", ".join(self.allowed_methods)
        if status == 503:
            answer.headers["Retry-After"] = RETRY_AFTER_S
        for name, value in once.retry_after(exc).items():
            answer.headers[name] = value
        return answer

    def finalize_response(self, request: Any, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Any:
        """Send nothing twice that the caller has already; pages may read what was kept, too."""
        final = conditional.settled(request, response)
        if not isinstance(final, Answer):
            open_to_pages(final)
        return super().finalize_response(request, final, *args, **kwargs)  # type: ignore[arg-type]  # any HttpResponseBase will do


class AccountEndpoint(Endpoint):
    """A call about an account, for tokens that are bound to one."""

    def check_level(self, path: dict[str, Any]) -> None:
        """No path of an account is for a location's token."""
        self.caller.check_account_level()


class NoRoute(Endpoint):
    """Whatever else stands under this dialect's prefixes."""

    schema = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """There is nothing here, whoever asks and however."""
        return Answer({"error_type": "routing_error"}, status=404)


def _override(request: HttpRequest) -> str:
    return request.headers.get("X-Http-Method-Override", "").strip().upper()


def raw_body(request: HttpRequest) -> bytes:
    """The bytes of the body; raises `TooLarge`."""
    try:
        return request.body
    except RequestDataTooBig as error:
        raise errors.TooLarge from error


def json_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body; nothing at all counts as an empty one. Raises for any other body."""
    raw = raw_body(request._request)
    if not raw.strip():
        return {}
    media_type = request._request.content_type
    if media_type and media_type != "application/json":
        raise exceptions.UnsupportedMediaType(media_type)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise exceptions.ParseError(f"The body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise errors.Unprocessable("The body must be a JSON object")
    if ESCAPED_NUL in raw:
        _refuse_nul(body)
    return body


def _refuse_nul(body: dict[str, Any]) -> None:
    """PostgreSQL keeps no NUL, neither in a text nor in JSON."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), body)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            pending += [((*path, key), inner) for key, inner in value.items()]
            pending += [((*path, key.replace("\0", "")), key) for key in value if "\0" in key]
        elif isinstance(value, list):
            pending += [((*path, number), inner) for number, inner in enumerate(value)]
        elif isinstance(value, str) and "\0" in value:
            raise errors.BadField("must not contain a NUL character", path=path)
