"""The log shows where the program failed, and only says whom it refused."""

import logging
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied

from config.logs import WithoutTracebackOfRefusals


@pytest.mark.parametrize(
    ("error", "shown"), [(PermissionDenied("no"), False), (DisallowedHost("evil.example"), False), (RuntimeError("broken"), True)]
)
def test_only_faults_have_a_traceback(error: Exception, shown: bool) -> None:
    record = logging.LogRecord("django.request", logging.ERROR, __file__, 1, "said", None, (type(error), error, None))
    assert WithoutTracebackOfRefusals().filter(record)
    assert (type(error).__name__ in logging.Formatter().format(record)) == shown


def test_the_console_uses_it() -> None:
    handlers: Any = settings.LOGGING["handlers"]
    assert handlers["console"]["filters"] == ["refusals"]
