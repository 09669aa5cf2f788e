"""Everything at once on one machine: database, demo data, web server and worker, until Ctrl-C."""

import contextlib
import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import httpx
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

HOST = "127.0.0.1"
WEB_WORKERS = 2
THREADS_PER_WORKER = 4
START_SECONDS = 30
# A worker gives the jobs it is at 25 seconds.
STOP_SECONDS = 30
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    """`manage.py demo`: what `make demo` runs once everything is installed."""

    help = "Start a complete demo on this machine; PORT and DATA_DIR move it."
    requires_system_checks: list[str] = []  # `migrate` would run the same ones again

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare the data, run both processes, and stop all of it on Ctrl-C, SIGTERM or when one of them dies."""
        if not settings.DEMO:
            raise CommandError("This instance is not a demo; set RELAIS_DEMO=1 to run one.")
        for number in STOP_SIGNALS:
            signal.signal(number, interrupt_once)
        children: dict[str, subprocess.Popen[bytes]] = {}
        held = hold(settings.DATA_DIR / "demo.lock")
        try:
            require_free_port(settings.PORT)
            self._prepare()
            children["web server"] = spawn("-m", "granian", *granian_options(settings.PORT))
            children["worker"] = spawn("manage.py", "worker")
            wait_until_up(children)
            self.stdout.write(welcome(json.loads((settings.DATA_DIR / "demo.json").read_text())))
            self.stdout.flush()
            watch(children)
        except KeyboardInterrupt:
            self.stdout.write("\nStopping.")
        finally:
            stop(children)
            connection.close()
            if settings.EMBEDDED_POSTGRES:
                settings.EMBEDDED_POSTGRES.leave()
            held.close()

    def _prepare(self) -> None:
        """Bring tables, demo data and static files up to date, skipping what already is."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Preparing the database ...")
            self.stdout.flush()
            call_command("migrate", interactive=False, verbosity=0)
        call_command("load_demo")
        collect_static_files()


def hold(path: Path) -> TextIO:
    """Keep the data directory to ourselves for as long as the file returned stays open; raises `CommandError` when it is taken."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise CommandError(f"A demo is running on {path.parent} already. Give this one its own: make demo DATA_DIR=var/second") from error
    return file


def interrupt_once(number: int, frame: FrameType | None) -> None:
    """Start stopping; whoever presses Ctrl-C again must not interrupt that."""
    for each in STOP_SIGNALS:
        signal.signal(each, lambda *_: None)
    raise KeyboardInterrupt


def require_free_port(port: int) -> None:
    """Raise `CommandError` when something already listens on the port, or when it cannot be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise CommandError(f"Port {port} cannot be used ({error}). Choose another one: make demo PORT=8001") from error


def collect_static_files() -> None:
    """Collect static files when one of them has changed since the last time."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            file = Path(storage.path(path)).stat()
            digest.update(f"{path} {file.st_size} {file.st_mtime_ns}\n".encode())
    stamp = settings.DATA_DIR / "static.stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and settings.STATIC_ROOT.exists():
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(digest.hexdigest())


def granian_options(port: int) -> list[str]:
    """The command line of the web server."""
    return [
        *("--interface", "wsgi", "--host", HOST, "--port", str(port), "--http", "1", "--no-ws"),
        *("--workers", str(WEB_WORKERS), "--respawn-failed-workers", "--blocking-threads", str(THREADS_PER_WORKER)),
        *("--log-level", "warning", "config.wsgi:application"),
    ]


def spawn(*arguments: str) -> subprocess.Popen[bytes]:
    """Start this Python with arguments, out of reach of the terminal's Ctrl-C: we pass that on ourselves, in order."""
    return subprocess.Popen(  # noqa: S603 -- the words are ours
        [sys.executable, *arguments], cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL, start_new_session=True
    )


def require_alive(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Raise `CommandError` naming the first child that has ended."""
    for name, child in children.items():
        if (code := child.poll()) is not None:
            raise CommandError(f"The {name} ended by itself (exit status {code}); everything else is stopped too.")


def wait_until_up(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Return when the web server answers; raise `CommandError` when a child ends first or it takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        require_alive(children)
        try:
            if httpx.get(f"http://{HOST}:{settings.PORT}/healthz", timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise CommandError(f"The web server did not answer within {START_SECONDS} seconds.")


def watch(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Wait for ever; raise `CommandError` when a child ends."""
    while True:
        require_alive(children)
        time.sleep(0.5)


def stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask every child to stop; kill those that do not within the time given, and what they leave behind."""
    for child in children.values():
        child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children.values():
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(0.1, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def welcome(demo: dict[str, Any]) -> str:
    """Where to go and who to log in as, from the content of `demo.json`."""
    base, people = demo["base_url"], demo["people"]
    logins = [
        ("administrator", "/admin/", people["admin"]),
        ("dispatcher", "/admin/", people["dispatcher"]),
        *(("store owner", "/admin/", owner) for owner in people["owners"]),
        *(("courier", "/courier/", courier) for courier in people["couriers"]),
    ]
    lines = [f"{settings.RELAIS_BRAND} is up at {base}", ""]
    lines += [f"  {role:<14} {base + path:<32} {person['username']} / {person['password']}" for role, path, person in logins]
    lines += [
        "",
        f"  APIs           {base}/api/docs and {base}/v1/docs",
        f"  API keys       {settings.DATA_DIR / 'demo.json'}",
        "",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)
