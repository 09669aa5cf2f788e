"""People who log in: dispatchers, couriers, store owners, admins."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person; what they may do follows from their groups, and from the stores they own."""

    telephone = models.CharField(max_length=32, blank=True, help_text="E.164, as +33612345678.")

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(models.functions.Lower("username"), name="user_username_any_case")]

    def __str__(self) -> str:
        return self.get_full_name() or self.username
