"""Getting tokens, and what each of them is worth."""

import base64
from datetime import timedelta
from typing import Any

import orjson
import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client

from stores import credentials
from stores.models import ApiClient, Dialect
from tests.api.coopcycle.knocking import Knock, World, basic
from tests.factories import NOON, PASSWORD

MULTIPART = b'--x\r\nContent-Disposition: form-data; name="_username"\r\n\r\n%s\r\n--x--\r\n'
GRANT = {"grant_type": "client_credentials"}


def ask(world: World, body: Any = None, *, header: str = "", content_type: str = "application/x-www-form-urlencoded") -> Any:
    sent = "&".join(f"{name}={value}" for name, value in (body or GRANT).items())
    headers = {"authorization": header or basic(world.client.client_id, world.client_secret)}
    return Client().post("/oauth2/token", sent, content_type=content_type, headers=headers if header != "none" else {})


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ({}, {"deliveries"}),
        ({"scope": "tasks+deliveries"}, {"tasks", "deliveries"}),
        ({"scope": "tasks%20deliveries"}, {"tasks", "deliveries"}),
        ({"scope": "tasks"}, {"tasks"}),
    ],
)
def test_a_program_gets_a_token(world: World, asked: dict[str, str], granted: set[str]) -> None:
    response = ask(world, {**GRANT, **asked})
    said = response.json()
    assert (response.status_code, said["token_type"], said["expires_in"]) == (200, "Bearer", 3600)
    assert set(said["scope"].split()) == granted
    assert Knock(said["access_token"]).get("/api/me").json()["store"] == f"/api/stores/{world.store.pk}"


def test_credentials_may_stand_in_the_body(world: World) -> None:
    body = {**GRANT, "client_id": world.client.client_id, "client_secret": world.client_secret}
    assert ask(world, body, header="none").status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Basic nonsense", "Basic " + base64.b64encode(b"nobody:secret").decode(), "Basic " + base64.b64encode(b"a\0:b\0").decode(), "none"],
)
def test_a_wrong_client_is_told_so(world: World, header: str) -> None:
    response = ask(world, header=header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic ")
    assert response.json() == {
        "error": "invalid_client",
        "error_description": "Client authentication failed",
        "message": "Client authentication failed",
    }


def test_a_wrong_secret_is_refused(world: World) -> None:
    assert ask(world, header=basic(world.client.client_id, "wrong")).status_code == 401


def test_a_client_of_the_other_dialect_is_refused(world: World) -> None:
    till, secret = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    assert ask(world, header=basic(till.client_id, secret)).status_code == 401


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"grant_type": "password", "username": "bob", "password": "x"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, "unsupported_grant_type"),
        ({**GRANT, "scope": "everything"}, "invalid_scope"),
        ({**GRANT, "scope": "tasks:all"}, "invalid_scope"),
        ({**GRANT, "scope": "deliveries+orders"}, "invalid_scope"),
        ({**GRANT, "scope": "orders:all"}, "invalid_scope"),
        ({**GRANT, "scope": "a%00b"}, "invalid_request"),
    ],
)
def test_another_grant_or_scope_is_refused(world: World, body: dict[str, str], error: str) -> None:
    response = ask(world, body)
    assert response.status_code == 400
    assert response.json()["error"] == error
    assert response.json()["message"]


def test_a_program_gets_the_scopes_it_was_allowed(world: World) -> None:
    world.client.allowed_scopes = "tasks:all"
    world.client.save()
    assert ask(world, {**GRANT, "scope": "tasks:all"}).json()["scope"] == "tasks:all"
    assert ask(world).json()["error"] == "invalid_scope"


def test_what_is_taken_back_is_taken_from_the_tokens_in_use(world: World) -> None:
    key = world["key"]
    assert world["seeing client"].get("/api/tasks").status_code == 200
    assert key.get(f"/api/deliveries/{world.held.pk}").status_code == 200
    for client in ApiClient.objects.filter(store=world.store):
        client.allowed_scopes = "tasks"
        client.save()
    assert world["seeing client"].get("/api/tasks").status_code == 403
    assert world["client"].get(f"/api/tasks/{world.task_ids(world.held)[0]}").status_code == 200
    assert world["client"].get(f"/api/deliveries/{world.held.pk}").status_code == 403
    assert key.get(f"/api/deliveries/{world.held.pk}").status_code == 403


FORMS: dict[str, tuple[str, bytes, int]] = {
    "multipart without a boundary": ("multipart/form-data", b"x", 400),
    "a thousand fields too many": ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % number for number in range(2000)), 400),
    "a form in another alphabet": ("application/x-www-form-urlencoded; charset=latin-1", b"a=1", 400),
    "a form too large": ("application/x-www-form-urlencoded", b"_username=" + b"x" * 3_000_000, 413),
    "a field too large": ("multipart/form-data; boundary=x", MULTIPART % (b"x" * 3_000_000), 413),
}


@pytest.mark.parametrize("path", ["/api/login_check", "/api/token/refresh", "/oauth2/token"])
@pytest.mark.parametrize("name", FORMS)
def test_a_form_that_cannot_be_read(world: World, caplog: pytest.LogCaptureFixture, name: str, path: str) -> None:
    content_type, body, status = FORMS[name]
    headers = {"authorization": basic(world.client.client_id, world.client_secret)}
    response = Client().post(path, body, content_type=content_type, headers=headers)
    assert (response.status_code, "json" in response["Content-Type"]) == (status, True)
    said = response.json()
    assert said["error"] == "invalid_request" and said["message"] if path == "/oauth2/token" else said["@type"] == "hydra:Error"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE"])
def test_tokens_are_posted_for(method: str) -> None:
    response = Client().generic(method, "/oauth2/token")
    assert (response.status_code, response["Allow"], response["Content-Type"]) == (405, "POST, OPTIONS", "application/json")
    if method != "HEAD":
        assert orjson.loads(response.content).keys() == {"error", "error_description", "message"}


def test_browsers_may_ask_for_tokens(world: World) -> None:
    allowed = Client().options("/oauth2/token", headers={"access-control-request-headers": "authorization"})
    assert (allowed.status_code, allowed["Allow"], allowed["Access-Control-Allow-Headers"]) == (204, "POST, OPTIONS", "authorization")
    assert {answer["Access-Control-Allow-Origin"] for answer in (allowed, ask(world), ask(world, header="Basic x"))} == {"*"}


@pytest.mark.parametrize("path", ["/oauth2/token/", "/oauth2/token/new"])
def test_there_is_nothing_below(path: str) -> None:
    response = Client().post(path)
    assert (response.status_code, response.json()["@type"]) == (404, "hydra:Error")


def test_a_token_ends(world: World) -> None:
    token = ask(world).json()["access_token"]
    with time_machine.travel(NOON + timedelta(seconds=3601), tick=False):
        response = Knock(token).get("/api/me")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert response.json() == {"code": 401, "message": "Invalid JWT Token"}


@pytest.mark.parametrize("name", ["bob", "BOB", "bob@example.org", "Bob@Example.org"])
@pytest.mark.parametrize("multipart", [True, False])
def test_a_person_logs_in(world: World, name: str, multipart: bool) -> None:
    fields = {"_username": name, "_password": PASSWORD}
    plain = f"_username={name}&_password={PASSWORD.replace(' ', '+')}"
    form = "application/x-www-form-urlencoded"
    response = Client().post("/api/login_check", fields) if multipart else Client().post("/api/login_check", plain, content_type=form)
    said = response.json()
    assert response.status_code == 200
    assert (said["username"], said["email"], said["roles"], said["enabled"]) == (
        "bob",
        "bob@example.org",
        ["ROLE_COURIER", "ROLE_USER"],
        True,
    )
    assert Knock(said["token"]).get("/api/me").json()["username"] == "bob"
    assert Knock("", {}).get(f"/api/me?token={said['token']}").status_code == 200
    refreshed = Client().post("/api/token/refresh", {"refresh_token": said["refresh_token"]})
    assert refreshed.status_code == 200
    assert refreshed.json()["refresh_token"] == said["refresh_token"]
    assert Knock(refreshed.json()["token"]).get("/api/token/check").status_code == 200


@pytest.mark.parametrize(
    ("name", "password"), [("bob", "wrong"), ("nobody", PASSWORD), ("", ""), ("bob\0", PASSWORD + "x"), ("x" * 5000, "y")]
)
def test_a_wrong_password_is_refused(world: World, name: str, password: str) -> None:
    response = Client().post("/api/login_check", {"_username": name, "_password": password})
    assert response.status_code == 401
    assert response.json() == {"code": 401, "message": "Invalid credentials."}


def test_an_address_of_two_people_logs_nobody_in(world: World) -> None:
    world.other_courier.user.email = "bob@example.org"
    world.other_courier.user.save()
    assert Client().post("/api/login_check", {"_username": "bob@example.org", "_password": PASSWORD}).status_code == 401
    assert Client().post("/api/login_check", {"_username": "bob", "_password": PASSWORD}).status_code == 200


def test_somebody_switched_off_is_out_at_once(world: World) -> None:
    refresh_token = Client().post("/api/login_check", {"_username": "bob", "_password": PASSWORD}).json()["refresh_token"]
    world.courier.user.is_active = False
    world.courier.user.save()
    assert world["courier"].get("/api/me").status_code == 401
    assert Client().post("/api/token/refresh", {"refresh_token": refresh_token}).status_code == 401


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_a_bad_refresh_token_is_refused(world: World, token: str) -> None:
    response = Client().post("/api/token/refresh", {"refresh_token": token})
    assert response.status_code == 401
    assert response.json().keys() == {"code", "message"}


def test_an_access_token_refreshes_nothing(world: World) -> None:
    assert Client().post("/api/token/refresh", {"refresh_token": world["courier"].token}).status_code == 401


def test_a_refresh_token_opens_nothing(world: World) -> None:
    refresh_token = Client().post("/api/login_check", {"_username": "bob", "_password": PASSWORD}).json()["refresh_token"]
    assert Knock(refresh_token).get("/api/me").status_code == 401


def test_a_persons_token_ends(world: World) -> None:
    with time_machine.travel(NOON + timedelta(hours=2), tick=False):
        response = world["courier"].get("/api/me/tasks/2026-11-20")
    assert response.json() == {"code": 401, "message": "Expired JWT Token"}


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer ak_", "Bearer ak_nope", "Bearer a.b.c", "Bearer \xe9.\xe9.\xe9", "Token x", "Basic eDp5"]
)
def test_what_opens_nothing(world: World, header: str) -> None:
    response = Client().get("/api/me", headers={"authorization": header})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def test_a_revoked_key_opens_nothing(world: World) -> None:
    connection, key = credentials.issue_api_key(world.client)
    assert Knock(key).get("/api/me").status_code == 200
    credentials.revoke(connection, at=NOON)
    assert Knock(key).get("/api/me").status_code == 401


def test_an_admin_allows_only_scopes_there_are(world: World) -> None:
    world.client.allowed_scopes = "tasks  tasks:all"
    world.client.clean_fields()
    world.client.allowed_scopes = "tasks everything anything"
    with pytest.raises(ValidationError, match=r"Not a scope: anything, everything\."):
        world.client.clean_fields()
