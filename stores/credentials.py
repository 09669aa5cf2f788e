"""Secrets: made once, shown once, hashed at rest, and turned into an `Actor` when they come back."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Protocol

from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet
from oauth2_provider.models import AccessToken

from stores import effects
from stores.actors import Actor, ActorKind, Role
from stores.compiled import Filtered
from stores.models import Account, ApiClient, Connection, Dialect, Store, User
from stores.models.client import DEFAULT_SCOPES

API_KEY_PREFIX = "ak_"
HINT_LENGTH = 8
BOTH_SIGN = timedelta(hours=24)
"""How long a secret that was replaced still signs, so that receivers have time to learn the new one."""


def digest(secret: str) -> str:
    """SHA-256 in hex: these secrets are long and random, so a fast hash keeps them as well as a slow one."""
    return hashlib.sha256(secret.encode()).hexdigest()


def seal(secret: str) -> str:
    """Encrypt a secret that must sign later, with `settings.ENCRYPTION_KEY`."""
    return Fernet(settings.ENCRYPTION_KEY).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret that `seal` closed; raises `InvalidToken` when the key is another."""
    return Fernet(settings.ENCRYPTION_KEY).decrypt(sealed.encode()).decode()


_OPEN_CONNECTIONS = Filtered(lambda: Connection.objects.select_related("client", "store", "account").filter(revoked_at__isnull=True))
_GRANTED = Filtered(lambda: AccessToken.objects.select_related("application__store"))


def new_client(
    *, name: str, dialect: Dialect, store: Store | None = None, carrier_ref: str = "", allowed_scopes: str = DEFAULT_SCOPES
) -> tuple[ApiClient, str]:
    """Register a program; returns it with its secret in clear, for the one time it is shown.

    A CoopCycle client speaks for `store` and may ask for `allowed_scopes`; a HubRise client gets its stores through `connect`.
    """
    secret = secrets.token_hex(64)
    client = ApiClient.objects.create(
        name=name,
        dialect=dialect,
        store=store,
        carrier_ref=carrier_ref,
        allowed_scopes=allowed_scopes,
        client_id=secrets.token_hex(16),
        client_secret=secret,
        client_type=ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS if dialect == Dialect.COOPCYCLE else ApiClient.GRANT_AUTHORIZATION_CODE,
        sealed_secret=seal(secret) if dialect == Dialect.HUBRISE else "",
    )
    return client, secret


def renew_secret(client: ApiClient, *, at: datetime) -> str:
    """Give a program another secret, in clear for the one time it is shown; the one before stops working.

    What a HubRise client is sent is signed with the one before as well, for `BOTH_SIGN`.
    """
    secret = secrets.token_hex(64)
    with effects.atomic():
        held = ApiClient.objects.select_for_update().get(pk=client.pk)
        client.sealed_previous_secret, client.previous_until = held.sealed_secret, at + BOTH_SIGN if held.sealed_secret else None
        client.client_secret = secret
        client.sealed_secret = seal(secret) if client.dialect == Dialect.HUBRISE else ""
        client.save(update_fields=["client_secret", "sealed_secret", "sealed_previous_secret", "previous_until"])
    return secret


class Signer(Protocol):
    """A row with a sealed secret that signs, and for a while after a change the one before."""

    @property
    def sealed_secret(self) -> str: ...
    @property
    def sealed_previous_secret(self) -> str: ...
    @property
    def previous_until(self) -> datetime | None: ...


def signing_secrets(signer: Signer, *, at: datetime) -> list[str]:
    """The secrets that something is to be signed with now, the newest first."""
    known = [unseal(signer.sealed_secret)]
    if signer.sealed_previous_secret and signer.previous_until is not None and at < signer.previous_until:
        known.append(unseal(signer.sealed_previous_secret))
    return known


def issue_api_key(client: ApiClient, *, name: str = "") -> tuple[Connection, str]:
    """A lasting CoopCycle key `ak_<40 hex>` for the client's own store, with the key in clear."""
    return _connect(client, API_KEY_PREFIX + secrets.token_hex(20), store=client.store, name=name)


def connect(
    client: ApiClient, *, store: Store | None = None, account: Account | None = None, scopes: str, name: str = ""
) -> tuple[Connection, str]:
    """A lasting HubRise token for one store or one account, with the token in clear; `scopes` as "orders.write"."""
    return _connect(client, secrets.token_hex(20), store=store, account=account, scopes=scopes, name=name)


def _connect(
    client: ApiClient, secret: str, *, store: Store | None = None, account: Account | None = None, scopes: str = "", name: str = ""
) -> tuple[Connection, str]:
    connection = Connection.objects.create(
        client=client, store=store, account=account, scopes=scopes, name=name, digest=digest(secret), hint=secret[:HINT_LENGTH]
    )
    return connection, secret


def revoke(connection: Connection, *, at: datetime) -> None:
    """Close a connection for good; its secret is refused from now on."""
    Connection.objects.filter(pk=connection.pk, revoked_at__isnull=True).update(revoked_at=at)


def by_connection(secret: str, *, dialect: Dialect) -> tuple[Connection, Actor] | None:
    """Whoever holds this API key or HubRise token, in one query; None when unknown, revoked, or of the other dialect."""
    connection = _OPEN_CONNECTIONS.first(digest=digest(secret), client__dialect=dialect.value)
    if connection is None:
        return None
    return connection, Actor(
        kind=ActorKind.CLIENT,
        name=connection.client.name,
        client_id=connection.client_id,
        scopes=frozenset(connection.scopes.split()),
        store_ids=frozenset() if connection.store_id is None else frozenset([connection.store_id]),
        account_id=connection.account_id,
        carrier_ref=connection.client.carrier_ref,
    )


def by_access_token(token: str, *, at: datetime) -> tuple[ApiClient, Actor] | None:
    """The CoopCycle client that was granted this OAuth2 token, in one query; None when unknown or expired.

    Of the scopes granted, those count that the client is still allowed.
    """
    access = _GRANTED.first(token_checksum=digest(token), expires__gt=at)
    client = access.application if access else None
    if access is None or not isinstance(client, ApiClient) or client.store_id is None:
        return None
    return client, client_actor(client, scopes=client.scopes.intersection(access.scope.split()))


def client_actor(client: ApiClient, *, scopes: frozenset[str]) -> Actor:
    """A CoopCycle client as an actor: it speaks for its one store."""
    assert client.store_id is not None
    return Actor(kind=ActorKind.CLIENT, name=client.name, client_id=client.pk, scopes=scopes, store_ids=frozenset([client.store_id]))


def by_user_id(user_id: int) -> tuple[User, Actor] | None:
    """A person who may log in, with groups and stores, in one query; None when unknown or switched off."""
    user = _people().filter(pk=user_id, is_active=True).first()
    return None if user is None else (user, _person(user))


def username_of(login: str) -> str:
    """The username that somebody who types `login` means: it may be their e-mail address, in any case."""
    if not login:
        return ""
    meant = User.objects.filter(Q(username__iexact=login) | Q(email__iexact=login), is_active=True).values_list("username", flat=True)
    names = list(meant[:3])
    return next((name for name in names if name.lower() == login.lower()), names[0] if len(names) == 1 else login)


def user_actor(user: User) -> Actor:
    """A logged-in person as an actor (one query)."""
    return _person(_people().get(pk=user.pk))


def _people() -> QuerySet[User]:
    return User.objects.annotate(
        group_names=ArrayAgg("groups__name", filter=Q(groups__isnull=False), default=[], distinct=True),
        owned_stores=ArrayAgg("stores", filter=Q(stores__isnull=False), default=[], distinct=True),
    )


def _person(user: User) -> Actor:
    groups: list[str] = user.group_names  # type: ignore[attr-defined]  # annotated by _people
    stores: list[int] = user.owned_stores  # type: ignore[attr-defined]  # annotated by _people
    roles = {role for role in Role if role in groups}
    if user.is_superuser:
        roles.add(Role.ADMIN)
    if stores:
        roles.add(Role.STORE_OWNER)
    return Actor(kind=ActorKind.USER, name=user.username, user_id=user.pk, roles=frozenset(roles), store_ids=frozenset(stores))
