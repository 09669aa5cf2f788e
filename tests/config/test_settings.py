"""Settings say which variable is wrong, and make secrets that stay."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.settings import derived_key, env_bool, env_int, env_list, env_object, env_positive, env_str, env_zone, persisted_secret

NAME = "RELAIS_TEST_VARIABLE"


@pytest.mark.parametrize(
    ("reader", "text", "expected"),
    [
        (env_str, " a b ", "a b"),
        (env_bool, "1", True),
        (env_bool, "Yes", True),
        (env_bool, "off", False),
        (env_bool, "0", False),
        (env_int, "-3", -3),
        (env_positive, "1.5", 1.5),
        (env_list, "a, b,,c ", ["a", "b", "c"]),
        (env_object, '{"domain": "x"}', {"domain": "x"}),
        (env_zone, "Europe/Lisbon", "Europe/Lisbon"),
    ],
)
def test_readable_values(monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], Any], text: str, expected: Any) -> None:
    monkeypatch.setenv(NAME, text)
    assert reader(NAME) == expected


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (env_bool, "maybe"),
        (env_int, "8k"),
        (env_positive, "0"),
        (env_positive, "-1"),
        (env_positive, "nan"),
        (env_positive, "inf"),
        (env_object, "[1]"),
        (env_object, "{"),
        (env_zone, "Mars/Olympus"),
    ],
)
def test_unreadable_values_name_the_variable(monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], Any], text: str) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match=NAME):
        reader(NAME)


@pytest.mark.parametrize("reader", [env_str, env_bool, env_int, env_positive, env_list, env_object, env_zone])
@pytest.mark.parametrize("text", [None, "", "  "])
def test_required_values_name_the_variable(monkeypatch: pytest.MonkeyPatch, reader: Callable[[str], Any], text: str | None) -> None:
    monkeypatch.delenv(NAME, raising=False)
    if text is not None:
        monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} is not set"):
        reader(NAME)


def test_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "")
    assert env_int(NAME, 7) == 7
    assert env_str(NAME, "") == ""


def test_generated_secret_is_private_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret_key"
    first = persisted_secret(path)
    assert len(first) >= 50
    assert persisted_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


def test_derived_key_is_a_fernet_key_of_the_secret() -> None:
    sealed = Fernet(derived_key("one")).encrypt(b"hush")
    assert Fernet(derived_key("one")).decrypt(sealed) == b"hush"
    assert derived_key("one") != derived_key("two")


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


def test_web_processes_pool_connections_and_limit_statements() -> None:
    checked = "s.DATABASES['default']['OPTIONS']"
    pooled = load_settings(checked, SECRET_KEY="x" * 50, RELAIS_POOL_SIZE="3").stdout
    plain = load_settings(checked, SECRET_KEY="x" * 50).stdout
    assert "'max_size': 3" in pooled
    assert "statement_timeout=30s" in pooled
    assert "pool" not in plain
    assert "statement_timeout" not in plain
    assert "lock_timeout" in plain
