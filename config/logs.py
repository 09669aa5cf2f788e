"""What is written to the log: a request that was refused is no fault of the program, so it gets a line and no traceback."""

import logging

from django.core.exceptions import PermissionDenied, SuspiciousOperation


class WithoutTracebackOfRefusals(logging.Filter):
    """Keep the line and drop the traceback of requests that may not do what they ask, or come under another name."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if record.exc_info and isinstance(record.exc_info[1], PermissionDenied | SuspiciousOperation):
            record.exc_info = record.exc_text = None
        return True
