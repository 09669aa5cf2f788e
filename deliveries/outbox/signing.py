"""Proof of who calls: the headers of Standard Webhooks, and the plain digests that the dialects sign with."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime


def headers(message_id: str, at: datetime, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The three headers of Standard Webhooks 1.0, signed once by every key that is valid now.

    The message keeps its id through every attempt; `at` is the moment of this attempt, which receivers want to be recent.
    """
    timestamp = str(int(at.timestamp()))
    content = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{hmac_base64(key, content)}" for key in keys),
    }


def hmac_base64(key: bytes, body: bytes) -> str:
    """HMAC-SHA256 in base64, as CoopCycle's `X-CoopCycle-Signature`: its key is the secret as text, not decoded."""
    return b64encode(hmac.digest(key, body, hashlib.sha256)).decode()


def hmac_hex(key: bytes, body: bytes) -> str:
    """HMAC-SHA256 in lower-case hex, as HubRise's `X-HubRise-Hmac-SHA256`."""
    return hmac.digest(key, body, hashlib.sha256).hex()
