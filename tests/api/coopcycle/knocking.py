"""Whoever calls, and how: the callers of the permission matrix, and a client that speaks the dialect."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.http import HttpResponse
from django.test import Client
from rest_framework_simplejwt.tokens import RefreshToken

from deliveries import transitions
from deliveries.models import Courier, Delivery
from stores import credentials
from stores.actors import SYSTEM, Role
from stores.models import ApiClient, Dialect, Store, User
from tests import factories

LD = "application/ld+json"


class Answer(HttpResponse):
    """What the test client gives back."""

    def json(self) -> Any: ...


@dataclass
class Knock:
    """A caller: a header, and calls made with it."""

    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self._call("GET", path, b"", **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self._call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self._call("PUT", path, {} if body is None else body, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self._call("DELETE", path, b"", **headers)

    def call(self, method: str, path: str, body: Any = b"", **headers: str) -> Answer:
        return self._call(method, path, body, **headers)

    def _call(self, method: str, path: str, body: Any, **headers: str) -> Answer:
        content_type = headers.pop("content_type", LD)
        sent = dict(self.headers)
        if self.token:
            sent["authorization"] = f"Bearer {self.token}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return Client(raise_request_exception=True).generic(method, path, data, content_type=content_type, headers=sent)  # type: ignore[return-value]  # the test client adds `json`


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def jwt(user: User) -> str:
    return str(RefreshToken.for_user(user).access_token)


def oauth(client: ApiClient, secret: str, scope: str) -> str:
    response = Client().post(
        "/oauth2/token",
        {"grant_type": "client_credentials", "scope": scope},
        headers={"authorization": basic(client.client_id, secret)},
    )
    token: str = response.json()["access_token"]
    return token


@dataclass
class World:
    """Two stores; `delivery` is of the first, unassigned; `held` is of the first and held by `courier`."""

    store: Store
    neighbour: Store
    courier: Courier
    other_courier: Courier
    delivery: Delivery
    held: Delivery
    client: ApiClient
    client_secret: str
    callers: dict[str, Knock]

    def __getitem__(self, caller: str) -> Knock:
        return self.callers[caller]

    def task_ids(self, delivery: Delivery) -> tuple[int, int]:
        """Ids of the pickup and the dropoff."""
        pickup, dropoff = delivery.tasks.order_by("position")
        return pickup.pk, dropoff.pk


def build_world(at: datetime = factories.NOON) -> World:
    """Rows, and a token for everybody."""
    home = factories.AddressFactory.create(street_address="85, Rue Oberkampf, 75011 Paris")
    next_door = factories.AddressFactory.create(street_address="87, Rue Oberkampf, 75011 Paris")
    store = factories.StoreFactory.create(name="Acme", address=home)
    neighbour = factories.StoreFactory.create(name="Next door", address=next_door)
    courier, other = factories.CourierFactory.create(user__username="bob"), factories.CourierFactory.create(user__username="eve")
    owner, nosy = factories.UserFactory.create(username="ann"), factories.UserFactory.create(username="zoe")
    store.owners.add(owner)
    neighbour.owners.add(nosy)
    dispatcher = factories.UserFactory.create(username="sarah", role=Role.DISPATCHER)
    admin = factories.UserFactory.create(username="root", role=Role.ADMIN)
    client, secret = factories.coopcycle_client(store)
    watcher, watcher_secret = credentials.new_client(
        name="Watcher", dialect=Dialect.COOPCYCLE, store=store, allowed_scopes="tasks deliveries tasks:all"
    )
    next_client, next_secret = factories.coopcycle_client(neighbour)
    delivery, held = factories.delivery(store, at=at), factories.delivery(store, at=at)
    transitions.assign(held.tasks.order_by("position")[0], courier, by=SYSTEM, at=at)
    people = {
        "courier": courier.user,
        "other courier": other.user,
        "owner": owner,
        "neighbour": nosy,
        "dispatcher": dispatcher,
        "admin": admin,
    }
    callers = {name: Knock(jwt(user)) for name, user in people.items()}
    callers |= {
        "nobody": Knock(),
        "till": Knock(factories.hubrise_token(store=store)),
        "key": Knock(credentials.issue_api_key(client)[1]),
        "neighbour's key": Knock(credentials.issue_api_key(next_client)[1]),
        "client": Knock(oauth(client, secret, "tasks deliveries")),
        "creating client": Knock(oauth(client, secret, "deliveries")),
        "following client": Knock(oauth(client, secret, "tasks")),
        "seeing client": Knock(oauth(watcher, watcher_secret, "tasks:all")),
        "neighbour's client": Knock(oauth(next_client, next_secret, "tasks deliveries")),
    }
    return World(store, neighbour, courier, other, delivery, held, client, secret, callers)
