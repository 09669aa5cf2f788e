"""Who takes part: a store, those who call for it, and those who are told."""

import secrets
from datetime import timedelta

import httpx
from django.utils import timezone
from oauth2_provider.models import AccessToken
from rest_framework_simplejwt.tokens import RefreshToken

from deliveries.api.coopcycle.voice import ALL_NAMES
from deliveries.models import Subscription
from stores.actors import Role
from stores.models import ApiClient, User
from tests import factories
from tests.chaos.load import Caller, Cast
from tests.chaos.receiver import Receiver

COURIERS = 4
CALLBACK = "callback"


def prepare() -> Cast:
    """Everybody with what lets them in."""
    store = factories.StoreFactory.create()
    couriers = [factories.CourierFactory.create(user__username=f"courier{number}") for number in range(COURIERS)]
    dispatcher = factories.UserFactory.create(username="dispatcher", role=Role.DISPATCHER)
    client, _ = factories.coopcycle_client(store)
    return Cast(
        till=Caller.till(factories.hubrise_token(store=store)),
        listener=Caller.till(factories.hubrise_token(store=store)),
        shop=Caller.bearer(_grant(client)),
        dispatcher=Caller.bearer(_token(dispatcher)),
        couriers={courier.user.username: Caller.bearer(_token(courier.user)) for courier in couriers},
        store_id=store.pk,
    )


def subscribe(base_url: str, receiver: Receiver, cast: Cast) -> dict[str, int]:
    """A webhook for each event and a callback for all; the subscriptions by the path at which they are called."""
    hooks: dict[str, int] = {}
    with httpx.Client(base_url=base_url, timeout=20, trust_env=False) as client:
        for name in ALL_NAMES:
            asked = {"event": name, "url": receiver.url(name)}
            made = client.post("/api/webhooks", headers=cast.shop.headers, json=asked).raise_for_status().json()
            hooks[name] = int(made["@id"].rpartition("/")[2])
        asked_back = {"url": receiver.url(CALLBACK), "events": {"order": ["create", "update"], "delivery": ["create", "update"]}}
        client.post("/v1/callback", headers=cast.listener.headers, json=asked_back).raise_for_status()
    hooks[CALLBACK] = Subscription.objects.get(connection__isnull=False).pk
    return hooks


def _grant(client: ApiClient) -> str:
    """What the client would be granted for its secret."""
    token = secrets.token_urlsafe(30)
    AccessToken.objects.create(application=client, token=token, scope="tasks deliveries", expires=timezone.now() + timedelta(hours=2))
    return token


def _token(user: User) -> str:
    return str(RefreshToken.for_user(user).access_token)
