"""An instance makes secrets that stay, and that nobody else can read."""

import stat
from pathlib import Path

from cryptography.fernet import Fernet

from config.keys import derived_key, persisted_secret


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
