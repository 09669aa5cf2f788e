"""The Stores document, request by request."""

import re
from typing import Any

import pytest

from deliveries.models import Delivery
from stores.models import Order
from tests.api.coopcycle.knocking import World

REQUEST = b"""{
  "pickup": {
    "address": "24, Rue de la Paix, Paris, France",
    "before": "tomorrow 12:00"
  },
  "dropoff": {
    "address": "48, Rue de Rivoli, Paris, France",
    "before": "tomorrow 13:30"
  }
}"""


@pytest.mark.parametrize("content_type", ["application/ld+json", "application/json", "application/ld+json; charset=utf-8"])
def test_a_delivery_is_made_as_the_document_writes_it(world: World, content_type: str) -> None:
    response = world["client"].post("/api/deliveries", REQUEST, content_type=content_type)
    made = response.json()
    assert response.status_code == 201
    assert response["Location"] == made["@id"]
    assert made["@context"] == "/api/contexts/Delivery"
    assert made["@type"] == "http://schema.org/ParcelDelivery"
    assert re.fullmatch(r"/api/deliveries/[0-9]+", made["@id"])
    for name in ("pickup", "dropoff"):
        assert re.fullmatch(r"/api/tasks/[0-9]+", made[name]["@id"])
        assert made[name]["@type"] == "Task"
        assert made[name]["status"] == "TODO"
    assert made["pickup"]["before"] == "2026-11-21T12:00:00+01:00"
    assert made["dropoff"]["before"] == "2026-11-21T13:30:00+01:00"
    assert made["pickup"]["address"]["streetAddress"] == "24, Rue de la Paix, Paris, France"
    assert made["dropoff"]["address"]["streetAddress"] == "48, Rue de Rivoli, Paris, France"


def test_a_task_is_followed_from_todo_to_done(world: World) -> None:
    made = world["client"].post("/api/deliveries", REQUEST).json()
    assert _status(world, made["pickup"]) == "TODO"
    for name in ("pickup", "dropoff"):
        assert world["dispatcher"].put(f"{made[name]['@id']}/done").status_code == 200
        followed = world["client"].get(made[name]["@id"]).json()
        assert (followed["@id"], followed["@type"], followed["status"]) == (made[name]["@id"], "Task", "DONE")
    delivery = Delivery.objects.get(pk=made["id"])
    assert delivery.status == "delivered"


def test_a_delivery_brings_an_order(world: World) -> None:
    made = world["client"].post("/api/deliveries", REQUEST).json()
    order = Order.objects.get(pk=int(made["order"]["@id"].rsplit("/")[-1]))
    assert (order.status, order.service_type, order.delivery.pk) == ("new", "delivery", made["id"])


def test_a_failed_booking_leaves_nothing(world: World) -> None:
    before = (Delivery.objects.count(), Order.objects.count())
    response = world["client"].post("/api/deliveries", {"pickup": {}, "dropoff": {"address": "48, Rue de Rivoli"}})
    assert response.status_code == 400
    assert (Delivery.objects.count(), Order.objects.count()) == before


def _status(world: World, task: dict[str, Any]) -> str:
    status: str = world["client"].get(task["@id"]).json()["status"]
    return status
