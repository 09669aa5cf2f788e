"""Every answer bears the id of its request, and so does every line that was written for it."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string

from config.logs import Json, Line, WithRequestId
from config.requests import RequestMiddleware
from stores import credentials, tracing
from stores.models import Connection
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


class Kept(logging.Handler):
    """Writes as the console does, in both forms."""

    def __init__(self) -> None:
        super().__init__()
        self.written = ""
        filters: Any = settings.LOGGING["filters"]
        for name in ("refusals", "request_id"):
            self.addFilter(import_string(filters[name]["()"])())

    def emit(self, record: logging.LogRecord) -> None:
        self.written += Line("{message}", style="{").format(record) + Json().format(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler, root, level = Kept(), logging.getLogger(), logging.getLogger("relais").level
    logging.getLogger("relais").setLevel(logging.INFO)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    logging.getLogger("relais").setLevel(level)


TOKEN = "xK-3v_Q9a0sZt7LmPqRw2A"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/en/pub/d/{TOKEN}", "/en/pub/d/…"),
        (f"/de/pub/d/{TOKEN}", "/de/pub/d/…"),
        (f"/en/pub/{TOKEN}", "/en/pub/…"),
        (f"/EN/PUB/D/{TOKEN}/", "/EN/PUB/D/…"),
        (f"/{TOKEN}", "/…"),
        (f"/api/deliveries/{TOKEN}", "/api/deliveries/…"),
        (f"/v1/location/orders/{TOKEN}", "/v1/location/orders/…"),
        ("/api/contexts/ConstraintViolationList", "/api/contexts/ConstraintViolationList"),
    ],
)
def test_no_line_holds_what_opens_something(client: Client, kept: Kept, path: str, shown: str) -> None:
    secrets = {"authorization": "Bearer app_open", "x-access-token": "till_open", "idempotency-key": '"key_open"'}
    client.get(f"{path}?token=query_open", headers=secrets)
    client.post(f"{path}?token=query_open", headers=secrets)
    assert f"GET {shown} " in kept.written
    assert not [secret for secret in (TOKEN, "app_open", "till_open", "key_open", "query_open") if secret in kept.written]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/me", "/v1/location", f"/en/pub/d/{TOKEN}"])
def test_no_line_about_a_lost_database_does_either(client: Client, kept: Kept, path: str) -> None:
    def lost(*args: Any) -> Any:
        raise OperationalError("the connection is lost")

    client.raise_request_exception = False
    key = f"{credentials.API_KEY_PREFIX}open"
    with connection.execute_wrapper(lost):
        answer = client.get(f"{path}?token=query_open", headers={"authorization": f"Bearer {key}", "x-access-token": "till_open"})
    assert answer.status_code == 503
    assert " 503 " in kept.written
    assert not [secret for secret in (TOKEN, key, "till_open", "query_open") if secret in kept.written]


@pytest.mark.django_db
def test_a_line_says_which_till_asked(client: Client, lines: pytest.LogCaptureFixture) -> None:
    store = factories.StoreFactory.create()
    client.get("/v1/location", headers={"x-access-token": factories.hubrise_token(store=store)})
    assert [each["caller"] for each in said(lines)] == [Connection.objects.get().client.name]


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
