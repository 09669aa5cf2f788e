"""Who is told of what, and whether it arrives: what the desk shows of it, does about it, and keeps to itself."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from deliveries.models import Attempt, Call, CallState, DisabledWhy, Event, Subscription
from deliveries.outbox import queue, subscriptions
from stores import credentials
from stores.actors import SYSTEM, Role
from stores.models import Account, ApiClient, Connection, Dialect, Store
from tests import factories
from tests.admin.conftest import logged_in
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

URL = "https://203.0.113.9/hooks/relais?token=for-the-receiver-alone"


def webhook(store: Store | None = None, **fields: Any) -> Subscription:
    store = store or factories.StoreFactory.create()
    made, _ = subscriptions.subscribe(factories.coopcycle_client(store)[0], store, URL, ["delivery.started"], by=SYSTEM, at=NOON)
    Subscription.objects.filter(pk=made.pk).update(**fields)
    made.refresh_from_db()
    return made


def callback(account: Account, url: str = URL) -> Subscription:
    client, _ = credentials.new_client(name="Till", dialect=Dialect.HUBRISE)
    connected, _ = credentials.connect(client, account=account, scopes="orders.read")
    return subscriptions.call_back(connected, url, ["order.create", "order.update"], follows_positions=False, by=SYSTEM, at=NOON)


def call(to: Subscription, state: CallState = CallState.FAILED, *, event: Event | None = None, **fields: Any) -> Call:
    number = Call.objects.count() + 1
    settled = None if state in (CallState.WAITING, CallState.QUEUED) else NOON
    given = {"name": to.names[0], "message_id": f"evt_{number}", "chain": f"order {number}", "body": '{"data":{"object":"é"}}'}
    return Call.objects.create(subscription=to, event=event, state=state, created_at=NOON, settled_at=settled, **{**given, **fields})


def owner_of(*stores: Store) -> Client:
    user = factories.UserFactory.create(is_staff=True, role=Role.STORE_OWNER)
    for store in stores:
        store.owners.add(user)
    return logged_in(user)


def listed(browser: Client, model: type[Model], **facets: Any) -> list[int]:
    return sorted(row.pk for row in browser.get(changelist(model), facets).context["cl"].result_list)


def changelist(model: type[Model]) -> str:
    return reverse(f"admin:deliveries_{model._meta.model_name}_changelist")


def page(row: Model) -> str:
    return reverse(f"admin:deliveries_{row._meta.model_name}_change", args=[row.pk])


def act(browser: Client, name: str, row: Model) -> Any:
    return browser.post(reverse(f"admin:deliveries_{row._meta.model_name}_act", args=[row.pk, name]), {"apply": "1"})


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def offered(browser: Client, row: Model) -> list[str]:
    return [button["label"] for button in browser.get(page(row)).context["acts"]]


STATES: list[tuple[str, dict[str, Any], str]] = [
    ("on", {}, "On"),
    ("failing", {"failing_since": NOON - timedelta(hours=2)}, "since 10:00"),
    ("given_up", {"disabled_at": NOON, "disabled_why": DisabledWhy.GONE}, "the endpoint is gone (410)"),
    ("given_up", {"disabled_at": NOON, "disabled_why": DisabledWhy.FAILING}, "it failed for days"),
    ("by_hand", {"disabled_at": NOON, "disabled_why": DisabledWhy.BY_HAND}, "by hand"),
    ("passive", {"url": ""}, "calls wait to be read"),
]


@pytest.mark.parametrize(("facet", "fields", "words"), STATES)
def test_a_list_says_how_a_subscription_stands_and_finds_it_by_that(
    facet: str, fields: dict[str, Any], words: str, dispatcher_browser: Client
) -> None:
    wanted = webhook(**fields)
    for _, others, _ in STATES:
        if others != fields:
            webhook(**others)
    assert wanted.pk in listed(dispatcher_browser, Subscription, state=facet)
    assert words in dispatcher_browser.get(changelist(Subscription), {"state": facet}).content.decode()
    for other in {name for name, _, _ in STATES} - {facet}:
        assert wanted.pk not in listed(dispatcher_browser, Subscription, state=other)


def test_a_callback_whose_token_was_revoked_is_closed(dispatcher_browser: Client) -> None:
    made = callback(factories.StoreFactory.create().account)
    credentials.revoke(Connection.objects.get(), at=NOON)
    assert listed(dispatcher_browser, Subscription, state="closed") == [made.pk]
    assert offered(dispatcher_browser, made) == []
    Subscription.objects.update(disabled_at=NOON, disabled_why=DisabledWhy.GONE)
    assert said(act(dispatcher_browser, "enable", made)) == [f"{made}: Its token was revoked."]


def test_what_needs_somebody_comes_first(dispatcher_browser: Client) -> None:
    rows = [webhook(**fields) for _, fields, _ in STATES]
    shown = [row.pk for row in dispatcher_browser.get(changelist(Subscription)).context["cl"].result_list]
    assert shown[0] == rows[1].pk
    assert set(shown[1:3]) == {rows[2].pk, rows[3].pk}


def test_a_subscription_tells_what_it_is_owed_and_was_answered(dispatcher_browser: Client) -> None:
    made = webhook()
    call(made, CallState.WAITING)
    call(made, CallState.QUEUED)
    lost, arrived = call(made, CallState.FAILED), call(made, CallState.ACKNOWLEDGED)
    Attempt.objects.create(call=arrived, started_at=NOON - timedelta(minutes=9), duration_ms=20, status=200)
    Attempt.objects.create(call=lost, started_at=NOON - timedelta(minutes=4), duration_ms=20, status=503)
    for address in (changelist(Subscription), page(made)):
        body = dispatcher_browser.get(address).content.decode()
        assert "1 waiting, 1 on the way" in body
        assert "503" in body
        assert "4 min ago" in body
        assert f"subscription={made.pk}&amp;progress=failed" in body
    assert listed(dispatcher_browser, Call, subscription=made.pk, progress="failed") == [lost.pk]


def test_a_store_finds_what_reaches_it_through_its_account(dispatcher_browser: Client) -> None:
    store = factories.StoreFactory.create()
    own, wide = webhook(store), callback(store.account)
    webhook()
    assert listed(dispatcher_browser, Subscription, store=store.pk) == [own.pk, wide.pk]


@pytest.mark.parametrize("facet", ["state=x", "store=x", "client__dialect__exact=klingon"])
def test_a_facet_that_makes_no_sense_is_no_accident(facet: str, dispatcher_browser: Client) -> None:
    webhook()
    assert dispatcher_browser.get(f"{changelist(Subscription)}?{facet}", follow=True).status_code == 200


def test_a_call_shows_what_it_says_and_every_attempt(dispatcher_browser: Client) -> None:
    store = factories.StoreFactory.create()
    event = Event.objects.filter(delivery=factories.delivery(store)).latest("id")
    made = call(webhook(store), event=event, message_id="evt_7_delivery_started")
    Attempt.objects.create(call=made, started_at=NOON, duration_ms=20000, error="timed out after 20 s")
    Attempt.objects.create(call=made, started_at=NOON, duration_ms=85, status=500, excerpt="<script>alert(1)</script>")
    response = dispatcher_browser.get(page(made))
    body = response.content.decode()
    assert json.loads(response.context["body"]) == json.loads(made.body)
    assert response.context["body"].count("\n") > 2
    assert "“é”" in body or "&quot;é&quot;" in body
    for words in ("timed out after 20 s", "20.0 s", "500", "85 ms", "&lt;script&gt;alert(1)", "12:00:00", "Given up"):
        assert words in body
    assert "<script>alert(1)" not in body
    assert reverse("admin:deliveries_delivery_change", args=[event.delivery_id]) in body
    for words in ("evt_7_delivery_started", f"#{made.pk}", str(event.delivery_id)):
        assert listed(dispatcher_browser, Call, q=words) == [made.pk]


@pytest.mark.parametrize(
    ("state", "fields", "words"),
    [
        (CallState.WAITING, {}, "after those before it"),
        (CallState.QUEUED, {}, "now"),
        (CallState.QUEUED, {"due_at": NOON + timedelta(hours=2), "tries": 3}, "14:00"),
        (CallState.QUEUED, {"due_at": NOON + timedelta(hours=2), "tries": 3}, "To be tried again"),
        (CallState.FAILED, {}, "Given up"),
    ],
)
def test_a_list_of_calls_says_what_comes_next(state: CallState, fields: dict[str, Any], words: str, dispatcher_browser: Client) -> None:
    call(webhook(), state, **fields)
    table = dispatcher_browser.get(changelist(Call)).content.decode().partition('id="result_list"')[2]
    assert words in table


PROGRESS: list[tuple[str, CallState, dict[str, Any], str]] = [
    ("waiting", CallState.WAITING, {}, "Waiting for its turn"),
    ("waiting", CallState.QUEUED, {"due_at": NOON + timedelta(minutes=2)}, "Waiting for its turn"),
    ("queued", CallState.QUEUED, {}, "On its way"),
    ("queued", CallState.QUEUED, {"due_at": NOON, "tries": 1}, "On its way"),
    ("retry", CallState.QUEUED, {"due_at": NOON + timedelta(minutes=2), "tries": 1}, "To be tried again"),
    ("acknowledged", CallState.ACKNOWLEDGED, {}, "Acknowledged"),
    ("failed", CallState.FAILED, {}, "Given up"),
]


def test_calls_are_found_by_the_state_that_the_list_shows(dispatcher_browser: Client) -> None:
    to, polled = webhook(), webhook(url="")
    made = [(facet, call(to, state, **fields), words) for facet, state, fields, words in PROGRESS]
    made += [("to_read", call(polled, state), "Waiting to be read") for state in (CallState.WAITING, CallState.QUEUED)]
    for facet in {facet for facet, _, _ in made}:
        assert listed(dispatcher_browser, Call, progress=facet) == [row.pk for each, row, _ in made if each == facet], facet
    for _, row, words in made:
        assert words in dispatcher_browser.get(page(row)).content.decode()
    every = dispatcher_browser.get(f"{changelist(Call)}?progress=retry&progress=failed").context["cl"].result_list
    assert {row.pk for row in every} == {row.pk for facet, row, _ in made if facet in ("retry", "failed")}
    assert dispatcher_browser.get(changelist(Call), {"progress": "x"}, follow=True).status_code == 200


def test_calls_are_found_by_their_event(dispatcher_browser: Client) -> None:
    to = webhook(names=["delivery.started", "order.created"])
    call(to)
    wanted = call(to, name="order.created")
    assert listed(dispatcher_browser, Call, name="order.created") == [wanted.pk]


def test_a_test_event_is_sent_by_a_worker(dispatcher_browser: Client) -> None:
    made = webhook()
    assert "A test event is on its way" in said(act(dispatcher_browser, "test", made))[0]
    job = ProcrastinateJob.objects.get(task_name=queue.TEST)
    assert job.args["subscription_id"] == made.pk


def test_a_subscription_is_switched_off_and_on(dispatcher_browser: Client) -> None:
    made = webhook()
    call(made, CallState.WAITING)
    assert said(act(dispatcher_browser, "disable", made)) == [
        f"{made} · delivery.started is off: nothing is sent there until it is switched on again."
    ]
    made.refresh_from_db()
    assert (made.disabled_at, made.disabled_why) == (NOON, DisabledWhy.BY_HAND)
    assert offered(dispatcher_browser, made) == ["Switch on"]
    assert said(act(dispatcher_browser, "enable", made))[-1].startswith(f"{made} · delivery.started is on again.")
    made.refresh_from_db()
    assert (made.disabled_at, made.disabled_why) == (None, "")
    assert made.calls.get().state == CallState.QUEUED
    assert ProcrastinateJob.objects.filter(task_name=queue.SEND).count() == 1


def test_what_was_given_up_is_sent_again(dispatcher_browser: Client) -> None:
    made = webhook()
    assert "Resend everything given up" not in offered(dispatcher_browser, made)
    lost = [call(made), call(made)]
    call(made, CallState.ACKNOWLEDGED)
    assert "Resend everything given up" in offered(dispatcher_browser, made)
    assert said(act(dispatcher_browser, "resend", made)) == ["All that was given up is sent again."]
    assert set(made.calls.filter(state=CallState.QUEUED)) == set(lost)
    assert said(act(dispatcher_browser, "resend", made))[-1] == f"{made}: nothing to resend everything given up."


@pytest.mark.parametrize("state", [CallState.FAILED, CallState.ACKNOWLEDGED])
def test_one_call_is_sent_again_with_its_message_id(state: CallState, dispatcher_browser: Client) -> None:
    made = call(webhook(), state)
    assert offered(dispatcher_browser, made) == ["Resend"]
    assert said(act(dispatcher_browser, "resend", made)) == ["1 call is sent again."]
    after = Call.objects.get()
    assert (after.state, after.settled_at, after.message_id) == (CallState.QUEUED, None, made.message_id)
    assert offered(dispatcher_browser, made) == []


@pytest.mark.parametrize("name", ["test", "resend"])
def test_nothing_is_sent_to_what_is_off(name: str, dispatcher_browser: Client) -> None:
    made = webhook(disabled_at=NOON, disabled_why=DisabledWhy.FAILING)
    lost = call(made)
    assert "switch it on first" in said(act(dispatcher_browser, name, made))[0]
    assert "switch it on first" in said(act(dispatcher_browser, "resend", lost))[-1]
    lost.refresh_from_db()
    assert lost.state == CallState.FAILED
    assert ProcrastinateJob.objects.filter(task_name__in=[queue.SEND, queue.TEST]).count() == 0


@pytest.mark.parametrize("name", ["test", "resend", "disable", "enable"])
def test_looking_at_the_page_of_an_act_changes_nothing(name: str, dispatcher_browser: Client) -> None:
    made = webhook()
    call(made)
    jobs = ProcrastinateJob.objects.count()
    before = list(Subscription.objects.values()), list(Call.objects.values())
    assert dispatcher_browser.get(reverse("admin:deliveries_subscription_act", args=[made.pk, name])).status_code == 200
    assert (list(Subscription.objects.values()), list(Call.objects.values())) == before
    assert ProcrastinateJob.objects.count() == jobs


def test_nobody_writes_calls_or_subscriptions_by_hand(admin_browser: Client) -> None:
    made = webhook()
    for row in (made, call(made)):
        name = row._meta.model_name
        assert admin_browser.get(reverse(f"admin:deliveries_{name}_add")).status_code == 403
        assert admin_browser.get(reverse(f"admin:deliveries_{name}_delete", args=[row.pk])).status_code == 403
        assert admin_browser.post(page(row), {"url": "https://203.0.113.8/", "state": "acknowledged"}).status_code == 403
    made.refresh_from_db()
    assert (made.url, Call.objects.get().state) == (URL, CallState.FAILED)


def secret_page(made: Subscription) -> str:
    return reverse("admin:deliveries_subscription_secret", args=[made.pk])


def test_a_new_secret_is_shown_once(admin_browser: Client) -> None:
    made = webhook()
    former = credentials.unseal(made.sealed_secret)
    fields = {"form_number": admin_browser.get(secret_page(made)).context["form"]["form_number"].value()}
    response = admin_browser.post(secret_page(made), fields)
    secret = dict(response.context["shown"])["Secret"]
    assert "no-store" in response.headers["Cache-Control"]
    made.refresh_from_db()
    assert credentials.signing_secrets(made, at=NOON) == [secret, former]
    assert "sent before" in admin_browser.post(secret_page(made), fields).content.decode()
    assert "until tomorrow 12:00 the one before" in admin_browser.get(page(made)).content.decode()
    for address in (page(made), changelist(Subscription), secret_page(made), reverse("admin:index")):
        body = admin_browser.get(address).content.decode()
        assert not [kept for kept in (secret, former, made.sealed_secret) if kept in body], address


def test_only_admins_make_secrets_and_only_of_webhooks(admin_browser: Client, dispatcher_browser: Client) -> None:
    made = webhook()
    kept = made.sealed_secret
    assert dispatcher_browser.post(secret_page(made)).status_code == 403
    assert owner_of(made.store).post(secret_page(made)).status_code == 403  # type: ignore[arg-type]  # a webhook has a store
    assert Subscription.objects.get().sealed_secret == kept
    assert "issue" not in dispatcher_browser.get(page(made)).context
    assert admin_browser.post(secret_page(callback(factories.AccountFactory.create()))).status_code == 404


def test_no_page_asks_for_a_secret_or_shows_one(admin_browser: Client) -> None:
    store = factories.StoreFactory.create()
    made, wide = webhook(store, sealed_previous_secret="sealed-before"), callback(store.account)
    calls = [call(made), call(wide)]
    pages = [changelist(Subscription), changelist(Call), reverse("admin:index"), *map(page, (made, wide, *calls))]
    pages += [reverse(f"admin:deliveries_{row._meta.model_name}_history", args=[row.pk]) for row in (made, *calls)]
    pages += [reverse("admin:stores_apiclient_change", args=[row.client_id]) for row in (made, wide)]
    pages += [reverse("admin:deliveries_subscription_act", args=[made.pk, name]) for name in ("test", "disable")]
    for address in pages:
        with CaptureQueriesContext(connection) as queries:
            response = admin_browser.get(address)
        assert response.status_code == 200, address
        body = response.content.decode()
        for secret in (made.sealed_secret, "sealed-before", wide.client.sealed_secret, wide.client.client_secret, "for-the-receiver-alone"):
            assert secret not in body, address
        asked = [entry["sql"] for entry in queries if 'sealed_secret"' in entry["sql"] or 'sealed_previous_secret"' in entry["sql"]]
        assert asked == [], address


def test_the_body_of_calls_stays_in_the_database_until_one_is_opened(dispatcher_browser: Client) -> None:
    call(webhook())
    with CaptureQueriesContext(connection) as queries:
        dispatcher_browser.get(changelist(Call))
    assert not [entry for entry in queries if '"deliveries_call"."body"' in entry["sql"]]


def test_an_owner_sees_what_reaches_no_other_store_than_theirs() -> None:
    store = factories.StoreFactory.create()
    neighbour = factories.StoreFactory.create(account=store.account)
    own, wide, strange = webhook(store), callback(store.account), webhook(neighbour)
    happened = {each: Event.objects.filter(delivery=factories.delivery(each)).latest("id") for each in (store, neighbour)}
    seen = [call(own), call(wide, event=happened[store])]
    unseen = [call(wide), call(wide, event=happened[neighbour]), call(strange, event=happened[neighbour])]
    browser = owner_of(store)
    assert listed(browser, Subscription) == [own.pk]
    assert listed(browser, Call) == [row.pk for row in seen]
    assert page(wide) not in browser.get(page(seen[1])).content.decode()
    for row in (wide, strange, *unseen):
        assert browser.get(page(row)).status_code == 404
        assert act(browser, "resend", row).status_code == 404
    body = browser.get(changelist(Call)).content.decode()
    assert str(strange.client) not in body
    both = owner_of(store, neighbour)
    assert listed(both, Subscription) == sorted(row.pk for row in (own, wide, strange))
    assert len(listed(both, Call)) == 5
    assert listed(owner_of(), Subscription) == listed(owner_of(), Call) == []


def test_a_client_shows_whom_it_is_told_by_and_goes_with_it(admin_browser: Client) -> None:
    made = webhook(failing_since=NOON)
    call(made)
    credentials.issue_api_key(made.client)
    address = reverse("admin:stores_apiclient_change", args=[made.client_id])
    body = admin_browser.get(address).content.decode()
    assert page(made) in body
    assert "Failing" in body
    delete = reverse("admin:stores_apiclient_delete", args=[made.client_id])
    assert "calls: 1" in " ".join(admin_browser.get(delete).content.decode().lower().split())
    assert admin_browser.post(delete, {"post": "yes"}).status_code == 302
    assert not ApiClient.objects.exists()
    assert not Call.objects.exists()
