"""A demo has its data directory to itself."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from config.settings import BASE_DIR
from deliveries.management.commands import demo

MAKE = str(shutil.which("make"))


def test_a_second_demo_is_refused_and_changes_nothing(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    settings.EMBEDDED_POSTGRES = None
    monkeypatch.setattr(demo, "STOP_SIGNALS", ())
    kept = tmp_path / "demo.json"
    kept.write_text(json.dumps({"base_url": "http://127.0.0.1:1"}))
    with demo.hold(tmp_path / "demo.lock"):
        with pytest.raises(CommandError, match=r"A demo is running on .* already"):
            call_command("demo")
        assert json.loads(kept.read_text()) == {"base_url": "http://127.0.0.1:1"}
    demo.hold(tmp_path / "demo.lock").close()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ""),
        (["PORT=8123"], "--base-url http://127.0.0.1:8123"),
        (["PORT=8123", "ARGS=--base-url http://a"], "8123 --base-url http://a"),
    ],
)
def test_a_port_that_is_given_is_walked_through(given: list[str], expected: str) -> None:
    told = subprocess.run(
        [MAKE, "-n", "-o", ".venv/.runtime", "walkthrough", *given], cwd=BASE_DIR, capture_output=True, text=True, check=True
    ).stdout
    assert ("--base-url" in told) == bool(expected)
    assert expected in told
