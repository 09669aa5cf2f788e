"""Secrets: shown once, kept hashed or sealed, and never told again."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from stores import credentials
from stores.models import ApiClient, Connection, Dialect
from tests import factories
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

ADD = "/admin/stores/apiclient/add/"


def made(response: Any) -> dict[str, str]:
    return dict(response.context["shown"])


def kept_anywhere(secret: str) -> list[str]:
    """The tables in which a secret stands in clear, in any column."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS kept WHERE kept::text LIKE %s', [f"%{secret}%"])  # noqa: S608 - our own tables
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def never_again(browser: Client, secret: str) -> None:
    client = ApiClient.objects.get()
    pages = [
        reverse("admin:stores_apiclient_change", args=[client.pk]),
        reverse("admin:stores_apiclient_history", args=[client.pk]),
        reverse("admin:stores_apiclient_changelist"),
        reverse("admin:stores_connection_changelist"),
        reverse("admin:index"),
        *(reverse("admin:stores_connection_change", args=[row.pk]) for row in Connection.objects.all()),
    ]
    for page in pages:
        body = browser.get(page).content.decode()
        assert secret not in body, page
        for row in Connection.objects.all():
            assert row.digest not in body, page
        assert client.client_secret not in body, page
        assert not client.sealed_secret or client.sealed_secret not in body, page
    assert kept_anywhere(secret) == []
    assert not any(secret in str(session.get_decoded()) for session in Session.objects.all())
    assert not any(secret in f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all())


def test_a_coopcycle_client_and_its_key_are_shown_once(admin_browser: Client) -> None:
    store = factories.StoreFactory.create()
    response = admin_browser.post(ADD, {"name": "Shop", "dialect": "coopcycle", "store": store.pk})
    shown = made(response)
    client = ApiClient.objects.get()
    assert (shown["Client id"], client.store) == (client.client_id, store)
    assert shown["Client secret"] in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    never_again(admin_browser, shown["Client secret"])
    response = admin_browser.post(reverse("admin:stores_apiclient_key", args=[client.pk]), {"name": "web shop"})
    key = made(response)["API key"]
    assert credentials.by_connection(key, dialect=Dialect.COOPCYCLE) is not None
    never_again(admin_browser, key)


def test_a_hubrise_client_and_its_token_are_shown_once(admin_browser: Client) -> None:
    account = factories.StoreFactory.create().account
    response = admin_browser.post(ADD, {"name": "Fast", "dialect": "hubrise", "carrier_ref": "fast"})
    secret = made(response)["Client secret"]
    client = ApiClient.objects.get()
    assert credentials.unseal(client.sealed_secret) == secret
    never_again(admin_browser, secret)
    answers = {"account": account.pk, "scopes": ["orders.read", "orders.write"]}
    token = made(admin_browser.post(reverse("admin:stores_apiclient_connect", args=[client.pk]), answers))["Access token"]
    known = credentials.by_connection(token, dialect=Dialect.HUBRISE)
    assert known is not None
    assert (known[1].account_id, known[1].scopes, known[1].carrier_ref) == (account.pk, frozenset({"orders.read", "orders.write"}), "fast")
    never_again(admin_browser, token)


def test_a_revoked_token_is_refused(admin_browser: Client) -> None:
    token = factories.hubrise_token(store=factories.StoreFactory.create())
    row = Connection.objects.get()
    admin_browser.post(reverse("admin:stores_connection_act", args=[row.pk, "revoke"]), {"apply": "1"})
    row.refresh_from_db()
    assert row.revoked_at == NOON
    assert credentials.by_connection(token, dialect=Dialect.HUBRISE) is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "", "dialect": "hubrise"}, "name"),
        ({"name": "Shop", "dialect": "coopcycle"}, "store"),
        ({"name": "Shop", "dialect": "klingon"}, "dialect"),
        ({"name": "Fast", "dialect": "hubrise", "carrier_ref": "not a ref"}, "carrier_ref"),
    ],
)
def test_a_client_that_makes_no_sense_is_not_made(fields: dict[str, str], field: str, admin_browser: Client) -> None:
    assert field in admin_browser.post(ADD, fields).context["form"].errors
    assert ApiClient.objects.count() == 0


def test_a_token_reaches_either_a_store_or_an_account(admin_browser: Client) -> None:
    store = factories.StoreFactory.create()
    client, _ = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    connect = reverse("admin:stores_apiclient_connect", args=[client.pk])
    for reach in ({}, {"store": store.pk, "account": store.account_id}):
        assert "store" in admin_browser.post(connect, {**reach, "scopes": ["orders.read"]}).context["form"].errors
    assert "scopes" in admin_browser.post(connect, {"store": store.pk}).context["form"].errors
    assert Connection.objects.count() == 0


def test_a_key_is_for_the_dialect_of_its_client(admin_browser: Client) -> None:
    client, _ = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    assert admin_browser.get(reverse("admin:stores_apiclient_key", args=[client.pk])).status_code == 404


@pytest.mark.parametrize("page", ["add/", "1/key/", "1/connect/"])
def test_only_admins_make_secrets(page: str, dispatcher_browser: Client) -> None:
    assert dispatcher_browser.post(f"/admin/stores/apiclient/{page}", {"name": "x", "dialect": "hubrise"}).status_code in (403, 404)
    assert ApiClient.objects.count() == 0


def test_changing_a_client_keeps_its_secret(admin_browser: Client) -> None:
    client, _ = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    kept = ApiClient.objects.get().client_secret
    change = reverse("admin:stores_apiclient_change", args=[client.pk])
    assert admin_browser.post(change, {"name": "Till 2", "redirect_uris": "https://till.example/back"}).status_code == 302
    after = ApiClient.objects.get()
    assert (after.name, after.client_secret) == ("Till 2", kept)


def test_a_form_sent_again_makes_no_second_client(admin_browser: Client) -> None:
    number = admin_browser.get(ADD).context["form"]["form_number"].value()
    fields = {"name": "Fast", "dialect": "hubrise", "form_number": number}
    secret = made(admin_browser.post(ADD, fields))["Client secret"]
    again = admin_browser.post(ADD, fields)
    assert "sent before" in again.context["form"].non_field_errors()[0]
    assert ApiClient.objects.count() == 1
    assert secret not in str(dict(admin_browser.session))
    assert admin_browser.get(ADD).context["form"]["form_number"].value() != number
