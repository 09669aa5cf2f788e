"""The tables of what goes out: who subscribed, what they are owed, every attempt at it, and the order it can be read in."""

from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from stores.actors import Actor, ActorKind
from stores.models import Store


class DisabledWhy(models.TextChoices):
    """Why nothing is sent to a subscription."""

    BY_HAND = "by_hand", "Switched off by hand"
    GONE = "gone", "The endpoint answered 410 Gone"
    FAILING = "failing", "The endpoint failed for days"


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Subscriptions, and who may see which."""

    def visible_to(self, actor: Actor) -> Self:
        """A client's own; of those that reach nobody else's store, an owner's; the desk sees all."""
        if actor.runs_the_desk:
            return self
        if actor.kind is not ActorKind.USER:
            return self.filter(client_id=actor.client_id, client__isnull=False)
        of_account = Store.objects.filter(account=OuterRef("account"))
        whole_account = Exists(of_account) & ~Exists(of_account.exclude(pk__in=actor.store_ids))
        return self.filter(Q(store_id__in=actor.store_ids) | whole_account)

    def active(self) -> Self:
        """Those that are called: not switched off, and of a connection or a key that was not revoked."""
        return self.open().filter(disabled_at=None)

    def owing(self) -> Self:
        """Those that something is owed to: a callback also while it is switched off, because what it is owed can be read."""
        return self.open().filter(Q(disabled_at=None) | Q(connection__isnull=False))

    def open(self) -> Self:
        """Those whose secret was not revoked."""
        return self.filter(connection__revoked_at=None, key__revoked_at=None)

    def of_store(self, store_id: int) -> Self:
        """Those that reach a store, be it through its account."""
        return self.filter(Q(store_id=store_id) | Q(account__stores=store_id))


class Subscription(models.Model):
    """Who is told of what: a client, what it reaches, the names of events in its dialect, and where they are sent.

    Without a URL it is passive: what it is owed waits to be read. A webhook has a secret of its own, kept sealed, and for
    a while after a change the one before; a callback belongs to a connection and signs with its client's secret.
    """

    client = models.ForeignKey("stores.ApiClient", on_delete=models.CASCADE, related_name="subscriptions")
    connection = models.OneToOneField(
        "stores.Connection", null=True, blank=True, on_delete=models.CASCADE, related_name="subscription", editable=False
    )
    key = models.ForeignKey(
        "stores.Connection",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="webhooks",
        editable=False,
        help_text="The API key that asked for it: a webhook ends with it.",
    )
    store = models.ForeignKey("stores.Store", null=True, blank=True, on_delete=models.CASCADE, related_name="subscriptions")
    account = models.ForeignKey("stores.Account", null=True, blank=True, on_delete=models.CASCADE, related_name="subscriptions")
    url = models.CharField(max_length=2000, blank=True)
    names = ArrayField(models.CharField(max_length=48), help_text="Events, as the client's dialect names them.")
    follows_positions = models.BooleanField(default=False, help_text="Is told when nothing but a driver's position changes.")
    sealed_secret = models.TextField(blank=True, editable=False)
    sealed_previous_secret = models.TextField(blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True, help_text="The last failure; empty since something arrived.")
    paused_until = models.DateTimeField(null=True, blank=True, help_text="How long it is left alone because it cannot be reached.")
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_why = models.CharField(max_length=8, choices=DisabledWhy, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(store__isnull=False, account__isnull=True) | Q(store__isnull=True, account__isnull=False),
                name="subscription_store_or_account",
            ),
            models.CheckConstraint(
                condition=Q(disabled_at__isnull=True, disabled_why="") | Q(disabled_at__isnull=False, disabled_why__in=DisabledWhy.values),
                name="subscription_disabled_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client} · {self.host or 'read by polling'}"

    @property
    def revoked_at(self) -> datetime | None:
        """When the token or the key that it hangs on was revoked; nothing is sent to it since."""
        holder = self.connection or self.key
        return None if holder is None else holder.revoked_at

    @property
    def is_passive(self) -> bool:
        return not self.url

    @property
    def host(self) -> str:
        """Where calls go, as "hooks.example:8443"; the rest of a URL may be known to its receiver alone. "" when passive."""
        return urlsplit(self.url).netloc


class CallState(models.TextChoices):
    """How far a call has come."""

    WAITING = "waiting", "Waiting for its turn"
    QUEUED = "queued", "On its way"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    FAILED = "failed", "Given up"


UNSETTLED = (CallState.WAITING, CallState.QUEUED)
"""What is still owed."""


class CallQuerySet(models.QuerySet["Call"]):
    """Calls, and who may see which."""

    def visible_to(self, actor: Actor) -> Self:
        """Those of the subscriptions that an actor sees, and an owner's of what happened in a store of theirs; the desk sees all."""
        if actor.runs_the_desk:
            return self
        if actor.kind is not ActorKind.USER:
            return self.filter(subscription__client_id=actor.client_id)
        seen = Subscription.objects.visible_to(actor)
        return self.filter(Q(subscription__in=seen.order_by()) | Q(event__store_id__in=actor.store_ids))

    def unsettled(self) -> Self:
        return self.filter(state__in=UNSETTLED)


class Call(models.Model):
    """One thing that one subscription is owed: its words are fixed when it is made, however often it is sent.

    `chain` names what it is about, as "order 17": the calls of a subscription about one thing go out one after the other.
    `turn` counts how often a job was queued for it; a job that comes with another turn has been overtaken. `due_at` is
    when the next attempt is to be made, empty when at once.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="calls")
    event = models.ForeignKey("deliveries.Event", null=True, blank=True, on_delete=models.PROTECT, related_name="calls")
    name = models.CharField(max_length=48)
    message_id = models.CharField(max_length=80, help_text="Stays the same however often it is sent.")
    chain = models.CharField(max_length=48)
    body = models.TextField()
    state = models.CharField(max_length=16, choices=CallState, default=CallState.WAITING)
    turn = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "message_id"], name="call_once"),
            models.CheckConstraint(condition=Q(state__in=CallState.values), name="call_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in UNSETTLED], settled_at__isnull=True)
                | Q(state__in=[CallState.ACKNOWLEDGED.value, CallState.FAILED.value], settled_at__isnull=False),
                name="call_settled_says_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["subscription", "chain", "id"], condition=Q(state__in=[state.value for state in UNSETTLED]), name="call_in_chain"
            ),
            models.Index(fields=["subscription", "state", "id"], name="call_by_state"),
            models.Index(F("settled_at"), condition=Q(settled_at__isnull=False), name="call_by_end"),
        ]

    def __str__(self) -> str:
        return f"Call #{self.pk}, {self.name} to {self.subscription}"


class Attempt(models.Model):
    """One try at a call, and what came back: a status, or what went wrong, and the beginning of the answer."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="attempts")
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    excerpt = models.TextField(blank=True)
    error = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.status or self.error} after {self.duration_ms} ms"


class FeedEntry(models.Model):
    """An event that its subscribers have been told of. Ids come in the order in which entries can be read, without fail:
    whoever has read up to one of them has missed none before it (see `outbox.telling`). `store` is the event's own, here so
    that one store's entries can be read in their order without those of all others.
    """

    event = models.OneToOneField("deliveries.Event", on_delete=models.PROTECT, related_name="feed_entry")
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+", db_index=False)
    entered_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "feed entries"
        indexes = [models.Index(fields=["store", "id"], name="feed_by_store")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.event}"
