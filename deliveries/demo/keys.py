"""The file that lets people and programs into the demo: secrets are hashed in the database, so only here can they be read."""

import json
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from deliveries.demo import city
from deliveries.demo.founding import City
from stores import credentials
from stores.actors import Role
from stores.models import Account, ApiClient, Connection, Store

WORDS = Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split()
WORDS_IN_A_PASSWORD = 4
CONNECTION_NAME = "demo.json"

Content = dict[str, Any]


def read(path: Path) -> Content | None:
    """What the file says; None when there is none, or when it is no JSON object."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write(path: Path, content: Content) -> None:
    """Put the file in place at once, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)


def fit(content: Content) -> bool:
    """Whether these are the keys of this database: it knows every lasting one, and some still open."""
    try:
        lasting = [row["token"] for kind in ("accounts", "stores", "carriers") for row in content[kind]]
        lasting += [store[name] for store in content["stores"] for name in ("read_token", "api_key")]
        digests = {credentials.digest(secret) for secret in lasting}
    except (KeyError, TypeError, AttributeError):
        return False
    revoked = list(Connection.objects.filter(digest__in=digests).values_list("revoked_at", flat=True))
    return len(revoked) == len(digests) and None in revoked


def issue(founded: City, *, base_url: str, at: datetime) -> Content:
    """New secrets for everybody in the city; those that an earlier file held stop working."""
    for connection in Connection.objects.filter(name=CONNECTION_NAME, revoked_at__isnull=True):
        credentials.revoke(connection, at=at)
    return {
        "base_url": base_url,
        "people": _people(founded),
        "accounts": [_account(founded, account) for account in founded.accounts.values()],
        "stores": [_store(founded, store, at=at) for store in founded.stores.values()],
        "carriers": [_carrier(founded, carrier) for carrier in city.CARRIERS if carrier.store == city.SHOPS[0].public_id],
    }


def new_password() -> str:
    """Four words that can be read aloud and typed on a phone."""
    return "-".join(secrets.choice(WORDS) for _ in range(WORDS_IN_A_PASSWORD))


def _people(founded: City) -> Content:
    logins: dict[str, dict[str, str]] = {}
    for person in city.PEOPLE:
        user, password = founded.users[person.username], new_password()
        user.set_password(password)
        user.save(update_fields=["password"])
        logins[person.username] = {"username": user.username, "password": password}

    def of(role: Role) -> list[dict[str, str]]:
        return [logins[person.username] for person in city.PEOPLE if person.role == role]

    return {
        "admin": of(Role.ADMIN)[0],
        "dispatcher": of(Role.DISPATCHER)[0],
        "couriers": of(Role.COURIER),
        "owners": [
            {"store": founded.stores[public_id].pk, **logins[person.username]} for person in city.PEOPLE for public_id in person.stores
        ],
    }


def _account(founded: City, account: Account) -> Content:
    return {
        "id": account.public_id,
        "name": account.name,
        "currency": account.currency,
        "token": _token(founded.offices[account.public_id], account=account),
    }


def _store(founded: City, store: Store, *, at: datetime) -> Content:
    plugin, till, screen = founded.plugins[store.public_id], founded.tills[store.public_id], founded.screens[store.public_id]
    return {
        "id": store.pk,
        "location_id": store.public_id,
        "account_id": store.account.public_id,
        "name": store.name,
        "timezone": store.timezone,
        "client_id": plugin.client_id,
        "client_secret": _secret(founded, plugin, at=at),
        "api_key": credentials.issue_api_key(plugin, name=CONNECTION_NAME)[1],
        "token": _token(till, store=store),
        "read_token": _token(screen, store=store, scopes="orders.read"),
        "hubrise_client_id": till.client_id,
        "hubrise_client_secret": _secret(founded, till, at=at),
    }


def _carrier(founded: City, carrier: city.Carrier) -> Content:
    client = founded.carriers[carrier.ref]
    return {"name": carrier.name, "ref": carrier.ref, "token": _token(client, store=founded.stores[carrier.store])}


def _secret(founded: City, client: ApiClient, *, at: datetime) -> str:
    return founded.secrets.get(client.pk) or credentials.renew_secret(client, at=at)


def _token(client: ApiClient, *, store: Store | None = None, account: Account | None = None, scopes: str = "orders.write") -> str:
    return credentials.connect(client, store=store, account=account, scopes=scopes, name=CONNECTION_NAME)[1]
