"""A job that must not be lost is tried until it works, and never leaves its chain waiting for long."""

from datetime import timedelta

import pytest
import time_machine
from procrastinate.jobs import Job

from deliveries import jobs
from tests.factories import NOON


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [(0, 2), (1, 4), (8, 512), (9, 600), (500, 600)],
)
def test_waits_grow_to_ten_minutes_and_never_end(attempts: int, wait: int) -> None:
    job = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name="tell", attempts=attempts)
    with time_machine.travel(NOON, tick=False):
        decided = jobs.tell.retry_strategy.get_retry_decision(exception=OSError(), job=job)  # type: ignore[union-attr]  # it has one
    assert decided is not None
    assert decided.retry_at == NOON + timedelta(seconds=wait)


def test_whatever_goes_out_is_tried_until_it_works() -> None:
    assert {task.retry_strategy for task in (jobs.tell, jobs.send, jobs.send_test)} == {jobs.UNTIL_IT_WORKS}
