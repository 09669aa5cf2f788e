"""Secrets are hashed at rest, shown once, and come back as whoever holds them, in one query each."""

import re
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.conf import LazySettings
from django.contrib.auth.hashers import check_password
from django.db import connection
from oauth2_provider.models import AccessToken
from pytest_django import DjangoAssertNumQueries

from stores import credentials
from stores.actors import ActorKind, Role
from stores.models import ApiClient, Dialect, User
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def everything_stored() -> str:
    """All that the database holds, as text."""
    with connection.cursor() as cursor:
        return "\n".join(
            str(row)
            for table in connection.introspection.table_names(cursor)
            for row in (cursor.execute(f'SELECT t::text FROM "{table}" t'), cursor.fetchall())[1]  # noqa: S608 - names from the catalogue
        )


def grant(client: ApiClient, token: str = "t" * 30, **fields: Any) -> AccessToken:
    """An OAuth2 token as the provider stores it."""
    given = {"token": "", "token_checksum": credentials.digest(token), "expires": NOON + timedelta(hours=1), "scope": "tasks deliveries"}
    return AccessToken.objects.create(application=client, **{**given, **fields})


def test_no_secret_is_stored_in_clear() -> None:
    store = factories.StoreFactory.create()
    shop, shop_secret = factories.coopcycle_client(store)
    till, till_secret = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    _, key = credentials.issue_api_key(shop)
    _, token = credentials.connect(till, store=store, scopes="orders.write")
    renewed = credentials.renew_secret(till, at=NOON)
    factories.UserFactory.create(password="open sesame 42")
    stored = everything_stored()
    assert shop.client_id in stored, "the search finds what is there"
    assert [secret for secret in (shop_secret, till_secret, renewed, key, token, "open sesame 42") if secret in stored] == []


def test_secrets_are_long_random_and_of_their_shape() -> None:
    shop, secret = factories.coopcycle_client(factories.StoreFactory.create())
    connection_, key = credentials.issue_api_key(shop, name="Shop")
    again, another = credentials.issue_api_key(shop)
    assert re.fullmatch(r"ak_[0-9a-f]{40}", key)
    assert re.fullmatch(r"[0-9a-f]{128}", secret)
    assert key != another
    assert (connection_.hint, connection_.digest, connection_.name) == (key[:8], credentials.digest(key), "Shop")
    assert (again.store, again.account) == (shop.store, None)


def test_a_clients_secret_is_checked_against_its_hash() -> None:
    shop, secret = factories.coopcycle_client(factories.StoreFactory.create())
    shop.refresh_from_db()
    assert check_password(secret, shop.client_secret)
    assert shop.sealed_secret == ""


def test_a_secret_that_signs_can_be_read_again() -> None:
    till, secret = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    till.refresh_from_db()
    assert check_password(secret, till.client_secret)
    assert credentials.unseal(till.sealed_secret) == secret
    assert credentials.seal(secret) != till.sealed_secret, "sealing twice looks different"


def test_a_new_secret_replaces_the_old_one() -> None:
    till, old = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    new = credentials.renew_secret(till, at=NOON)
    till.refresh_from_db()
    assert credentials.unseal(till.sealed_secret) == new != old
    assert check_password(new, till.client_secret)
    assert not check_password(old, till.client_secret)


def test_the_secret_before_signs_for_a_day_longer() -> None:
    till, old = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    assert credentials.signing_secrets(till, at=NOON) == [old]
    new = credentials.renew_secret(till, at=NOON)
    till.refresh_from_db()
    assert credentials.signing_secrets(till, at=NOON + timedelta(hours=23)) == [new, old]
    assert credentials.signing_secrets(till, at=NOON + timedelta(hours=24)) == [new]
    newest = credentials.renew_secret(till, at=NOON)
    assert credentials.signing_secrets(till, at=NOON) == [newest, new]


def test_another_key_unseals_nothing(settings: LazySettings) -> None:
    sealed = credentials.seal("secret")
    settings.ENCRYPTION_KEY = Fernet.generate_key().decode()
    with pytest.raises(InvalidToken):
        credentials.unseal(sealed)


# --- Who holds what ------------------------------------------------------------------------------------------------------------


def test_an_api_key_speaks_for_its_store(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    store = factories.StoreFactory.create()
    shop, _ = factories.coopcycle_client(store)
    _, key = credentials.issue_api_key(shop)
    with django_assert_num_queries(1):
        held = credentials.by_connection(key, dialect=Dialect.COOPCYCLE)
        assert held is not None
        assert held[0].client == shop
        assert held[0].store == store
    actor = held[1]
    assert (actor.kind, actor.name, actor.client_id, actor.store_ids) == (ActorKind.CLIENT, shop.name, shop.pk, frozenset([store.pk]))
    assert (actor.account_id, actor.scopes, actor.carrier_ref, actor.only_store_id) == (None, frozenset(), "", store.pk)
    assert not actor.runs_the_desk


def test_a_token_speaks_for_a_store_or_an_account_with_its_scopes(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    store = factories.StoreFactory.create()
    till, _ = credentials.new_client(name="Till", dialect=Dialect.HUBRISE, carrier_ref="cours")
    for target in ({"store": store}, {"account": store.account}):
        _, token = credentials.connect(till, scopes="orders.read orders.write", **target)
        with django_assert_num_queries(1):
            held = credentials.by_connection(token, dialect=Dialect.HUBRISE)
        assert held is not None
        actor = held[1]
        assert (actor.store_ids, actor.account_id) == (({store.pk}, None) if "store" in target else (frozenset(), store.account_id))
        assert (actor.scopes, actor.carrier_ref) == (frozenset(["orders.read", "orders.write"]), "cours")


@pytest.mark.parametrize("wrong", ["unknown", "", "revoked", "of the other dialect", "its digest", "in other letters"])
def test_what_opens_nothing(wrong: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    shop, _ = factories.coopcycle_client(factories.StoreFactory.create())
    held, key = credentials.issue_api_key(shop)
    dialect = Dialect.COOPCYCLE
    secret = {"unknown": "ak_" + "0" * 40, "": "", "its digest": credentials.digest(key), "in other letters": key.upper()}.get(wrong, key)
    if wrong == "revoked":
        credentials.revoke(held, at=NOON)
    if wrong == "of the other dialect":
        dialect = Dialect.HUBRISE
    with django_assert_num_queries(1):
        assert credentials.by_connection(secret, dialect=dialect) is None


def test_revoking_is_for_good_and_dated_once() -> None:
    shop, _ = factories.coopcycle_client(factories.StoreFactory.create())
    (first, _), (other, other_key) = credentials.issue_api_key(shop), credentials.issue_api_key(shop)
    credentials.revoke(first, at=NOON)
    credentials.revoke(first, at=NOON + timedelta(hours=1))
    first.refresh_from_db()
    other.refresh_from_db()
    assert (first.revoked_at, other.revoked_at) == (NOON, None)
    assert credentials.by_connection(other_key, dialect=Dialect.COOPCYCLE) is not None


def test_an_oauth2_token_speaks_for_its_clients_store(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    store = factories.StoreFactory.create()
    shop, _ = factories.coopcycle_client(store)
    grant(shop)
    with django_assert_num_queries(1):
        held = credentials.by_access_token("t" * 30, at=NOON)
        assert held is not None
        assert held[0].store == store
    assert held[1] == credentials.client_actor(shop, scopes=frozenset(["tasks", "deliveries"]))
    assert (held[1].store_ids, held[1].scopes) == (frozenset([store.pk]), frozenset(["tasks", "deliveries"]))


@pytest.mark.parametrize(
    ("fields", "token"),
    [
        ({}, "unknown"),
        ({"expires": NOON}, "t" * 30),
        ({"expires": NOON - timedelta(seconds=1)}, "t" * 30),
        ({"application": None}, "t" * 30),
    ],
    ids=["unknown", "expires now", "expired", "of nobody"],
)
def test_oauth2_tokens_that_open_nothing(fields: dict[str, Any], token: str) -> None:
    shop, _ = factories.coopcycle_client(factories.StoreFactory.create())
    access = grant(shop)
    AccessToken.objects.filter(pk=access.pk).update(**fields)
    assert credentials.by_access_token(token, at=NOON) is None


def test_an_oauth2_token_of_a_client_without_a_store_opens_nothing() -> None:
    till, _ = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    grant(till)
    assert credentials.by_access_token("t" * 30, at=NOON) is None


# --- People --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.COURIER, Role.STORE_OWNER, Role.ADMIN])
def test_a_person_is_what_their_groups_say(role: Role, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = factories.UserFactory.create(role=role)
    with django_assert_num_queries(1):
        found = credentials.by_user_id(user.pk)
    assert found is not None
    assert found[0] == user
    assert (found[1].kind, found[1].name, found[1].user_id, found[1].roles) == (ActorKind.USER, user.username, user.pk, frozenset([role]))
    assert found[1] == credentials.user_actor(user)


def test_whoever_owns_stores_is_a_store_owner_of_those(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user, stores = factories.UserFactory.create(role=Role.COURIER), [factories.StoreFactory.create() for _ in range(3)]
    for store in stores[:2]:
        store.owners.add(user)
    with django_assert_num_queries(1):
        actor = credentials.user_actor(user)
    assert (actor.roles, actor.store_ids) == (frozenset([Role.COURIER, Role.STORE_OWNER]), frozenset(store.pk for store in stores[:2]))
    assert actor.only_store_id is None


def test_a_superuser_is_an_admin() -> None:
    actor = credentials.user_actor(User.objects.create_superuser("root"))
    assert (actor.is_admin, actor.runs_the_desk) == (True, True)


def test_somebody_switched_off_or_unknown_is_nobody() -> None:
    gone = factories.UserFactory.create(is_active=False)
    assert credentials.by_user_id(gone.pk) is None
    assert credentials.by_user_id(gone.pk + 1) is None


@pytest.mark.parametrize(
    ("login", "meant"),
    [
        ("Ada", "Ada"),
        ("ADA", "Ada"),
        ("ada@example.org", "Ada"),
        ("both@example.org", "both@example.org"),
        ("gone@example.org", "gone@example.org"),
        ("nobody", "nobody"),
        ("", ""),
    ],
)
def test_whom_a_login_means(login: str, meant: str) -> None:
    factories.UserFactory.create(username="Ada", email="Ada@example.org")
    factories.UserFactory.create(username="one", email="both@example.org")
    factories.UserFactory.create(username="two", email="both@example.org")
    factories.UserFactory.create(username="gone", email="gone@example.org", is_active=False)
    assert credentials.username_of(login) == meant
