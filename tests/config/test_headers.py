"""Every page carries a policy, and only the admin may run what is written into it."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config.headers import ContentSecurityPolicyMiddleware


def policy_of(path: str, response: HttpResponse | None = None) -> dict[str, str]:
    def answer(request: HttpRequest) -> HttpResponse:
        return response or HttpResponse()

    header = ContentSecurityPolicyMiddleware(answer)(RequestFactory().get(path)).headers["Content-Security-Policy"]
    return dict(directive.split(" ", 1) for directive in header.split("; "))


@pytest.mark.parametrize("path", ["/", "/courier/", "/api/tasks/1", "/v1/location", "/administration/"])
def test_pages_are_strict(path: str) -> None:
    policy = policy_of(path)
    assert policy["default-src"] == "'self'"
    assert not any("unsafe" in sources for sources in policy.values())


def test_admin_may_evaluate() -> None:
    assert "'unsafe-eval'" in policy_of("/admin/login/")["script-src"]


@pytest.mark.parametrize("path", ["/api/docs", "/v1/docs"])
def test_api_pages_may_style_but_not_script(path: str) -> None:
    policy = policy_of(path)
    assert "'unsafe-inline'" in policy["style-src"]
    assert "script-src" not in policy


def test_a_page_may_bring_its_own_policy() -> None:
    assert policy_of("/", HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})) == {"default-src": "'none'"}


@pytest.mark.django_db
def test_health_is_answered_to_anybody(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    assert "no-store" in response.headers["Cache-Control"]
    assert client.post("/healthz").status_code == 405
