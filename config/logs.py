"""What is written to the log: lines for people or objects for programs, each with the request it was written for."""

import logging
import re
from datetime import UTC, datetime

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from stores import tracing

SHOWN_OF_ID = 8
SECRETS = re.compile(r"(/pub/(?:d/)?).+|(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}", re.IGNORECASE)
"""What may open something: all that follows the place of tracking pages, and whatever is as long as our tokens are."""


def masked(path: str) -> str:
    """A path without what whoever reads the log could misuse, also where somebody mistyped it."""
    return SECRETS.sub(lambda found: f"{found[1] or ''}…", path)


class WithoutTracebackOfRefusals(logging.Filter):
    """Keep the line and drop the traceback of requests that may not do what they ask, or come under another name."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if record.exc_info and isinstance(record.exc_info[1], PermissionDenied | SuspiciousOperation):
            record.exc_info = record.exc_text = None
        return True


class WithRequestId(logging.Filter):
    """Tell each record which request or job it was written for."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass. Django speaks of the answers that are no success after all is done, but says of which request."""
        record.request_id = tracing.current() or getattr(getattr(record, "request", None), "request_id", "")
        return True


class WithoutSecrets(WithRequestId):
    """The same, and keep out of the line what the paths in it give away: Django names those it refuses as they came."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if isinstance(record.args, tuple):
            record.args = tuple(masked(each) if isinstance(each, str) and each.startswith("/") else each for each in record.args)
        return super().filter(record)


class Line(logging.Formatter):
    """A line for people, with the beginning of the request's id where there is one."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- the name that logging calls
        """The line, without a traceback."""
        request_id: str = getattr(record, "request_id", "")
        return super().formatMessage(record) + (f" [{request_id[:SHOWN_OF_ID]}]" if request_id else "")


class Json(JsonFormatter):
    """A JSON object on one line: time, level, logger, message, request_id, exception, and whatever else was said."""

    def __init__(self) -> None:
        """Name the parts."""
        super().__init__(
            fmt=["asctime", "levelname", "name", "message", "request_id"],
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger", "exc_info": "exception", "stack_info": "stack"},
            # Django adds the request itself, which shows its query.
            reserved_attrs=[*RESERVED_ATTRS, "request"],
        )

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 -- the name that logging calls
        """The moment in UTC, to the millisecond."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
