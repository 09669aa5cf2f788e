"""Quotes of carriers for an order, and the price lists behind the house's own prices."""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from quotes.pricing import rules
from quotes.pricing.grammar import BadRule
from quotes.pricing.rules import Rule, Strategy, Target
from stores import tenants
from stores.actors import Actor
from stores.public_ids import new_public_id


def check_condition(text: str) -> None:
    """Refuse a condition that cannot be read."""
    try:
        rules.condition(text)
    except BadRule as refusal:
        raise ValidationError(str(refusal)) from refusal


def check_price(text: str) -> None:
    """Refuse a price that cannot be read."""
    try:
        rules.cost(text)
    except BadRule as refusal:
        raise ValidationError(str(refusal)) from refusal


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


class PricingRuleSet(models.Model):
    """A price list. Its `version` rises with every change, so that an order can say by which one it was priced."""

    name = models.CharField(max_length=255)
    strategy = models.CharField(
        max_length=8,
        choices=[("find", "The first rule that matches"), ("map", "All rules that match, added up")],
        default=Strategy.FIND.value,
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = "price list"
        ordering = ["name", "id"]
        constraints = [models.CheckConstraint(condition=Q(strategy__in=[each.value for each in Strategy]), name="rule_set_strategy_known")]

    def __str__(self) -> str:
        return self.name


class PricingRule(models.Model):
    """One line of a price list: when it counts, and what it costs."""

    rule_set = models.ForeignKey(PricingRuleSet, on_delete=models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField(default=0, help_text="Rules are read from the lowest to the highest.")
    name = models.CharField(max_length=255, blank=True, help_text="What it is called on the bill; left empty, its condition in words.")
    target = models.CharField(
        max_length=32,
        choices=[
            ("DELIVERY", "The whole delivery"),
            ("TASK", "Each stop"),
            ("LEGACY_TARGET_DYNAMIC", "The whole when it has two stops, else each"),
        ],
        default=Target.DELIVERY.value,
    )
    expression = models.TextField(
        validators=[check_condition], help_text="As “distance in 0..5000”; “false” for a supplement that is added by hand."
    )
    price = models.TextField(
        validators=[check_price], help_text="In hundredths, as “499”, or “price_range(distance, 100, 1000, 2000)”; taxes included."
    )

    class Meta:
        ordering = ["rule_set_id", "position", "id"]
        constraints = [models.CheckConstraint(condition=Q(target__in=[each.value for each in Target]), name="rule_target_known")]

    def __str__(self) -> str:
        return self.name or self.expression

    @property
    def read(self) -> Rule:
        """The rule, ready to be evaluated."""
        return Rule(self.pk, self.expression, self.price, Target(self.target), self.name)
