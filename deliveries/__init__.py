"""What is done: the life of a delivery, and every way in.

A delivery belongs to one order and has two tasks or more. It begins in `booking` (a bare request, an accepted quote of
the house, or a carrier that reports one), moves in `transitions` and nowhere else, and every move leaves its rows in
the event log, in the same transaction. Two status machines describe one truth: the nine statuses of the delivery, which
carriers report, and the five of each task, which couriers move. `statuses` says how one follows from the other.

Each way in is thin and calls the same verbs: `api.coopcycle`, `api.hubrise`, `admin`, `pages`, `management` and `jobs`.
"""
