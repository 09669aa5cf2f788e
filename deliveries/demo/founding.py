"""The rows of the demo's city: accounts, stores and what they offer, people, and the software they use."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.color import no_style
from django.db import connection

from deliveries import groups
from deliveries.demo import city
from deliveries.models import Courier, Delivery, Task
from quotes import price_lists
from quotes.models import PricingRuleSet
from quotes.price_lists import RuleDraft
from stores import credentials, places
from stores.actors import Role
from stores.models import Account, Address, ApiClient, Dialect, Order, Package, PackageSet, Store, Tag, TimeSlot, User


class NameTaken(Exception):
    """Somebody of the same name is here already, who is none of ours."""


@dataclass
class City:
    """Everything that was founded, by its name in `city`."""

    accounts: dict[str, Account] = field(default_factory=dict)
    stores: dict[str, Store] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    couriers: dict[str, Courier] = field(default_factory=dict)
    offices: dict[str, ApiClient] = field(default_factory=dict)
    tills: dict[str, ApiClient] = field(default_factory=dict)
    screens: dict[str, ApiClient] = field(default_factory=dict)
    plugins: dict[str, ApiClient] = field(default_factory=dict)
    carriers: dict[str, ApiClient] = field(default_factory=dict)
    secrets: dict[int, str] = field(default_factory=dict)
    """Of clients just made, by primary key: in clear for the one time they are shown."""


def exists() -> bool:
    """Whether the city stands in this database."""
    return Account.objects.filter(public_id__in=city.ACCOUNTS).exists()


def found() -> City:
    """Make what is not there yet and return it all; what is there stays as it is."""
    if not exists():
        _check_nobody_is_here()
    groups.set_up()
    founded = City()
    _open_accounts(founded)
    _open_stores(founded)
    _meet_people(founded)
    _install_software(founded)
    return founded


def _check_nobody_is_here() -> None:
    names = [person.username for person in city.PEOPLE]
    known = User.objects.filter(username__in=names).values_list("username", flat=True).first()
    if known is not None:
        raise NameTaken(f"There is a user “{known}” in this database already; the demo wants one of its own.")
    if not Store.objects.exists():
        _count_from_one()


def _count_from_one() -> None:
    """An interrupted load leaves nothing but used-up numbers, and the first store is to be number 1."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Account, Store, Order, Delivery, Task]):
            cursor.execute(statement)


def _open_accounts(founded: City) -> None:
    for public_id, name in city.ACCOUNTS.items():
        founded.accounts[public_id], _ = Account.objects.get_or_create(
            public_id=public_id, defaults={"name": name, "currency": city.CURRENCY}
        )


def _open_stores(founded: City) -> None:
    for shop in city.SHOPS:
        store = Store.objects.select_related("account", "address").filter(public_id=shop.public_id).first()
        founded.stores[shop.public_id] = store or _open_store(shop, founded.accounts[shop.account_id])
    for slug, (name, color) in city.TAGS.items():
        Tag.objects.get_or_create(slug=slug, defaults={"name": name, "color": color})


def _open_store(shop: city.Shop, account: Account) -> Store:
    place = places.build_geocoder("gazetteer", {}, 0).locate(shop.street_address)
    assert place is not None, shop.street_address
    assert place.point is not None, shop.street_address
    address = Address.objects.create(
        street_address=shop.street_address,
        postal_code=place.postal_code,
        locality=place.locality,
        country=place.country,
        latitude=place.point.latitude,
        longitude=place.point.longitude,
        name=shop.name,
        telephone=shop.telephone,
        description=shop.description,
    )
    name, hours = city.SLOT
    slot, _ = TimeSlot.objects.get_or_create(
        name=name, defaults={"opening_hours": list(hours), "prior_notice": "1 hour", "working_days_only": False}
    )
    packages = _packages() if shop.public_id == city.PACKAGED_STORE else None
    return Store.objects.create(
        account=account,
        public_id=shop.public_id,
        name=shop.name,
        address=address,
        timezone=shop.timezone,
        time_slot=slot,
        package_set=packages,
        pricing_rule_set=_price_list(list(city.PRICE_LISTS)[city.SHOPS.index(shop) % len(city.PRICE_LISTS)]),
    )


def _price_list(name: str) -> PricingRuleSet:
    """The list of that name, made when it is not there yet."""
    strategy, rules = city.PRICE_LISTS[name]
    known = PricingRuleSet.objects.filter(name=name).first()
    drafts = [
        RuleDraft(name=called, expression=condition, price=price, position=number)
        for number, (called, condition, price) in enumerate(rules, start=1)
    ]
    return known or price_lists.save(PricingRuleSet(name=name, strategy=strategy), drafts)


def _packages() -> PackageSet:
    packages = PackageSet.objects.create(name=city.PACKAGE_SET)
    for name, short_code, volume, color in city.PACKAGES:
        Package.objects.create(package_set=packages, name=name, short_code=short_code, volume_units=volume, color=color)
    return packages


def _meet_people(founded: City) -> None:
    of_role = {group.name: group for group in Group.objects.all()}
    for person in city.PEOPLE:
        user, new = User.objects.get_or_create(username=person.username, defaults=_as_user(person))
        founded.users[person.username] = user
        if new and person.role != Role.ADMIN:
            user.groups.add(of_role[person.role.value])
        for public_id in person.stores:
            founded.stores[public_id].owners.add(user)
        if person.role == Role.COURIER:
            founded.couriers[person.username], _ = Courier.objects.get_or_create(user=user, defaults={"color": person.color})


def _as_user(person: city.Person) -> dict[str, Any]:
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": f"{person.username}@relais.example",
        "telephone": person.telephone,
        "is_staff": person.role != Role.COURIER,
        "is_superuser": person.role == Role.ADMIN,
    }


def _install_software(founded: City) -> None:
    def client(name: str, dialect: Dialect, *, store: Store | None = None, carrier_ref: str = "") -> ApiClient:
        known = ApiClient.objects.filter(name=name, dialect=dialect, store=store).first()
        if known is not None:
            return known
        new, secret = credentials.new_client(name=name, dialect=dialect, store=store, carrier_ref=carrier_ref)
        founded.secrets[new.pk] = secret
        return new

    for public_id, account in founded.accounts.items():
        founded.offices[public_id] = client(f"{account.name} back office", Dialect.HUBRISE)
    for public_id, store in founded.stores.items():
        founded.tills[public_id] = client(f"{store.name} till", Dialect.HUBRISE)
        founded.screens[public_id] = client(f"{store.name} kitchen screen", Dialect.HUBRISE)
        founded.plugins[public_id] = client(f"{store.name} web shop", Dialect.COOPCYCLE, store=store)
    for carrier in city.CARRIERS:
        founded.carriers[carrier.ref] = client(carrier.name, Dialect.HUBRISE, carrier_ref=carrier.ref)
