"""The question of load balancers is answered in time, whatever has become of the database."""

import socket
import time
from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import Client


@pytest.fixture
def silent_server() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.django_db
def test_it_is_well(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("mute", [True, False])
def test_a_database_that_is_gone_is_told_soon(client: Client, silent_server: int, monkeypatch: pytest.MonkeyPatch, mute: bool) -> None:
    there = {"HOST": "127.0.0.1", "PORT": str(silent_server if mute else 1)}
    default = connections["default"]
    monkeypatch.setattr(default, "settings_dict", default.settings_dict | there)
    began = time.monotonic()
    answer = client.get("/healthz")
    assert time.monotonic() - began < 3
    assert (answer.status_code, answer.json()) == (503, {"status": "database unreachable"})
    assert int(answer["Retry-After"]) > 0
