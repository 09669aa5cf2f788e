"""Times and statuses in the words of people who wait for something, or bring it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from deliveries.reasons import FailureReason
from deliveries.statuses import OVER, TO_DROPOFF, TO_PICKUP, DeliveryStatus, TaskType

MINUTES_PER_HOUR = 60
HOURS_UNTIL_DAYS = 48

HEADLINES = {
    DeliveryStatus.PENDING: (gettext_lazy("Your delivery is booked"), gettext_lazy("A courier will collect it in time.")),
    DeliveryStatus.PICKUP_ENROUTE: (gettext_lazy("A courier is on the way to collect it"), gettext_lazy("Then it comes to you.")),
    DeliveryStatus.PICKUP_APPROACHING: (gettext_lazy("The courier is about to collect it"), gettext_lazy("Then it comes to you.")),
    DeliveryStatus.PICKUP_WAITING: (gettext_lazy("The courier is there to collect it"), gettext_lazy("It leaves in a moment.")),
    DeliveryStatus.DROPOFF_ENROUTE: (gettext_lazy("It is on its way to you"), gettext_lazy("The courier has it.")),
    DeliveryStatus.DROPOFF_APPROACHING: (gettext_lazy("It is nearly with you"), gettext_lazy("The courier is around the corner.")),
    DeliveryStatus.DROPOFF_WAITING: (gettext_lazy("The courier is at your door"), gettext_lazy("Please open the door.")),
    DeliveryStatus.DELIVERED: (gettext_lazy("It has been delivered"), gettext_lazy("Thank you for your patience.")),
    DeliveryStatus.CANCELLED: (gettext_lazy("This delivery was cancelled"), gettext_lazy("Nothing more will come.")),
}
"""For each status, what a recipient reads first, and the sentence under it."""

AGAIN = (gettext_lazy("There will be another attempt"), gettext_lazy("It comes to you at the time below."))
UNCOLLECTED = (
    gettext_lazy("It could not be collected yet"),
    gettext_lazy("We are sorry. The dispatch desk is looking into it, and what happens next will stand here."),
)
UNDELIVERED = (gettext_lazy("We are sorry: it could not be delivered"), gettext_lazy("We tried, and it did not work out."))

MOMENT_WORDS = {
    "created_at": gettext_lazy("Booked"),
    "assigned_at": gettext_lazy("A courier set out to collect it"),
    "pickup_at": gettext_lazy("Collected"),
    "delivered_at": gettext_lazy("Delivered"),
    "cancelled_at": gettext_lazy("Cancelled"),
}
"""What a moment of a delivery is called in its history."""

STEPS = (gettext_lazy("Booked"), gettext_lazy("Collecting"), gettext_lazy("On its way"), gettext_lazy("Delivered"))


@dataclass(frozen=True, slots=True)
class ProgressStep:
    """One step of the way: `state` is "done", "current" or "next"."""

    words: str
    state: str


def progress(status: DeliveryStatus) -> list[ProgressStep]:
    """The four steps of a delivery; empty for a cancelled one, which is on no way any more."""
    if status == DeliveryStatus.CANCELLED:
        return []
    reached = 1 if status in TO_PICKUP else 2 if status in TO_DROPOFF else 3 if status in OVER else 0
    states = ["done" if index < reached else "current" if index == reached else "next" for index in range(len(STEPS))]
    return [ProgressStep(str(words), state) for words, state in zip(STEPS, states, strict=True)]


def attempt(type_: str, reason: str) -> str:
    """What a recipient is told of a failed stop; reasons that are the house's own business stay there."""
    if type_ == TaskType.PICKUP:
        return _("It could not be collected")
    if reason == FailureReason.NOT_AT_HOME:
        return _("The courier found nobody at the door")
    if reason == FailureReason.REFUSED:
        return _("It was not accepted at the door")
    return _("It could not be handed over")


def day_name(day: date, *, today: date) -> str:
    """ "today", "tomorrow", "yesterday", or the date, with its year when that is another."""
    near = {0: _("today"), 1: _("tomorrow"), -1: _("yesterday")}
    if (days := (day - today).days) in near:
        return near[days]
    if day.day == 1:
        pattern = pgettext("first of a month", "l j F") if day.year == today.year else pgettext("first of a month", "j F Y")
    else:
        pattern = "l j F" if day.year == today.year else "j F Y"
    return formats.date_format(day, pattern)


def clock(moment: datetime, *, zone: ZoneInfo) -> str:
    """ "14:05"; languages that write the full hour shorter do."""
    local = moment.astimezone(zone)
    return formats.date_format(local, pgettext("clock", "H:i") if local.minute else pgettext("clock at the full hour", "H:i"))


def moment_words(moment: datetime, *, zone: ZoneInfo, at: datetime) -> str:
    """ "Today, 14:05"."""
    day = day_name(moment.astimezone(zone).date(), today=at.astimezone(zone).date())
    return pgettext("moment", "%(day)s, %(time)s") % {"day": capfirst(day), "time": clock(moment, zone=zone)}


def clocks(after: datetime, before: datetime, *, zone: ZoneInfo) -> str:
    """ "14:00 – 14:30", never broken over two lines: a dash would allow it."""
    words = pgettext("window", "%(after)s – %(before)s") % {"after": clock(after, zone=zone), "before": clock(before, zone=zone)}
    return words.replace(" ", "\N{NO-BREAK SPACE}").replace("–", "–\N{WORD JOINER}")


def window_words(after: datetime, before: datetime, *, zone: ZoneInfo, at: datetime) -> str:
    """ "Today, 14:00 – 14:30"; a window over midnight names both days."""
    if after.astimezone(zone).date() != before.astimezone(zone).date():
        return f"{moment_words(after, zone=zone, at=at)} – {moment_words(before, zone=zone, at=at)}"
    day = day_name(after.astimezone(zone).date(), today=at.astimezone(zone).date())
    return pgettext("window", "%(day)s, %(time)s") % {"day": capfirst(day), "time": clocks(after, before, zone=zone)}


def span_words(span: timedelta) -> str:
    """ "12 min", "3 h", "2 days"; "1 min" for less than one."""
    minutes = max(1, int(span.total_seconds() // 60))
    hours = minutes // MINUTES_PER_HOUR
    if not hours:
        return _("%(count)d min") % {"count": minutes}
    if hours < HOURS_UNTIL_DAYS:
        return _("%(count)d h") % {"count": hours}
    return ngettext("%(count)d day", "%(count)d days", hours // 24) % {"count": hours // 24}
