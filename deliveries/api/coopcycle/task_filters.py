"""The parameters that filter tasks; ordering and paging are `collections`' affair."""

import django_filters

from deliveries import queries
from deliveries.api.coopcycle import collections
from deliveries.models import Task
from deliveries.models.task import TaskQuerySet


class TaskFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """By day of the window, by whether somebody holds them, and by their store's name.

    A day that cannot be read raises `BadParameter`; another word than yes or no filters nothing.
    """

    date = django_filters.CharFilter(method="touch_day")
    assigned = django_filters.CharFilter(method="are_held")
    organization = django_filters.CharFilter(field_name="store__name")

    class Meta:
        model = Task
        fields = ("date", "assigned", "organization")

    @property
    def qs(self) -> TaskQuerySet:
        """What is asked for; nothing bears a name that no text field could hold."""
        rows: TaskQuerySet = super().qs
        return rows if self.form.is_valid() else rows.none()

    def touch_day(self, rows: TaskQuerySet, name: str, day: str) -> TaskQuerySet:
        """Tasks whose window touches the day."""
        return queries.on_day(rows, collections.read_day(day, (name,)))

    def are_held(self, rows: TaskQuerySet, name: str, word: str) -> TaskQuerySet:
        """Tasks that a courier holds, or that nobody does."""
        return rows.filter(courier__isnull=word == "no") if word in ("yes", "no") else rows


NAMES = tuple(TaskFilter.base_filters)
