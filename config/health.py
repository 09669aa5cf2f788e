"""What load balancers and operators ask: does this process reach its database, and is there anything that keeps it from its work?"""

from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deliveries import backlog

LONGEST_CONNECT_S = 2
LONGEST_STATEMENT_MS = 400
RETRY_AFTER_S = 5
# A queue whose oldest job waits longer than this has too few workers, or none.
LONGEST_LAG_S = 60

Facts = dict[str, Any]
T = TypeVar("T")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, 503 within three seconds when it does not; whatever else is told changes nothing."""
    facts = _facts()
    if facts is None:
        return _unavailable({"status": "database unreachable", "database": "unreachable"})
    return JsonResponse({"status": "ok", **facts})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when requests can be served: the database answers and has the tables of this version; else 503.

    The status is `degraded`, and still 200, when jobs wait for long or no worker is alive: that is no fault of a web process,
    and taking it away from a load balancer would not help.
    """
    facts = _facts()
    if facts is None:
        return _unavailable({"status": "not ready", "database": "unreachable"})
    if facts["migrations"] != "applied":
        return _unavailable({"status": "not ready", **facts})
    queue = facts["queue"]
    keeps_up = queue is not None and queue["lag_s"] <= LONGEST_LAG_S and facts["workers"] > 0
    return JsonResponse({"status": "ready" if keeps_up else "degraded", **facts})


def _unavailable(body: Facts) -> JsonResponse:
    return JsonResponse(body, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})


def _facts() -> Facts | None:
    """What is known of the database, the migrations and the queue; None when the database does not answer.

    Asks over a connection of its own: the ones that requests share may wait longer for a server that is gone.
    """
    options = connection.get_connection_params()
    limit = f"-c statement_timeout={LONGEST_STATEMENT_MS}"
    options |= {
        "connect_timeout": LONGEST_CONNECT_S,
        "tcp_user_timeout": LONGEST_CONNECT_S * 1000,
        "options": f"{options.get('options', '')} {limit}".strip(),
        "autocommit": True,
    }
    try:
        with psycopg.connect(**options) as asked:
            pending = _told(asked, _pending)
            queue = _told(asked, backlog.state)
    except psycopg.Error:
        return None
    counts = asdict(queue) if queue else None
    workers = counts.pop("workers") if counts else None
    migrations = "applied" if pending == [] else {"pending": pending or "unknown"}
    return {"database": "ok", "migrations": migrations, "queue": counts, "workers": workers}


def _told(asked: "psycopg.Connection[Any]", question: "Callable[[psycopg.Connection[Any]], T]") -> T | None:
    """The answer; None when the table is not there yet, or it would take too long to tell."""
    try:
        return question(asked)
    except (psycopg.errors.UndefinedTable, psycopg.errors.QueryCanceled):
        return None


def _pending(asked: "psycopg.Connection[Any]") -> list[str]:
    try:
        applied = set(asked.execute("SELECT app, name FROM django_migrations"))
    except psycopg.errors.UndefinedTable:
        applied = set()
    return sorted(f"{app}.{name}" for app, name in _known() - applied)


@cache
def _known() -> frozenset[tuple[str, str]]:
    """The migrations that came with this version."""
    return frozenset(MigrationLoader(None).disk_migrations)
