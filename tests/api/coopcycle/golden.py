"""Golden answers: the whole body of each call, kept beside the tests, with what differs from run to run made still."""

import re
from pathlib import Path
from typing import Any

import orjson

from tests.api.coopcycle import webhooks

FOLDER = Path(__file__).parent / "golden"

VOLATILE = {
    "polyline": "<polyline>",
    "trackingUrl": "<tracking page>",
    "number": "<order number>",
    "order_number": "<order number>",
    "token": "<token>",
    "access_token": "<token>",
    "refresh_token": "<token>",
    "barcode": "<barcode>",
    "url": "<label>",
    "secret": "<secret>",
    "recordedAt": "<when it was recorded>",
}
"""Keys whose text is random, or follows from an id."""


def still(payload: Any) -> Any:
    """A payload whose ids are counted from 1 in order of appearance, kind by kind, and whose random texts are named."""
    return _still(payload, {})


def _still(value: Any, seen: dict[str, dict[str, int]], key: str = "") -> Any:
    if isinstance(value, dict):
        kind = str(value.get("@id", "")).split("/")[2:3]
        still = {}
        for name, inner in value.items():
            if name == "id" and isinstance(inner, int):
                still[name] = _count(seen, kind[0], str(inner)) if kind else "<id>"
            elif name == "order_id":
                still[name] = _count(seen, "orders", str(inner))
            else:
                still[name] = _still(inner, seen, name)
        return still
    if isinstance(value, list):
        return ["<label>" for _ in value] if key == "labels" else [_still(inner, seen) for inner in value]
    if not isinstance(value, str):
        return value
    if key in VOLATILE and value != webhooks.URL:
        return VOLATILE[key]
    value = re.sub(r"#\d+", "#<id>", value)
    value = re.sub(r"/calls/\d+", "/calls/<id>", value)
    value = re.sub(r"test_[0-9a-z]{5,}", "test_<id>", value)
    value = re.sub(r"\?cursor=[\w-]+", "?cursor=<cursor>", value)
    value = re.sub(r"evt_\d+_", "evt_<id>_", value)
    value = re.sub(r"(genid/|retail_prices/|PRICE-)[0-9a-f]{20}", r"\1<digest>", value)
    return re.sub(r"/api/(\w+)/(\d+)(?!\d|-)", lambda found: f"/api/{found[1]}/{_count(seen, found[1], found[2])}", value)


def _count(seen: dict[str, dict[str, int]], kind: str, number: str) -> int:
    numbers = seen.setdefault(kind, {})
    return numbers.setdefault(number, len(numbers) + 1)


def assert_golden(name: str, payload: Any) -> None:
    """The payload is what it was; a first run without the file writes it, and fails so that somebody reads it."""
    path = FOLDER / f"{name}.json"
    got = still(payload)
    if not path.exists():
        path.write_bytes(orjson.dumps(got, option=orjson.OPT_INDENT_2) + b"\n")
        raise AssertionError(f"{path.name} was written: read it, and keep it if it is right")
    assert got == orjson.loads(path.read_bytes())
    assert orjson.dumps(got, option=orjson.OPT_INDENT_2) + b"\n" == path.read_bytes(), "the keys come in another order"
