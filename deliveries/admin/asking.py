"""What must be asked before a verb is called: who carries, why it failed, when instead, where it is."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db.models import Model
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from deliveries.admin.acts import AboutRows
from deliveries.admin.couriers import with_load
from deliveries.models import Courier
from deliveries.reasons import FailureReason
from stores import schedules
from stores.places import BadPoint, Point

BACKWARDS = "This is not after the beginning."
OVER_ALREADY = "This window is already over."
NO_MOMENT = "This is not a day and a time."


class WallClockWidget(UnfoldAdminTextInputWidget):
    """The browser's own picker of a day and a time."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "datetime-local"})


class WallClockField(forms.Field):
    """A day and a time as a clock on the wall of some place shows them: without a zone, until the form gives it one."""

    widget = WallClockWidget

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        """None for nothing; refuses what is no day and time, or lies too far away to be meant."""
        if value in self.empty_values:
            return None
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError as error:
            raise forms.ValidationError(NO_MOMENT) from error
        if moment.tzinfo is not None or not schedules.FIRST_YEAR <= moment.year <= schedules.LAST_YEAR:
            raise forms.ValidationError(NO_MOMENT)
        return moment


class CourierField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable when Django runs
    """Couriers, each with what they have left to do today."""

    widget = UnfoldAdminSelectWidget

    def label_from_instance(self, obj: Model) -> str:
        """As "Aya Diallo · 3 to do today, 1 late"."""
        left, late = getattr(obj, "left", 0), getattr(obj, "late", 0)
        return f"{obj} · {f'{left} to do today' if left else 'nothing to do today'}{f', {late} late' if late else ''}"


def couriers_at(now: datetime) -> Any:
    """Whoever can be given something, the least busy first."""
    return with_load(Courier.objects.filter(user__is_active=True), now=now).order_by("left", "user__username")


class AssignForm(AboutRows):
    """Which courier."""

    courier = CourierField(queryset=Courier.objects.none(), empty_label="Choose a courier")

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        field: Any = self.fields["courier"]
        field.queryset = couriers_at(self.now)


class FailForm(forms.Form):
    """Why, and what else there is to say."""

    reason = forms.ChoiceField(choices=[("", "Choose a reason"), *FailureReason.choices], widget=UnfoldAdminSelectWidget)
    notes = forms.CharField(required=False, max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))


class RescheduleForm(AboutRows):
    """Another window, on the clock of the store that the tasks or deliveries belong to."""

    after = WallClockField(label="From")
    before = WallClockField(label="Until")

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        zones = {row.store.timezone for row in self.rows}
        self.zone = ZoneInfo(zones.pop() if len(zones) == 1 else settings.TIME_ZONE)
        for name in ("after", "before"):
            self.fields[name].help_text = f"Time of {self.zone.key}."
        if len(self.rows) == 1:
            stop = self.stop(self.rows[0])
            if stop is not None:
                self.initial = {name: getattr(stop, name).astimezone(self.zone).replace(tzinfo=None) for name in self.fields}

    def stop(self, row: Any) -> Any:
        """The task that gets another window."""
        return row

    def clean(self) -> dict[str, Any]:
        """Both moments with their zone, in order."""
        given = {name: moment.replace(tzinfo=self.zone) for name, moment in self.cleaned_data.items() if moment}
        if len(given) == 2 and given["before"] <= given["after"]:
            self.add_error("before", BACKWARDS)
        elif "before" in given and given["before"] <= self.now:
            self.add_error("before", OVER_ALREADY)
        return given


class PlaceForm(AboutRows):
    """Where an address really is."""

    latitude = forms.FloatField(widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}))
    longitude = forms.FloatField(widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}))

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        if len(self.rows) == 1:
            self.initial = {name: getattr(self.rows[0], name) for name in self.fields}

    def clean(self) -> dict[str, Any]:
        """One point on Earth."""
        given = self.cleaned_data
        if len(given) < 2:
            return {}
        try:
            return {"point": Point(given["latitude"], given["longitude"])}
        except BadPoint as refusal:
            self.add_error(None, str(refusal))
            return {}
