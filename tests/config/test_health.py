"""The questions of load balancers are answered in time, whatever has become of the database."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from django.test import Client

from config import health

WELL = {"lag_s": 0.0, "waiting": 0, "scheduled": 0, "doing": 0, "stalled": 0}


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def empty(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")  # no test rolls them back


def put(statement: str, *values: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.usefixtures("empty")
def test_it_is_well(client: Client) -> None:
    put("INSERT INTO procrastinate_workers DEFAULT VALUES")
    facts = {"database": "ok", "migrations": "applied", "queue": WELL, "workers": 1}
    healthz, readyz = client.get("/healthz"), client.get("/readyz")
    assert (healthz.status_code, healthz.json()) == (200, {"status": "ok", **facts})
    assert (readyz.status_code, readyz.json()) == (200, {"status": "ready", **facts})
    assert "no-store" in readyz.headers["Cache-Control"]
    assert client.post("/readyz").status_code == 405


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(
    ("waited", "alive", "status"), [(70, True, "degraded"), (30, True, "ready"), (30, False, "degraded"), (-70, True, "ready")]
)
def test_a_slow_queue_is_shown_but_does_not_take_the_site_away(client: Client, waited: int, alive: bool, status: str) -> None:
    put("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))", 1 if alive else 16)
    put("INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at) VALUES ('q', 't', now() - make_interval(secs => %s))", waited)
    answer = client.get("/readyz")
    told = answer.json()
    assert (answer.status_code, told["status"], told["workers"]) == (200, status, int(alive))
    assert told["queue"]["lag_s"] == pytest.approx(max(waited, 0), abs=5)
    assert (told["queue"]["waiting"], told["queue"]["scheduled"]) == ((1, 0) if waited > 0 else (0, 1))


@pytest.mark.django_db
def test_a_version_whose_tables_are_not_there_yet_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    known = health._known() | {("stores", "9999_later")}
    monkeypatch.setattr(health, "_known", lambda: known)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")
    assert answer.json()["migrations"] == {"pending": ["stores.9999_later"]}
    assert int(answer["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_an_empty_database_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = connection.get_connection_params() | {"dbname": "template1"}
    monkeypatch.setattr(connections["default"], "get_connection_params", lambda: dict(elsewhere))
    answer = client.get("/readyz")
    told = answer.json()
    assert (answer.status_code, told["status"], told["queue"]) == (503, "not ready", None)
    assert "stores.0001_initial" in told["migrations"]["pending"]
    assert client.get("/healthz").json()["status"] == "ok"


@pytest.mark.usefixtures("empty")
def test_a_table_that_is_locked_keeps_nobody_waiting(client: Client) -> None:
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("LOCK TABLE procrastinate_jobs")
        began = time.monotonic()
        answer = client.get("/healthz")
        assert time.monotonic() - began < 3
    assert (answer.status_code, answer.json()["status"], answer.json()["queue"]) == (200, "ok", None)


@pytest.mark.parametrize("mute", [True, False])
@pytest.mark.parametrize(("path", "status"), [("/healthz", "database unreachable"), ("/readyz", "not ready")])
def test_a_database_that_is_gone_is_told_soon(
    client: Client, silent_server: int, monkeypatch: pytest.MonkeyPatch, path: str, status: str, mute: bool
) -> None:
    there: dict[str, Any] = {"HOST": "127.0.0.1", "PORT": str(silent_server if mute else 1)}
    default = connections["default"]
    monkeypatch.setattr(default, "settings_dict", default.settings_dict | there)
    began = time.monotonic()
    answer = client.get(path)
    assert time.monotonic() - began < 3
    assert (answer.status_code, answer.json()) == (503, {"status": status, "database": "unreachable"})
    assert int(answer["Retry-After"]) > 0
