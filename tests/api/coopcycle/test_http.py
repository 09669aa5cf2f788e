"""Media types, headers, methods and bodies: what every call has in common."""

from typing import Any

import orjson
import pytest
from django.test import Client

from stores.models import Order
from tests.api.coopcycle.knocking import LD, World

JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("", LD),
        ("*/*", LD),
        ("application/*", LD),
        (LD, LD),
        (JSON, JSON),
        ("application/json, text/plain, */*", JSON),
        ("application/json;q=0.5, application/ld+json", LD),
        ("application/ld+json;profile=http://www.w3.org/ns/json-ld#context, application/ld+json, application/json;q=0.8", LD),
        ("application/merge-patch+json", LD),
        ("text/html,application/xhtml+xml,*/*;q=0.8", LD),
        ("text/html", None),
        ("application/json;q=0", None),
        ("text/html, application/json;q=nonsense", None),
    ],
)
def test_the_form_of_the_answer(world: World, accept: str, answered: str | None) -> None:
    response = world["client"].get(f"/api/deliveries/{world.delivery.pk}", **({"accept": accept} if accept else {}))
    if answered is None:
        assert response.status_code == 406
        assert response.json()["@type"] == "hydra:Error"
    else:
        assert response.status_code == 200
        assert response["Content-Type"] == f"{answered}; charset=utf-8"


def test_plain_json_is_the_same_without_linked_data(world: World) -> None:
    path = f"/api/stores/{world.store.pk}/deliveries"
    linked, plain = world["client"].get(path).json(), world["client"].get(path, accept=JSON).json()
    assert [row["id"] for row in plain] == [row["id"] for row in linked["hydra:member"]]
    assert b'"@' not in orjson.dumps(plain)
    assert plain[0]["tasks"][0]["address"]["geo"].keys() == {"latitude", "longitude"}
    assert plain[0].keys() == linked["hydra:member"][0].keys() - {"@id", "@type"}


def test_headers_of_an_answer(world: World) -> None:
    path = f"/api/deliveries/{world.delivery.pk}"
    response = world["client"].get(path)
    expected = {
        "Content-Type": f"{LD}; charset=utf-8",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "deny",
        "Link": '<http://testserver/api/docs.jsonld>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"',
        "Content-Location": path,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Link, Location, ETag, Idempotency-Replayed, Retry-After",
    }
    assert {name: response[name] for name in expected} == expected


@pytest.mark.parametrize("path", ["/api/deliveries", "/api/login_check", "/api/tasks/1/done", "/api/nowhere", "/api/docs.json"])
def test_browsers_may_ask_before_they_call(path: str) -> None:
    response = Client().options(
        path, headers={"origin": "https://shop.example", "access-control-request-headers": "authorization,content-type"}
    )
    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    assert response["Access-Control-Allow-Headers"] == "authorization,content-type"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/deliveries", "POST, OPTIONS"),
        ("PATCH", "/api/deliveries/1", "GET, PUT, DELETE, HEAD, OPTIONS"),
        ("POST", "/api/tasks/1/done", "PUT, OPTIONS"),
        ("TRACE", "/api/tasks/1", "GET, HEAD, OPTIONS"),
        ("BREW", "/api/tasks/1", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_is_not_there(world: World, method: str, path: str, allow: str) -> None:
    response = world["dispatcher"].call(method, path)
    assert response.status_code == 405
    assert set(response["Allow"].split(", ")) == set(allow.split(", "))
    assert response.json()["@type"] == "hydra:Error"


@pytest.mark.parametrize("path", ["/api/", "/api/nowhere", "/api/deliveries/", "/api/deliveries/12345678901234567890", "/api/tasks/x/done"])
def test_a_path_that_is_not_there(world: World, path: str) -> None:
    response = world["client"].get(path)
    assert response.status_code == 404
    assert response["Content-Type"] == f"{LD}; charset=utf-8"
    assert response.json()["@type"] == "hydra:Error"


def test_head_is_get_without_a_body(world: World) -> None:
    response = world["client"].call("HEAD", "/api")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/csv"])
def test_a_body_of_another_type(world: World, content_type: str) -> None:
    response = world["client"].post("/api/deliveries", b"{}", content_type=content_type)
    assert response.status_code == 415
    kind = content_type.partition(";")[0]
    assert response.json() == {
        "@context": "/api/contexts/Error",
        "@type": "hydra:Error",
        "hydra:title": "An error occurred",
        "hydra:description": f'The content-type "{kind}" is not supported. Supported MIME types are "{LD}", "{JSON}".',
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":1e999}',
        b"\xff\xfe",
        b'{"a":"\x00"}',
        b"[" * 5000,
        b'{"pickup":{"comments":"nul \\u0000"}}',
    ],
)
def test_a_body_that_cannot_be_read(world: World, body: bytes) -> None:
    before = Order.objects.count()
    for call in (
        world["client"].post("/api/deliveries", body),
        world["client"].call("PUT", f"/api/deliveries/{world.delivery.pk}/pick", body),
    ):
        assert call.status_code == 400
        assert call.json()["@type"] == "hydra:Error"
    assert Order.objects.count() == before


def test_malformed_json_is_a_syntax_error(world: World) -> None:
    assert world["client"].post("/api/deliveries", b"{").json()["hydra:description"] == "Syntax error"


def test_an_escaped_backslash_is_not_a_nul(world: World) -> None:
    body = b'{"pickup":{"comments":"C:\\\\u0000"},"dropoff":{"address":"48, Rue de Rivoli, Paris","before":"tomorrow 13:00"}}'
    assert world["client"].post("/api/deliveries", body).json()["pickup"]["comments"] == "C:\\u0000"


def test_a_body_that_is_too_large(world: World, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = world["client"].post("/api/deliveries", b'{"a":"' + b"x" * 2000 + b'"}')
    assert response.status_code == 413
    assert response.json()["@type"] == "hydra:Error"


def test_errors_follow_the_form_of_the_answer(world: World) -> None:
    response = world["client"].post("/api/deliveries", {"dropoff": {"address": "48, Rue de Rivoli"}}, accept=JSON)
    assert response.status_code == 400
    assert response["Content-Type"] == f"{JSON}; charset=utf-8"
    problem = response.json()
    assert problem.keys() == {"type", "title", "detail", "violations"}
    assert problem["violations"][0]["propertyPath"] == "items[0].task.doneBefore"


def test_a_content_type_on_get_is_ignored(world: World) -> None:
    assert world["client"].get("/api/me", content_type="text/plain").status_code == 200
