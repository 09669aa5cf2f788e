"""`make chaos`: a running instance under load, its processes killed at random moments, and afterwards nothing is lost or doubled."""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import median

import django

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = Path(os.environ.get("DATA_DIR") or ROOT / "var" / "chaos").resolve()
KEPT.mkdir(parents=True, exist_ok=True)
# Every run has a database of its own, which none of an operator's can be mistaken for.
DIRECTORY = Path(tempfile.mkdtemp(prefix="run-", dir=KEPT))
os.environ.pop("DATABASE_URL", None)
os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "RELAIS_DEMO": "1", "DATA_DIR": str(DIRECTORY)}
django.setup()

from django.core.management import call_command  # noqa: E402 - models need the set-up above
from django.db import connection  # noqa: E402
from procrastinate.contrib.django.models import ProcrastinateJob  # noqa: E402

from deliveries.models import UNSETTLED, Attempt, Call, Event  # noqa: E402
from tests.chaos import checks, scene  # noqa: E402
from tests.chaos.follower import Follower  # noqa: E402
from tests.chaos.journal import Journal  # noqa: E402
from tests.chaos.load import Client  # noqa: E402
from tests.chaos.monkey import Monkey, Outage, outage  # noqa: E402
from tests.chaos.receiver import Receiver  # noqa: E402
from tests.chaos.site import Site, until  # noqa: E402

CLIENTS = 5
LONGEST_MINUTES = 60
SETTLES_WITHIN_S = 240
PAGES = ["/healthz", "/readyz", "/admin/login/", "/courier/", "/en/pub/d/AAAAAAAAAAAAAAAAAAAAAA"]


def main() -> int:
    """Run everything; 0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="how long clients write and processes are killed (default 5)")
    parser.add_argument("--seed", type=int, default=None, help="repeats the choices of another run, though not its timing")
    said = parser.parse_args()
    minutes = min(max(said.minutes, 0.5), LONGEST_MINUTES)
    seed = said.seed if said.seed is not None else random.SystemRandom().randrange(10**6)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whoever stops us must not leave a dozen processes behind
    print(f"Seed {seed}, {minutes:g} minutes, in {DIRECTORY}", flush=True)
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    receiver = Receiver(seed)
    site = Site(DIRECTORY)
    try:
        findings = run(site, receiver, seed=seed, seconds=60 * minutes)
    finally:
        site.stop()
        receiver.stop()
        connection.close()
        site.postgres.leave()
    if findings:
        print(f"{len(findings)} findings; everything is kept in {DIRECTORY}")
        return 1
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    print("Nothing is lost, and nothing was done twice.")
    return 0


def run(site: Site, receiver: Receiver, *, seed: int, seconds: float) -> list[str]:
    """Load and trouble, then quiet, then the checks; prints the report and returns what was found."""
    journal = Journal()
    cast = scene.prepare()
    connection.close()
    site.start()
    hooks = scene.subscribe(site.base_url, receiver, cast)
    connection.close()
    follower = Follower(site.base_url, cast.shop)
    follower.start()
    clients = [Client(f"client-{number}", site.base_url, cast, journal, seed=seed + number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    away, findings = trouble(site, journal, seed=seed, seconds=seconds)
    for client in clients:
        client.over.set()
    for client in clients:
        client.join(120)
        if client.is_alive():
            findings.append(f"{client.name} did not end")
    try:
        settled_s = until(is_quiet, "settling", patience_s=SETTLES_WITHIN_S)
    except TimeoutError as late:
        settled_s = SETTLES_WITHIN_S
        findings.append(f"{late}: {ProcrastinateJob.objects.filter(status__in=['todo', 'doing']).count()} jobs left")
    follower.over.set()
    follower.join(30)
    follower.catch_up()
    findings += site.findings + journal.findings
    findings += checks.doctor()
    findings += checks.what_was_acknowledged_is_there(journal, site)
    findings += checks.nothing_was_done_twice(journal)
    findings += checks.everybody_was_told(journal, receiver.arrivals, hooks)
    findings += checks.the_feed_is_whole(follower.read, cast.store_id)
    report(journal, receiver, away, settled_s=settled_s)
    for finding in findings[:100]:
        print(f"  FOUND  {finding}")
    return findings


def trouble(site: Site, journal: Journal, *, seed: int, seconds: float) -> tuple[Outage, list[str]]:
    """Kill for that long, with the database being away once in the middle."""
    findings: list[str] = []
    seen: list[Outage] = []

    def take_away() -> None:
        readings = list(journal.readings.values())
        shown = [next((each for each in readings if each.path.startswith(prefix)), None) for prefix in ("/api/", "/v1/")]
        away, found = outage(site, [each for each in shown if each is not None], PAGES)
        seen.append(away)
        findings.extend(found)

    monkey = Monkey(site, seed=seed, away=take_away)
    monkey.start()
    time.sleep(seconds / 2)
    monkey.interrupted.set()
    time.sleep(seconds / 2)
    monkey.over.set()
    monkey.join(90)
    findings += monkey.findings
    for kind in sorted({blow.what for blow in monkey.blows}):
        spent = [blow.recovery_s for blow in monkey.blows if blow.what == kind]
        journal.count(f"killed: {kind}", len(spent))
        journal.slowest[kind] = max(spent)
    if not seen:
        findings.append("the database was never away: the run is too short")
    return seen[0] if seen else Outage(), findings


def is_quiet() -> bool:
    """Whether nothing is left to tell or to send."""
    jobs = ProcrastinateJob.objects.filter(status__in=["todo", "doing"], task_name__in=["tell", "send"])
    return not (jobs.exists() or Event.objects.untold().exists() or Call.objects.filter(state__in=UNSETTLED).exists())


def report(journal: Journal, receiver: Receiver, away: Outage, *, settled_s: float) -> None:
    """Print the figures."""
    for name, figure in sorted(journal.figures.items()):
        slowest = journal.slowest.get(name.removeprefix("killed: "))
        print(f"  {name:34} {figure:7}{f'   slowest recovery {slowest:.1f} s' if slowest is not None else ''}")
    came = len(receiver.arrivals)
    first = len({(arrival.hook, arrival.id) for arrival in receiver.arrivals})
    print(f"  {'events':34} {Event.objects.count():7}")
    print(f"  {'calls owed':34} {Call.objects.count():7}")
    print(f"  {'attempts stored':34} {Attempt.objects.count():7}")
    print(f"  {'calls that came':34} {came:7}   {came - first} of them again")
    for word, waits in sorted(_waits(receiver).items()):
        print(f"  from commit to the {word}: median {median(waits):.2f} s, slowest {max(waits):.1f} s")
    print(f"  quiet {settled_s:.1f} s after the last write")
    for path, (seconds, status) in sorted(away.answers.items()):
        print(f"  database away: {path} {status} after {seconds:.1f} s")
    print(f"  database away: back after {away.recovery_s:.1f} s")


def _waits(receiver: Receiver) -> dict[str, list[float]]:
    """The seconds from each commit to the first arrival, of webhooks and of callbacks."""
    recorded: dict[str, datetime] = dict(Call.objects.exclude(event=None).values_list("message_id", "event__recorded_at"))
    first: dict[tuple[str, str], float] = {}
    for arrival in receiver.arrivals:
        first.setdefault((arrival.hook, arrival.id), arrival.at)
    waits: dict[str, list[float]] = {}
    for (hook, call_id), at in first.items():
        if call_id in recorded:
            waits.setdefault("callback" if hook == scene.CALLBACK else "webhook", []).append(at - recorded[call_id].timestamp())
    return waits


if __name__ == "__main__":
    sys.exit(main())
