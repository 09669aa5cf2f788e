"""Every answer bears the id of its request, and so does every line that was written for it."""

import logging
import threading
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config.logs import WithRequestId
from config.requests import RequestMiddleware
from stores import tracing
from tests import factories


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/", "/no/such/page", "/admin/login/", "/healthz", "/static/relais/favicon.svg", "/api/tasks/1", "/v1/location"]
)
def test_every_answer_bears_the_id_that_was_sent(client: Client, path: str) -> None:
    assert client.get(path, headers={"x-request-id": "Ab-1._"}).headers["X-Request-ID"] == "Ab-1._"


@pytest.mark.django_db
@pytest.mark.parametrize("sent", [None, "", "two words", "x" * 65, "a\r\nSet-Cookie: b=c"])
def test_others_are_replaced(client: Client, sent: str | None) -> None:
    made = [client.get("/", headers={} if sent is None else {"x-request-id": sent}).headers["X-Request-ID"] for _ in range(2)]
    assert sent not in made
    assert made[0] != made[1]
    assert all(tracing.accepted(each) == each for each in made)


def test_an_accident_bears_it_too(client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr("django.views.generic.TemplateView.get", fail)
    client.raise_request_exception = False
    answer = client.get("/", headers={"x-request-id": "it-broke"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (500, "it-broke")


def test_requests_at_once_do_not_mix_theirs() -> None:
    together = threading.Barrier(2, timeout=10)
    seen: dict[str, tuple[str, str]] = {}

    def answer(request: HttpRequest) -> HttpResponse:
        together.wait()
        return HttpResponse(tracing.current())

    def ask(sent: str) -> None:
        response = RequestMiddleware(answer)(RequestFactory().get("/", headers={"x-request-id": sent}))
        assert isinstance(response, HttpResponse)
        seen[sent] = (response.headers["X-Request-ID"], response.content.decode())

    threads = [threading.Thread(target=ask, args=(sent,)) for sent in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"one": ("one", "one"), "two": ("two", "two")}
    assert tracing.current() == ""


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="relais.requests")
    return caplog


def said(lines: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    wanted = ("method", "path", "status", "caller")
    return [{name: vars(record)[name] for name in wanted} for record in lines.records if record.name == "relais.requests"]


@pytest.mark.django_db
def test_a_line_says_what_was_asked_but_not_the_query(client: Client, lines: pytest.LogCaptureFixture) -> None:
    client.get("/v1/nowhere%0Aat all?token=secret")
    assert said(lines) == [{"method": "GET", "path": "/v1/nowhere%0Aat%20all", "status": 404, "caller": ""}]
    assert "secret" not in lines.text
    assert " ms" in lines.text


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/static/relais/favicon.svg"])
def test_what_is_asked_all_the_time_has_no_line(client: Client, lines: pytest.LogCaptureFixture, path: str) -> None:
    client.get(path)
    assert said(lines) == []


@pytest.mark.django_db
def test_what_django_says_afterwards_bears_it_too(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/no/such/page", headers={"x-request-id": "lost"})
    records = [record for record in caplog.records if record.name == "django.request"]
    assert records
    assert all(WithRequestId().filter(record) and vars(record)["request_id"] == "lost" for record in records)


@pytest.mark.django_db
def test_a_line_says_who_asked(client: Client, lines: pytest.LogCaptureFixture) -> None:
    person = factories.UserFactory.create(is_staff=True, is_superuser=True)
    client.force_login(person)
    client.get("/admin/")
    store = factories.StoreFactory.create()
    client.get("/api/tasks/1", headers={"authorization": f"Bearer {factories.api_key(store)}"})
    callers = [each["caller"] for each in said(lines)]
    assert callers[0] == person.get_username()
    assert callers[1]
