"""`make bench`: rounds of the product and of both baselines, interleaved, through granian over loopback.

Prints the median of each and the ratios against what is aimed at; ends with 1 when a ratio falls short.
"""

import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["RELAIS_DEMO"] = "1"
django.setup()

from django.core.management import call_command  # noqa: E402 - models need the set-up above
from django.utils import timezone  # noqa: E402
from oauth2_provider.models import AccessToken  # noqa: E402

from deliveries import booking, intake  # noqa: E402
from deliveries.statuses import DeliveryStatus  # noqa: E402
from stores.actors import SYSTEM  # noqa: E402
from tests import factories  # noqa: E402
from tests.bench.wire import Call, Wire, call  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "15"))
REQUESTS = int(os.environ.get("REQUESTS", "40"))
WARM_UP = 60
ROWS = 300
MILLISECOND = 1000


@dataclass(frozen=True)
class Contest:
    """The product's call against its baselines, with the least it must reach of each one's speed."""

    name: str
    ours: Call
    floor: Call | None
    plain: Call | None
    of_floor: float = 0.0
    of_plain: float = 0.0


def contests() -> list[Contest]:
    """Make the rows and the tokens, and print every request."""
    now = timezone.now()
    store = factories.StoreFactory.create(public_id=f"bench-{int(now.timestamp())}", account__public_id=f"bench{int(now.timestamp())}")
    for _ in range(ROWS):
        delivery = factories.delivery(store, at=now)
    order = intake.take_order(store, factories.draft(), by=SYSTEM, at=now)
    carried = booking.attach(order, {"carrier": "UPS", "carrier_ref": "ups"}, status=DeliveryStatus.PENDING, by=SYSTEM, at=now)
    client, _ = factories.coopcycle_client(store)
    token = secrets.token_urlsafe(30)
    AccessToken.objects.create(application=client, token=token, scope="tasks deliveries", expires=now + timedelta(hours=1))
    bearer = {"Authorization": f"Bearer {token}", "Accept": "*/*"}
    json_body = {**bearer, "Content-Type": "application/json"}
    till = {"X-Access-Token": factories.hubrise_token(store=store)}
    task = delivery.tasks.first()
    assert task is not None
    document = {
        "pickup": {"address": "24, Rue de la Paix, Paris, France", "before": "tomorrow 12:00"},
        "dropoff": {"address": "48, Rue de Rivoli, Paris, France", "before": "tomorrow 13:30"},
    }
    address = {"street_address": "24, Rue de la Paix, Paris, France", "latitude": 48.8692, "longitude": 2.3318}
    window = {"after": (now + timedelta(hours=1)).isoformat(), "before": (now + timedelta(hours=2)).isoformat()}
    stops = [{"type": kind, "position": number, "address": address, **window} for number, kind in enumerate(("PICKUP", "DROPOFF"), 1)]
    like = json.dumps({"like": delivery.pk}).encode()
    rest = json.dumps({"store": store.pk, "carrier": "Relais", "tasks": stops}).encode()
    order_path = f"/v1/location/orders/{order.public_id}/delivery"
    return [
        Contest(
            "GET task",
            call("ours", "GET", f"/api/tasks/{task.pk}", bearer),
            call("floor", "GET", f"/floor/tasks/{task.pk}", bearer),
            call("plain", "GET", f"/plain/tasks/{task.pk}", bearer),
            0.45,
            1.5,
        ),
        Contest(
            "GET delivery (HubRise)",
            call("ours", "GET", order_path, till),
            call("floor", "GET", f"/floor/delivery/{carried.pk}", till),
            call("plain", "GET", f"/plain/deliveries/{carried.pk}", till),
            0.45,
            1.5,
        ),
        Contest(
            "list 30 deliveries",
            call("ours", "GET", f"/api/stores/{store.pk}/deliveries?itemsPerPage=30&order[createdAt]=desc", bearer),
            None,
            call("plain", "GET", f"/plain/deliveries?store={store.pk}", bearer),
            of_plain=2.0,
        ),
        Contest(
            "POST delivery",
            call("ours", "POST", "/api/deliveries", json_body, json.dumps(document).encode(), expect=201),
            call("floor", "POST", "/floor/deliveries", json_body, like, expect=201),
            call("plain", "POST", "/plain/deliveries", json_body, rest, expect=201),
            0.5,
            1.2,
        ),
    ]


def serve() -> tuple[subprocess.Popen[bytes], int]:
    """One web process, as the product runs it, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--http", "1", "--no-ws", "--workers", "1")
    command = [
        sys.executable,
        "-m",
        "granian",
        *options,
        "--blocking-threads",
        "1",
        "--log-level",
        "warning",
        "tests.bench.wsgi:application",
    ]
    child = subprocess.Popen(command, start_new_session=True)
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return child, port
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the web server did not start")


def race(contest: Contest, wire: Wire) -> dict[str, float]:
    """The median milliseconds of each, over rounds that take turns."""
    runners = [each for each in (contest.ours, contest.floor, contest.plain) if each is not None]
    rounds: dict[str, list[float]] = {each.name: [] for each in runners}
    for each in runners:
        for _ in range(WARM_UP):
            wire.seconds(each)
    for _ in range(ROUNDS):
        for each in runners:
            rounds[each.name].append(statistics.median(wire.seconds(each) for _ in range(REQUESTS)))
    return {name: statistics.median(figures) * MILLISECOND for name, figures in rounds.items()}


def verdict(contest: Contest, medians: dict[str, float]) -> bool:
    """Print a line for each baseline; whether the product reaches both."""
    reached = True
    print(f"{contest.name:24} ours {medians['ours']:7.3f} ms")
    for name, least in (("floor", contest.of_floor), ("plain", contest.of_plain)):
        if name in medians:
            ratio = medians[name] / medians["ours"]
            reached &= ratio >= least
            word = "" if ratio >= least else "   TOO SLOW"
            print(f"{'':24} {name:5} {medians[name]:6.3f} ms   {ratio:5.2f} x {name} (at least {least:.2f}){word}")
    return reached


def main() -> int:
    """Run everything; 0 when every ratio is reached."""
    call_command("migrate", verbosity=0)
    entries = contests()
    child, port = serve()
    try:
        wire = Wire(port)
        verdicts = [verdict(each, race(each, wire)) for each in entries]
        return 0 if all(verdicts) else 1
    finally:
        child.terminate()
        child.wait(10)


if __name__ == "__main__":
    sys.exit(main())
