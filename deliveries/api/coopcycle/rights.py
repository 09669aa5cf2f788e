"""Who may try what, by role and scope alone; which rows they reach is a matter of `visible_to`."""

from stores.actors import Actor, ActorKind, Role
from stores.refusals import NotAllowed

DELIVERIES = "deliveries"
TASKS = frozenset(["tasks", "tasks:all"])


def is_person(by: Actor) -> bool:
    """Anybody who logged in."""
    return by.kind is ActorKind.USER


def sends(by: Actor) -> bool:
    """Deliveries: the desk, owners, and programs with the scope."""
    return by.runs_the_desk or Role.STORE_OWNER in by.roles or DELIVERIES in by.scopes


def subscribes(by: Actor) -> bool:
    """Programs with the scope: webhooks are theirs; people look after them in the admin."""
    return by.kind is ActorKind.CLIENT and DELIVERIES in by.scopes


def sees_tasks(by: Actor) -> bool:
    """One task: people, whose rows tell the rest, and programs with a scope for tasks."""
    return is_person(by) or not TASKS.isdisjoint(by.scopes)


def lists_tasks(by: Actor) -> bool:
    """All tasks: the desk, couriers (their own), and programs that may see every task."""
    return by.runs_the_desk or Role.COURIER in by.roles or "tasks:all" in by.scopes


def moves_tasks(by: Actor) -> bool:
    """The desk and couriers."""
    return by.runs_the_desk or Role.COURIER in by.roles


def runs_the_desk(by: Actor) -> bool:
    """Dispatchers and admins."""
    return by.runs_the_desk


def reads_rules(by: Actor) -> bool:
    """Price lists: the desk and couriers."""
    return by.runs_the_desk or Role.COURIER in by.roles


def check_holds(by: Actor, courier_user_id: int | None) -> None:
    """A courier moves what they hold; raises `NotAllowed`."""
    if not by.runs_the_desk and courier_user_id != by.user_id:
        raise NotAllowed("Access Denied.")
