"""Settings are strict in production, and easy on this machine."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings


def load_settings(expression: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Print an expression over the settings of a fresh process that knows only these variables."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, "-c", f"import config.settings as s; print(({expression}))"],
        cwd=settings.BASE_DIR,
        env=kept | {"DATABASE_URL": "postgres://db.invalid/relais"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_refuses_to_start_without_a_secret() -> None:
    result = load_settings("s.SECRET_KEY", SECRET_KEY="")
    assert result.returncode != 0
    assert "SECRET_KEY is not set" in result.stderr


def test_production_is_strict() -> None:
    checked = "s.PRODUCTION, s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0, s.ALLOWED_HOSTS, s.ENCRYPTION_KEY"
    result = load_settings(checked, SECRET_KEY="x" * 50)
    assert result.stdout.strip() == "(True, True, True, True, [], '')"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "(31536000, False, False)"),
        ({"RELAIS_HSTS_SECONDS": "60", "RELAIS_HSTS_SUBDOMAINS": "1", "RELAIS_HSTS_PRELOAD": "1"}, "(60, True, True)"),
    ],
)
def test_production_speaks_for_its_own_name_unless_told_otherwise(variables: dict[str, str], expected: str) -> None:
    checked = "s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.SECURE_HSTS_PRELOAD"
    assert load_settings(checked, SECRET_KEY="x" * 50, **variables).stdout.strip() == expected


def test_demo_speaks_plain_http_on_this_machine(tmp_path: Path) -> None:
    checked = "s.PRODUCTION, s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE, s.BASE_URL, len(s.ENCRYPTION_KEY)"
    result = load_settings(checked, RELAIS_DEMO="1", PORT="8123", DATA_DIR=str(tmp_path))
    assert result.stdout.strip() == "(False, False, False, 'http://127.0.0.1:8123', 44)"


@pytest.mark.parametrize(
    ("variables", "pool", "limited"),
    [
        ({}, None, False),
        ({"RELAIS_PROCESS": "web"}, (8, 3.0), True),
        ({"RELAIS_PROCESS": "worker"}, (12, 20.0), False),
        ({"RELAIS_PROCESS": "worker", "RELAIS_POOL_SIZE": "5"}, (5, 20.0), False),
        ({"RELAIS_PROCESS": "web", "RELAIS_POOL_SIZE": "0"}, None, True),
    ],
)
def test_processes_pool_connections_and_limit_statements(variables: dict[str, str], pool: tuple[int, float] | None, limited: bool) -> None:
    checked = "s.DATABASES['default']['OPTIONS']"
    options = ast.literal_eval(load_settings(checked, SECRET_KEY="x" * 50, **variables).stdout)
    assert pool == (options.get("pool") and (options["pool"]["max_size"], options["pool"]["timeout"]))
    assert ("statement_timeout=30s" in options["options"]) == limited
    assert "lock_timeout" in options["options"]


@pytest.mark.parametrize(("command", "size"), [(("worker", "--help"), 12), (("check", "--help"), 0)])
def test_a_worker_says_that_it_is_one(command: tuple[str, ...], size: int) -> None:
    code = f"""
import sys, manage
sys.argv = ['manage.py', *{command}]
try:
    manage.main()
finally:
    import config.settings
    print('size', config.settings.KIND.pool_size)
"""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    environment = kept | {"DATABASE_URL": "postgres://db.invalid/relais", "SECRET_KEY": "x" * 50}
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    assert f"size {size}" in done.stdout.splitlines()


def test_production_writes_for_programs_and_keeps_webhooks_out_of_its_network() -> None:
    checked = "s.LOGGING['handlers']['console']['formatter'], s.ALLOW_PRIVATE_TARGETS"
    assert load_settings(checked, SECRET_KEY="x" * 50).stdout.strip() == "('json', False)"
    assert load_settings(checked, SECRET_KEY="x" * 50, RELAIS_LOG_FORMAT="line").stdout.strip() == "('line', False)"
    assert load_settings(checked, RELAIS_DEMO="1").stdout.strip() == "('line', True)"
    assert "RELAIS_LOG_FORMAT must be one of json, line" in load_settings(checked, RELAIS_DEMO="1", RELAIS_LOG_FORMAT="xml").stderr
