"""A delivery under way is changed: other windows, loads, words and places; stops added, and stops taken out.

What is not said stays as it is. Places are looked up and the way is measured before the transaction begins; then the
delivery is locked as every move locks it, and everything is written at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from deliveries.models import Delivery, Task
from deliveries.statuses import FINISHED, OPEN, TaskStatus, TaskType
from deliveries.stops import AddressDraft, StopDraft, TooFewStops, changed, check_windows, fill_windows, found
from deliveries.transitions.assigning import relist
from deliveries.transitions.tasks import AlreadyCompleted
from deliveries.transitions.work import Work, keep_promises, lock_delivery, move, promised, settle
from stores import distances, effects
from stores.actors import Actor
from stores.models import Address, Tag
from stores.refusals import Invalid, Missing, NotFound, Path, Refused

FIELDS = ("comments", "weight", "packages")


class UnknownStop(NotFound):
    """A stop that is none of this delivery."""

    code = "unknown_stop"


@dataclass(kw_only=True)
class StopChange:
    """New values of one stop, or, without `task_id`, a stop to add. What is empty in `draft` stays as it is.

    `to` is CANCELLED or TODO when the stop is to be taken out or put back.
    """

    draft: StopDraft
    task_id: int | None = None
    to: TaskStatus | None = None


@dataclass
class _Plan:
    """What the delivery will be: each change with its stop's new values and place, and the way through what is left."""

    seen: dict[int, Task]
    changes: list[StopChange]
    wanted: list[StopDraft]
    places: list[Address]
    route: distances.Route | None
    dropped: set[int] = field(default_factory=set)


def amend(delivery: Delivery, changes: Sequence[StopChange], *, whole: bool, by: Actor, at: datetime) -> Delivery:
    """Change the stops of a delivery; `whole` says that `changes` lists all of them, so that others are taken out.

    Raises `UnknownStop`, also for a stop named twice, `AlreadyCompleted` for a finished one that is to be elsewhere or at
    another time, and `Invalid` naming `("tasks", n, ...)` by the order of `changes`, or `("tasks",)` when they take out the
    last pickup or the last dropoff.
    """
    plan = _plan(delivery, list(changes), whole=whole)
    with effects.atomic():
        work = lock_delivery(delivery.pk, by=by, at=at)
        types, promises = _live_types(work), promised(work.tasks)
        _add(work, plan)
        for number, change in enumerate(plan.changes):
            if change.task_id is not None:
                _change(work, plan, number, plan.seen[change.task_id])
        for task in work.tasks:
            if task.pk in plan.dropped and task.status in OPEN:
                move(work, task, TaskStatus.CANCELLED, kind="task.cancelled")
        if not types <= _live_types(work):
            raise Invalid(TooFewStops("Delivery must consist of two tasks.", path=("tasks",)))
        relist(work)
        if plan.route is not None and work.told:
            _measure(work.held, plan.route)
        keep_promises(work, promises)
        settle(work)
    return work.held


def _plan(delivery: Delivery, changes: list[StopChange], *, whole: bool) -> _Plan:
    tasks = {task.pk: task for task in delivery.tasks.select_related("address").order_by("position")}
    named: set[int | None] = set()
    for number, change in enumerate(changes):
        if change.task_id is not None and (change.task_id not in tasks or change.task_id in named):
            raise UnknownStop("task.id", path=("tasks", number, "id"))
        named.add(change.task_id)
    dropped = {pk for pk in tasks if whole and pk not in named}
    places = _places(delivery, changes, tasks)
    wanted = [_merged(change, tasks.get(change.task_id or 0)) for change in changes]
    left = [change.task_id is None or _stays(change, tasks[change.task_id]) for change in changes]
    rest = [task for pk, task in tasks.items() if pk not in named | dropped and task.status != TaskStatus.CANCELLED]
    route = _route(tasks, changes, places, left, rest)
    if any(change.task_id is None or change.draft.after or change.draft.before for change in changes):
        seconds = delivery.duration if route is None else route.duration_s
        numbers = [number for number, stays in enumerate(left) if stays]
        _settle_windows([wanted[number] for number in numbers], rest, numbers=numbers, seconds=seconds)
    return _Plan(tasks, changes, wanted, places, route, dropped)


def _live_types(work: Work) -> set[str]:
    """What there is to do, or was: a stop that was called off is as good as none."""
    return {task.type for task in work.tasks if task.status != TaskStatus.CANCELLED}


def _places(delivery: Delivery, changes: list[StopChange], tasks: dict[int, Task]) -> list[Address]:
    """Where each stop will be; the geocoder is asked for what is new."""
    problems: list[Refused] = []
    places: list[Address] = []
    for number, change in enumerate(changes):
        present = tasks[change.task_id].address if change.task_id is not None else None
        try:
            places.append(_place(delivery, change.draft, present))
        except Refused as refusal:
            refusal.path = ("tasks", number, "address")
            problems.append(refusal)
    if problems:
        raise Invalid(*problems)
    return places


def _place(delivery: Delivery, draft: StopDraft, present: Address | None) -> Address:
    wanted = draft.address
    if isinstance(wanted, AddressDraft) and present is not None and wanted.street_address in ("", present.street_address):
        wanted = changed(present, wanted)
    if isinstance(wanted, Address):
        return wanted
    if wanted is not None:
        return found(delivery.store, wanted)
    if present is not None:
        return present
    if draft.type == TaskType.PICKUP:
        return delivery.store.address
    raise Missing("This value should not be blank.")


def _merged(change: StopChange, task: Task | None) -> StopDraft:
    """The stop as it will be: what was said, over what is."""
    draft = change.draft
    if task is None:
        return draft
    return replace(
        draft,
        type=TaskType(task.type),
        after=draft.after or task.after,
        before=draft.before or task.before,
        comments=draft.comments or task.comments,
        weight=draft.weight or task.weight,
        packages=draft.packages or task.packages,
        metadata={**task.metadata, **draft.metadata},
    )


def _stays(change: StopChange, task: Task) -> bool:
    if change.to is not None:
        return change.to != TaskStatus.CANCELLED
    return task.status != TaskStatus.CANCELLED


def _route(
    tasks: dict[int, Task], changes: list[StopChange], places: list[Address], left: list[bool], rest: list[Task]
) -> distances.Route | None:
    """The way through what is left, in the order of travel; None when it is the way it was."""
    stops = [
        (tasks[change.task_id].position if change.task_id is not None else len(tasks) + 1 + number, place)
        for number, (change, place, stays) in enumerate(zip(changes, places, left, strict=True))
        if stays
    ]
    stops += [(task.position, task.address) for task in rest]
    after = [place.point for _, place in sorted(stops, key=lambda stop: stop[0])]
    before = [task.address.point for task in tasks.values() if task.status != TaskStatus.CANCELLED]
    return None if after == before else distances.router().route(after)


def _settle_windows(live: list[StopDraft], rest: list[Task], *, numbers: list[int], seconds: int) -> None:
    """Fill in and check the windows of what is left; `numbers` are the places of `live` in what was sent."""
    others = [StopDraft(type=TaskType(task.type), after=task.after, before=task.before) for task in rest]
    fill_windows([*live, *others], seconds=seconds)
    try:
        check_windows([*live, *others])
    except Invalid as refusal:
        for problem in refusal.problems:
            problem.path = _renumbered(problem.path, numbers)
        raise


def _renumbered(path: Path, numbers: list[int]) -> Path:
    match path:
        case ("tasks", int(number), *rest):
            return ("tasks", numbers[number], *rest) if number < len(numbers) else ("tasks",)
    return path


def _add(work: Work, plan: _Plan) -> None:
    """Write the stops that are new, each after those that are there."""
    known = work.tasks
    pickups = [task for task in known if task.type == TaskType.PICKUP and task.status != TaskStatus.CANCELLED]
    lone = pickups[0].pk if len(pickups) == 1 else None
    position = max(task.position for task in known)
    for change, wanted, place in zip(plan.changes, plan.wanted, plan.places, strict=True):
        if change.task_id is not None:
            continue
        assert wanted.after is not None
        assert wanted.before is not None
        position += 1
        task = Task(
            store_id=work.held.store_id,
            delivery=work.held,
            position=position,
            type=wanted.type,
            address=_kept(place),
            after=wanted.after,
            before=wanted.before,
            previous_id=lone if wanted.type == TaskType.DROPOFF else None,
            metadata=wanted.metadata,
            doorstep=wanted.doorstep,
            created_at=work.at,
            updated_at=work.at,
            **{name: getattr(wanted, name) for name in FIELDS},
        )
        task.save(force_insert=True)
        _tag(task, wanted.tags)
        _unlink_next(known)
        work.tasks.append(task)
        work.tell("task.created", task, **({"needs_review": True} if place.needs_review else {}))


def _unlink_next(tasks: list[Task]) -> None:
    """Only of two tasks is the second the first one's next."""
    for task in tasks:
        if task.next_id is not None:
            task.next = None
            task.save(update_fields=["next"])


def _change(work: Work, plan: _Plan, number: int, seen: Task) -> None:
    """Write what differs from what was `seen` when the change was planned: the rest may have moved on since."""
    change, wanted, place = plan.changes[number], plan.wanted[number], plan.places[number]
    task = work.task(seen.pk)
    window = ("after", "before") if (wanted.after, wanted.before) != (seen.after, seen.before) else ()
    said = [name for name in (*FIELDS, "metadata") if getattr(wanted, name) != getattr(seen, name)]
    values: dict[str, Any] = {name: getattr(wanted, name) for name in (*FIELDS, "after", "before", "metadata") if name in (*said, *window)}
    if place.pk != seen.address_id:
        values["address"] = place
    told = [name for name, value in values.items() if getattr(task, name) != value]
    if task.status in FINISHED:
        _check_stays_put(task, told, place, number=number)
    if "address" in told:
        _kept(place)
    for name in told:
        setattr(task, name, values[name])
    if told:
        task.updated_at = work.at
        task.save(update_fields=[*told, "updated_at"])
    if change.draft.tags and _tag(task, change.draft.tags):
        told.append("tags")
    if told:
        work.tell("task.updated", task, fields=told)
    if change.to is TaskStatus.CANCELLED and task.status in OPEN:
        move(work, task, TaskStatus.CANCELLED, kind="task.cancelled")
    elif change.to is TaskStatus.TODO and task.status == TaskStatus.CANCELLED:
        move(work, task, TaskStatus.TODO, kind="task.restored")


def _check_stays_put(task: Task, told: list[str], place: Address, *, number: int) -> None:
    """Where and when a finished stop was made is history; its notes, and who was there, may still be put right."""
    moved = "address" in told and (place.street_address, place.point) != (task.address.street_address, task.address.point)
    if moved or {"after", "before"}.intersection(told):
        path: Path = ("tasks", number, "address" if moved else "before")
        raise AlreadyCompleted(f"Task #{task.pk} is already completed", path=path)


def _kept(place: Address) -> Address:
    if place.pk is None:
        place.save(force_insert=True)
    return place


def _tag(task: Task, slugs: list[str]) -> bool:
    """Give a task these tags and no others; True when that changed them."""
    wanted = set(Tag.objects.filter(slug__in=slugs).values_list("pk", flat=True)) if slugs else set()
    if wanted == set(task.tags.values_list("pk", flat=True)):
        return False
    task.tags.set(wanted)
    return True


def _measure(delivery: Delivery, route: distances.Route) -> None:
    delivery.distance, delivery.duration, delivery.polyline = route.distance_m, route.duration_s, route.polyline
    delivery.save(update_fields=["distance", "duration", "polyline"])
