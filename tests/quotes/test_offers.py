"""What carriers offer: kept as offered, accepted once and for good."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from deliveries import intake
from quotes import offers
from quotes.models import DeliveryQuote
from quotes.offers import NotForDelivery, NotYourFleet, Offer
from stores import credentials
from stores.actors import SYSTEM, Actor, ActorKind, Role
from stores.models import Dialect, ServiceType
from tests import factories
from tests.deliveries import rows
from tests.deliveries.rows import LATER
from tests.factories import NOON

pytestmark = pytest.mark.django_db

SOON = NOON + timedelta(minutes=30)


def offer(carrier_ref: str = "cours", *, fee_cents: int = 450) -> Offer:
    return Offer(
        carrier="Coursier", carrier_ref=carrier_ref, ref="q1", fee_cents=fee_cents, estimated_pickup_at=SOON, estimated_dropoff_at=None
    )


def outside(carrier_ref: str = "cours") -> Actor:
    client, _ = credentials.new_client(name="Coursier", dialect=Dialect.HUBRISE, carrier_ref=carrier_ref)
    return Actor(kind=ActorKind.CLIENT, name=client.name, client_id=client.pk, carrier_ref=carrier_ref)


def test_an_offer_is_kept_as_it_was_made() -> None:
    order, carrier = factories.order(), outside()
    made = intake.offer_quote(order, offer(), by=carrier, at=LATER)
    kept = DeliveryQuote.objects.get(pk=made.pk)
    assert (kept.order, kept.carrier, kept.carrier_ref, kept.ref, kept.fee_cents) == (order, "Coursier", "cours", "q1", 450)
    assert (kept.estimated_pickup_at, kept.estimated_dropoff_at) == (SOON, None)
    assert (kept.accepted_at, kept.created_at, kept.created_by_id, kept.by_house) == (None, LATER, carrier.client_id, False)
    assert [(event.kind, event.quote, event.order, event.data) for event in rows.told()][1:] == [
        ("quote.created", made, order, {"carrier": "Coursier"})
    ]


@pytest.mark.parametrize(("carrier_ref", "by_house"), [("relais", True), ("cours", False), ("", False), ("Relais", False)])
def test_the_house_is_known_by_its_ref(carrier_ref: str, by_house: bool) -> None:
    assert offers.is_house(carrier_ref) == by_house
    assert offers.make(factories.order(), offer(carrier_ref), by=SYSTEM, at=NOON).by_house == by_house


@pytest.mark.parametrize("service_type", [ServiceType.COLLECTION, ServiceType.EAT_IN, None])
def test_what_is_not_delivered_gets_no_offers(service_type: ServiceType | None) -> None:
    order = factories.order(service_type=service_type)
    before = rows.everything()
    with pytest.raises(NotForDelivery, match=r"^The order's service type is not delivery\.$"):
        intake.offer_quote(order, offer(), by=SYSTEM, at=NOON)
    assert rows.everything() == before


def test_an_outside_carrier_does_not_offer_in_the_name_of_the_house() -> None:
    order, carrier = factories.order(), outside()
    before = rows.everything()
    with pytest.raises(NotYourFleet) as refused:
        intake.offer_quote(order, offer("relais"), by=carrier, at=NOON)
    assert (str(refused.value), refused.value.path) == ("'relais' is the house's own fleet", ("carrier_ref",))
    assert rows.everything() == before


def test_only_the_first_acceptance_counts() -> None:
    made = offers.make(factories.order(), offer(), by=SYSTEM, at=NOON)
    assert offers.accept(made, at=SOON)
    assert not offers.accept(made, at=LATER)
    assert made.accepted_at == DeliveryQuote.objects.get(pk=made.pk).accepted_at == SOON


def test_the_database_holds_no_negative_fee() -> None:
    order = factories.order()
    assert offers.make(order, offer(fee_cents=0), by=SYSTEM, at=NOON).fee_cents == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        offers.make(order, offer(fee_cents=-1), by=SYSTEM, at=NOON)


def test_who_sees_which_quotes() -> None:
    store, neighbour = factories.StoreFactory.create(), factories.StoreFactory.create()
    own = offers.make(factories.order(store), offer(), by=SYSTEM, at=NOON)
    other = offers.make(factories.order(neighbour), offer(), by=SYSTEM, at=NOON)
    program = Actor(kind=ActorKind.CLIENT, name="till", store_ids=frozenset([store.pk]))
    of_account = Actor(kind=ActorKind.CLIENT, name="till", account_id=store.account_id)
    for actor in (program, of_account):
        assert list(DeliveryQuote.objects.visible_to(actor)) == [own]
    for actor in (SYSTEM, rows.person(Role.DISPATCHER)):
        assert set(DeliveryQuote.objects.visible_to(actor)) == {own, other}
    assert not DeliveryQuote.objects.visible_to(rows.person(Role.COURIER)).exists()
