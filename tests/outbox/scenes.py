"""What the tests of the outbox begin with: a subscription, things that happened, and a worker that works when told to."""

from dataclasses import dataclass, field
from datetime import datetime

from procrastinate.contrib.django.models import ProcrastinateJob

from deliveries import jobs
from deliveries.models import Call, Subscription
from deliveries.outbox import queue, sending, subscriptions, telling
from stores.actors import SYSTEM
from stores.models import ApiClient, Store
from tests import factories
from tests.factories import NOON


def subscription(store: Store, url: str, *names: str, at: datetime = NOON) -> Subscription:
    """A webhook of a new client of the store; of one name in the wild, of several in tests."""
    client, _ = factories.coopcycle_client(store)
    made, _ = subscriptions.subscribe(client, store, url, names or ("order.created",), by=SYSTEM, at=at)
    return made


def client_of(made: Subscription) -> ApiClient:
    return made.client


@dataclass
class Hand:
    """Does by hand, and at a time of its choosing, what a worker does: each job once, the oldest first."""

    chance: float = 0.5
    done: set[int] = field(default_factory=set)

    def tell(self, *, at: datetime = NOON) -> None:
        """Do every `tell` job."""
        for job in self._jobs(queue.TELL):
            telling.tell(job.args["chain"], voices=jobs.VOICES, at=at)

    def send(self, *, at: datetime = NOON, most: int = 1000) -> int:
        """Do the `send` jobs that are due, and those that come of them; returns how many."""
        count = 0
        while count < most:
            due = [job for job in self._jobs(queue.SEND, peek=True) if job.scheduled_at is None or job.scheduled_at <= at]
            if not due:
                break
            self.done.add(due[0].pk)
            self.make(due[0].args["call_id"], due[0].args["turn"], at=at)
            count += 1
        return count

    def make(self, call_id: int, turn: int, *, at: datetime = NOON) -> None:
        """Make one call."""
        sending.send(call_id, turn, voices=jobs.VOICES, at=at, chance=self.chance)

    def _jobs(self, task: str, *, peek: bool = False) -> list[ProcrastinateJob]:
        found = [job for job in ProcrastinateJob.objects.filter(task_name=task).order_by("id") if job.pk not in self.done]
        if not peek:
            self.done.update(job.pk for job in found)
        return found


def states(made: Subscription) -> list[str]:
    """How far each of its calls has come, oldest first."""
    return list(Call.objects.filter(subscription=made).order_by("pk").values_list("state", flat=True))
