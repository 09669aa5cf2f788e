"""Everybody who acts in the demo's day, and what they carry in their hands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from deliveries.demo import city
from deliveries.demo.city import Recipient, Shop
from deliveries.demo.clock import Clock
from deliveries.demo.founding import City
from deliveries.models import Courier
from quotes.offers import Offer
from stores import credentials, places
from stores.actors import Actor, ActorKind, Role
from stores.models import ApiClient, Store
from stores.orders import OrderDraft

Step = tuple[float, Callable[[datetime], object]]
"""When somebody does something, in minutes from the present, and what."""

WINDOW = 30
"""Minutes in which a delivery is promised, the last of them being its `due`."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The people and programs of a city as actors, and the gazetteer that knows its addresses.

    `tills` and `plugins` go by the public id of their store, `carriers` by ref, `owners` by store, `riders` by username.
    """

    stores: dict[str, Store]
    tills: dict[str, Actor]
    plugins: dict[str, Actor]
    carriers: dict[str, Actor]
    owners: dict[str, Actor]
    riders: dict[str, tuple[Courier, Actor]]
    desk: Actor
    gazetteer: places.Geocoder

    @classmethod
    def of(cls, founded: City) -> Self:
        """Everybody who was found there."""
        people = {person.username: credentials.user_actor(founded.users[person.username]) for person in city.PEOPLE}
        return cls(
            stores=founded.stores,
            tills={key: _software(client, founded.stores[key], "orders.write") for key, client in founded.tills.items()},
            plugins={key: _software(client, founded.stores[key], "tasks", "deliveries") for key, client in founded.plugins.items()},
            carriers={
                carrier.ref: _software(founded.carriers[carrier.ref], founded.stores[carrier.store], "orders.write")
                for carrier in city.CARRIERS
            },
            owners={key: people[person.username] for person in city.PEOPLE for key in person.stores},
            riders={name: (courier, people[name]) for name, courier in founded.couriers.items()},
            desk=next(people[person.username] for person in city.PEOPLE if person.role == Role.DISPATCHER),
            gazetteer=places.build_geocoder("gazetteer", {}, 0),
        )


def _software(client: ApiClient, store: Store, *scopes: str) -> Actor:
    return Actor(
        kind=ActorKind.CLIENT,
        name=client.name,
        client_id=client.pk,
        scopes=frozenset(scopes),
        store_ids=frozenset([store.pk]),
        carrier_ref=client.carrier_ref,
    )


def receipt(shop: Shop, number: int, **order: Any) -> OrderDraft:
    """What a till sends: a few lines of the shop's menu, others for each number, and further columns of `Order`."""
    chosen = [(*shop.menu[(number + step) % len(shop.menu)], 1 + (number + step) % 3) for step in range(1 + number % 3)]
    items = [{"product_name": name, "price": price, "quantity": f"{quantity}.0", "options": []} for name, price, quantity in chosen]
    payments = [{"name": "Card online", "amount": sum(price * quantity for _, price, quantity in chosen)}]
    status, service_type = order.pop("status"), order.pop("service_type")
    fields = {
        "ref": f"{shop.name[9:10].upper()}-{1040 + number}",
        "channel": ("Web shop", "Phone", "Web shop", "Marketplace")[number % 4],
        "collection_code": str(300 + 7 * number),
        **order,
    }
    return OrderDraft(status=status, service_type=service_type, items=items, payments=payments, fields=fields)


def offer(carrier: str, ref: str, number: int, *, fee_cents: int, clock: Clock, due: float) -> Offer:
    """What a carrier asks for being there at `due`, a little more or less for each number."""
    return Offer(
        carrier=carrier,
        carrier_ref=ref,
        ref=f"{ref[:2].upper()}{7001 + number}",
        fee_cents=fee_cents + 40 * (number % 5),
        estimated_pickup_at=clock.promise(due - WINDOW),
        estimated_dropoff_at=clock.promise(due),
    )


def customer(to: Recipient, gazetteer: places.Geocoder) -> dict[str, Any]:
    """A recipient as a till knows customers, with the point that the gazetteer knows."""
    street, _, town = to.street_address.partition(", ")
    postal_code, _, city_name = town.rpartition(" ")
    first, _, last = to.name.partition(" ")
    place = gazetteer.locate(to.street_address)
    known = {} if place is None or place.point is None else {"latitude": str(place.point.latitude), "longitude": str(place.point.longitude)}
    return {
        "first_name": first,
        "last_name": last or None,
        "phone": to.telephone,
        "address_1": street,
        "postal_code": postal_code or None,
        "city": city_name,
        "country": place.country if place else "FR",
        "delivery_notes": to.note or None,
        **known,
    }
