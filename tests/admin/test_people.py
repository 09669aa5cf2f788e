"""New people in one form, and couriers who come to the wrong door."""

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.models import Courier
from stores import credentials
from stores.actors import Role
from stores.models import User
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


@pytest.mark.parametrize(("role", "staff"), [(Role.COURIER, False), (Role.DISPATCHER, True), (Role.STORE_OWNER, True), (Role.ADMIN, True)])
def test_one_form_makes_somebody(role: Role, staff: bool, admin_browser: Client) -> None:
    words = {"password1": factories.PASSWORD, "password2": factories.PASSWORD}
    who = {"username": "aya", "first_name": "Aya", "last_name": "Diallo", "telephone": "06 12 34 56 78", "role": role.value}
    response = admin_browser.post(reverse("admin:stores_user_add"), {**who, **words})
    assert response.status_code == 302
    person = User.objects.get(username="aya")
    assert (str(person), person.telephone, person.is_staff) == ("Aya Diallo", "+33612345678", staff)
    assert role in credentials.user_actor(person).roles
    assert Courier.objects.filter(user=person).exists() is (role == Role.COURIER)


def test_nobody_is_made_without_a_role(admin_browser: Client) -> None:
    words = {"username": "aya", "password1": factories.PASSWORD, "password2": factories.PASSWORD}
    response = admin_browser.post(reverse("admin:stores_user_add"), words)
    assert "role" in response.context["adminform"].form.errors


def test_a_courier_is_shown_to_their_own_door(client: Client) -> None:
    courier = factories.CourierFactory.create()
    response = client.post(reverse("admin:login"), {"username": courier.user.username, "password": factories.PASSWORD})
    assert 'href="/courier/"' in response.content.decode()
