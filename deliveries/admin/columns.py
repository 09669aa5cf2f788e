"""How the desk writes times, lateness, money and links: the same on every list and page."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from deliveries.admin.desk import page_url
from deliveries.models import Task
from deliveries.statuses import COLORS, TaskStatus
from stores import money

RED = "text-red-600 dark:text-red-500 font-semibold whitespace-nowrap"
ALARMING = "text-red-600 dark:text-red-500 font-semibold"
AMBER = "text-orange-700 dark:text-orange-400 whitespace-nowrap"
SUBTLE = "text-font-subtle-light dark:text-font-subtle-dark"
QUIET = f"{SUBTLE} whitespace-nowrap"
LINK = "text-primary-600 dark:text-primary-500"
MINUTE = timedelta(minutes=1)
SOON = timedelta(minutes=30)
DAYS = {-1: "yesterday", 0: "", 1: "tomorrow"}


def clock(moment: datetime | None, zone: ZoneInfo, *, now: datetime) -> str:
    """ "14:05" today, "tomorrow 14:05", "Mon 23 Nov 14:05" otherwise, with the town of another zone; "" for none."""
    if moment is None:
        return ""
    return " ".join(part for part in (_hour(moment, zone, now=now), elsewhere(moment, zone)) if part)


def elsewhere(moment: datetime, zone: ZoneInfo) -> str:
    """The town whose clock is meant, when it shows another hour than the desk's own; "" otherwise."""
    here = ZoneInfo(settings.TIME_ZONE)
    if moment.astimezone(zone).utcoffset() == moment.astimezone(here).utcoffset():
        return ""
    return zone.key.rpartition("/")[2].replace("_", " ")


def _hour(moment: datetime, zone: ZoneInfo, *, now: datetime) -> str:
    local = moment.astimezone(zone)
    return " ".join(part for part in (_day(local, now.astimezone(zone)), f"{local:%H:%M}") if part)


def window(after: datetime, before: datetime, zone: ZoneInfo, *, now: datetime) -> str:
    """ "14:00–14:15" today, with the day in front when it is another."""
    until = before.astimezone(zone)
    end = f"{until:%H:%M}" if after.astimezone(zone).date() == until.date() else _hour(before, zone, now=now)
    return " ".join(part for part in (f"{_hour(after, zone, now=now)}–{end}", elsewhere(before, zone)) if part)


def _day(local: datetime, here: datetime) -> str:
    days = (local.date() - here.date()).days
    if days in DAYS:
        return DAYS[days]
    return f"{local:%a} {local.day} {local:%b}" + ("" if local.year == here.year else f" {local.year}")


def span(length: timedelta) -> str:
    """ "12 min", "2 h 05", "3 days"."""
    minutes = int(length / MINUTE)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02}"
    days = minutes // (24 * 60)
    return f"{days} day{'' if days == 1 else 's'}"


def ago(moment: datetime, *, now: datetime) -> str:
    """ "just now", "12 min ago"."""
    return "just now" if now - moment < MINUTE else f"{span(now - moment)} ago"


def lateness(due: datetime | None, ended: datetime | None, *, now: datetime) -> SafeString | str:
    """In red what is late now, in amber what will be soon, quietly what was late in the end; `due` is when it was to be over."""
    if due is None:
        return ""
    if ended is not None:
        return format_html('<span class="{}">was {} late</span>', QUIET, span(ended - due)) if ended - due >= MINUTE else ""
    if now - due >= MINUTE:
        return format_html('<span class="{}">late {}</span>', RED, span(now - due))
    if due - now <= SOON:
        return format_html('<span class="{}">due in {}</span>', AMBER, span(max(due - now, timedelta())))
    return ""


def flag(text: str, classes: str = RED) -> SafeString:
    """A word in colour."""
    return format_html('<span class="{}">{}</span>', classes, text)


def price(cents: int | None, currency: str) -> str:
    """As "8.90 EUR"; "" for none."""
    return "" if cents is None else money.format(cents, currency)


def link(row: Model | None, text: str = "") -> SafeString | str:
    """A row's name, leading to its page; "" for none."""
    return "" if row is None else to(reverse(page_url(row), args=[row.pk]), text or str(row))


def to(url: str, text: str, classes: str = LINK) -> SafeString:
    """Words that lead to another page of the desk."""
    return format_html('<a class="{}" href="{}">{}</a>', classes, url, text)


def outside(url: str, text: str = "") -> SafeString | str:
    """A link that leaves the desk; "" for none, and bare text for what is no web address."""
    if not url.startswith(("http://", "https://")):
        return url
    markup = '<a class="{}" style="overflow-wrap: anywhere" href="{}" target="_blank" rel="noopener noreferrer">{}</a>'
    return format_html(markup, LINK, url, text or url)


def on_map(latitude: float, longitude: float, text: str = "") -> SafeString | str:
    """A point, leading to a map of it."""
    point = f"{latitude:.5f}, {longitude:.5f}"
    return outside(f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=17/{latitude}/{longitude}", text or point)


def lines(*parts: Any) -> SafeString:
    """Things below each other, the first one louder, the empty left out."""
    return _stacked([part for part in parts if part], "")


def unbroken(*parts: Any) -> SafeString:
    """Like `lines`, for what is short and should not be broken."""
    return _stacked([part for part in parts if part], "whitespace-nowrap")


def badge(text: str, color: str) -> SafeString:
    """A status in its colour, as lists show it."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": color})


def _stacked(parts: Sequence[Any], classes: str) -> SafeString:
    # In one box: cells are rows of boxes on a narrow screen, where loose lines would stand side by side.
    rows = ((classes, SUBTLE if number else "", part) for number, part in enumerate(parts))
    stacked = format_html_join("", '<span class="block {} {}">{}</span>', rows)
    return format_html('<span class="desk-stack">{}</span>', stacked) if parts else stacked


def minutes(seconds: int) -> str:
    """A length of time given in seconds, as "12 min"."""
    return span(timedelta(seconds=seconds))


def swatch(color: str) -> SafeString:
    """A colour, shown; it was checked to be one when it was kept."""
    return format_html(
        '<span class="inline-block rounded-full" style="width:14px;height:14px;background:{}" title="{}"></span>', color, color
    )


def stop(task: Task, zone: ZoneInfo, *, now: datetime) -> dict[str, Any]:
    """One stop as the pages of its delivery and of its courier's list show it."""
    address = task.address
    return {
        "task": task,
        "name": link(task, f"{task.get_type_display()} #{task.pk}"),
        "color": COLORS[task.status],
        "window": window(task.after, task.before, zone, now=now),
        "lateness": "" if task.status == TaskStatus.CANCELLED else lateness(task.before, task.finished_at, now=now),
        "who": address.contact_name or address.name or address.company,
        "street": address.street_address,
        "phone": address.telephone,
        "review": address.needs_review,
        "courier": task.courier,
    }
