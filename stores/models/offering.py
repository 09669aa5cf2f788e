"""What a store offers: packages it sends, slots it sends in, tags its tasks carry."""

from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from stores import schedules


class Tag(models.Model):
    """A word for tasks that need something, such as `cold`."""

    name = models.CharField(max_length=64)
    slug = models.SlugField(max_length=64, unique=True)
    color = models.CharField(
        max_length=7, default="#64748B", validators=[RegexValidator(r"^#[0-9A-Fa-f]{6}$", "Write a colour as #64748B.")]
    )

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class PackageSet(models.Model):
    """The packages that stores of one kind send."""

    name = models.CharField(max_length=255)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Package(models.Model):
    """One kind of package: what it is called and how much room it takes."""

    package_set = models.ForeignKey(PackageSet, on_delete=models.CASCADE, related_name="packages")
    name = models.CharField(max_length=64)
    short_code = models.CharField(max_length=8)
    volume_units = models.PositiveIntegerField(default=1)
    color = models.CharField(
        max_length=7, default="#64748B", validators=[RegexValidator(r"^#[0-9A-Fa-f]{6}$", "Write a colour as #64748B.")]
    )

    class Meta:
        ordering = ["package_set_id", "id"]
        constraints = [models.UniqueConstraint(fields=["package_set", "name"], name="package_name_once_in_set")]

    def __str__(self) -> str:
        return self.name


class TimeSlot(models.Model):
    """When a store sends: opening hours cut into slots that a customer may choose from."""

    name = models.CharField(max_length=255)
    opening_hours = ArrayField(
        models.CharField(max_length=64, validators=[schedules.check_opening_hours]), help_text="As “Mo-Sa 10:00-11:00”, one for each slot."
    )
    interval = models.CharField(max_length=32, default="2 days", validators=[schedules.check_interval], help_text="How far ahead slots go.")
    prior_notice = models.CharField(max_length=32, blank=True, validators=[schedules.check_interval], help_text="As “2 hours”.")
    working_days_only = models.BooleanField(default=True)
    same_day_cutoff = models.TimeField(null=True, blank=True, help_text="After this time, nothing more today.")

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def rules(self) -> schedules.SlotRules:
        """These hours as the pure rules that `schedules.choices` reads."""
        cutoff: time | None = self.same_day_cutoff
        return schedules.SlotRules(
            opening_hours=tuple(schedules.OpeningHours.parse(line) for line in self.opening_hours),
            interval=self.interval,
            prior_notice=self.prior_notice or None,
            working_days_only=self.working_days_only,
            same_day_cutoff=cutoff,
        )
