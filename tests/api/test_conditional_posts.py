"""A POST to one thing changes that thing, and minds `If-Match` as any change does; one to a collection has nothing to match."""

from typing import Any

import pytest
from django.test import Client

from deliveries.models import Call, CallState, Delivery
from tests.api.calls import DOCUMENT, knocking
from tests.api.coopcycle import webhooks
from tests.api.coopcycle.knocking import World
from tests.api.hubrise.test_openapi import ORDER
from tests.api.hubrise.till import DELIVERY, QUOTE, scene
from tests.api.test_conditional import NEVER, check_change, quoted

PLACES = ("/v1/location", "/v1/locations/{location_id}")
POSTS = {
    *(f"post {place}/orders/{{order_id}}/delivery" for place in PLACES),
    *(f"post {place}/orders/{{order_id}}/delivery_quotes/{{quote_id}}/accept" for place in PLACES),
    *("post /v1/callback", "post /v1/callback/test", "post /v1/callback/events/{event_id}/resend"),
}


def posts_to_one(document: dict[str, Any]) -> set[str]:
    return {f"post {path}" for path, calls in document["paths"].items() if "412" in calls.get("post", {}).get("responses", {})}


def test_every_post_to_one_thing_is_tried_here() -> None:
    assert posts_to_one(Client().get("/v1/openapi.json").json()) == POSTS


@pytest.mark.django_db
def test_a_callback_is_replaced_only_as_it_is(noon: None, looks: list[bool]) -> None:
    till = scene().till
    tag = till.get("/callback").headers["ETag"]
    asked = {"url": webhooks.URL, "events": {"order": ["create"]}}
    check_change(lambda **headers: till.call("POST", "/callback", asked, **headers), tag, looks)
    other = {"events": {"order": ["update"]}}
    tag = till.get("/callback").headers["ETag"]
    check_change(lambda **headers: till.call("POST", "/callback", other, **headers), tag, looks)


@pytest.mark.django_db
def test_what_a_callback_is_sent_is_asked_for_as_it_is(noon: None, looks: list[bool]) -> None:
    till = scene().till
    tag = till.post("/callback", {"events": {"order": ["create"]}}).headers["ETag"]
    check_change(lambda **headers: till.call("POST", "/callback/test", {}, **headers), tag, looks, locks=False)
    event = Call.objects.latest("pk")
    tag = till.get(f"/callback/events/{event.message_id}").headers["ETag"]
    till.call("DELETE", f"/callback/events/{event.message_id}", None)
    for wrong in (NEVER, f"W/{tag}"):
        assert till.call("POST", f"/callback/events/{event.message_id}/resend", {}, if_match=wrong).status == 412
        assert Call.objects.get(pk=event.pk).state == CallState.ACKNOWLEDGED
    assert till.call("POST", f"/callback/events/{event.message_id}/resend", {}, if_match=tag).status == 200
    assert Call.objects.get(pk=event.pk).state != CallState.ACKNOWLEDGED


@pytest.mark.django_db
def test_a_quote_is_accepted_only_as_it_is(noon: None, looks: list[bool]) -> None:
    shop = scene()
    place = quoted(shop)
    check_change(lambda **headers: shop.till.call("POST", f"{place}/accept", {}, **headers), shop.till.get(place).headers["ETag"], looks)


@pytest.mark.django_db
def test_a_delivery_that_is_not_there_is_none_that_anybody_has_seen(noon: None) -> None:
    shop = scene()
    for wanted in (NEVER, "*"):
        # The star stands for anything that is there, and there is nothing.
        reply = shop.till.call("POST", f"{shop.path}/delivery", DELIVERY, if_match=wanted)
        assert (reply.status, Delivery.objects.count()) == (412, 0)
    assert shop.till.call("POST", "/location/orders/nowhere/delivery", DELIVERY, if_match=NEVER).status == 404
    shop.till.post(f"{shop.path}/delivery", DELIVERY)
    tag = shop.till.get(f"{shop.path}/delivery").headers["ETag"]
    assert shop.till.call("POST", f"{shop.path}/delivery", DELIVERY, if_match=NEVER).status == 412
    assert shop.till.call("POST", f"{shop.path}/delivery", DELIVERY, if_match=tag).status == 422, "there is one already"


def test_a_collection_has_nothing_to_match(world: World) -> None:
    assert knocking(world, "client")("POST", "/api/webhooks", webhooks.ASKED, if_match=NEVER).status == 201
    assert knocking(world, "client")("POST", "/api/deliveries", DOCUMENT, if_match=NEVER).status == 201
    shop = scene()
    assert shop.till.call("POST", "/location/orders", ORDER, if_match=NEVER).status == 200
    assert shop.till.call("POST", f"{shop.path}/delivery_quotes", QUOTE, if_match=NEVER).status == 200
