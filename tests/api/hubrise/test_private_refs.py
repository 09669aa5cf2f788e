"""A client's own name for an order names one order of a location."""

import pytest
from time_machine import Traveller

from stores.models import Order
from tests import factories
from tests.api.hubrise.till import Reply, Scene, Till, scene

pytestmark = pytest.mark.django_db

TAKEN = [{"field": "/private_ref", "message": "is already used ('pr1' given)"}]


@pytest.fixture
def shop(noon: Traveller) -> Scene:
    return scene()


def create(till: Till, ref: str | None = "pr1") -> Reply:
    return till.post("/location/orders", {"status": "new", "private_ref": ref})


def test_a_second_order_of_the_same_name_is_refused(shop: Scene) -> None:
    assert create(shop.till).status == 200
    again = create(shop.till)
    assert (again.status, again.json["errors"]) == (422, TAKEN)
    assert Order.objects.count() == 2
    assert create(shop.till, "pr2").status == 200
    assert [create(shop.till, None).status, create(shop.till, "").status, create(shop.till, "").status] == [200] * 3


def test_an_order_cannot_take_anothers_name(shop: Scene) -> None:
    first, second = create(shop.till).json["id"], create(shop.till, "pr2").json["id"]
    refused = shop.till.patch(f"/location/orders/{second}", {"status": "accepted", "private_ref": "pr1"})
    assert (refused.status, refused.json["errors"]) == (422, TAKEN)
    assert shop.till.get(f"/location/orders/{second}").json["status"] == "new"
    assert shop.till.patch(f"/location/orders/{first}", {"private_ref": "pr1"}).status == 200
    assert shop.till.patch(f"/location/orders/{first}", {"private_ref": None}).status == 200
    assert shop.till.patch(f"/location/orders/{second}", {"private_ref": "pr1"}).json["private_ref"] == "pr1"


def test_other_clients_and_locations_have_names_of_their_own(shop: Scene) -> None:
    assert create(shop.till).status == 200
    assert create(Till(factories.hubrise_token(store=shop.store))).status == 200
    owner = Till(factories.hubrise_token(account=shop.store.account))
    sister = factories.StoreFactory.create(account=shop.store.account)
    body = {"status": "new", "private_ref": "pr1"}
    at_home, abroad = (f"/locations/{store.public_id}/orders" for store in (shop.store, sister))
    assert [owner.post(at_home, body).status, owner.post(abroad, body).status, owner.post(abroad, body).status] == [200, 200, 422]
