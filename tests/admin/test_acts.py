"""Acts: one call of the core for each row, refusals in words, one closing count; and never a status by hand."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from deliveries import transitions
from deliveries.models import Delivery, Event, Task
from deliveries.reasons import FailureReason
from deliveries.statuses import DeliveryStatus, TaskStatus
from quotes.models import DeliveryQuote
from stores.actors import SYSTEM, Role
from stores.models import Address, Order, OrderStatus, ServiceType, User
from tests import factories
from tests.admin.conftest import logged_in
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

LATER = {"after": "2026-11-21T10:00", "before": "2026-11-21T11:00"}


def changelist(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page(row: Model, name: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_act", args=[row.pk, name])


def do(browser: Client, name: str, *rows: Model, **answers: Any) -> Any:
    """Tick rows of a list and choose an action, answering what it asks."""
    ticked = {"action": name, "_selected_action": [row.pk for row in rows]}
    return browser.post(changelist(type(rows[0])), {**ticked, **({"apply": "1", **answers} if answers else {"index": "0"})})


def said(response: Any) -> list[str]:
    """Everything that the next page will say, of earlier acts as well."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def pickup(delivery: Delivery) -> Task:
    return delivery.tasks.earliest("position")


def dropoff(delivery: Delivery) -> Task:
    return delivery.tasks.latest("position")


def failed(delivery: Delivery) -> Delivery:
    transitions.fail(pickup(delivery), by=SYSTEM, at=NOON)
    return delivery


def cancelled(delivery: Delivery) -> Delivery:
    return transitions.cancel_delivery(delivery, by=SYSTEM, at=NOON)


def delivered(delivery: Delivery) -> Delivery:
    return transitions.drop(picked(delivery), by=SYSTEM, at=NOON)


def picked(delivery: Delivery) -> Delivery:
    return transitions.pick(delivery, by=SYSTEM, at=NOON)


@pytest.mark.parametrize(
    ("name", "prepare", "answers", "becomes", "closing"),
    [
        ("start", None, {}, TaskStatus.DOING, "1 task started."),
        ("done", None, {}, TaskStatus.DONE, "1 task done."),
        ("fail", None, {"reason": "DAMAGED", "notes": "wet"}, TaskStatus.FAILED, "1 task failed."),
        ("cancel", None, {"x": "1"}, TaskStatus.CANCELLED, "1 task cancelled."),
        ("restore", failed, {}, TaskStatus.TODO, "1 task is to be done again."),
        ("reschedule", None, LATER, TaskStatus.TODO, "1 task rescheduled."),
    ],
)
def test_an_act_moves_a_task(
    name: str, prepare: Any, answers: dict[str, str], becomes: str, closing: str, dispatcher_browser: Client
) -> None:
    delivery = factories.delivery()
    if prepare:
        prepare(delivery)
    task = pickup(delivery)
    response = do(dispatcher_browser, name, task, **answers)
    task.refresh_from_db()
    assert task.status == becomes
    assert said(response)[-1] == closing
    last = Event.objects.filter(task=task, actor_name="dora").latest("id")
    assert last.happened_at == NOON


def test_a_failure_keeps_its_reason(dispatcher_browser: Client) -> None:
    task = pickup(factories.delivery())
    do(dispatcher_browser, "fail", task, reason="NOT_AT_HOME", notes="rang twice")
    assert Event.objects.get(task=task, kind="task.failed").data == {"reason": "NOT_AT_HOME", "notes": "rang twice"}


def test_a_new_window_is_on_the_clock_of_the_store(dispatcher_browser: Client) -> None:
    task = pickup(factories.delivery(factories.StoreFactory.create(timezone="Europe/Lisbon")))
    do(dispatcher_browser, "reschedule", task, **LATER)
    task.refresh_from_db()
    assert task.after.isoformat() == "2026-11-21T10:00:00+00:00"


def test_a_courier_is_given_and_taken(dispatcher_browser: Client) -> None:
    first, second = factories.delivery(), factories.delivery()
    courier = factories.CourierFactory.create()
    response = do(dispatcher_browser, "assign", first, second, courier=courier.pk)
    assert said(response) == [f"2 deliveries assigned to {courier}."]
    assert set(Task.objects.values_list("courier", flat=True)) == {courier.pk}
    assert said(do(dispatcher_browser, "unassign", first))[-1] == "1 delivery is free again."
    assert pickup(first).courier is None
    assert said(do(dispatcher_browser, "assign", pickup(first), courier=courier.pk))[-1] == f"1 task assigned to {courier}."
    assert said(do(dispatcher_browser, "unassign", pickup(first)))[-1] == "1 task is free again."


@pytest.mark.parametrize(
    ("name", "prepare", "answers", "becomes", "closing"),
    [
        ("start", None, {}, DeliveryStatus.PICKUP_ENROUTE, "1 delivery is on its way."),
        ("pick", None, {}, DeliveryStatus.DROPOFF_ENROUTE, "1 delivery picked up."),
        ("drop", picked, {}, DeliveryStatus.DELIVERED, "1 delivery made."),
        ("fail", picked, {"reason": "REFUSED"}, DeliveryStatus.CANCELLED, "1 stop failed."),
        ("cancel", None, {"x": "1"}, DeliveryStatus.CANCELLED, "1 delivery cancelled."),
        ("restore", cancelled, {}, DeliveryStatus.PENDING, "1 delivery is to be made again."),
    ],
)
def test_an_act_moves_a_delivery(
    name: str, prepare: Any, answers: dict[str, str], becomes: str, closing: str, dispatcher_browser: Client
) -> None:
    delivery = factories.delivery()
    if prepare:
        prepare(delivery)
    response = do(dispatcher_browser, name, delivery, **answers)
    delivery.refresh_from_db()
    assert (delivery.status, said(response)) == (becomes, [closing])


@pytest.mark.parametrize(
    ("model", "name", "prepare", "answers", "words"),
    [
        (Task, "done", picked, {}, "Task #{task} is already completed."),
        (Task, "done", cancelled, {}, "Task #{task} is cancelled."),
        (Task, "start", picked, {}, "Task #{task}: nothing to start."),
        (Task, "cancel", picked, {"x": "1"}, "Task #{task} is already completed."),
        (Task, "restore", picked, {}, "Task #{task} is DONE; it cannot become TODO."),
        (Task, "reschedule", picked, LATER, "Task #{task} is already completed."),
        (Task, "fail", cancelled, {"reason": "LATE"}, "Task #{task} is cancelled."),
        (Delivery, "drop", None, {}, "Delivery {delivery}: Task #{last} could not be completed because it has a previous task #{task}"),
        (Delivery, "pick", cancelled, {}, "Delivery {delivery}: Task #{task} is cancelled."),
        (Delivery, "cancel", delivered, {"x": "1"}, "Delivery {delivery}: Nothing is left to cancel in this delivery."),
        (Delivery, "start", cancelled, {}, "Delivery {delivery}: Nothing is left to do in this delivery."),
        (Delivery, "restore", None, {}, "Delivery {delivery}: Nothing in this delivery was cancelled or failed."),
    ],
)
def test_a_refusal_is_said_in_words_and_changes_nothing(
    model: Any, name: str, prepare: Any, answers: dict[str, str], words: str, dispatcher_browser: Client
) -> None:
    delivery = factories.delivery()
    if prepare:
        prepare(delivery)
    before = list(Task.objects.values_list("status", flat=True)), Event.objects.count()
    response = do(dispatcher_browser, name, pickup(delivery) if model is Task else delivery, **answers)
    sentences = said(response)
    expected = words.format(task=pickup(delivery).pk, last=dropoff(delivery).pk, delivery=delivery.pk)
    assert len(sentences) == 1
    assert sentences[0].startswith(expected)
    assert (list(Task.objects.values_list("status", flat=True)), Event.objects.count()) == before


def test_the_desk_cancels_what_a_courier_holds_and_a_store_does_not(dispatcher_browser: Client) -> None:
    held = factories.delivery()
    owner = factories.UserFactory.create(is_staff=True, role=Role.STORE_OWNER)
    held.store.owners.add(owner)
    transitions.assign(pickup(held), factories.CourierFactory.create(), by=SYSTEM, at=NOON)
    assert said(do(logged_in(owner), "cancel", held, x="1")) == [f"Delivery {held.pk}: Tasks have already been assigned."]
    assert said(do(dispatcher_browser, "cancel", held, x="1")) == ["1 delivery cancelled."]


def test_some_are_done_and_some_refused(dispatcher_browser: Client) -> None:
    fine, over = factories.delivery(), cancelled(factories.delivery())
    sentences = said(do(dispatcher_browser, "pick", over, fine))
    assert sorted(sentences) == ["1 delivery picked up.", f"Delivery {over.pk}: Task #{pickup(over).pk} is cancelled."]
    assert "successfully" not in " ".join(sentences)


def test_an_outside_carriers_delivery_is_not_assigned(dispatcher_browser: Client) -> None:
    delivery = factories.delivery()
    Delivery.objects.filter(pk=delivery.pk).update(by_house=False, carrier="Fast")
    courier = factories.CourierFactory.create()
    sentences = said(do(dispatcher_browser, "assign", delivery, courier=courier.pk))
    assert sentences == [f"Delivery {delivery.pk}: Fast carries this delivery: its tasks cannot be given to anybody here."]


@pytest.mark.parametrize("name", ["assign", "fail", "reschedule", "cancel"])
def test_what_must_be_asked_is_asked_first(name: str, dispatcher_browser: Client) -> None:
    task = pickup(factories.delivery())
    response = do(dispatcher_browser, name, task)
    assert response.status_code == 200
    assert f"Task #{task.pk}" in response.content.decode()
    task.refresh_from_db()
    assert task.status == TaskStatus.TODO


@pytest.mark.parametrize(
    ("name", "answers", "field"),
    [
        ("assign", {"courier": "999"}, "courier"),
        ("assign", {"courier": "x"}, "courier"),
        ("fail", {"reason": "BORED"}, "reason"),
        ("reschedule", {"after": "2026-11-21T11:00", "before": "2026-11-21T10:00"}, "before"),
        ("reschedule", {"after": "2026-11-21T11:00", "before": "soon"}, "before"),
        ("reschedule", {"after": "0001-01-01T00:00", "before": "2026-11-21T10:00"}, "after"),
        ("reschedule", {"after": "2026-11-21T11:00+05:00", "before": "2026-11-21T10:00"}, "after"),
    ],
)
def test_an_answer_that_makes_no_sense_is_asked_again(name: str, answers: dict[str, str], field: str, dispatcher_browser: Client) -> None:
    task = pickup(factories.delivery())
    response = do(dispatcher_browser, name, task, **answers)
    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    on_its_page = dispatcher_browser.post(page(task, name), {"apply": "1", **answers})
    assert list(on_its_page.context["form"].errors) == [field]
    assert Event.objects.filter(actor_name="dora").count() == 0


@pytest.mark.parametrize("name", ["assign", "unassign", "start", "pick", "drop", "restore", "fail", "cancel"])
def test_looking_at_the_page_of_an_act_changes_nothing(name: str, dispatcher_browser: Client) -> None:
    delivery = factories.delivery()
    count = Event.objects.count()
    assert dispatcher_browser.get(page(delivery, name)).status_code == 200
    assert Event.objects.count() == count


def test_an_act_on_the_page_of_a_row_leads_back_to_it(dispatcher_browser: Client) -> None:
    delivery = factories.delivery()
    response = dispatcher_browser.post(page(delivery, "start"), follow=True)
    assert response.redirect_chain == [(reverse("admin:deliveries_delivery_change", args=[delivery.pk]), 302)]
    assert "1 delivery is on its way." in response.content.decode()


def test_a_page_offers_what_fits(dispatcher_browser: Client) -> None:
    delivery = factories.delivery()
    labels = [
        act["label"] for act in dispatcher_browser.get(reverse("admin:deliveries_delivery_change", args=[delivery.pk])).context["acts"]
    ]
    assert labels == ["Assign", "Start", "Picked up", "Fail the next stop", "Cancel delivery"]
    cancelled(delivery)
    labels = [
        act["label"] for act in dispatcher_browser.get(reverse("admin:deliveries_delivery_change", args=[delivery.pk])).context["acts"]
    ]
    assert labels == ["Restore"]


def test_a_failed_stop_is_seen_and_seen_to(dispatcher_browser: Client) -> None:
    delivery = failed(factories.delivery())
    untouched = factories.delivery()
    listed = dispatcher_browser.get(changelist(Delivery), {"failed": "yes"})
    assert [row.pk for row in listed.context["cl"].result_list] == [delivery.pk]
    assert "Pickup failed" in listed.content.decode()
    overview = dispatcher_browser.get(reverse("admin:index")).context["figures"]
    assert next(figure["count"] for figure in overview if figure["label"] == "Failed, still open") == 1
    context = dispatcher_browser.get(reverse("admin:deliveries_delivery_change", args=[delivery.pk])).context
    offered = [act["label"] for act in context["acts"]]
    assert {"Reschedule the failed stop", "Restore"} <= set(offered)
    assert not {"Start", "Picked up", "Delivered"} & set(offered)
    heard = said(do(dispatcher_browser, "reschedule", delivery, untouched, **LATER))
    assert f"{untouched}: No stop of this delivery has failed." in heard
    assert heard[-1] == "1 stop rescheduled."
    assert pickup(delivery).status == TaskStatus.TODO
    assert any("ends after a dropoff" in words for words in heard)


def test_a_delivery_that_ended_with_a_failed_stop_waits_for_nobody(dispatcher_browser: Client) -> None:
    delivery = failed(factories.delivery())
    transitions.fail(delivery.tasks.latest("position"), reason="OTHER", notes="", by=SYSTEM, at=NOON)
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.CANCELLED
    overview = dispatcher_browser.get(reverse("admin:index")).context["figures"]
    assert next(figure["count"] for figure in overview if figure["label"] == "Failed, still open") == 0


def test_a_stop_with_nobody_makes_a_delivery_of_nobody(dispatcher_browser: Client) -> None:
    delivery, given = factories.delivery(), factories.delivery()
    courier = factories.CourierFactory.create()
    for row in (delivery, given):
        transitions.assign(pickup(row), courier, by=SYSTEM, at=NOON)
    transitions.reschedule(pickup(delivery), after=NOON, before=NOON + timedelta(hours=1), by=SYSTEM, at=NOON)
    listed = dispatcher_browser.get(changelist(Delivery), {"unassigned": "yes"})
    assert [row.pk for row in listed.context["cl"].result_list] == [delivery.pk]
    assert "a stop with nobody yet" in listed.content.decode()


def test_a_window_that_is_over_is_no_new_window(dispatcher_browser: Client) -> None:
    task = pickup(factories.delivery())
    response = do(dispatcher_browser, "reschedule", task, after="2026-11-20T10:00", before="2026-11-20T11:00")
    assert response.context["form"].errors == {"before": ["This window is already over."]}


def test_the_page_that_asks_names_each_row(dispatcher_browser: Client) -> None:
    delivery = factories.delivery()
    Address.objects.filter(pk=dropoff(delivery).address_id).update(contact_name="Ada Lovelace")
    busy = factories.CourierFactory.create()
    transitions.assign(pickup(factories.delivery()), busy, by=SYSTEM, at=NOON)
    asking = do(dispatcher_browser, "assign", delivery)
    (named,) = asking.context["shown"]
    assert all(part in named for part in ("Ada Lovelace", "48, Rue de Rivoli", "13:45–14:00", delivery.order.public_id))
    assert f"{busy} · 2 to do today" in asking.content.decode()


def test_the_log_tells_nothing_twice_and_calls_people_by_name(dispatcher_browser: Client) -> None:
    User.objects.filter(username="dora").update(first_name="Dora", last_name="Petit")
    delivery, courier = factories.delivery(factories.StoreFactory.create(timezone="Europe/Lisbon")), factories.CourierFactory.create()
    User.objects.filter(pk=courier.user_id).update(first_name="Aya", last_name="Diallo")
    do(dispatcher_browser, "assign", delivery, courier=courier.pk)
    do(dispatcher_browser, "fail", pickup(delivery), reason="NOT_AT_HOME", notes="rang twice")
    shown = dispatcher_browser.get(reverse("admin:deliveries_delivery_change", args=[delivery.pk])).context["timeline"]
    told = [(line.what, line.detail) for line in shown]
    assert [what for what, _ in told].count(f"Pickup #{pickup(delivery).pk} failed") == 1
    assert not any("incident" in what or what.endswith(" assigned") for what, _ in told)
    assert ("Delivery given to a courier", "to Aya Diallo") in told
    assert shown[-1].who == "Dora Petit"
    assert shown[-1].when == "11:00 Lisbon"


@pytest.mark.parametrize("address", ["999/act/start/", "1/act/fly/", "x/act/start/"])
def test_an_act_on_nothing_is_not_found(address: str, dispatcher_browser: Client) -> None:
    assert dispatcher_browser.post(f"{changelist(Delivery)}{address}").status_code == 404


def test_every_reason_may_be_chosen() -> None:
    assert len(FailureReason.values) == 22


@pytest.mark.parametrize("model", [Delivery, Task, Order], ids=lambda model: model._meta.model_name)
def test_a_status_is_never_set_by_a_form(model: Any, admin_browser: Client) -> None:
    factories.delivery()
    row = model.objects.first()
    was = row.status
    response = admin_browser.post(
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk]), {"status": "cancelled"}
    )
    row.refresh_from_db()
    assert (response.status_code, row.status) == (403, was)


def test_the_house_offers_and_its_quote_is_accepted(dispatcher_browser: Client) -> None:
    order = factories.order()
    answers = {"apply": "1", "fee": "6.50", "pickup": "2026-11-20T13:00", "dropoff": ""}
    assert said(dispatcher_browser.post(page(order, "offer"), answers)) == ["1 quote offered."]
    quote = DeliveryQuote.objects.get()
    assert (quote.fee_cents, quote.by_house, quote.estimated_pickup_at) == (650, True, NOON + timedelta(hours=1))
    assert said(dispatcher_browser.post(page(quote, "accept")))[-1] == "1 quote is accepted."
    assert Delivery.objects.get().order_id == order.pk


def test_an_order_that_is_eaten_in_gets_no_quote(dispatcher_browser: Client) -> None:
    order = factories.order(service_type=ServiceType.EAT_IN, status=OrderStatus.NEW)
    sentences = said(dispatcher_browser.post(page(order, "offer"), {"apply": "1", "fee": "6.50"}))
    assert sentences == [f"Order {order.public_id}: The order's service type is not delivery."]


def test_an_address_is_put_in_its_place(dispatcher_browser: Client) -> None:
    address = pickup(factories.delivery()).address
    Address.objects.filter(pk=address.pk).update(needs_review=True)
    response = dispatcher_browser.post(page(address, "place"), {"apply": "1", "latitude": "91", "longitude": "2"})
    assert response.context["form"].errors
    assert said(dispatcher_browser.post(page(address, "place"), {"apply": "1", "latitude": "48.86", "longitude": "2.35"})) == [
        "1 address is in its place."
    ]
    address.refresh_from_db()
    assert (address.latitude, address.longitude, address.needs_review) == (48.86, 2.35, False)
