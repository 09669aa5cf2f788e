"""The log shows where the program failed, only says whom it refused, and names the request of every line."""

import json
import logging
import sys
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.test import RequestFactory

from config.logs import Json, Line, WithoutTracebackOfRefusals, WithRequestId
from stores import tracing


def record(message: str = "said %s", error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    """What logging would hand to a handler, seen by the filter that knows the request."""
    told = (type(error), error, error.__traceback__) if error else None
    made = logging.getLogger("deliveries.jobs").makeRecord("deliveries.jobs", logging.INFO, "", 1, message, ("so",), told, extra=extra)
    assert WithRequestId().filter(made)
    return made


@pytest.mark.parametrize(
    ("error", "shown"), [(PermissionDenied("no"), False), (DisallowedHost("evil.example"), False), (RuntimeError("broken"), True)]
)
def test_only_faults_have_a_traceback(error: Exception, shown: bool) -> None:
    failed = record(error=error)
    assert WithoutTracebackOfRefusals().filter(failed)
    assert (type(error).__name__ in logging.Formatter().format(failed)) == shown


def test_a_line_shows_the_beginning_of_the_id() -> None:
    line = Line("{levelname} {name}: {message}", style="{")
    assert line.format(record()) == "INFO deliveries.jobs: said so"
    with tracing.under("0123456789"):
        assert line.format(record()) == "INFO deliveries.jobs: said so [01234567]"


def test_json_is_one_object_on_one_line() -> None:
    with tracing.under("0123456789"):
        written = Json().format(record("said\n%s", status=204, request=RequestFactory().get("/?token=secret")))
    assert "\n" not in written
    told = json.loads(written)
    assert datetime.fromisoformat(told.pop("time")).utcoffset() is not None
    assert told == {"level": "INFO", "logger": "deliveries.jobs", "message": "said\nso", "request_id": "0123456789", "status": 204}


def test_json_holds_what_went_wrong() -> None:
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        told = json.loads(Json().format(record(error=sys.exc_info()[1])))
    assert told["exception"].startswith("Traceback")
    assert told["exception"].endswith("RuntimeError: broken")


@pytest.mark.parametrize("what", ["\ud800", 2**80, object(), {1: datetime.max.time()}])
def test_json_takes_whatever_is_said(what: object) -> None:
    assert json.loads(Json().format(record(what=what)))["message"] == "said so"


def test_the_console_uses_them() -> None:
    handlers: Any = settings.LOGGING["handlers"]
    assert handlers["console"]["filters"] == ["refusals", "request_id"]
