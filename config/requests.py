"""Every request has an id, which its answer, its log lines and whatever it causes bear; and a line in the log."""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.encoding import escape_uri_path
from django.utils.functional import SimpleLazyObject

from config.logs import masked
from stores import tracing

logger = logging.getLogger("relais.requests")

HEADER = "X-Request-ID"
NOT_LOGGED = ("/healthz", "/readyz", "/static/")
"""Paths that are asked for all the time and say nothing."""

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestMiddleware:
    """Stands before everything else, so that refusals, redirects and static files have an id too."""

    def __init__(self, get_response: GetResponse) -> None:
        """Remember the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer under the id that the client sent, or a new one, and say so."""
        request_id = tracing.accepted(request.headers.get(HEADER, ""))
        request.request_id = request_id  # type: ignore[attr-defined]  # for log lines that are written after we are done
        began = time.perf_counter()
        with tracing.under(request_id):
            response = self.get_response(request)
            response.headers[HEADER] = request_id
            if not request.path.startswith(NOT_LOGGED):
                _log(request, response, took_ms=round((time.perf_counter() - began) * 1000))
        return response


def _log(request: HttpRequest, response: HttpResponseBase, *, took_ms: int) -> None:
    # Queries hold what people look for, and sometimes tokens; an escaped path cannot begin a line of its own.
    path = masked(escape_uri_path(request.path))
    caller = _caller(request)
    logger.info(
        "%s %s %d %d ms%s",
        request.method,
        path,
        response.status_code,
        took_ms,
        f" {caller}" if caller else "",
        extra={"method": request.method, "path": path, "status": response.status_code, "took_ms": took_ms, "caller": caller},
    )


def _caller(request: HttpRequest) -> str:
    """Who asked, as far as somebody wanted to know: it is not worth a query."""
    user = getattr(request, "user", None)
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    if actor := getattr(user, "actor", None):
        return str(actor.name)
    return user.get_username() if user is not None and user.is_authenticated else ""
