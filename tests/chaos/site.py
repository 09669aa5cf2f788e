"""The instance: its database, web server and workers, and the supervisor that starts again what dies."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
from django.conf import settings

from config.database import EmbeddedPostgres
from deliveries.management.commands.demo import HOST, granian_options

WORKERS = ("worker 1", "worker 2")
WEB = "web server"
PATIENCE_S = 60
LOOKS_EVERY_S = 0.05
GIVES_UP_WITHIN_S = 10.0
"""A web server whose process is killed twice within seconds gives up, and is started again as a whole."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def until(so: Callable[[], bool], what: str, *, patience_s: float = PATIENCE_S) -> float:
    """Wait until it is so; how many seconds that took. Raises `TimeoutError` naming `what`."""
    began = time.monotonic()
    while not so():
        if time.monotonic() - began > patience_s:
            raise TimeoutError(f"{what} took longer than {patience_s:.0f} s")
        time.sleep(LOOKS_EVERY_S)
    return time.monotonic() - began


class Site:
    """Everything that runs, every process in a group of its own; `log` collects what they say."""

    def __init__(self, directory: Path) -> None:
        """Nothing runs yet but the database, which the settings started."""
        assert settings.EMBEDDED_POSTGRES is not None, "unset DATABASE_URL: a database that is in use must not be killed"
        self.postgres: EmbeddedPostgres = settings.EMBEDDED_POSTGRES
        self.port = free_port()
        self.base_url = f"http://{HOST}:{self.port}"
        self.log = directory / "site.log"
        self.deaths: Counter[str] = Counter()
        self.findings: list[str] = []
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._doomed: set[str] = set()
        self._web_may_end_until = 0.0
        self._lock = threading.RLock()
        self._over = threading.Event()

    def start(self) -> None:
        """Start everything, and begin to supervise it."""
        for name in (WEB, *WORKERS):
            self._processes[name] = self._spawn(name)
        threading.Thread(target=self._supervise, name="supervisor", daemon=True).start()
        until(self.answers, "starting")

    def stop(self) -> None:
        """End every process, asking first."""
        self._over.set()
        with self._lock:
            for process in self._processes.values():
                process.terminate()
            for process in self._processes.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(30)
                _end(process)

    def answers(self) -> bool:
        """Whether the web server does, and reaches the database."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.base_url}/healthz", timeout=5, trust_env=False).is_success
        return False

    def pid(self, name: str) -> int:
        """The number of a process."""
        return self._processes[name].pid

    def kill(self, name: str) -> None:
        """SIGKILL for a process with all its children."""
        with self._lock:
            self._doomed.add(name)
            _end(self._processes[name])

    def kill_web_worker(self, choose: Callable[[list[psutil.Process]], psutil.Process]) -> None:
        """SIGKILL for one of the processes that answer, which is replaced; the others go on."""
        with self._lock:
            self._web_may_end_until = time.monotonic() + GIVES_UP_WITHIN_S
            children = psutil.Process(self.pid(WEB)).children()
            children = [child for child in children if not any("resource_tracker" in word for word in child.cmdline())]
            if children:
                choose(children).kill()

    def kill_postgres(self) -> None:
        """SIGKILL for the database server and each of its processes, and start it again."""
        server = psutil.Process(int((self.postgres.directory / "postmaster.pid").read_text().splitlines()[0]))
        children = server.children(recursive=True)
        for process in (server, *children):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs([server, *children], timeout=5)
        self.postgres.start()

    def stop_postgres(self) -> None:
        """Stop the database server in the ordinary way; it stays down until `postgres.start()`."""
        command = [sys.executable, "-W", "ignore", "-m", "config.embedded", "stop", str(self.postgres.directory)]
        subprocess.run(command, cwd=settings.BASE_DIR, check=True, capture_output=True, start_new_session=True)

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        arguments = ["-m", "granian", *granian_options(self.port)] if name == WEB else ["manage.py", "worker"]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=settings.BASE_DIR,
                env=os.environ | {"PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _supervise(self) -> None:
        while not self._over.wait(LOOKS_EVERY_S):
            with self._lock:
                for name, process in self._processes.items():
                    if self._over.is_set() or process.poll() is None:
                        continue
                    if name not in self._doomed and not (name == WEB and time.monotonic() < self._web_may_end_until):
                        self.findings.append(f"the {name} ended by itself with {process.returncode}")
                    self._doomed.discard(name)
                    self.deaths[name] += 1
                    _end(process)
                    self._processes[name] = self._spawn(name)


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for a process and whatever of its group is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
