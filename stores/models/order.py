"""Orders: what a customer bought, and how far it has come."""

from typing import Any, Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from stores import tenants
from stores.actors import Actor
from stores.public_ids import new_public_id


class OrderStatus(models.TextChoices):
    """How far an order has come; any may follow any, because tills and bridges skip and step back."""

    NEW = "new", "New"
    RECEIVED = "received", "Received"
    ACCEPTED = "accepted", "Accepted"
    IN_PREPARATION = "in_preparation", "In preparation"
    AWAITING_SHIPMENT = "awaiting_shipment", "Awaiting shipment"
    AWAITING_COLLECTION = "awaiting_collection", "Awaiting collection"
    IN_DELIVERY = "in_delivery", "In delivery"
    COMPLETED = "completed", "Completed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"
    DELIVERY_FAILED = "delivery_failed", "Delivery failed"


class ServiceType(models.TextChoices):
    """How the customer gets the order."""

    DELIVERY = "delivery", "Delivery"
    COLLECTION = "collection", "Collection"
    EAT_IN = "eat_in", "Eat in"


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders, and who may see which."""

    def for_store(self, store_id: int) -> Self:
        return self.filter(store_id=store_id)

    def visible_to(self, actor: Actor) -> Self:
        """The orders of an actor's stores; the desk sees all."""
        return self.filter(tenants.reach(actor, through="store__"))


class Order(models.Model):
    """What a customer bought. Money inside the JSON columns is whole hundredths of the account's currency.

    `items`, `discounts`, `charges` and `payments` are lists of objects with an `id`, `deleted`, and `private_refs`
    (client id to that client's own reference); `deals` is an object; `customer` is the customer as known when the
    order came in.
    """

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=24, choices=OrderStatus)
    service_type = models.CharField(max_length=16, choices=ServiceType, null=True, blank=True)  # noqa: DJ001 - the wire tells null from ""
    service_type_ref = models.CharField(max_length=255, blank=True)
    ref = models.CharField(max_length=255, blank=True)
    channel = models.CharField(max_length=255, blank=True)
    created_by = models.ForeignKey("stores.ApiClient", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    made_for_delivery = models.BooleanField(default=False, help_text="There was only a delivery to make; this order stands for it.")
    expected_time = models.DateTimeField(null=True, blank=True)
    expected_time_pickup = models.BooleanField(default=False)
    asap = models.BooleanField(default=False)
    confirmed_time = models.DateTimeField(null=True, blank=True)
    customer_notes = models.TextField(blank=True)
    seller_notes = models.TextField(blank=True)
    collection_code = models.CharField(max_length=64, blank=True)
    coupon_codes = models.JSONField(default=list, blank=True)
    items = models.JSONField(default=list, blank=True)
    deals = models.JSONField(default=dict, blank=True)
    discounts = models.JSONField(default=list, blank=True)
    charges = models.JSONField(default=list, blank=True)
    payments = models.JSONField(default=list, blank=True)
    customer = models.JSONField(default=dict, blank=True)
    loyalty_operations = models.JSONField(default=list, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    private_refs = models.JSONField(default=dict, blank=True)
    total_cents = models.BigIntegerField(default=0)
    tax_cents = models.BigIntegerField(default=0)
    pricing = models.JSONField(
        default=dict, blank=True, editable=False, help_text="By which version of which price list the delivery was priced, and why so."
    )
    payment_gateway = models.CharField(max_length=32, default="card")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="order_status_known"),
            models.CheckConstraint(
                condition=Q(service_type__isnull=True) | Q(service_type__in=ServiceType.values), name="order_service_type_known"
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-created_at", "-id"], name="order_by_store"),
            GinIndex(fields=["private_refs"], name="order_by_private_ref", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return f"Order {self.ref or self.public_id}"

    @property
    def customer_name(self) -> str:
        """The customer's name in one line, "" when none was given."""
        customer: dict[str, Any] = self.customer or {}
        parts = (customer.get("first_name"), customer.get("last_name"))
        return " ".join(part for part in parts if part) or customer.get("company_name") or ""
