"""The event log: what happened, to what, when it happened and when it was recorded, by whom."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from stores.actors import ActorKind

THIS_TRANSACTION = RawSQL("pg_current_xact_id()::text::bigint", [])


class EventQuerySet(models.QuerySet["Event"]):
    """Events, by what they are about and by who knows of them."""

    def about(self, chain: str) -> Self:
        """Those of one thing (see `Event.chain`), in the order in which they happened."""
        kind, _, pk = chain.partition(" ")
        nothing_else: dict[str, Any] = {"order": {}, "task": {"order": None}, "store": {"order": None, "task": None}}[kind]
        return self.filter(**nothing_else, **{kind: int(pk)}).order_by("id")

    def untold(self) -> Self:
        """Those that subscribers were not told of yet."""
        return self.filter(feed_entry=None)


class Event(models.Model):
    """One thing that happened; written once, in the transaction of the change, and never changed.

    `kind` is a subject and a verb, as `task.done`; `data` holds what the verb needs, as `{"notes": "left at door"}`. Events of
    one change share a `transaction_id`. `request_id` is that of the request or job that made the change.
    """

    kind = models.CharField(max_length=48)
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey("stores.Order", null=True, blank=True, on_delete=models.PROTECT, related_name="events")
    quote = models.ForeignKey("quotes.DeliveryQuote", null=True, blank=True, on_delete=models.PROTECT, related_name="events")
    delivery = models.ForeignKey("deliveries.Delivery", null=True, blank=True, on_delete=models.PROTECT, related_name="events")
    task = models.ForeignKey("deliveries.Task", null=True, blank=True, on_delete=models.PROTECT, related_name="events")
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    actor_kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in ActorKind])
    actor_name = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    client = models.ForeignKey("stores.ApiClient", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    data = models.JSONField(default=dict, blank=True)
    transaction_id = models.BigIntegerField(db_default=THIS_TRANSACTION, editable=False)
    request_id = models.CharField(max_length=64, blank=True, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(actor_kind__in=[kind.value for kind in ActorKind]), name="event_actor_kind_known")
        ]
        indexes = [
            models.Index(fields=["delivery", "id"], name="event_by_delivery"),
            models.Index(fields=["task", "id"], name="event_by_task"),
            models.Index(fields=["order", "id"], name="event_by_order"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor_name}"

    @property
    def chain(self) -> str:
        """What it is about, as "order 17": things that happen to one of these are told in the order in which they happened."""
        if self.order_id is not None:
            return f"order {self.order_id}"
        return f"store {self.store_id}" if self.task_id is None else f"task {self.task_id}"
