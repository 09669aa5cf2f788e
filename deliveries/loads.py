"""What each stop of a delivery carries: own loads, and the sums that a lone pickup or dropoff stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deliveries.statuses import TaskStatus, TaskType

GRAMS_PER_KILOGRAM = 1000


class Carrier(Protocol):
    """What this module needs to know of a task."""

    pk: int
    type: str
    status: str
    weight: int | None
    packages: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Load:
    """A weight in grams (None when unknown), packages with their quantities, and the ids of the tasks they come from."""

    weight: int | None
    packages: list[dict[str, Any]]
    task_ids: list[int]


def shown(task: Carrier, others: Sequence[Carrier]) -> Load:
    """The load to show for `task`, one of the `others` of its delivery, as the CoopCycle API does.

    A single pickup shows the sum of the dropoffs. A single dropoff with nothing of its own shows the sum of the
    pickups; when it has a load of its own, the pickups show none. All else shows its own.
    """
    live = [other for other in others if other.status != TaskStatus.CANCELLED or other.pk == task.pk]
    pickups = [other for other in live if other.type == TaskType.PICKUP]
    dropoffs = [other for other in live if other.type == TaskType.DROPOFF]
    if task.type == TaskType.PICKUP and len(pickups) == 1 and dropoffs:
        return total(dropoffs)
    if len(pickups) > 1 and len(dropoffs) == 1:
        loaded = bool(dropoffs[0].packages or dropoffs[0].weight)
        if task.type == TaskType.DROPOFF and not loaded:
            return total(pickups)
        if task.type == TaskType.PICKUP and loaded:
            return Load(None, [], [task.pk])
    return total([task])


def total(tasks: Sequence[Carrier]) -> Load:
    """The loads of several tasks added up, package by package in order of appearance."""
    packages: dict[str, dict[str, Any]] = {}
    for task in tasks:
        for package in task.packages:
            name = package["name"]
            before = packages.get(name, {"quantity": 0})["quantity"]
            packages[name] = {**package, "quantity": before + package["quantity"]}
    weights = [task.weight for task in tasks if task.weight is not None]
    return Load(sum(weights) if weights else None, list(packages.values()), [task.pk for task in tasks])


def summary(load: Load) -> str:
    """A load as a courier reads it: a line for each package, and the weight; "" for none."""
    lines = [f"{package['quantity']} × {package['name']}" for package in load.packages]
    if load.weight:
        lines.append(f"{load.weight / GRAMS_PER_KILOGRAM:.2f} kg")
    return "\n".join(lines)
