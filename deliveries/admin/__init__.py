"""The desk: the Django admin as one more way in, that calls the core and says its refusals in words.

Nothing here assigns a status. `desk` holds who may see what, `acts` the verbs with their buttons and pages; each other
module is named after what it shows. Importing this package is what registers them all.
"""

from deliveries.admin import (
    calls,
    clients,
    couriers,
    deliveries,
    events,
    jobs,
    offering,
    orders,
    people,
    prices,
    stores,
    subscriptions,
    tasks,
)

__all__ = [
    "calls",
    "clients",
    "couriers",
    "deliveries",
    "events",
    "jobs",
    "offering",
    "orders",
    "people",
    "prices",
    "stores",
    "subscriptions",
    "tasks",
]
