"""The transaction of a verb, which whoever calls the verb may keep open until what they answer is written with it.

A verb of the core looks things up, perhaps over the network, and then writes everything in one short transaction. A call
that must be carried out once and no more wants to write one row of its own in that same transaction, after the verb has
returned: `kept_open` makes the transaction that a verb begins last until the end of its block. And a call that was made
for what its maker had seen wants that looked at once more when the verb has locked its rows: see `on_lock`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

Check = Callable[[], None]

_keeper: ContextVar[ExitStack | None] = ContextVar("keeper", default=None)
_check: ContextVar[Check | None] = ContextVar("check", default=None)


@contextmanager
def atomic() -> Iterator[None]:
    """What every verb of the core writes in: all of it, or nothing."""
    keeper = _keeper.get()
    if keeper is not None and not connection.in_atomic_block:
        keeper.enter_context(transaction.atomic())
    with transaction.atomic():
        yield


@contextmanager
def kept_open() -> Iterator[None]:
    """Keep the first transaction that begins inside the block open until its end; an exception that leaves it rolls back."""
    with ExitStack() as keeper:
        token = _keeper.set(keeper)
        try:
            yield
        finally:
            _keeper.reset(token)


@contextmanager
def on_lock(check: Check) -> Iterator[None]:
    """Run `check` as soon as a verb inside the block has locked what it is about to change; what it raises stops the verb."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def locked() -> None:
    """Said by every verb that has locked its rows and has changed nothing yet."""
    check = _check.get()
    if check is not None:
        check()


def idle() -> None:
    """Said by a job before it waits for the network: its connection goes back to the pool until it asks the database again.

    Nothing happens inside a transaction, nor where there is no pool and another connection would have to be made. What
    holds for a session of the database, such as a lock that outlives transactions, is not to be held meanwhile.
    """
    if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
        connection.close()


def awaited() -> bool:
    """Whether a check waits for the lock: a verb that needs none for itself then takes one."""
    return _check.get() is not None
