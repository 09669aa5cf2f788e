"""Who calls: the connection behind an `X-Access-Token`, the stores it reaches, and the rights it holds there."""

from dataclasses import dataclass
from typing import Any

from rest_framework import exceptions

from stores import credentials
from stores.actors import Actor
from stores.models import Connection, Dialect, Store

READ, WRITE = "orders.read", "orders.write"


@dataclass(frozen=True, slots=True)
class Caller:
    """A connection, and the actor it stands for."""

    connection: Connection
    actor: Actor

    @property
    def store(self) -> Store | None:
        """The one store of a location-level token."""
        return self.connection.store

    @property
    def client_id(self) -> int | None:
        """The program behind the token; each has private refs of its own."""
        return self.actor.client_id

    def check_scope(self, *, writing: bool) -> None:
        """Writing includes reading; quotes and deliveries ride on the scopes of orders."""
        scopes = self.actor.scopes
        if WRITE not in scopes and (writing or READ not in scopes):
            raise exceptions.PermissionDenied(f"An 'orders' {'write' if writing else 'read'} scope is required")

    def check_location_level(self) -> None:
        """Short location paths are for tokens that are bound to one location."""
        if self.store is None:
            raise exceptions.PermissionDenied("A location-level access token is required")

    def check_account_level(self) -> None:
        """Account paths are for tokens that are bound to an account."""
        if self.actor.account_id is None:
            raise exceptions.PermissionDenied("An account-level access token is required")

    def reach(self, location_id: str | None, *, through: str = "") -> dict[str, Any] | None:
        """What picks a location's rows, `through` being the lookup that leads to its store; None when out of reach.

        No `location_id` means the token's own location.
        """
        prefix = f"{through}__" if through else ""
        if self.store is None:
            return {f"{prefix}public_id": location_id, f"{prefix}account_id": self.actor.account_id}
        if location_id is not None and location_id != self.store.public_id:
            return None
        return {f"{prefix}id": self.store.pk}


def authenticate(token: str) -> Caller:
    """Whoever holds this token; raises `NotAuthenticated`."""
    found = credentials.by_connection(token, dialect=Dialect.HUBRISE) if token else None
    if found is None:
        raise exceptions.NotAuthenticated("The access token is invalid or the connection has been revoked")
    return Caller(*found)
