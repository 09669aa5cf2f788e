"""The tables of what is done, one module for each noun."""

from deliveries.models.courier import Courier, TaskList
from deliveries.models.delivery import Delivery
from deliveries.models.event import Event
from deliveries.models.outbox import UNSETTLED, Attempt, Call, CallState, DisabledWhy, FeedEntry, Subscription
from deliveries.models.task import Task

__all__ = [
    "UNSETTLED",
    "Attempt",
    "Call",
    "CallState",
    "Courier",
    "Delivery",
    "DisabledWhy",
    "Event",
    "FeedEntry",
    "Subscription",
    "Task",
    "TaskList",
]
