"""A database that does not answer: both dialects say so, say when to try again, and go on when it is back."""

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("whole_afterwards")]


def calls() -> list[tuple[str, dict[str, str]]]:
    """A read in each dialect, with a token that is good."""
    store = factories.StoreFactory.create()
    task = factories.delivery(store).stops[0]
    return [
        (f"/api/tasks/{task.pk}", {"authorization": f"Bearer {factories.api_key(store)}"}),
        ("/v1/location/orders", {"x-access-token": factories.hubrise_token(store=store)}),
    ]


@pytest.mark.parametrize("error", [OperationalError("the connection is lost"), InterfaceError("the connection is closed")])
@pytest.mark.parametrize("dialect", [0, 1], ids=["CoopCycle", "HubRise"])
def test_it_is_said_in_the_dialect_and_recovers_by_itself(dialect: int, error: Exception) -> None:
    path, headers = calls()[dialect]

    def lost(*args: Any) -> Any:
        raise error

    with connection.execute_wrapper(lost):
        answer = Client().get(path, headers=headers)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    said = answer.json()
    assert said.get("error_type", said.get("@type")) == ("hydra:Error", "service_unavailable")[dialect]
    assert str(error) not in answer.content.decode()
    assert Client().get(path, headers=headers).status_code == 200


def test_a_page_says_so_too() -> None:
    def lost(*args: Any) -> Any:
        raise OperationalError("the connection is lost")

    client = Client(raise_request_exception=False)
    with connection.execute_wrapper(lost):
        answer = client.get("/en/pub/d/AAAAAAAAAAAAAAAAAAAAAA")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "the connection is lost" not in answer.content.decode()
    assert client.get("/en/pub/d/AAAAAAAAAAAAAAAAAAAAAA").status_code == 404


def test_a_page_that_fails_by_our_fault_asks_nobody_to_try_again() -> None:
    def broken(*args: Any) -> Any:
        raise ZeroDivisionError

    with connection.execute_wrapper(broken):
        answer = Client(raise_request_exception=False).get("/en/pub/d/AAAAAAAAAAAAAAAAAAAAAA")
    assert (answer.status_code, "Retry-After" in answer.headers) == (500, False)
