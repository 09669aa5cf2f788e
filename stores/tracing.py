"""Which request is under way: an id that the log, the events and the jobs of one request share."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LONGEST = 64
ACCEPTED = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST}}}", re.ASCII)

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The id of the request, or of the job, that this thread or task works on; empty when it works on none."""
    return _current.get()


def new() -> str:
    """An id that no other request has."""
    return uuid.uuid4().hex


def accepted(text: str) -> str:
    """What is used of the id that a client sent: 1 to 64 letters, digits, dots, dashes and underscores, or else a new one."""
    return text if ACCEPTED.fullmatch(text) else new()


def follow(request_id: str) -> None:
    """Work on that request from here on: for a thread or task that does nothing else until its end."""
    _current.set(request_id)


@contextmanager
def under(request_id: str) -> Iterator[None]:
    """Work on that request as long as the block lasts."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)
