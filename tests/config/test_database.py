"""Where the rows live: every way of writing a database URL, and a server of our own that survives a crash."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from config.database import DatabaseURLError, EmbeddedPostgres, parse_url
from config.embedded import LONGEST_SOCKET_PATH, socket_directory

USE_SERVER = """
import sys, time
from pathlib import Path
from config.database import EmbeddedPostgres
print(EmbeddedPostgres(Path(sys.argv[1])).start(), flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://db/relais", {"HOST": "db", "PORT": "", "NAME": "relais", "USER": "", "PASSWORD": "", "OPTIONS": {}}),
        ("postgresql://ana:secret@db:5433/relais", {"HOST": "db", "PORT": "5433", "USER": "ana", "PASSWORD": "secret"}),
        ("postgres://a%40b:p%2Fw%3A%40d@db/re%20lais", {"USER": "a@b", "PASSWORD": "p/w:@d", "NAME": "re lais", "HOST": "db"}),
        ("postgres://[::1]:5432/relais", {"HOST": "::1", "PORT": "5432"}),
        ("postgres:///relais", {"HOST": "", "PORT": ""}),
        ("postgres://postgres@/relais?host=/run/Pg&port=6543", {"HOST": "/run/Pg", "PORT": "6543", "USER": "postgres", "OPTIONS": {}}),
        ("postgres://ana@%2Fvar%2FRun%2Fpg/relais", {"HOST": "/var/Run/pg", "USER": "ana", "NAME": "relais"}),
        ("postgres://ana:pw@%2Fvar%2FRun:6543/relais", {"HOST": "/var/Run", "PORT": "6543", "PASSWORD": "pw"}),
        ("postgres://db/relais?sslmode=require&connect_timeout=3", {"OPTIONS": {"sslmode": "require", "connect_timeout": "3"}}),
        ("postgres://db/relais?options=-c%20jit%3Doff", {"OPTIONS": {"options": "-c jit=off"}}),
    ],
)
def test_urls_that_are_understood(url: str, expected: dict[str, Any]) -> None:
    entry = parse_url(url)
    assert {key: entry[key] for key in expected} == expected
    assert entry["ENGINE"] == "django.db.backends.postgresql"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://db/relais", "mysql"),
        ("relais", "postgres://"),
        ("postgres://db", "name"),
        ("postgres://db/", "name"),
        ("postgres://db/a/b", "name"),
        ("postgres://db:port/relais", "port"),
        ("postgres://db:99999/relais", "port"),
        ("postgres://ana:pa[ss@db/relais", "percent-encode"),
    ],
)
def test_urls_that_are_refused_say_why_without_the_password(url: str, reason: str) -> None:
    with pytest.raises(DatabaseURLError, match=reason) as refusal:
        parse_url(url)
    assert "pa[ss" not in str(refusal.value)


def test_socket_stays_with_its_server_unless_the_path_is_too_long(tmp_path: Path) -> None:
    near = Path("/srv/relais/postgres")
    far = tmp_path.joinpath(*["very-long-folder-name"] * 6)
    assert socket_directory(near, None) == near
    short = socket_directory(far, None)
    try:
        assert short != far
        assert len(os.fsencode(short / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH
        assert short.stat().st_mode & 0o077 == 0
    finally:
        short.rmdir()


def use_server(directory: Path, seconds: float) -> subprocess.Popen[str]:
    """Another process that starts or joins the server, says its URL, and stays for a while."""
    return subprocess.Popen(
        [sys.executable, "-c", USE_SERVER, str(directory), str(seconds)], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
    )


def postmaster(directory: Path) -> int:
    return int((directory / "postmaster.pid").read_text().splitlines()[0])


@pytest.mark.slow
def test_the_last_process_to_leave_stops_the_server(tmp_path: Path) -> None:
    directory = tmp_path / "data dir" / "postgres"
    first = use_server(directory, 60)
    assert first.stdout is not None
    url = first.stdout.readline().strip()
    pid = postmaster(directory)
    server = EmbeddedPostgres(directory)
    assert server.start() == url, "a second process joins the server that runs"
    assert postmaster(directory) == pid

    first.terminate()
    first.communicate(timeout=30)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (id int)")

    server.leave()
    assert not (directory / "postmaster.pid").exists()
    server.leave()


@pytest.mark.slow
def test_rows_survive_when_everything_is_killed(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    user = use_server(directory, 60)
    assert user.stdout is not None
    url = user.stdout.readline().strip()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    user.kill()
    os.kill(postmaster(directory), signal.SIGKILL)
    user.communicate(timeout=30)
    # Its number belongs to somebody else by now, as after a container's restart.
    time.sleep(0.5)
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        lock = directory / name
        if lock.exists():
            lines = lock.read_text().splitlines(keepends=True)
            lock.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))

    server = EmbeddedPostgres(directory)
    try:
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        server.leave()
