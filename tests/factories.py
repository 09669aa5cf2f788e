"""Rows for tests, made as users make them: places by factory, everything that moves through the core."""

from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from django.contrib.auth.models import Group
from factory.django import DjangoModelFactory

from deliveries import booking, intake
from deliveries.booking import Request
from deliveries.models import Courier, Delivery
from deliveries.statuses import TaskType
from deliveries.stops import AddressDraft, StopDraft
from quotes import price_lists
from quotes.models import PricingRuleSet
from quotes.price_lists import RuleDraft
from stores import credentials
from stores.actors import SYSTEM, Actor, Role
from stores.models import Account, Address, ApiClient, Dialect, Order, OrderStatus, ServiceType, Store, User
from stores.orders import OrderDraft

NOON = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
"""Friday, 20 November 2026, 12:00 in Paris: the moment at which tests stand unless they say otherwise."""

PASSWORD = "correct horse battery staple"


class AccountFactory(DjangoModelFactory[Account]):
    class Meta:
        model = Account

    public_id = factory.Sequence(lambda number: f"a{number}x")
    name = factory.Sequence(lambda number: f"Account {number}")
    currency = "EUR"


class AddressFactory(DjangoModelFactory[Address]):
    class Meta:
        model = Address

    street_address = factory.Sequence(lambda number: f"{number}, Rue Oberkampf, 75011 Paris")
    latitude = 48.8647
    longitude = 2.3782


class StoreFactory(DjangoModelFactory[Store]):
    class Meta:
        model = Store

    account = factory.SubFactory(AccountFactory)
    public_id = factory.LazyAttributeSequence(lambda store, number: f"{store.account.public_id}-{number}")
    name = factory.Sequence(lambda number: f"Store {number}")
    address = factory.SubFactory(AddressFactory)
    timezone = "Europe/Paris"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"person{number}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")

    @factory.post_generation
    def password(self: User, create: bool, extracted: str | None, **_: Any) -> None:
        self.set_password(extracted or PASSWORD)
        self.save()

    @factory.post_generation
    def role(self: User, create: bool, extracted: Role | None, **_: Any) -> None:
        if extracted is not None:
            self.groups.add(Group.objects.get_or_create(name=extracted.value)[0])


class CourierFactory(DjangoModelFactory[Courier]):
    class Meta:
        model = Courier

    user = factory.SubFactory(UserFactory, role=Role.COURIER)


def coopcycle_client(store: Store) -> tuple[ApiClient, str]:
    """A CoopCycle client of a store, with its secret."""
    return credentials.new_client(name=f"Shop of {store.name}", dialect=Dialect.COOPCYCLE, store=store)


def api_key(store: Store) -> str:
    """A CoopCycle API key of a store."""
    return credentials.issue_api_key(coopcycle_client(store)[0])[1]


def hubrise_token(
    *, store: Store | None = None, account: Account | None = None, scopes: str = "orders.write", carrier_ref: str = ""
) -> str:
    """A HubRise token for one store or one account, of a client of its own."""
    client, _ = credentials.new_client(name="Till", dialect=Dialect.HUBRISE, carrier_ref=carrier_ref)
    return credentials.connect(client, store=store, account=account, scopes=scopes)[1]


def stops(*, due: datetime = NOON + timedelta(hours=2), **dropoff: Any) -> list[StopDraft]:
    """The two stops of the Stores document, the dropoff due at `due`."""
    return [
        StopDraft(type=TaskType.PICKUP, address=AddressDraft(street_address="24, Rue de la Paix, Paris, France")),
        StopDraft(type=TaskType.DROPOFF, address=AddressDraft(street_address="48, Rue de Rivoli, Paris, France"), before=due, **dropoff),
    ]


def delivery(store: Store | None = None, *, by: Actor = SYSTEM, at: datetime = NOON, **wanted: Any) -> Delivery:
    """A delivery of the house, asked for without an order."""
    wanted.setdefault("stops", stops(due=at + timedelta(hours=2)))
    return booking.request(Request(store=store or StoreFactory.create(), **wanted), by=by, at=at)


def draft(**fields: Any) -> OrderDraft:
    """An order of a till, to be delivered to 48, Rue de Rivoli."""
    customer = {"first_name": "Ada", "last_name": "Lovelace", "address_1": "48, Rue de Rivoli", "postal_code": "75004", "city": "Paris"}
    return OrderDraft(
        status=fields.pop("status", OrderStatus.NEW),
        service_type=fields.pop("service_type", ServiceType.DELIVERY),
        items=fields.pop("items", [{"product_name": "Pizza", "price": 1190, "quantity": "1.0", "options": []}]),
        fields={"customer": customer, **fields},
    )


def order(store: Store | None = None, *, by: Actor = SYSTEM, at: datetime = NOON, **fields: Any) -> Order:
    """An order that a store's till has sent."""
    return intake.take_order(store or StoreFactory.create(), draft(**fields), by=by, at=at)


def price_list(*pairs: tuple[str, str], strategy: str = "find", name: str = "Prices", store: Store | None = None) -> PricingRuleSet:
    """A price list of (condition, price), and, when one is given, the store that is priced by it."""
    drafts = [RuleDraft(expression=condition, price=price, position=number) for number, (condition, price) in enumerate(pairs)]
    made = price_lists.save(PricingRuleSet(name=name, strategy=strategy), drafts)
    if store is not None:
        store.pricing_rule_set = made
        store.save(update_fields=["pricing_rule_set"])
    return made
