"""Couriers, where they are, and their list of a day."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models


class Courier(models.Model):
    """Somebody of the house who carries."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="courier")
    color = models.CharField(
        max_length=7, default="#2563EB", validators=[RegexValidator(r"^#[0-9A-Fa-f]{6}$", "Write a colour as #2563EB.")]
    )
    latitude = models.FloatField(null=True, blank=True, editable=False)
    longitude = models.FloatField(null=True, blank=True, editable=False)
    located_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["user__username"]

    def __str__(self) -> str:
        return str(self.user)


class TaskList(models.Model):
    """What one courier does on one day, in order; the tasks point here."""

    courier = models.ForeignKey(Courier, on_delete=models.CASCADE, related_name="task_lists")
    date = models.DateField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-date", "courier_id"]
        constraints = [models.UniqueConstraint(fields=["courier", "date"], name="task_list_once_a_day")]

    def __str__(self) -> str:
        return f"{self.courier} on {self.date:%d %B %Y}"
