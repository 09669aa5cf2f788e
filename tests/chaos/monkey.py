"""What goes wrong: processes are killed at random moments, and once the database is away for a while."""

import contextlib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests.chaos.journal import Reading
from tests.chaos.site import WEB, WORKERS, Site, until

PAUSE_S = (2.0, 7.0)
OUTAGE_S = 4.0
ANSWERS_WITHIN_S = 15.0
"""How long a request may take to be told that the database is away; others wait before it for a thread."""
RECOVERS_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Blow:
    """Something that was killed, and how long until the instance answered again."""

    what: str
    recovery_s: float


@dataclass
class Outage:
    """What was answered while the database was away: seconds and status by path, -503 for one that does not say until when."""

    answers: dict[str, tuple[float, int]] = field(default_factory=dict)
    recovery_s: float = 0.0


class Monkey(threading.Thread):
    """Kills one thing after the other until told to stop; `seed` decides what and when."""

    def __init__(self, site: Site, *, seed: int, away: Callable[[], None]) -> None:
        """Not begun yet; `away` takes the database away for a while, when told to by `interrupted`."""
        super().__init__(name="monkey", daemon=True)
        self.site = site
        self.random = random.Random(seed)  # noqa: S311 - decides what is killed
        self.over, self.interrupted = threading.Event(), threading.Event()
        self._away = away
        self.blows: list[Blow] = []
        self.findings: list[str] = []

    def run(self) -> None:
        """Kill, wait until it answers again, and look for the next."""
        kinds: dict[str, Callable[[], object]] = {
            "web worker": lambda: self.site.kill_web_worker(self.random.choice),
            "web server": lambda: self.site.kill(WEB),
            "worker": lambda: self.site.kill(self.random.choice(WORKERS)),
            "PostgreSQL": self.site.kill_postgres,
        }
        waiting: list[str] = []
        while not self.over.wait(self.random.uniform(*PAUSE_S)):
            if self.interrupted.is_set():
                self.interrupted.clear()
                self._away()
            if not waiting:
                # Every kind has its turn before one comes again, so that a short run tries each.
                waiting = self.random.sample(sorted(kinds), len(kinds))
            what = waiting.pop()
            began = time.monotonic()
            try:
                kinds[what]()
                time.sleep(0.1)
                until(self.site.answers, f"coming back after a {what} was killed", patience_s=RECOVERS_WITHIN_S)
            except TimeoutError as late:
                self.findings.append(str(late))
            self.blows.append(Blow(what, time.monotonic() - began))


def outage(site: Site, readings: list[Reading], pages: list[str]) -> tuple[Outage, list[str]]:
    """Stop the database, ask for things meanwhile, start it again; what was answered, and what should not have been.

    Everything must say in bounded time that it is not available and when to ask again, and go on without a restart.
    """
    seen, findings = Outage(), []
    web, deaths = site.pid(WEB), site.deaths[WEB]
    site.stop_postgres()
    began = time.monotonic()
    asked = [(reading.path, reading.headers) for reading in readings]
    threads = [threading.Thread(target=_ask, args=(site, path, headers, seen), daemon=True) for path, headers in asked]
    threads += [threading.Thread(target=_ask, args=(site, path, {}, seen), daemon=True) for path in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(max(0.0, OUTAGE_S - (time.monotonic() - began)))
    site.postgres.start()
    try:
        seen.recovery_s = until(lambda: _well(site, readings), "coming back after the database was away", patience_s=RECOVERS_WITHIN_S)
    except TimeoutError as late:
        findings.append(str(late))
    if (site.pid(WEB), site.deaths[WEB]) != (web, deaths):
        findings.append("the web server was started again for the database to be found")
    # What needs no rows is answered as ever; what is read again is read from the database.
    asked_rows = {reading.path for reading in readings} | {"/healthz", "/readyz"}
    for path, (seconds, status) in seen.answers.items():
        if not (status == 503 or (0 < status < 400 and path not in asked_rows)) or seconds > ANSWERS_WITHIN_S:
            findings.append(f"while the database was away, {path} was answered {status} after {seconds:.1f} s")
    return seen, findings


def _ask(site: Site, path: str, headers: dict[str, str], seen: Outage) -> None:
    began = time.monotonic()
    status = 0
    with contextlib.suppress(httpx.TransportError):
        answer = httpx.get(site.base_url + path, headers=headers, timeout=30, trust_env=False)
        status = -503 if answer.status_code == 503 and "Retry-After" not in answer.headers else answer.status_code
    seen.answers[path] = (time.monotonic() - began, status)


def _well(site: Site, readings: list[Reading]) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return site.answers() and all(
            httpx.get(site.base_url + each.path, headers=each.headers, timeout=5, trust_env=False).is_success for each in readings
        )
    return False
