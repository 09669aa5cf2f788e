"""Who may do what at the desk: one table, read by the admin and written into the groups of an instance."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from stores.actors import Actor, Role

MOVED = frozenset({"view", "add", "change"})
KEPT = frozenset({"view", "add", "change", "delete"})
SEEN = frozenset({"view"})
RESENT = frozenset({"view", "change"})

MAY: dict[Role, dict[str, frozenset[str]]] = {
    Role.DISPATCHER: {
        "deliveries.delivery": MOVED,
        "deliveries.task": MOVED,
        "deliveries.courier": MOVED,
        "deliveries.tasklist": SEEN,
        "deliveries.event": SEEN,
        "deliveries.subscription": RESENT,
        "deliveries.call": RESENT,
        "quotes.deliveryquote": MOVED,
        "quotes.pricingruleset": SEEN,
        "quotes.pricingrule": SEEN,
        "stores.order": MOVED,
        "stores.address": MOVED,
        "stores.account": SEEN,
        "stores.store": SEEN,
        "stores.tag": KEPT,
        "stores.packageset": SEEN,
        "stores.package": SEEN,
        "stores.timeslot": SEEN,
    },
    Role.STORE_OWNER: {
        "deliveries.delivery": MOVED,
        "deliveries.task": SEEN,
        "deliveries.subscription": RESENT,
        "deliveries.call": RESENT,
        "quotes.deliveryquote": SEEN,
        "stores.order": SEEN,
        "stores.store": SEEN,
    },
    Role.COURIER: {},
}
"""What each role may do with rows of each table; an admin may do everything, and a courier has pages of their own.

To change a delivery, a task, an order, a quote, a subscription or a call means to use the verbs of the core on it: which of
them, and when, is for the core to say. Whose rows somebody sees is for `visible_to` to say.
"""

DESK_ROLES = frozenset({Role.ADMIN, *(role for role, tables in MAY.items() if tables)})
"""Whoever has something to look for in the admin."""


def allows(actor: Actor, verb: str, table: str) -> bool:
    """Whether an actor may "view", "add", "change" or "delete" rows of a table, such as "stores.store"."""
    return actor.is_admin or any(verb in MAY.get(role, {}).get(table, ()) for role in actor.roles)


def set_up() -> None:
    """Make the groups, and give them the permissions of the table; once the tables exist, doing it again changes nothing."""
    for role, tables in MAY.items():
        group, _ = Group.objects.get_or_create(name=role.value)
        wanted = Q(pk__in=())
        for table, verbs in tables.items():
            app, model = table.split(".")
            wanted |= Q(content_type__app_label=app, codename__in=[f"{verb}_{model}" for verb in verbs])
        group.permissions.set(Permission.objects.filter(wanted))
