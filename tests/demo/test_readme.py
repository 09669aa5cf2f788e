"""The README keeps its word: its tour runs, its receiver verifies, and its table knows every setting."""

import base64
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from deliveries.demo import loading
from deliveries.models import Delivery, Task
from deliveries.outbox import posting, signing, subscriptions

README = (Path(settings.BASE_DIR) / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """What stands between a heading and the next one of its level."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## )", README, re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]


@pytest.mark.django_db(transaction=True)
def test_the_tour_can_be_pasted_into_a_shell(live_server: Any, tmp_path: Path) -> None:
    loading.load(tmp_path / "demo.json", base_url=live_server.url, at=timezone.now())
    before = Delivery.objects.count()
    blocks = re.findall(r"```sh\n(.*?)```", section("A tour with curl") + section("Webhooks"), re.DOTALL)
    script = "set -e\n" + "\n".join(blocks)
    ran = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert [line for line in said if line in {"TODO", "DOING", "DONE", "dropoff_enroute", "delivered"}] == [
        "DOING",
        "DONE",
        "dropoff_enroute",
        "DONE",
        "delivered",
    ]
    assert Delivery.objects.count() == before + 2
    by_house, asked_for = Delivery.objects.order_by("-pk")[:2][::-1]
    assert (by_house.status, by_house.order.status) == ("delivered", "completed")
    assert list(Task.objects.filter(delivery=asked_for).values_list("status", flat=True)) == ["TODO", "TODO"]


def test_the_table_knows_every_setting() -> None:
    source = (Path(settings.BASE_DIR) / "config" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env_[a-z]+\(\s*"([A-Z_]+)"', source))
    rows = [line.split("|")[1] for line in section("Settings").splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)} == read


def test_every_make_target_it_names_exists() -> None:
    makefile = (Path(settings.BASE_DIR) / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z]+)", README + (Path(settings.BASE_DIR) / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert named >= {"demo", "test", "walkthrough"}
    assert [name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


def test_the_receiver_it_shows_verifies_calls(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", section("Webhooks"), re.DOTALL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret, at = subscriptions.new_secret(), timezone.now()
    body = b'{"data":{"object":"/api/deliveries/1","event":"delivery.completed"}}'
    headers = signing.headers("evt_1_delivery_completed", at, body, [base64.b64decode(secret)])
    environment = {"PATH": os.environ["PATH"], "SECRET": secret, "PORT": str(port)}
    receiver = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        answers = [call(port, sent, headers) for sent in (body, body, body.replace(b"completed", b"cancelled"))]
    finally:
        receiver.terminate()
        said, _ = receiver.communicate(timeout=10)
    assert answers == [204, 204, 503]
    assert said.decode().splitlines() == ["{'data': {'object': '/api/deliveries/1', 'event': 'delivery.completed'}}"]


def call(port: int, body: bytes, headers: dict[str, str]) -> int | None:
    """Post to a receiver that may just be starting; the status of its answer."""
    deadline = time.monotonic() + 20
    while True:
        outcome = posting.post(f"http://127.0.0.1:{port}/", body, headers)
        if outcome.status is not None or time.monotonic() > deadline:
            return outcome.status
        time.sleep(0.1)
