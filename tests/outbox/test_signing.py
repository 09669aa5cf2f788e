"""Signatures: what the public library verifies, and what the dialects' own documents promise."""

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from deliveries.outbox import signing

BODY = json.dumps({"name": "Zoë", "price": "12.50 €"}, ensure_ascii=False).encode()
NEW, OLD, OTHER = b"n" * 32, b"o" * 24, b"x" * 32
NAMES = {"webhook-id", "webhook-timestamp", "webhook-signature"}


def verifies(key: bytes, headers: dict[str, str], body: bytes = BODY) -> bool:
    """Does a receiver with this key, written as its operator has it, believe us?"""
    try:
        Webhook(f"whsec_{b64encode(key).decode()}").verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def test_a_receiver_verifies_what_was_signed() -> None:
    headers = signing.headers("msg_1", timezone.now(), BODY, [NEW])
    assert set(headers) == NAMES
    assert verifies(NEW, headers)
    assert not verifies(OTHER, headers)


def test_while_keys_rotate_receivers_with_either_believe_us() -> None:
    headers = signing.headers("msg_1", timezone.now(), BODY, [NEW, OLD])
    assert [verifies(key, headers) for key in (NEW, OLD, OTHER)] == [True, True, False]
    assert [part.partition(",")[0] for part in headers["webhook-signature"].split(" ")] == ["v1", "v1"]


@pytest.mark.parametrize(
    "change",
    [{"webhook-id": "msg_2"}, {"webhook-timestamp": str(int(timezone.now().timestamp()) - 60)}],
    ids=["id", "timestamp"],
)
def test_id_and_time_are_signed_too(change: dict[str, str]) -> None:
    headers = signing.headers("msg_1", timezone.now(), BODY, [NEW])
    assert not verifies(NEW, headers | change)


def test_another_body_is_not_believed() -> None:
    assert not verifies(NEW, signing.headers("msg_1", timezone.now(), BODY, [NEW]), BODY + b" ")


def test_a_later_attempt_is_signed_for_its_own_time() -> None:
    at = timezone.now()
    first, late = (signing.headers("msg_1", moment, BODY, [NEW]) for moment in (at - timedelta(hours=1), at))
    assert first["webhook-id"] == late["webhook-id"]
    assert not verifies(NEW, first), "receivers refuse what was signed long ago"
    assert verifies(NEW, late)


def test_the_example_of_the_specification() -> None:
    key = b64decode("plJ3nmyCDGBKInavdOK15jsl")
    at = datetime.fromtimestamp(1731705121, UTC)
    assert signing.headers("msg_loFOjxBNrRLzqYUf", at, b'{"event_type":"ping","data":{"success":true}}', [key]) == {
        "webhook-id": "msg_loFOjxBNrRLzqYUf",
        "webhook-timestamp": "1731705121",
        "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    }


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (rb'{"data":{"object":"\/api\/deliveries\/1","event":"delivery.picked"}}', "S9LMKpq4VBDEGm5umbQx/q4SQMnpX/Wz/719dBBZ3rI="),
        (rb'{"data":{"object":"/api/deliveries/1","event":"delivery.picked"}}', "HiO8QEUH9J9Xwg3NhoPLzuwbr5YS1Y2114amSkoYVc8="),
        (rb'{"data":{"object":"\/api\/deliveries\/1","event":"delivery.completed"}}', "HH9cYmp8DRnqS3DM7uWQVf+8eQG2xALgPZzwU6oOGrc="),
    ],
)
def test_coopcycle_signatures(body: bytes, signature: str) -> None:
    assert signing.hmac_base64(b"123456", body) == signature


def test_hubrise_signatures_are_lower_case_hex() -> None:
    """RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signing.hmac_hex(b"Jefe", b"what do ya want for nothing?") == expected
