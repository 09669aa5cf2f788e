"""Software that talks to us, and the connections it holds."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from oauth2_provider.models import AbstractApplication
from oauth2_provider.settings import oauth2_settings


class Dialect(models.TextChoices):
    """The language a client speaks."""

    COOPCYCLE = "coopcycle", "CoopCycle"
    HUBRISE = "hubrise", "HubRise"


DEFAULT_SCOPES = "tasks deliveries"


def check_scopes(text: str) -> None:
    """Raise `ValidationError` naming the words that are no scopes of the CoopCycle API."""
    unknown = sorted(set(text.split()).difference(oauth2_settings.SCOPES))
    if unknown:
        raise ValidationError(f"Not a scope: {', '.join(unknown)}.")


class ApiClient(AbstractApplication):
    """A program, such as a shop's plugin, a till, or an outside carrier's software.

    `client_secret` is hashed. A HubRise client also signs with its secret, so that one is kept sealed as well, in
    `sealed_secret` (see `credentials.seal`), and for a while after a change the one before.
    """

    dialect = models.CharField(max_length=16, choices=Dialect, default=Dialect.COOPCYCLE)
    store = models.ForeignKey(
        "stores.Store",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="clients",
        help_text="The store a CoopCycle client speaks for.",
    )
    allowed_scopes = models.TextField(
        blank=True,
        default=DEFAULT_SCOPES,
        validators=[check_scopes],
        help_text="What a CoopCycle client may ask for, separated by spaces. “tasks:all” shows it the tasks of every store.",
    )
    sealed_secret = models.TextField(blank=True, editable=False)
    sealed_previous_secret = models.TextField(blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    carrier_ref = models.CharField(
        max_length=64, blank=True, help_text="Set for the software of an outside carrier: the ref it signs with."
    )

    class Meta(AbstractApplication.Meta):
        verbose_name = "API client"
        ordering = ["name", "id"]
        constraints = [models.CheckConstraint(condition=Q(dialect__in=Dialect.values), name="apiclient_dialect_known")]

    def __str__(self) -> str:
        return self.name or self.client_id

    @property
    def scopes(self) -> frozenset[str]:
        """What a CoopCycle client may ask for."""
        return frozenset(self.allowed_scopes.split())

    def is_usable(self, request: Any) -> bool:
        """Client credentials are the CoopCycle way in; a HubRise client connects through codes."""
        return self.dialect == Dialect.COOPCYCLE and self.store_id is not None


class Connection(models.Model):
    """One lasting bearer secret of a client: an API key (CoopCycle) or an access token (HubRise).

    Only the digest is stored; the secret is shown once, when made. It reaches one store, or every store of one account.
    """

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="connections")
    store = models.ForeignKey("stores.Store", null=True, blank=True, on_delete=models.CASCADE, related_name="connections")
    account = models.ForeignKey("stores.Account", null=True, blank=True, on_delete=models.CASCADE, related_name="connections")
    name = models.CharField(max_length=255, blank=True)
    scopes = models.CharField(max_length=255, blank=True, help_text="Separated by spaces, as “orders.read orders.write”.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="How the secret begins, to tell it from others.")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(store__isnull=False, account__isnull=True) | Q(store__isnull=True, account__isnull=False),
                name="connection_store_or_account",
            )
        ]

    def __str__(self) -> str:
        return f"{self.client} · {self.hint}…"
