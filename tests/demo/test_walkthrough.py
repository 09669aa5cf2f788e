"""The walkthrough against a live server: the whole evening, and what it says when something differs."""

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.management.color import no_style
from django.utils import timezone

from deliveries.demo import loading, stage
from deliveries.demo.stage import Difference, Speaker, Stage, trimmed
from deliveries.models import Delivery
from deliveries.statuses import DeliveryStatus, agree


@pytest.fixture
def demo_json(tmp_path: Path, live_server: Any) -> Path:
    path = tmp_path / "demo.json"
    loading.load(path, base_url=live_server.url, at=timezone.now())
    return path


def walk(path: Path, **options: Any) -> str:
    out = io.StringIO()
    call_command("walkthrough", demo_json=path, stdout=out, no_color=True, **options)
    return out.getvalue()


@pytest.mark.django_db(transaction=True)
class TestTheEvening:
    def test_plays_in_both_dialects(self, demo_json: Path) -> None:
        before = Delivery.objects.count()
        told = walk(demo_json)
        assert "All as it should be" in told
        for line in (
            "POST /v1/location/orders  (HubRise)",
            "POST /api/deliveries  (CoopCycle)",
            "POST /oauth2/token  (OAuth2)",
            "✓ pickup_at is set",
            "✓ the tasks are DONE and DONE",
            "✓ the till sees it delivered",
        ):
            assert line in told
        assert Delivery.objects.count() == before + 4
        played = Delivery.objects.prefetch_related("tasks").order_by("-pk")[:4]
        assert [delivery.status for delivery in played] == ["delivered"] * 4
        assert all(agree(DeliveryStatus(delivery.status), delivery.tasks.all()) for delivery in played)
        assert [secret for secret in secrets_of(json.loads(demo_json.read_text())) if secret in told] == []
        assert "All as it should be" in walk(demo_json), "it can be played again"

    def test_stops_at_the_first_difference(self, demo_json: Path) -> None:
        demo = json.loads(demo_json.read_text())
        demo["stores"][0]["token"] = demo["stores"][0]["read_token"]
        demo_json.write_text(json.dumps(demo))
        with pytest.raises(CommandError, match=r"POST /v1/location/orders was answered with 403 instead of 200"):
            walk(demo_json)


def secrets_of(demo: dict[str, Any]) -> list[str]:
    people = demo["people"]
    passwords = [login["password"] for login in (people["dispatcher"], *people["couriers"])]
    return passwords + [store[name] for store in demo["stores"] for name in ("token", "api_key", "client_secret")]


def test_goes_where_it_is_sent(tmp_path: Path) -> None:
    path, login = tmp_path / "demo.json", {"username": "ada", "password": "lovelace"}
    demo = {
        "base_url": "http://127.0.0.1:2",
        "people": {"dispatcher": login, "couriers": [login, login]},
        "stores": [{"token": "a", "name": "A store"}],
        "carriers": [{"name": "UPS", "ref": "ups", "token": "b"}],
    }
    path.write_text(json.dumps(demo))
    with pytest.raises(CommandError, match=r"http://127\.0\.0\.1:2 does not answer .* make demo"):
        walk(path)
    with pytest.raises(CommandError, match=r"http://127\.0\.0\.1:1 does not answer .* make demo"):
        walk(path, base_url="http://127.0.0.1:1/")


def test_wants_a_demo(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="start a demo first: make demo"):
        walk(tmp_path / "demo.json")


class TestTheStage:
    def on(self, *answers: httpx.Response) -> tuple[Stage, list[httpx.Request], list[str]]:
        asked: list[httpx.Request] = []
        written: list[str] = []
        waiting = iter(answers)

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return next(waiting)

        client = httpx.Client(base_url="http://relais.example", transport=httpx.MockTransport(answer))
        return Stage(client, written.append, no_style()), asked, written

    def test_speaks_each_dialect_as_it_is_spoken(self) -> None:
        played, asked, _ = self.on(*(httpx.Response(200, json={}) for _ in range(4)))
        played.call(Speaker.hubrise("Till", "abc"), "POST", "/v1/location/orders", {"status": "new"})
        played.call(Speaker.coopcycle("Shop", "ak_1"), "PUT", "/api/tasks/1/start")
        played.call(Speaker.client("Shop", "me", "secret"), "POST", "/oauth2/token", form={"grant_type": "client_credentials"})
        played.call(Speaker.stranger("Somebody"), "GET", "/api")
        assert asked[0].headers["X-Access-Token"] == "abc"
        assert (asked[0].headers["Content-Type"], json.loads(asked[0].content)) == ("application/json", {"status": "new"})
        assert asked[1].headers["Authorization"] == "Bearer ak_1"
        assert (asked[1].headers["Content-Type"], asked[1].content) == ("application/ld+json", b"{}")
        assert asked[2].headers["Authorization"] == "Basic bWU6c2VjcmV0"
        assert asked[2].content == b"grant_type=client_credentials"
        assert "Authorization" not in asked[3].headers
        assert "Content-Type" not in asked[3].headers

    def test_says_what_differs(self) -> None:
        played, _, _ = self.on(httpx.Response(422, json={"message": "Validation failed"}))
        with pytest.raises(Difference, match=r"Till: GET /v1/location was answered with 422 instead of 200:\n.*Validation failed"):
            played.call(Speaker.hubrise("Till", "abc"), "GET", "/v1/location")
        with pytest.raises(Difference, match="the status: found 'a' instead of 'b'"):
            played.expect("the status", "a", "b")
        with pytest.raises(Difference, match="something"):
            played.expect_given("something", None)
        with pytest.raises(Difference, match="a member"):
            played.expect_member("a member", 1, [2, 3])
        assert played.checks == 3

    def test_wants_json_where_json_is_promised(self) -> None:
        played, _, _ = self.on(httpx.Response(200, content=b"<html>", headers={"Content-Type": "application/json"}))
        with pytest.raises(Difference, match="GET /api says it answers JSON, and does not"):
            played.call(Speaker.stranger("Somebody"), "GET", "/api")

    def test_keeps_what_it_shows_short(self) -> None:
        long = {"polyline": "x" * 500, "items": [1, 2, 3, 4], "ref": None, "tags": [], "token": "abc", "a": {"b": {"c": {"d": 1}}}}
        assert trimmed(long) == {
            "polyline": "x" * stage.LONGEST_TEXT + "...",
            "items": [1, 2, "... 2 more"],
            "token": "...",
            "a": {"b": {"c": "{...}"}},
        }
        played, _, written = self.on(httpx.Response(200, json=long), httpx.Response(200, text="<html>\n<body>"))
        played.call(Speaker.stranger("Somebody"), "GET", "/api")
        assert max(len(line) for text in written for line in text.splitlines()) <= 140
        assert played.call(Speaker.stranger("Somebody"), "GET", "/") == "<html>\n<body>"
        assert written[-1].strip() == "<html>..."
