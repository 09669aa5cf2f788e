"""Who does something: a person, a client program, or the system itself."""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a person may be in an instance; each is also the name of a Django group, but for the admin's flag."""

    ADMIN = "admin"
    DISPATCHER = "dispatcher"
    COURIER = "courier"
    STORE_OWNER = "store owner"


class ActorKind(StrEnum):
    """The three sorts of actor the event log tells apart."""

    SYSTEM = "system"
    USER = "user"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever asks for something: every verb of the core takes one as `by`.

    A person has `user_id` and `roles`; a program has `client_id`, `scopes` and the stores or the account it is bound
    to. `store_ids` are the stores an owner owns or a program speaks for; `account_id` is set when it speaks for every
    store of an account. `carrier_ref` is set for the software of an outside carrier.
    """

    kind: ActorKind
    name: str
    user_id: int | None = None
    client_id: int | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)
    scopes: frozenset[str] = field(default_factory=frozenset)
    store_ids: frozenset[int] = field(default_factory=frozenset)
    account_id: int | None = None
    carrier_ref: str = ""

    @property
    def runs_the_desk(self) -> bool:
        """Dispatchers, admins and the system itself see and move everything."""
        return self.kind is ActorKind.SYSTEM or Role.DISPATCHER in self.roles or Role.ADMIN in self.roles

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    @property
    def is_courier_only(self) -> bool:
        """A courier who is nothing more: sees and moves their own tasks alone."""
        return Role.COURIER in self.roles and not self.runs_the_desk

    @property
    def only_store_id(self) -> int | None:
        """The store of whoever speaks for exactly one, else None."""
        return next(iter(self.store_ids)) if len(self.store_ids) == 1 else None


SYSTEM = Actor(kind=ActorKind.SYSTEM, name="Relais")
