"""What people are told on a page that could not be made; programs are told by their dialect."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error

RETRY_AFTER_S = "5"


@requires_csrf_token
def failed(request: HttpRequest) -> HttpResponse:
    """Answer 503 with `Retry-After` when the database is away, and 500 when it is our fault."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return HttpResponse(loader.get_template("503.html").render(), status=503, headers={"Retry-After": RETRY_AFTER_S})
    return server_error(request)
