"""The same request many times at once: real threads, real transactions, one effect."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event

import pytest
import time_machine
from django.db import connections

from deliveries import doctor
from deliveries.models import Delivery
from stores import keeping, places
from stores.models import KeptAnswer, Order
from tests.api.calls import DOCUMENT, KNOCKS, RINGS, Call, Made, knocking
from tests.api.coopcycle.knocking import World, build_world
from tests.api.hubrise.till import Reply
from tests.deliveries.geocoding import FakeGeocoder
from tests.factories import NOON

AT_ONCE = 50
PATIENCE_S = 60
KEY = '"only-once"'

one_of_each = pytest.mark.parametrize(
    ("made", "rows"), [(KNOCKS["POST /api/deliveries"][0], Delivery), (RINGS["POST /orders"][0], Order)], ids=["CoopCycle", "HubRise"]
)


@pytest.fixture(autouse=True)
def whole_afterwards(transactional_db: None) -> Iterator[None]:
    """Time stands still, because tokens age; and no rule is broken when it is over."""
    with time_machine.travel(NOON, tick=False):
        yield
    assert doctor.examine() == []


@contextmanager
def threads(count: int) -> Iterator[Callable[[Callable[[], Reply]], list[Reply]]]:
    """Runs a call in so many threads that begin together, each with a connection of its own."""
    together = Barrier(count)

    def run(call: Callable[[], Reply]) -> Reply:
        together.wait(PATIENCE_S)
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        yield lambda call: list(pool.map(run, [call] * count))


def patiently(call: Callable[[], Reply]) -> Reply:
    """What a client gets that asks again for as long as it is told to."""
    reply = call()
    while reply.status == 409:
        assert reply.headers["Retry-After"] == "1"
        time.sleep(0.05)
        reply = call()
    return reply


@one_of_each
def test_fifty_at_once_make_one(made: Made, rows: type[Delivery] | type[Order]) -> None:
    call = made()
    before = rows.objects.count()
    with threads(AT_ONCE) as at_once:
        replies = at_once(lambda: call(KEY))
    done = [reply for reply in replies if reply.status != 409]
    assert {reply.status for reply in replies} <= {200, 201, 409}
    assert all(reply.headers["Retry-After"] == "1" for reply in replies if reply.status == 409)
    assert [reply.headers.get("Idempotency-Replayed") for reply in done].count(None) == 1, "the first is no replay"
    assert len({reply.json["id"] for reply in [*done, *(call(KEY) for reply in replies if reply.status == 409)]}) == 1
    assert rows.objects.count() == before + 1


@one_of_each
def test_fifty_patient_clients_hold_the_same(made: Made, rows: type[Delivery] | type[Order]) -> None:
    call = made()
    before = rows.objects.count()
    with threads(AT_ONCE) as at_once:
        replies = at_once(lambda: patiently(lambda: call(KEY)))
    assert len({(reply.status, reply.raw) for reply in replies}) == 1
    assert rows.objects.count() == before + 1


@one_of_each
def test_one_wins_even_where_claims_do_not_hold(made: Made, rows: type[Delivery] | type[Order], monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pooler that hands sessions around: the constraint decides, and the losers' work is undone."""

    @contextmanager
    def anybody(asked: keeping.Asked) -> Iterator[bool]:
        yield True

    looked = Barrier(8)
    find, first_look = keeping.find, set[int]()

    def find_nothing_at_first(asked: keeping.Asked, **at: object) -> keeping.Answer | None:
        lane = id(connections["default"])
        found = find(asked, **at)  # type: ignore[arg-type]  # passed on as it came
        if lane not in first_look:
            first_look.add(lane)
            looked.wait(PATIENCE_S)
        return found

    call = made()
    before = rows.objects.count()
    monkeypatch.setattr(keeping, "claimed", anybody)
    monkeypatch.setattr(keeping, "find", find_nothing_at_first)
    with threads(8) as at_once:
        replies = at_once(lambda: call(KEY))
    assert len({(reply.status, reply.raw) for reply in replies}) == 1
    assert sorted(reply.headers.get("Idempotency-Replayed", "first") for reply in replies) == ["first"] + ["true"] * 7
    assert (rows.objects.count(), KeptAnswer.objects.count()) == (before + 1, 1)


def test_the_second_is_told_to_wait_while_the_first_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging, answered = Event(), Event()

    class Slow(FakeGeocoder):
        def locate(self, text: str) -> places.Place | None:
            hanging.set()
            assert answered.wait(PATIENCE_S)
            return super().locate(text)

    world = build_world()
    call = Call("POST", "/api/deliveries", DOCUMENT, knocking(world, "client"))
    other = Call("POST", "/api/deliveries", {**DOCUMENT, "dropoff": {"before": "tomorrow 13:30"}}, knocking(world, "client"))
    slow = Slow(is_authoritative=False, may_be_atomic=False)
    monkeypatch.setattr(places, "geocoder", lambda: slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_closing, lambda: call(KEY))
        assert hanging.wait(PATIENCE_S)
        try:
            told = [call(KEY), call(KEY), other(KEY)]
            elsewhere = knocking(world, "client")("GET", f"/api/deliveries/{world.delivery.pk}", b"")
        finally:
            answered.set()
        made = first.result(PATIENCE_S)
    assert [(reply.status, reply.headers["Retry-After"]) for reply in told] == [(409, "1")] * 3
    assert told[0].json["@type"] == "hydra:Error"
    assert elsewhere.status == 200
    assert (made.status, call(KEY).raw, other(KEY).status) == (201, made.raw, 422)
    assert Delivery.objects.count() == 3


def test_a_claim_of_a_request_that_died_does_not_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection ends with it: there is nothing stale to wait for."""
    world: World = build_world()
    call = Call("POST", "/api/deliveries", DOCUMENT, knocking(world, "client"))

    class Deadly(FakeGeocoder):
        def locate(self, text: str) -> places.Place | None:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pid = cursor.fetchone()[0]
            with ThreadPoolExecutor(1) as pool:
                pool.submit(_kill, pid).result()
            return None

    with monkeypatch.context() as patched:
        patched.setattr(places, "geocoder", lambda: Deadly(is_authoritative=False))
        died = call(KEY)
    assert (died.status, died.headers["Retry-After"]) == (503, "5")
    connections.close_all()
    assert call(KEY).status == 201
    assert Delivery.objects.count() == 3


def _closing(call: Callable[[], Reply]) -> Reply:
    try:
        return call()
    finally:
        connections.close_all()


def _kill(pid: int) -> None:
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    finally:
        connections.close_all()
