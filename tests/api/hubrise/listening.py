"""A client that has set its callback, and reads by polling what it is told."""

from dataclasses import dataclass
from typing import Any

from deliveries import jobs
from deliveries.api.hubrise import payloads, reach
from deliveries.api.hubrise.fields import EVENTS
from deliveries.models import Call, Event
from deliveries.outbox import telling
from stores import credentials
from stores.models import Account, ApiClient, Connection, Order, Store
from tests import factories
from tests.api.hubrise.till import Till
from tests.factories import NOON

ALL = {resource: list(kinds) for resource, kinds in EVENTS.items()}
States = tuple[Any, Any]


@dataclass(frozen=True)
class Listener:
    """A till of its own client."""

    till: Till
    connection: Connection

    @property
    def client(self) -> ApiClient:
        return self.connection.client

    def heads(self) -> list[Any]:
        """What is not acknowledged, without states."""
        tell()
        reply = self.till.get("/callback/events")
        assert reply.status == 200, reply.raw
        listed: list[Any] = reply.json
        return listed

    def names(self) -> list[str]:
        """What is not acknowledged, as "order.update", oldest first."""
        return [f"{head['resource_type']}.{head['event_type']}" for head in self.heads()]

    def events(self) -> list[Any]:
        """What is not acknowledged, whole."""
        return [self.till.get(f"/callback/events/{head['id']}").json for head in self.heads()]

    def forget(self) -> None:
        """Acknowledge everything."""
        tell()
        Call.objects.filter(subscription__connection=self.connection).delete()

    def sees(self, order: Order) -> States:
        """The order and its delivery as they are printed for this client now; None for what is not there."""
        row = reach.orders().get(pk=order.pk)
        attached = getattr(row, "delivery", None)
        delivery = None if attached is None else payloads.delivery(attached, row.store, at=NOON)
        return payloads.order(row, client_id=self.client.pk), delivery


def listener(
    store: Store | None = None, account: Account | None = None, *, url: str | None = None, events: Any = None, scopes: str = "orders.read"
) -> Listener:
    """A client that wants to know of everything, unless `events` say otherwise."""
    token = factories.hubrise_token(store=store, account=account, scopes=scopes)
    made = Listener(Till(token), Connection.objects.select_related("client").get(digest=credentials.digest(token)))
    reply = made.till.post("/callback", {"url": url, "events": ALL if events is None else events})
    assert reply.status == 200, reply.raw
    return made


def connected(client: ApiClient, *, store: Store | None = None, account: Account | None = None) -> Till:
    return Till(credentials.connect(client, store=store, account=account, scopes="orders.write")[1])


def tell() -> None:
    """Tell of everything that was not told yet."""
    for chain in dict.fromkeys(event.chain for event in Event.objects.untold().order_by("id")):
        telling.tell(chain, voices=jobs.VOICES, at=NOON)
