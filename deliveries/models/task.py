"""Tasks: pick something up or drop it off, at an address, in a window of time."""

from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from deliveries.statuses import OPEN, TaskStatus, TaskType
from stores import tenants
from stores.actors import Actor


class TaskQuerySet(models.QuerySet["Task"]):
    """Tasks, and who may see which."""

    def for_store(self, store_id: int) -> Self:
        return self.filter(store_id=store_id)

    def visible_to(self, actor: Actor) -> Self:
        """All for the desk and for whoever has the scope `tasks:all`, their own for a courier, their stores' for owners and clients."""
        if "tasks:all" in actor.scopes:
            return self
        mine = tenants.reach(actor, through="store__")
        return self.filter(mine | Q(courier__user_id=actor.user_id) if actor.is_courier_only else mine)

    def still_open(self) -> Self:
        return self.filter(status__in=OPEN)

    def unassigned(self) -> Self:
        """Open tasks of the house, those that belong to no delivery included, that nobody holds."""
        return self.still_open().filter(Q(delivery=None) | Q(delivery__by_house=True), courier=None)


class Task(models.Model):
    """One stop. Its status is moved by `transitions` alone.

    `packages` is a list of `{"name", "short_code", "volume", "quantity"}` as the store's package set had them when
    the task was booked; `position` counts the stops of its delivery from 1.
    """

    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="tasks")
    delivery = models.ForeignKey("deliveries.Delivery", null=True, blank=True, on_delete=models.PROTECT, related_name="tasks")
    position = models.PositiveIntegerField(default=1)
    type = models.CharField(max_length=8, choices=TaskType, default=TaskType.DROPOFF)
    status = models.CharField(max_length=12, choices=TaskStatus, default=TaskStatus.TODO)
    address = models.ForeignKey("stores.Address", on_delete=models.PROTECT, related_name="tasks")
    after = models.DateTimeField()
    before = models.DateTimeField()
    comments = models.TextField(blank=True)
    weight = models.PositiveIntegerField(null=True, blank=True, help_text="In grams.")
    packages = models.JSONField(default=list, blank=True)
    tags = models.ManyToManyField("stores.Tag", blank=True, related_name="tasks")
    metadata = models.JSONField(default=dict, blank=True)
    ref = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 - unique per store, so absent must be null
    doorstep = models.BooleanField(default=False)
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    next = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    courier = models.ForeignKey("deliveries.Courier", null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks")
    task_list = models.ForeignKey("deliveries.TaskList", null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks")
    task_list_position = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When it was done or failed.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = TaskQuerySet.as_manager()

    load_rows: list[dict[str, Any]]
    """What every task of its delivery carries, as `loads.Carrier` asks for it, when `queries.tasks` read it."""

    tag_rows: list[dict[str, str]]
    """Its tags as `{"name", "slug", "color"}`, when `queries` read it."""

    class Meta:
        ordering = ["before", "-type", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=TaskStatus.values), name="task_status_known"),
            models.CheckConstraint(condition=Q(type__in=TaskType.values), name="task_type_known"),
            models.CheckConstraint(condition=Q(after__lt=F("before")), name="task_window_forward"),
            models.CheckConstraint(condition=Q(courier__isnull=False) | Q(task_list__isnull=True), name="task_listed_only_when_assigned"),
            models.UniqueConstraint(fields=["delivery", "position"], name="task_position_once_in_delivery"),
            models.UniqueConstraint(fields=["store", "ref"], name="task_ref_once_in_store"),
        ]
        indexes = [
            models.Index(fields=["before", "id"], name="task_by_before"),
            models.Index(fields=["courier", "before"], name="task_by_courier"),
            models.Index(fields=["store", "before"], name="task_by_store"),
        ]

    def __str__(self) -> str:
        return f"Task #{self.pk}"
