"""The first page, and the pages for when something is not as it should be."""

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client, RequestFactory, override_settings
from django.views.defaults import permission_denied, server_error

from tests.pages.markup import Page, read


def test_the_first_page_leads_everywhere(client: Client) -> None:
    page = read(client.get("/"))
    assert page.problems() == []
    assert {"/courier/", "/admin/", "/api/docs", "/v1/docs"} <= set(page.links)


def test_every_page_has_the_mark_that_tabs_show(client: Client) -> None:
    icons = [given["href"] for tag, given in read(client.get("/")).attributes if tag == "link" and given.get("rel") == "icon"]
    assert icons == ["/static/relais/favicon.svg"]
    assert finders.find("relais/favicon.svg") is not None


def test_it_sets_no_cookie(client: Client) -> None:
    assert not client.get("/").cookies


@override_settings(RELAIS_BRAND="Les Coursiers")
def test_the_instance_goes_by_its_own_name(client: Client) -> None:
    assert "Les Coursiers" in read(client.get("/")).text


@pytest.mark.parametrize("path", ["/nowhere", "/courier/tasks/x/done", "/wp-admin.php"])
def test_what_is_not_there(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    page = read(response)
    assert (page.problems(), page.headings[1]) == ([], ["There is no such page"])


def test_what_is_not_allowed() -> None:
    page = read(permission_denied(RequestFactory().get("/"), PermissionError()))
    assert (page.problems(), page.headings[1]) == ([], ["This page is not for you"])


def test_what_broke_asks_for_nothing() -> None:
    page = read(server_error(RequestFactory().get("/")))
    assert (page.problems(), page.headings[1]) == ([], ["Something went wrong on our side"])


def test_the_page_for_stale_forms() -> None:
    assert Page(render_to_string("403_csrf.html")).problems() == []
