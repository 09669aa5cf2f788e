"""What carriers say of a delivery: the full product of its statuses, their moments, and whole deliveries moved at once."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliveries import transitions
from deliveries.models import Delivery
from deliveries.statuses import DeliveryStatus, agree
from deliveries.transitions import AlreadyCompleted, AssignedBlocksCancel, IllegalMove, PreviousUnfinished, TaskIsCancelled
from stores.actors import SYSTEM, Role
from stores.models import Order
from tests import factories
from tests.deliveries import rows
from tests.deliveries.rows import LATER
from tests.factories import NOON

pytestmark = pytest.mark.django_db

WRITES = {"pickup_enroute": "assigned_at", "dropoff_enroute": "pickup_at", "delivered": "delivered_at", "cancelled": "cancelled_at"}
UNDER_WAY = ("dropoff_enroute", "dropoff_approaching", "dropoff_waiting")
KINDS = {
    "pickup_enroute": "delivery.started",
    "dropoff_enroute": "delivery.picked",
    "delivered": "delivery.completed",
    "cancelled": "delivery.cancelled",
}
ORDER_ENTERS = {**dict.fromkeys(UNDER_WAY, "in_delivery"), "delivered": "completed", "cancelled": "delivery_failed"}


def report(delivery: Delivery, status: str | None = None, /, **fields: Any) -> Delivery:
    """A report `at` LATER; the row as it is stored afterwards."""
    at: datetime = fields.pop("at", LATER)
    transitions.report(delivery, {**fields, **({"status": status} if status else {})}, by=SYSTEM, at=at)
    return Delivery.objects.select_related("order").get(pk=delivery.pk)


def moments(delivery: Delivery) -> dict[str, datetime]:
    return {name: value for name in WRITES.values() if (value := getattr(delivery, name)) is not None}


@pytest.mark.parametrize("by_house", [True, False], ids=["house", "outside"])
@pytest.mark.parametrize(("left", "to"), list(product(DeliveryStatus, repeat=2)))
def test_any_status_may_follow_any_other(left: str, to: str, by_house: bool) -> None:
    delivery = rows.carried(left, by_house=by_house)
    order_was = ORDER_ENTERS.get(left, "new") if by_house else "new"
    assert (delivery.status, Order.objects.get(pk=delivery.order_id).status) == (left, order_was)
    assert agree(DeliveryStatus(left), rows.tasks(delivery))
    before, newest = rows.everything(), rows.last_event()
    now = report(delivery, to)
    if left == to:
        assert rows.everything() == before
        return
    assert now.status == to
    assert agree(DeliveryStatus(to), rows.tasks(delivery))
    assert now.updated_at == LATER
    written = {WRITES[left]: NOON} if left in WRITES else {}
    assert moments(now) == {**written, **({WRITES[to]: LATER} if to in WRITES else {})}
    back = "accepted" if order_was != "new" else "new"
    assert now.order.status == (ORDER_ENTERS.get(to, back) if by_house else "new")
    events = rows.told(newest)
    entered = [event for event in events if event.kind.startswith("delivery.")]
    assert [(event.kind, event.data) for event in entered] == [(KINDS.get(to, "delivery.updated"), {"from": left, "to": to})]
    assert {(event.happened_at, event.actor_kind) for event in events} == {(LATER, "system")}
    assert ("order.updated" in [event.kind for event in events]) == (now.order.status != order_was)
    moved = {event.task_id for event in events if event.kind.startswith("task.")}
    assert moved == {task.pk for task, was in zip(rows.tasks(delivery), before["Task"][-2:], strict=True) if task.status != was["status"]}


@pytest.mark.parametrize(("status", "moment"), list(WRITES.items()))
def test_a_moment_given_with_the_status_wins(status: str, moment: str) -> None:
    earlier = NOON - timedelta(minutes=5)
    assert moments(report(rows.carried(), status, **{moment: earlier})) == {moment: earlier}


@pytest.mark.parametrize(("status", "moment"), list(WRITES.items()))
def test_null_given_with_the_status_wins_too(status: str, moment: str) -> None:
    assert moments(report(rows.carried(), status, **{moment: None})) == {}


@pytest.mark.parametrize(("status", "moment"), list(WRITES.items()))
def test_another_moment_leaves_the_automatic_one(status: str, moment: str) -> None:
    other = next(name for name in WRITES.values() if name != moment)
    assert moments(report(rows.carried(), status, **{other: NOON})) == {other: NOON, moment: LATER}


@pytest.mark.parametrize(("status", "moment"), list(WRITES.items()))
def test_the_same_status_again_changes_a_moment_only_when_it_is_given(status: str, moment: str) -> None:
    delivery = rows.carried(status)
    assert moments(report(delivery, status)) == {moment: NOON}
    assert moments(report(delivery, status, **{moment: LATER})) == {moment: LATER}
    assert moments(report(delivery, status, **{moment: None})) == {}


@pytest.mark.parametrize(("status", "moment"), list(WRITES.items()))
def test_the_first_status_writes_its_moment_unless_given(status: str, moment: str) -> None:
    assert moments(rows.carried(status)) == {moment: NOON}
    assert moments(rows.carried(status, **{moment: LATER})) == {moment: LATER}
    assert moments(rows.carried(status, **{moment: None})) == {}


@pytest.mark.parametrize(("status", "moment"), [("delivered", "delivered_at"), ("cancelled", "cancelled_at")])
def test_a_report_wipes_no_moment_that_it_does_not_name(status: str, moment: str) -> None:
    assert moments(report(rows.carried(status), "pending")) == {moment: NOON}
    assert moments(report(rows.carried(status), "pending", **{moment: LATER})) == {moment: LATER}
    assert moments(report(rows.carried(status), "pending", **{moment: None})) == {}


@pytest.mark.parametrize("take_back", ["restore", "reschedule", "restore_delivery"])
def test_what_the_house_takes_back_has_not_ended(take_back: str) -> None:
    delivery = rows.carried("cancelled", by_house=True)
    dropoff = rows.tasks(delivery)[1]
    if take_back == "restore":
        transitions.restore(dropoff, by=SYSTEM, at=LATER)
    elif take_back == "reschedule":
        transitions.reschedule(dropoff, after=NOON, before=LATER, by=SYSTEM, at=LATER)
    else:
        transitions.restore_delivery(delivery, by=SYSTEM, at=LATER)
    delivery.refresh_from_db()
    assert (delivery.status, moments(delivery)) == ("pending", {})


def test_skipped_statuses_write_nothing() -> None:
    assert moments(report(rows.carried(), "delivered")) == {"delivered_at": LATER}


def test_entering_again_writes_the_moment_again() -> None:
    delivery = rows.carried("pickup_enroute")
    report(delivery, "dropoff_enroute", at=NOON + timedelta(minutes=1))
    report(delivery, "pickup_enroute", at=NOON + timedelta(minutes=2))
    assert moments(report(delivery, "dropoff_enroute")) == {"assigned_at": NOON + timedelta(minutes=2), "pickup_at": LATER}


def test_fields_without_a_status_are_kept_and_told() -> None:
    delivery = rows.carried(driver_name="Ada")
    newest = rows.last_event()
    now = report(delivery, driver_name="Grace", driver_latitude=48.8, driver_longitude=2.3, ref="T1")
    assert (now.driver_name, now.driver_latitude, now.driver_longitude, now.ref, now.status) == ("Grace", 48.8, 2.3, "T1", "pending")
    assert now.updated_at == LATER
    assert [(event.kind, event.data) for event in rows.told(newest)] == [
        ("delivery.updated", {"fields": ["driver_name", "driver_latitude", "driver_longitude", "ref"]})
    ]


def test_fields_that_say_nothing_new_are_not_told() -> None:
    delivery = rows.carried("pickup_waiting", driver_name="Ada")
    before = rows.everything()
    report(delivery, "pickup_waiting", driver_name="Ada")
    report(delivery)
    assert rows.everything() == before


def test_fields_come_along_with_a_status() -> None:
    now = report(rows.carried(), "pickup_enroute", driver_name="Grace")
    assert (now.status, now.driver_name) == ("pickup_enroute", "Grace")


def test_a_till_that_called_its_order_off_is_not_overruled_by_a_courier_setting_out() -> None:
    delivery = rows.carried(by_house=True)
    Order.objects.filter(pk=delivery.order_id).update(status="cancelled")
    assert report(delivery, "pickup_enroute").order.status == "cancelled"
    for status in ("dropoff_enroute", "pending", "delivered", "cancelled", "pickup_waiting"):
        assert report(delivery, status).order.status == "cancelled", status


def test_an_order_that_its_store_called_off_stays_so_however_its_delivery_goes() -> None:
    delivery = rows.carried(by_house=True)
    for called_off in ("rejected", "cancelled"):
        Order.objects.filter(pk=delivery.order_id).update(status=called_off)
        transitions.pick(delivery, by=SYSTEM, at=LATER)
        transitions.drop(delivery, by=SYSTEM, at=LATER)
        assert Order.objects.get(pk=delivery.order_id).status == called_off
        assert report(delivery, "pending").order.status == called_off


def test_an_order_made_for_its_delivery_comes_back_with_it() -> None:
    delivery = rows.booked("PD")
    assert [report(delivery, status).order.status for status in ("cancelled", "pending", "delivered")] == [
        "cancelled",
        "accepted",
        "completed",
    ]


def test_several_stops_follow_and_one_taken_out_stays_out() -> None:
    delivery = rows.booked("PDD", "TODO", "CANCELLED", "TODO")
    report(delivery, "dropoff_waiting")
    assert rows.statuses(delivery) == ["DONE", "CANCELLED", "DOING"]
    report(delivery, "delivered")
    assert rows.statuses(delivery) == ["DONE", "CANCELLED", "DONE"]


def test_a_task_done_in_a_cancelled_delivery_does_not_bring_it_back() -> None:
    delivery = rows.booked("PDD", "DONE", "DONE", "CANCELLED")
    report(delivery, "cancelled")
    transitions.assign(rows.tasks(delivery)[2], factories.CourierFactory.create(), by=SYSTEM, at=LATER)
    delivery.refresh_from_db()
    assert delivery.status == "cancelled"


# --- A delivery as a whole -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pickup", ["TODO", "DOING"])
def test_pick_and_drop_finish_what_is_open(pickup: str) -> None:
    delivery = rows.booked("PPDD", pickup, "DONE", "TODO", "DOING")
    picked = transitions.pick(delivery, by=SYSTEM, at=NOON, notes="all there")
    assert (picked.status, rows.statuses(delivery)) == ("dropoff_enroute", ["DONE", "DONE", "TODO", "DOING"])
    assert [event.data for event in rows.told() if event.kind == "task.done"] == [{"notes": "all there"}]
    dropped = transitions.drop(delivery, by=SYSTEM, at=LATER)
    assert (dropped.status, dropped.delivered_at) == ("delivered", LATER)
    assert rows.statuses(delivery) == ["DONE"] * 4


def test_drop_before_pick_is_refused_and_leaves_nothing() -> None:
    delivery = rows.booked("PDD")
    before = rows.everything()
    with pytest.raises(PreviousUnfinished):
        transitions.drop(delivery, by=SYSTEM, at=LATER)
    assert rows.everything() == before


@pytest.mark.parametrize(
    ("statuses", "refusal"),
    [(("DONE", "DONE"), AlreadyCompleted), (("DONE", "FAILED"), AlreadyCompleted), (("DONE", "CANCELLED"), TaskIsCancelled)],
)
def test_drop_with_nothing_left_is_refused(statuses: tuple[str, str], refusal: type[Exception]) -> None:
    delivery = rows.booked("PD", *statuses)
    before = rows.everything()
    with pytest.raises(refusal, match=str(rows.tasks(delivery)[1].pk)):
        transitions.drop(delivery, by=SYSTEM, at=LATER)
    assert rows.everything() == before


def test_cancelling_keeps_what_was_finished() -> None:
    delivery = rows.booked("PDD", "DONE", "DONE", "TODO")
    newest = rows.last_event()
    cancelled = transitions.cancel_delivery(delivery, by=SYSTEM, at=LATER)
    assert (rows.statuses(delivery), cancelled.status) == (["DONE", "DONE", "CANCELLED"], "cancelled")
    assert [event.kind for event in rows.told(newest)] == ["task.cancelled", "delivery.cancelled", "order.updated"]


def test_cancelling_before_anything_happened() -> None:
    delivery = rows.booked("PD")
    assert transitions.cancel_delivery(delivery, by=SYSTEM, at=LATER).status == "cancelled"
    delivery.refresh_from_db()
    assert (delivery.cancelled_at, delivery.order.status) == (LATER, "cancelled")


@pytest.mark.parametrize("statuses", [("CANCELLED", "CANCELLED"), ("DONE", "FAILED")])
def test_cancelling_what_is_cancelled_changes_nothing(statuses: tuple[str, str]) -> None:
    delivery = rows.booked("PD", *statuses)
    before = rows.everything()
    assert transitions.cancel_delivery(delivery, by=SYSTEM, at=LATER).status == "cancelled"
    assert rows.everything() == before


def test_cancelling_what_is_delivered_is_refused() -> None:
    delivery = rows.booked("PD", "DONE", "DONE")
    before = rows.everything()
    with pytest.raises(IllegalMove, match=r"^Nothing is left to cancel in this delivery\.$"):
        transitions.cancel_delivery(delivery, by=SYSTEM, at=LATER)
    assert rows.everything() == before


@pytest.mark.parametrize("role", [Role.STORE_OWNER, Role.DISPATCHER])
def test_what_a_courier_holds_is_cancelled_only_when_that_is_meant(role: Role) -> None:
    delivery, whoever = rows.booked("PD"), rows.person(role)
    transitions.assign(rows.tasks(delivery)[0], factories.CourierFactory.create(), by=SYSTEM, at=NOON)
    before = rows.everything()
    with pytest.raises(AssignedBlocksCancel, match=r"^Tasks have already been assigned$"):
        transitions.cancel_delivery(delivery, by=whoever, at=LATER)
    assert rows.everything() == before
    assert transitions.cancel_delivery(delivery, by=whoever, at=LATER, even_assigned=True).status == "cancelled"


def test_what_an_outside_carrier_has_begun_is_cancelled_only_when_that_is_meant() -> None:
    assert transitions.cancel_delivery(rows.carried(), by=SYSTEM, at=LATER).status == "cancelled"
    begun = rows.carried("pickup_enroute")
    with pytest.raises(AssignedBlocksCancel, match=r"^Tasks have already been assigned$"):
        transitions.cancel_delivery(begun, by=SYSTEM, at=LATER)
    assert transitions.cancel_delivery(begun, by=SYSTEM, at=LATER, even_assigned=True).status == "cancelled"


def test_a_store_cancels_what_is_free() -> None:
    delivery = rows.booked("PD")
    assert transitions.cancel_delivery(delivery, by=rows.person(Role.STORE_OWNER), at=LATER).status == "cancelled"


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (("CANCELLED", "CANCELLED"), ["TODO", "TODO"], "pending"),
        (("DONE", "FAILED"), ["DONE", "TODO"], "dropoff_enroute"),
        (("DONE", "CANCELLED"), ["DONE", "TODO"], "dropoff_enroute"),
        (("FAILED", "CANCELLED"), ["TODO", "TODO"], "pending"),
    ],
)
def test_restoring_opens_what_was_given_up(before: tuple[str, str], after: list[str], status: str) -> None:
    delivery = rows.booked("PD", *before)
    assert transitions.restore_delivery(delivery, by=SYSTEM, at=LATER).status == status
    assert rows.statuses(delivery) == after


@pytest.mark.parametrize("statuses", [("DONE", "DONE"), ("DOING", "TODO")])
def test_restoring_what_was_never_given_up_is_refused(statuses: tuple[str, str]) -> None:
    delivery = rows.booked("PD", *statuses)
    before = rows.everything()
    with pytest.raises(IllegalMove, match="Nothing in this delivery was cancelled or failed"):
        transitions.restore_delivery(delivery, by=SYSTEM, at=LATER)
    assert rows.everything() == before


def test_a_position_alone_is_one_statement_and_no_event() -> None:
    delivery = rows.carried("dropoff_enroute")
    newest = rows.last_event()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        told = transitions.report(delivery, {"driver_latitude": 48.8, "driver_longitude": 2.3}, by=SYSTEM, at=LATER)
    assert [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]] == ["UPDATE"]
    delivery.refresh_from_db()
    assert (delivery.driver_latitude, delivery.driver_longitude, delivery.updated_at) == (48.8, 2.3, LATER)
    assert (told.driver_latitude, told.driver_longitude) == (48.8, 2.3)
    assert rows.told(newest) == []
