"""Quotes of carriers for an order."""

from typing import Self

from django.db import models
from django.db.models import Q

from stores import tenants
from stores.actors import Actor
from stores.public_ids import new_public_id


class DeliveryQuoteQuerySet(models.QuerySet["DeliveryQuote"]):
    """Quotes, and who may see which."""

    def visible_to(self, actor: Actor) -> Self:
        """The quotes for an actor's stores; the desk sees all."""
        return self.filter(tenants.reach(actor, through="order__store__"))


class DeliveryQuote(models.Model):
    """A price and two times that a carrier offers for an order; accepted once and for good."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    order = models.ForeignKey("stores.Order", on_delete=models.CASCADE, related_name="quotes")
    carrier = models.CharField(max_length=255)
    carrier_ref = models.CharField(max_length=64, blank=True)
    by_house = models.BooleanField(default=False, help_text="Offered by this instance's own fleet.")
    ref = models.CharField(max_length=255, blank=True, help_text="The carrier's own name for the quote.")
    fee_cents = models.BigIntegerField(help_text="In hundredths of the account's currency.")
    estimated_pickup_at = models.DateTimeField(null=True, blank=True)
    estimated_dropoff_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey("stores.ApiClient", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    objects = DeliveryQuoteQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.CheckConstraint(condition=Q(fee_cents__gte=0), name="quote_fee_not_negative")]

    def __str__(self) -> str:
        return f"{self.carrier} for {self.order}"
