"""The tables of what is done, one module for each noun."""

from deliveries.models.courier import Courier, TaskList
from deliveries.models.delivery import Delivery
from deliveries.models.event import Event
from deliveries.models.task import Task

__all__ = ["Courier", "Delivery", "Event", "Task", "TaskList"]
