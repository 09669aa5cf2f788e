"""The people of the desk, logged in."""

import pytest
from django.test import Client

from stores.actors import Role
from stores.models import User
from tests import factories


def logged_in(user: User) -> Client:
    """A browser in which somebody has logged in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin_browser(db: None) -> Client:
    return logged_in(factories.UserFactory.create(username="ada", is_staff=True, is_superuser=True))


@pytest.fixture
def dispatcher_browser(db: None) -> Client:
    return logged_in(factories.UserFactory.create(username="dora", is_staff=True, role=Role.DISPATCHER))
