"""Minutes from the present as moments of the present day: a day told in minutes fits into the one at hand."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from stores import schedules

BEGINS, ENDS = -540, 330
"""How far the day of `day.SCENES` reaches, in minutes from the present."""

SHORTEST = timedelta(hours=2)
"""Just after midnight, or just before, the day spills over into its neighbour: in a few minutes nothing believable fits."""

GRID = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Clock:
    """The present, and how many real seconds a minute of the story takes before it and after it."""

    now: datetime
    past: float
    future: float

    @classmethod
    def at(cls, now: datetime, tz: ZoneInfo) -> Self:
        """A clock whose day begins and ends with that of `tz`, as far as the story is longer than that."""
        start, end = schedules.day_bounds(now.astimezone(tz).date(), tz)
        before, after = max(now - start, SHORTEST), max(end - now, SHORTEST)
        return cls(now, min(60.0, before.total_seconds() / -BEGINS), min(60.0, after.total_seconds() / ENDS))

    def moment(self, minutes: float) -> datetime:
        """When something happens, to the second."""
        return self.now + timedelta(seconds=round(minutes * (self.past if minutes < 0 else self.future)))

    def promise(self, minutes: float) -> datetime:
        """When something is promised, in full five minutes."""
        moment = self.moment(minutes)
        return moment - (moment - datetime.min.replace(tzinfo=moment.tzinfo)) % GRID
