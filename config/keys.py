"""Secrets that an instance makes for itself when it is given none."""

import base64
import hashlib
import os
import secrets
from pathlib import Path


def persisted_secret(path: Path) -> str:
    """The secret kept in `path`, made on first use and readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass  # another process was first, and its secret holds
        finally:
            draft.unlink()
    return path.read_text().strip()


def derived_key(secret: str) -> str:
    """A Fernet key that always comes out the same for the same secret."""
    return base64.urlsafe_b64encode(hashlib.blake2b(secret.encode(), digest_size=32, person=b"relais-fernet").digest()).decode()
