"""What the worker does: telling subscribers, calling them, and on its own what comes round again and again."""

import logging
import random
from datetime import timedelta

from django.utils import timezone
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from deliveries import relocating
from deliveries.api.coopcycle.voice import CoopCycleVoice
from deliveries.api.hubrise.voice import HubRiseVoice
from deliveries.models import Subscription
from deliveries.outbox import purging, queue, sending, telling
from deliveries.outbox.voices import Voice
from stores import keeping
from stores.actors import SYSTEM
from stores.models import Dialect

logger = logging.getLogger(__name__)

VOICES: dict[str, Voice] = {Dialect.COOPCYCLE: CoopCycleVoice(), Dialect.HUBRISE: HubRiseVoice()}

LONGEST_WAIT = timedelta(minutes=10)


class UntilItWorks(BaseRetryStrategy):
    """For what must not be lost to a fault of ours or of the database: again after 2, 4, 8 ... seconds, every 10 minutes at last."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """When to try again."""
        wait = min(timedelta(seconds=2 ** min(job.attempts + 1, 16)), LONGEST_WAIT)
        return RetryDecision(retry_at=timezone.now() + wait)


UNTIL_IT_WORKS = UntilItWorks()

AT_ONCE = 50
"""Addresses asked for in one run: a public geocoder allows about one a second."""


@app.task(name=queue.TELL, retry=UNTIL_IT_WORKS)
def tell(chain: str, request_id: str = "") -> None:
    """Tell whoever subscribed of what happened to one thing."""
    telling.tell(chain, voices=VOICES, at=timezone.now())


@app.task(name=queue.SEND, queue=queue.CALLS, retry=UNTIL_IT_WORKS)
def send(call_id: int, turn: int, request_id: str = "") -> None:
    """Make one call."""
    sending.send(call_id, turn, voices=VOICES, at=timezone.now(), chance=random.random())  # noqa: S311 - scatters retries, guards nothing


@app.task(name=queue.TEST, retry=UNTIL_IT_WORKS)
def send_test(subscription_id: int, request_id: str = "") -> None:
    """Send a subscription an event that did not happen."""
    subscription = Subscription.objects.select_related("client", "connection").filter(pk=subscription_id).first()
    if subscription is not None:
        sending.send_test(subscription, voice=VOICES[subscription.client.dialect], at=timezone.now())


@app.periodic(cron="* * * * *")
@app.task(name="sweep", queueing_lock="sweep")
def sweep(timestamp: int) -> None:
    """Take up again whatever was to be told or sent and has lost its job."""
    at = timezone.now()
    found = telling.sweep(at=at)
    if found:
        logger.warning("queued again what subscribers were to be told of %d orders, whose jobs were gone (run of %d)", found, timestamp)
    sending.sweep(at=at)


@app.periodic(cron="7 * * * *")
@app.task(name="purge", queueing_lock="purge")
def purge(timestamp: int) -> None:
    """Throw away what is kept for a while only, and look through the whole log for what nobody was told of."""
    at = timezone.now()
    telling.sweep(at=at, whole=True)
    purging.purge(at=at)
    keeping.purge(at=at)


@app.periodic(cron="*/5 * * * *")
@app.task(name="locate_again", queueing_lock="locate_again")
def locate_again(timestamp: int) -> None:
    """Ask the geocoder once more for the addresses of open tasks that stand at their store's point."""
    found = relocating.locate_again(limit=AT_ONCE, by=SYSTEM, at=timezone.now())
    if found:
        logger.info("found %d addresses that were to be reviewed (run of %d)", found, timestamp)
