"""Deliveries: the doing of one order, by one carrier."""

import secrets
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from deliveries.models.task import Task
from deliveries.statuses import OPEN, OVER, DeliveryStatus, TaskStatus
from stores import tenants
from stores.actors import Actor
from stores.public_ids import new_public_id


def new_tracking_token() -> str:
    """22 random characters: nobody guesses the tracking page of another's delivery."""
    return secrets.token_urlsafe(16)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries, and who may see which."""

    def for_store(self, store_id: int) -> Self:
        return self.filter(store_id=store_id)

    def visible_to(self, actor: Actor) -> Self:
        """The deliveries of an actor's stores; the desk sees all."""
        return self.filter(tenants.reach(actor, through="store__"))

    def needing_attention(self) -> Self:
        """Open deliveries in which a task failed: what `statuses.needs_attention` says of loaded tasks."""
        failed = Task.objects.filter(delivery=OuterRef("pk"), status=TaskStatus.FAILED)
        return self.exclude(status__in=OVER).filter(Exists(failed))

    def unassigned(self) -> Self:
        """Deliveries of the house, not over, with an open task that nobody holds."""
        free = Task.objects.filter(delivery=OuterRef("pk"), status__in=OPEN, courier=None)
        return self.exclude(status__in=OVER).filter(Exists(free), by_house=True)


class Delivery(models.Model):
    """Belongs to exactly one order. Its status is moved by `transitions` alone, and always agrees with its tasks.

    `driver_*` are what an outside carrier reports of its driver; the house's own is `courier`.
    """

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="deliveries")
    order = models.OneToOneField("stores.Order", on_delete=models.PROTECT, related_name="delivery")
    quote = models.OneToOneField("quotes.DeliveryQuote", null=True, blank=True, on_delete=models.SET_NULL, related_name="delivery")
    status = models.CharField(max_length=24, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    carrier = models.CharField(max_length=255)
    carrier_ref = models.CharField(max_length=64, blank=True)
    by_house = models.BooleanField(default=False, help_text="Carried by this instance's own couriers.")
    courier = models.ForeignKey("deliveries.Courier", null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries")
    ref = models.CharField(max_length=255, blank=True, help_text="The carrier's own name for it, such as a tracking number.")
    fee_cents = models.BigIntegerField(
        null=True, blank=True, help_text="What the carrier charges, in hundredths of the account's currency."
    )
    estimated_pickup_at = models.DateTimeField(null=True, blank=True)
    estimated_dropoff_at = models.DateTimeField(null=True, blank=True)
    tracking_url = models.CharField(max_length=2048, blank=True, help_text="The carrier's page; without one, ours.")
    driver_pickup_url = models.CharField(max_length=2048, blank=True)
    driver_name = models.CharField(max_length=255, blank=True)
    driver_phone = models.CharField(max_length=64, blank=True)
    driver_phone_access_code = models.CharField(max_length=64, blank=True)
    driver_latitude = models.FloatField(null=True, blank=True)
    driver_longitude = models.FloatField(null=True, blank=True)
    assigned_at = models.DateTimeField(null=True, blank=True)
    pickup_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    tracking_token = models.CharField(max_length=32, unique=True, default=new_tracking_token, editable=False)
    distance = models.PositiveIntegerField(default=0, help_text="In metres.")
    duration = models.PositiveIntegerField(default=0, help_text="In seconds.")
    polyline = models.TextField(blank=True, help_text="Encoded, precision 5.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = DeliveryQuerySet.as_manager()

    stops: list[Task]
    """Its tasks in their order, when `queries.deliveries` read it."""

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=DeliveryStatus.values), name="delivery_status_known"),
            models.CheckConstraint(condition=Q(fee_cents__isnull=True) | Q(fee_cents__gte=0), name="delivery_fee_not_negative"),
            models.CheckConstraint(
                condition=Q(driver_latitude__isnull=True) | Q(driver_latitude__gte=-90, driver_latitude__lte=90),
                name="delivery_driver_latitude_in_range",
            ),
            models.CheckConstraint(
                condition=Q(driver_longitude__isnull=True) | Q(driver_longitude__gte=-180, driver_longitude__lte=180),
                name="delivery_driver_longitude_in_range",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-created_at"], name="delivery_by_store"),
            models.Index(fields=["status", "-created_at"], name="delivery_by_status"),
        ]

    def __str__(self) -> str:
        return f"Delivery {self.pk}"
