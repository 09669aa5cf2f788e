"""Real workers, a real receiver and a real database: everything arrives, in order, whoever is killed or hangs meanwhile."""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from deliveries import doctor, transitions
from deliveries.models import Attempt, Call, CallState, Delivery
from deliveries.outbox import pacing
from stores.actors import SYSTEM
from stores.models import Store
from tests import factories
from tests.outbox.scenes import subscription

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PATIENCE_S = 120
STORY = ("order.created", "delivery.started", "delivery.picked", "delivery.in_transit", "delivery.completed")


@dataclass(frozen=True)
class Arrival:
    """One call as it came in."""

    message_id: str
    about: str
    name: str
    at: float


@dataclass
class Receiver:
    """A receiver on this machine: what came in, and how long it lets callers wait."""

    port: int
    arrived: list[Arrival] = field(default_factory=list)
    hang_s: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@contextlib.contextmanager
def receiving(port: int = 0, *, hang_s: float = 0.0) -> Iterator[Receiver]:
    """Receive on a port, or on a free one, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]
            receiver.arrived.append(Arrival(self.headers["webhook-id"], body["object"], body["event"], time.monotonic()))
            receiver.over.wait(receiver.hang_s)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Keep the tests quiet."""

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    receiver = Receiver(server.server_port, hang_s=hang_s)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Crew:
    """Worker processes of this test's database."""

    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def hire(self) -> None:
        there = connection.settings_dict
        url = f"postgres://{there['USER']}:{there['PASSWORD']}@/{there['NAME']}?host={quote(there['HOST'])}&port={there['PORT'] or 5432}"
        environment = os.environ | {"DATABASE_URL": url, "RELAIS_DEMO": "1", "RELAIS_PROCESS": "worker", "RELAIS_LOG_LEVEL": "WARNING"}
        command = [sys.executable, "manage.py", "worker"]
        self.processes.append(subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment))

    def kill(self) -> None:
        """Kill the one that has been there longest, in the midst of whatever it does."""
        longest = self.processes.pop(0)
        longest.kill()
        longest.wait()


@pytest.fixture
def crew() -> Iterator[Crew]:
    hired = Crew()
    yield hired
    for process in hired.processes:
        process.terminate()
    for process in hired.processes:
        process.wait(30)


def until(so: Callable[[], bool], *, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not so():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


def at_work(count: int = 1) -> bool:
    return ProcrastinateWorker.objects.count() >= count


def is_at_rest() -> bool:
    return not ProcrastinateJob.objects.filter(status__in=["todo", "doing"]).exists()


def ride(delivery: Delivery) -> None:
    for task in delivery.stops:
        transitions.start(task, by=SYSTEM, at=timezone.now())
        transitions.complete(task, by=SYSTEM, at=timezone.now())


def stories(arrived: list[Arrival]) -> dict[str, list[str]]:
    """What was told of each thing, by first arrival."""
    told: dict[str, list[str]] = defaultdict(list)
    for arrival in arrived:
        if arrival.name not in told[arrival.about]:
            told[arrival.about].append(arrival.name)
    return told


def test_a_thousand_completions_arrive_though_workers_are_killed(crew: Crew) -> None:
    store = factories.StoreFactory.create()
    deliveries = [factories.delivery(store) for _ in range(500)]
    done = threading.Semaphore(0)

    def complete(some: list[Delivery]) -> None:
        for delivery in some:
            for task in delivery.stops:
                transitions.complete(task, by=SYSTEM, at=timezone.now())
                done.release()
        connection.close()

    with receiving() as receiver:
        subscription(store, receiver.url, "delivery.picked", "delivery.completed", at=timezone.now())
        crew.hire()
        crew.hire()
        until(lambda: at_work(2), patience_s=30)
        threads = [threading.Thread(target=complete, args=[deliveries[number::8]]) for number in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            for _ in range(250):
                assert done.acquire(timeout=PATIENCE_S)
            crew.kill()
            crew.hire()
        for thread in threads:
            thread.join(PATIENCE_S)
        until(is_at_rest)
        until(lambda: not Call.objects.unsettled().exists())

        told = stories(receiver.arrived)
        assert told == {f"/api/deliveries/{delivery.pk}": ["delivery.picked", "delivery.completed"] for delivery in deliveries}
        ids = {(arrival.about, arrival.name, arrival.message_id) for arrival in receiver.arrived}
        assert len(ids) == 1000 == len({message_id for _, _, message_id in ids})
        assert Call.objects.filter(state=CallState.ACKNOWLEDGED).count() == 1000
        assert doctor.examine() == []


def test_endpoints_that_hang_keep_nobody_else_waiting(crew: Crew) -> None:
    store = factories.StoreFactory.create()
    with receiving(hang_s=30) as slow, receiving() as quick:
        for number in range(8):
            subscription(store, f"{slow.url}{number}", at=timezone.now())
        for _ in range(10):
            factories.order(store)
        crew.hire()
        until(lambda: len(slow.arrived) == 8 * pacing.AT_FIRST, patience_s=30)
        subscription(store, quick.url, at=timezone.now())
        waited = [wait_for_call(store, quick) for _ in range(30)]
        assert statistics.median(waited) < 1, waited
        assert not Attempt.objects.filter(call__subscription__url__startswith=slow.url).exists(), "they hang no longer"
        assert len(slow.arrived) == 8 * pacing.AT_FIRST


def test_an_idle_worker_calls_within_a_second(crew: Crew) -> None:
    store = factories.StoreFactory.create()
    crew.hire()
    with receiving() as receiver:
        subscription(store, receiver.url, at=timezone.now())
        until(at_work, patience_s=30)
        until(is_at_rest)
        waited = [wait_for_call(store, receiver) for _ in range(15)]
        assert statistics.median(waited) < 1, waited


def wait_for_call(store: Store, receiver: Receiver) -> float:
    """How many seconds pass from the commit of an order to the call about it."""
    before = len(receiver.arrived)
    factories.order(store)
    committed = time.monotonic()
    until(lambda: len(receiver.arrived) > before)
    return receiver.arrived[-1].at - committed


def test_a_receiver_that_was_down_gets_everything_in_order(crew: Crew) -> None:
    store = factories.StoreFactory.create()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subscription(store, f"http://127.0.0.1:{port}/", *STORY, at=timezone.now())
    crew.hire()
    until(at_work, patience_s=30)
    deliveries = [factories.delivery(store) for _ in range(12)]
    for delivery in deliveries:
        ride(delivery)
    until(lambda: Attempt.objects.count() >= 3)
    assert not Call.objects.filter(state=CallState.ACKNOWLEDGED).exists()
    with receiving(port) as receiver:
        until(lambda: not Call.objects.unsettled().exists())
        told = stories(receiver.arrived)
        for delivery in deliveries:
            assert told[f"/api/deliveries/{delivery.pk}"] == list(STORY[1:])
            assert told[f"/api/orders/{delivery.order_id}"] == [STORY[0]]
        assert len({arrival.message_id for arrival in receiver.arrived}) == 12 * len(STORY)
