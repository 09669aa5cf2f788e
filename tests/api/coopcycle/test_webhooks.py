"""Webhooks from asking to hearing: what may be asked for, what arrives and proves itself, and what is told of it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from deliveries import transitions
from deliveries.models import Call, CallState, DisabledWhy, Subscription
from deliveries.outbox import signing, subscriptions
from stores.actors import SYSTEM
from tests.api.coopcycle import webhooks
from tests.api.coopcycle.knocking import World, build_world
from tests.factories import NOON
from tests.outbox.scenes import Hand
from tests.stores.loopback import Loopback, serving

pytestmark = pytest.mark.django_db


def violations(answer: Any) -> dict[str, str | None]:
    assert answer.status_code == 400
    return {each["propertyPath"]: each["code"] for each in answer.json()["violations"]}


BLANK, CHOICE = "c1051bb4-d103-4f74-8988-acbcafc7fdc3", "8e179f1b-97aa-4560-a02f-2a8b42e49df7"


@pytest.mark.parametrize("caller", ["client", "key"])
def test_a_webhook_is_made_read_and_ended(world: World, caller: str) -> None:
    answer = world[caller].post("/api/webhooks", webhooks.ASKED)
    made = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == made["@id"]
    assert list(made) == ["@context", "@id", "@type", "url", "event", "secret"]
    assert (made["@context"], made["@type"]) == ("/api/contexts/Webhook", "Webhook")
    read = world["key" if caller == "client" else "client"].get(made["@id"])
    assert (read.status_code, read.json()) == (200, {name: value for name, value in made.items() if name != "secret"})
    assert world[caller].delete(made["@id"]).status_code == 204
    assert world[caller].get(made["@id"]).status_code == 404
    assert world[caller].delete(made["@id"]).status_code == 404


def test_a_webhook_is_its_clients_own(world: World) -> None:
    made = webhooks.subscribed(world)
    for path in ("", "/state", "/calls"):
        assert world["neighbour's client"].get(f"/api/webhooks/{made.pk}{path}").status_code == 403
    assert world["neighbour's client"].delete(f"/api/webhooks/{made.pk}").status_code == 403
    assert world["neighbour's client"].get("/api/webhooks").json()["hydra:totalItems"] == 0
    assert world["client"].get("/api/webhooks").json()["hydra:totalItems"] == 1


def test_a_call_is_found_below_its_own_webhook_only(world: World) -> None:
    made, other = webhooks.subscribed(world), webhooks.subscribed(world)
    call = webhooks.owed(made)
    assert world["client"].get(f"/api/webhooks/{made.pk}/calls/{call.pk}").status_code == 200
    assert world["client"].get(f"/api/webhooks/{other.pk}/calls/{call.pk}").status_code == 404
    assert world["client"].post(f"/api/webhooks/{other.pk}/calls/{call.pk}/resend").status_code == 404


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"event": BLANK, "url": BLANK}),
        ([], {"event": BLANK, "url": BLANK}),
        ({"event": "", "url": " "}, {"event": BLANK, "url": BLANK}),
        ({"event": None, "url": False}, {"event": BLANK, "url": BLANK}),
        ({"event": "delivery.lost", "url": webhooks.URL}, {"event": CHOICE}),
        ({"event": "delivery.failed"}, {"url": BLANK}),
        ({"event": 1, "url": ["x"]}, {"event": None, "url": None}),
        ({"event": "delivery.failed", "url": "x" * 2001}, {"url": None}),
        ({"event": "delivery.failed", "url": "ftp://example.org/"}, {"url": None}),
        ({"event": "delivery.failed", "url": "https://me:secret@example.org/"}, {"url": None}),
        ({"event": "delivery.failed", "url": "https://"}, {"url": None}),
        ({"event": "delivery.failed", "url": "not a url"}, {"url": None}),
    ],
)
def test_what_cannot_be_asked_for(world: World, body: Any, named: dict[str, str | None]) -> None:
    assert violations(world["client"].post("/api/webhooks", body)) == named
    assert Subscription.objects.count() == 0


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://127.0.0.1/", "https://10.0.0.8/hook", "https://[::1]/", "https://169.254.169.254/"]
)
def test_what_leads_inside_is_not_called(world: World, settings: LazySettings, url: str) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False
    assert violations(world["client"].post("/api/webhooks", {"event": "delivery.failed", "url": url})) == {"url": None}


def test_nobody_fills_the_table(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MOST", 2)
    statuses = [world["client"].post("/api/webhooks", webhooks.ASKED).status_code for _ in range(3)]
    assert statuses == [201, 201, 400]
    refusal = world["client"].post("/api/webhooks", webhooks.ASKED).json()
    assert refusal["hydra:description"] == "There are 2 webhooks already, which is as many as a client may have. Delete one first."
    assert world["neighbour's client"].post("/api/webhooks", webhooks.ASKED).status_code == 201
    world["client"].delete(f"/api/webhooks/{world.client.subscriptions.order_by('pk')[0].pk}")
    assert world["client"].post("/api/webhooks", webhooks.ASKED).status_code == 201


def test_calls_are_listed_newest_first_page_by_page_and_by_state(world: World) -> None:
    made = webhooks.subscribed(world)
    calls = [webhooks.owed(made) for _ in range(3)]
    Call.objects.filter(pk=calls[1].pk).update(state=CallState.FAILED, settled_at=NOON)
    path = f"/api/webhooks/{made.pk}/calls"

    def listed(query: str) -> list[str]:
        return [each["id"] for each in world["client"].get(f"{path}{query}").json()["hydra:member"]]

    newest_first = [call.message_id for call in reversed(calls)]
    assert listed("") == newest_first
    assert [*listed("?itemsPerPage=2"), *listed("?itemsPerPage=2&page=2")] == newest_first
    assert listed("?state=failed") == [calls[1].message_id]
    assert listed("?state=acknowledged") == []
    assert violations(world["client"].get(f"{path}?state=lost")) == {"state": None}


def test_what_failed_is_sent_again(world: World) -> None:
    made = webhooks.subscribed(world)
    calls = [webhooks.owed(made) for _ in range(3)]
    Call.objects.update(state=CallState.FAILED, settled_at=NOON, tries=10)
    path = f"/api/webhooks/{made.pk}"
    one = world["client"].post(f"{path}/calls/{calls[0].pk}/resend")
    assert (one.status_code, one.json()["state"], one.json()["tries"]) == (202, "queued", 0)
    assert one["Location"] == f"{path}/calls/{calls[0].pk}"
    rest = world["client"].post(f"{path}/resend")
    assert (rest.status_code, rest.json()["count"]) == (202, 2)
    assert world["client"].post(f"{path}/resend").json()["count"] == 0
    assert world["client"].get(f"{path}/state").json()["owed"] == 3


def test_off_and_on(world: World) -> None:
    made = webhooks.subscribed(world)
    path = f"/api/webhooks/{made.pk}"
    off = world["client"].put(f"{path}/disable").json()
    assert (off["enabled"], off["disabledWhy"], off["disabledAt"]) == (False, "by_hand", "2026-11-20T12:00:00+01:00")
    assert world["client"].put(f"{path}/disable").json() == off
    waiting = world["client"].post(f"{path}/test").json()
    assert waiting["state"] == "waiting"
    on = world["client"].put(f"{path}/enable").json()
    assert (on["enabled"], on["disabledWhy"], on["disabledAt"], on["owed"]) == (True, None, None, 1)
    assert world["client"].get(waiting["@id"]).json()["state"] == "queued"
    Subscription.objects.update(disabled_at=NOON, disabled_why=DisabledWhy.GONE)
    assert world["client"].get(f"{path}/state").json()["disabledWhy"] == "gone"


def test_if_match_keeps_what_was_not_seen(world: World) -> None:
    made = webhooks.subscribed(world)
    path = f"/api/webhooks/{made.pk}"
    tag = world["client"].get(path)["ETag"]
    assert world["client"].get(path, if_none_match=tag).status_code == 304
    assert world["client"].delete(path, if_match='"another"').status_code == 412
    seen = world["client"].get(f"{path}/state")["ETag"]
    assert world["client"].put(f"{path}/disable", if_match=seen).status_code == 200
    assert world["client"].put(f"{path}/enable", if_match=seen).status_code == 412
    assert world["client"].delete(path, if_match=tag).status_code == 204


@pytest.fixture
def receiver() -> Any:
    with serving() as loopback:
        yield loopback


def verified(receiver: Loopback, secret: str) -> bool:
    """Whether the last call proves itself to the public library."""
    (_, body), headers = receiver.asked[-1], receiver.asked_with[-1]
    try:
        Webhook(secret).verify(body, dict(headers.items()))
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.django_db(transaction=True)
def test_what_arrives_is_what_was_promised_and_proves_itself(receiver: Loopback) -> None:
    with time_machine.travel(NOON, tick=False):
        world, hand = build_world(), Hand()
        made = world["key"].post("/api/webhooks", {"event": "delivery.completed", "url": f"{receiver.url}/hook?shop=1"}).json()
        transitions.pick(world.held, by=SYSTEM, at=NOON)
        transitions.drop(world.held, by=SYSTEM, at=NOON)
        hand.tell()
        assert hand.send() == 1
        ((path, body),) = receiver.asked
        assert path == "/hook?shop=1"
        assert body == b'{"data":{"object":"/api/deliveries/%d","event":"delivery.completed"}}' % world.held.pk
        (headers,) = receiver.asked_with
        assert headers["Content-Type"] == "application/json"
        assert headers["X-CoopCycle-Signature"] == signing.hmac_base64(made["secret"].encode(), body)
        assert verified(receiver, made["secret"])
        (call,) = world["key"].get(f"{made['@id']}/calls").json()["hydra:member"]
        assert (call["id"], call["state"], call["tries"]) == (headers["webhook-id"], "acknowledged", 1)
        assert headers["webhook-id"] in [each["id"] for each in world["key"].get("/api/events").json()["hydra:member"]]
        (attempt,) = world["key"].get(call["@id"]).json()["attempts"]
        assert (attempt["status"], attempt["answer"], attempt["error"]) == (200, "{}", None)


@pytest.mark.django_db(transaction=True)
def test_two_secrets_are_good_for_a_day(receiver: Loopback) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        world, hand = build_world(), Hand()
        made = world["key"].post("/api/webhooks", {"event": "order.created", "url": receiver.url}).json()

        rotated = world["key"].post(f"{made['@id']}/rotate")
        new = rotated.json()
        assert (rotated.status_code, list(new), new["@id"]) == (200, list(made), made["@id"])
        assert new["secret"] != made["secret"]
        assert world["key"].get(f"{made['@id']}/state").json()["formerSecretUntil"] == "2026-11-21T12:00:00+01:00"
        for hours, former_is_good in ((0, True), (23, True), (25, False)):
            clock.move_to(NOON + timedelta(hours=hours))
            world["key"].post(f"{made['@id']}/test")
            hand.send(at=NOON + timedelta(hours=hours))
            assert (verified(receiver, new["secret"]), verified(receiver, made["secret"])) == (True, former_is_good)
            signed_by_new = signing.hmac_base64(new["secret"].encode(), receiver.asked[-1][1])
            assert receiver.asked_with[-1]["X-CoopCycle-Signature"] == signed_by_new
        assert len(receiver.asked) == 3


@pytest.mark.django_db(transaction=True)
def test_every_client_of_the_store_is_told_what_it_asked_for(world: World) -> None:
    webhooks.subscribed(world, "delivery.picked")
    webhooks.subscribed(world, "delivery.picked")
    webhooks.subscribed(world, "delivery.failed")
    transitions.pick(world.held, by=SYSTEM, at=NOON)
    transitions.pick(world.delivery, by=SYSTEM, at=NOON)
    Hand().tell()
    assert sorted(Call.objects.values_list("name", "chain")) == [
        ("delivery.picked", f"order {order}") for order in sorted([world.held.order_id, world.delivery.order_id]) for _ in range(2)
    ]
