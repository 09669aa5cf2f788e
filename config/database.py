"""Where the rows live: the server that `DATABASE_URL` names, or a PostgreSQL of our own in the data directory."""

import atexit
import contextlib
import fcntl
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import psutil
import psycopg
from psycopg import sql

SCHEMES = ("postgres", "postgresql")
DATABASE_NAME = "relais"


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL could not be started or stopped; the message holds its own words."""


class DatabaseURLError(ValueError):
    """The database URL cannot be understood; the message says why and never repeats the password."""


def parse_url(url: str) -> dict[str, Any]:
    """Turn a `postgres://` URL into the entry of Django's `DATABASES`.

    The host may be a name, an address, an IPv6 address in brackets, a percent-encoded socket directory, or absent with
    `?host=/socket/dir`. Every other query option is handed to libpq (`sslmode`, `connect_timeout`, ...). User, password
    and name may be percent-encoded. Raises `DatabaseURLError` when the scheme, the port or the name is wrong.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        # urlsplit quotes the offending piece, which may be half a password that was not percent-encoded.
        raise DatabaseURLError("the host or the port cannot be read; percent-encode special characters in the password") from error
    if parts.scheme not in SCHEMES:
        raise DatabaseURLError(f"it must start with postgres:// or postgresql://, not {parts.scheme or 'nothing'}://")
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise DatabaseURLError("it must end with /name, the name of one database")
    options: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    if "%2f" in parts.netloc.lower():
        # urlsplit lower-cases host names, and socket directories are case-sensitive.
        host = unquote(parts.netloc.rpartition("@")[2].partition(":")[0])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or options.pop("port", "")),
        "OPTIONS": options,
    }


def _is_postgres(pid: str) -> bool:
    """Say whether this process exists, is not a mere zombie, and is a PostgreSQL."""
    try:
        process = psutil.Process(int(pid))
        return process.status() != psutil.STATUS_ZOMBIE and "postgres" in process.name()
    except (psutil.NoSuchProcess, ValueError):
        return False


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
                self._control("start")
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
                if self._postmaster():
                    self._control("stop")
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
        """Remove the lock files of a server that was killed.

        After a crash, or in a container that starts again, its number may belong to an unrelated process by now, which would
        be taken for the server. (PostgreSQL still refuses to start while a process of the old server holds its memory.)
        """
        lines = self._postmaster()
        if not lines or _is_postgres(lines[0]):
            return
        (self.directory / "postmaster.pid").unlink(missing_ok=True)
        if len(lines) > 4:
            Path(lines[4], f".s.PGSQL.{lines[3]}.lock").unlink(missing_ok=True)

    def _control(self, verb: str) -> None:
        """Start or stop the server from a process of its own; see `config.embedded`."""
        result = subprocess.run(  # noqa: S603 -- the words are ours
            [sys.executable, "-W", "ignore", "-m", "config.embedded", verb, str(self.directory)],
            cwd=Path(__file__).resolve().parent.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            # Ctrl-C in a terminal reaches the whole group; the server must outlive the process that asked for it.
            start_new_session=True,
        )
        if result.returncode != 0:
            raise EmbeddedPostgresError(f"The embedded PostgreSQL in {self.directory} did not {verb}:\n{result.stderr}")

    def _create_database(self) -> None:
        maintenance = self.url.replace(f"/{DATABASE_NAME}?", "/postgres?", 1)
        with psycopg.connect(maintenance, autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE_NAME)))


TIMEOUTS = {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"}
"""A hung statement must not hold a lock for ever."""

RECONNECT_S = 3.0
"""How long a pool goes on trying to make a connection.

Its attempts come at doubling intervals: given up early, whoever asks next makes it begin anew, instead of all waiting for
minutes after the database is back.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What one kind of process wants of the database.

    `pool_size` connections are shared by its threads (0: each has its own), and whoever finds none free waits `wait_s`.
    `statement_timeout` is how long a statement may take, if there is a limit.
    """

    pool_size: int
    wait_s: float = 0.0
    statement_timeout: str = ""


KINDS = {
    # There are more connections than threads, so whoever waits does so because the database is away, and is told so soon.
    "web": Kind(pool_size=8, wait_s=3.0, statement_timeout="30s"),
    # There are more threads than connections, and a job can wait for its turn. What it asks for may take its time.
    "worker": Kind(pool_size=12, wait_s=20.0),
    # Migrations, imports and the like.
    "command": Kind(pool_size=0, wait_s=3.0),
}
"""By `RELAIS_PROCESS`, which says where a process began."""


def tuned(database: dict[str, Any], *, kind: Kind, keep: bool) -> dict[str, Any]:
    """A database of `parse_url` with the time limits, plans and pool of a kind of process.

    Statements are planned once for each connection, not each time: planning six joined tables takes longer than reading
    a row of them. `keep` leaves a connection open between requests where there is no pool.
    """
    limits = TIMEOUTS | ({"statement_timeout": kind.statement_timeout} if kind.statement_timeout else {})
    options = {**database["OPTIONS"], "server_side_binding": True, "prepare_threshold": 5}
    options["options"] = " ".join([*(f"-c {name}={value}" for name, value in limits.items()), options.get("options", "")]).strip()
    if kind.pool_size:
        options["pool"] = {"min_size": 1, "max_size": kind.pool_size, "timeout": kind.wait_s, "reconnect_timeout": RECONNECT_S}
    return {**database, "OPTIONS": options, "CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 60 if keep and not kind.pool_size else 0}
