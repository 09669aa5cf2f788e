"""Who takes part: a store, those who call for it, and those who are told."""

import secrets
from datetime import timedelta

from django.utils import timezone
from oauth2_provider.models import AccessToken
from rest_framework_simplejwt.tokens import RefreshToken

from deliveries.api.coopcycle.voice import ALL_NAMES
from deliveries.outbox import subscriptions
from stores.actors import Role
from stores.models import ApiClient, User
from tests import factories
from tests.chaos.load import Caller, Cast
from tests.chaos.receiver import Receiver

COURIERS = 4


def prepare(receiver: Receiver) -> tuple[Cast, dict[str, int]]:
    """Everybody with what lets them in, and the subscriptions by the path at which they are called."""
    at = timezone.now()
    store = factories.StoreFactory.create()
    couriers = [factories.CourierFactory.create(user__username=f"courier{number}") for number in range(COURIERS)]
    dispatcher = factories.UserFactory.create(username="dispatcher", role=Role.DISPATCHER)
    client, _ = factories.coopcycle_client(store)
    cast = Cast(
        till=Caller.till(factories.hubrise_token(store=store)),
        shop=Caller.bearer(_grant(client)),
        dispatcher=Caller.bearer(_token(dispatcher)),
        couriers={courier.user.username: Caller.bearer(_token(courier.user)) for courier in couriers},
        store_id=store.pk,
    )
    hooks = {name: subscriptions.subscribe(client, store, receiver.url(name), [name], at=at)[0].pk for name in ALL_NAMES}
    return cast, hooks


def _grant(client: ApiClient) -> str:
    """What the client would be granted for its secret."""
    token = secrets.token_urlsafe(30)
    AccessToken.objects.create(application=client, token=token, scope="tasks deliveries", expires=timezone.now() + timedelta(hours=2))
    return token


def _token(user: User) -> str:
    return str(RefreshToken.for_user(user).access_token)
