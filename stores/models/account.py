"""Accounts, the stores they own, and the addresses stores send from and to."""

from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from stores import tenants
from stores.actors import Actor
from stores.places import Point
from stores.public_ids import new_public_id


def check_timezone(name: str) -> None:
    """Refuse a name that the time zone database does not know."""
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is not a time zone, as Europe/Paris is.")


class Account(models.Model):
    """The business that owns stores; money is counted in its currency."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=255)
    currency = models.CharField(max_length=3, default="EUR", help_text="ISO 4217, as EUR.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Address(models.Model):
    """A place to pick up or drop off. Without a point of its own yet, it stands at its store's and `needs_review`."""

    store = models.ForeignKey(
        "stores.Store",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="address_book",
        help_text="Whose address book it is in.",
    )
    street_address = models.CharField(max_length=512)
    postal_code = models.CharField(max_length=20, blank=True)
    locality = models.CharField(max_length=255, blank=True)
    region = models.CharField(max_length=255, blank=True)
    country = models.CharField(max_length=64, blank=True)
    post_office_box = models.CharField(max_length=64, blank=True)
    latitude = models.FloatField()
    longitude = models.FloatField()
    provider = models.CharField(
        max_length=32, blank=True, help_text="Where the point came from, when not from us: MAP_PICKER or PLUS_CODE."
    )
    name = models.CharField(max_length=255, blank=True)
    company = models.CharField(max_length=255, blank=True)
    contact_name = models.CharField(max_length=255, blank=True)
    telephone = models.CharField(max_length=64, blank=True)
    access_code = models.CharField(max_length=64, blank=True, help_text="To give when a masked number is called.")
    description = models.TextField(blank=True, help_text="What the courier should know.")
    needs_review = models.BooleanField(default=False, help_text="The point is the store's, because the address was not found.")

    class Meta:
        verbose_name_plural = "addresses"
        constraints = [
            models.CheckConstraint(condition=Q(latitude__gte=-90, latitude__lte=90), name="address_latitude_in_range"),
            models.CheckConstraint(condition=Q(longitude__gte=-180, longitude__lte=180), name="address_longitude_in_range"),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(needs_review=True), name="address_to_review")]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.name, self.street_address) if part)

    @property
    def point(self) -> Point:
        return Point(self.latitude, self.longitude)


class StoreQuerySet(models.QuerySet["Store"]):
    """Stores, and who may see which."""

    def visible_to(self, actor: Actor) -> Self:
        """The stores an actor works for; the desk works for all."""
        return self.filter(tenants.reach(actor, through=""))


class Store(models.Model):
    """A place that sends: CoopCycle's store and HubRise's location are both this row."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="stores")
    public_id = models.CharField(max_length=24, unique=True, editable=False, help_text="The account's id, a hyphen, and a number.")
    name = models.CharField(max_length=255)
    address = models.ForeignKey(Address, on_delete=models.PROTECT, related_name="+")
    timezone = models.CharField(max_length=64, default="Europe/Paris", validators=[check_timezone])
    enabled = models.BooleanField(default=True)
    owners = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="stores")
    default_courier = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Takes every task of this store.",
    )
    default_document_url = models.URLField(blank=True, help_text="Joined to the documents of every pickup.")
    default_tags = models.ManyToManyField("stores.Tag", blank=True, related_name="+", help_text="Put on every task of this store.")
    package_set = models.ForeignKey("stores.PackageSet", null=True, blank=True, on_delete=models.SET_NULL, related_name="stores")
    time_slot = models.ForeignKey("stores.TimeSlot", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    pricing_rule_set = models.ForeignKey(
        "quotes.PricingRuleSet",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="stores",
        help_text="What its deliveries cost; without one, nothing.",
    )
    cash_on_delivery = models.BooleanField(default=False)
    preparation_minutes = models.PositiveIntegerField(default=15, help_text="From an order to when it can be picked up.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StoreQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
