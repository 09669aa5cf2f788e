"""The only package that assigns a status of a delivery or a task: lock, check, save, log, in one short transaction.

Locking, once for all: a verb takes the row of the delivery first, then its order, then its tasks in the order of their
ids, then what they lead to: addresses, and the courier's lists in the order of their days. Several deliveries are taken in
the order of their ids. A task without a delivery is its own lock. Whoever changes an order alone locks it alone, so that
all that happens to an order and its delivery happens one after the other, and the log has it in that order. Nothing here
touches the network.

`work` holds what is locked and assigns the statuses; `tasks`, `deliveries` and `assigning` are the verbs.
"""

from deliveries.transitions.assigning import AlreadyAssigned, CarriedByAnother, assign, hand_to, unassign
from deliveries.transitions.deliveries import AssignedBlocksCancel, cancel_delivery, drop, pick, report, restore_delivery
from deliveries.transitions.tasks import (
    AlreadyCompleted,
    BadWindow,
    PreviousUnfinished,
    TaskIsCancelled,
    cancel,
    complete,
    fail,
    reschedule,
    restore,
    start,
)
from deliveries.transitions.work import IllegalMove, enter_first, promised

__all__ = [
    "AlreadyAssigned",
    "AlreadyCompleted",
    "AssignedBlocksCancel",
    "BadWindow",
    "CarriedByAnother",
    "IllegalMove",
    "PreviousUnfinished",
    "TaskIsCancelled",
    "assign",
    "cancel",
    "cancel_delivery",
    "complete",
    "drop",
    "enter_first",
    "fail",
    "hand_to",
    "pick",
    "promised",
    "report",
    "reschedule",
    "restore",
    "restore_delivery",
    "start",
    "unassign",
]
