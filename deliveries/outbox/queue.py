"""Puts jobs into the queue, by name: what they do stands on a higher floor, in `deliveries.jobs`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from psycopg.types.json import Jsonb

from stores import tracing

TELL, SEND, TEST = "tell", "send", "send_test"
DEFER = """SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', %s, 0, NULL, NULL, %s, NULL)::procrastinate_job_to_defer_v1])"""
CALLS = "calls"
"""Where calls wait, apart from everything else: they take as long as whoever is called pleases."""


def tell(chains: Iterable[str]) -> None:
    """Have subscribers told of what happened to each of these things (see `Event.chain`); belongs into the transaction of it.

    Every change does this, so it calls the queue's own function in the database, in words that are planned once.
    """
    with connection.cursor() as cursor:
        for chain in chains:
            args: Any = Jsonb({"chain": chain, "request_id": tracing.current()})
            cursor.execute(DEFER, [TELL, args])


def send(call_id: int, turn: int, *, at: datetime | None = None) -> None:
    """Have a call made, now or at a moment to come."""
    app.configure_task(SEND, queue=CALLS, schedule_at=at).defer(call_id=call_id, turn=turn, request_id=tracing.current())


def test(subscription_id: int) -> None:
    """Have a test event made and sent."""
    app.configure_task(TEST).defer(subscription_id=subscription_id, request_id=tracing.current())


def has_send(call_id: int, turn: int) -> bool:
    """Whether a call's job is still there."""
    return alive(SEND).filter(args__contains={"call_id": call_id, "turn": turn}).exists()


def has_tell(chain: str) -> bool:
    """Whether somebody is going to be told of a thing."""
    return alive(TELL).filter(args__contains={"chain": chain}).exists()


def alive(task: str) -> QuerySet[ProcrastinateJob]:
    """The jobs of a sort that are still to be done, or under way."""
    return ProcrastinateJob.objects.filter(task_name=task, status__in=["todo", "doing"])
