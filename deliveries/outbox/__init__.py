"""Calls out: who subscribed, what they are owed, and how it is sent until they have it.

The life of a call. A verb writes its events and queues a `tell` job for each thing that they are about, in its own
transaction: both exist, or neither. `telling` takes up the events of that thing which nobody was told of, asks each
dialect for the words (`voices`), writes one `Call` for each subscription that wants to know, and enters the events into
the feed. `pacing` lets a few calls of each subscription go at a time, each a `send` job of its own, and of the calls
about one thing only the oldest: a receiver that is slow or gone keeps nobody else waiting, and what it is sent comes in
order. What fails is tried again by the `timetable`; what was killed half way is taken up by another worker, under the
same message id.

`sending` makes one call and settles it, `queue` puts jobs into the queue, `subscriptions` is who wants to know, `posting` is
the network with its dangers (`targets`), `signing` the signatures.
"""
