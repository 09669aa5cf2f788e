"""What people and browsers ask for without having been told to."""

import pytest
from django.test import Client


@pytest.mark.django_db
def test_the_desk_is_found_without_its_slash(client: Client) -> None:
    answer = client.get("/admin")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_browsers_get_an_icon(client: Client) -> None:
    answer = client.get("/favicon.ico", follow=True)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
