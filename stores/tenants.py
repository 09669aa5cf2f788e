"""Whose rows are whose: the one rule behind every `visible_to`."""

from django.db.models import Q

from stores.actors import Actor


def reach(actor: Actor, *, through: str) -> Q:
    """The rows of an actor's stores; `through` is the lookup that leads to the store, as "store__", or "" for stores themselves.

    The desk reaches everything, a client of an account every store of it, owners and other clients their own stores.
    """
    if actor.runs_the_desk:
        return Q()
    if actor.account_id is not None:
        return Q(**{f"{through}account_id": actor.account_id})
    return Q(**{f"{through}id__in": actor.store_ids})
