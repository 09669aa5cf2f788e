"""The event log: what happened, to what, when it happened and when it was recorded, by whom."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from stores.actors import ActorKind


class Event(models.Model):
    """One thing that happened; written once, in the transaction of the change, and never changed.

    `kind` is a subject and a verb, as `task.done`; `data` holds what the verb needs, as `{"notes": "left at door"}`.
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
