"""The courier's day on a phone: what comes next, and three buttons to say how it went."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import wraps
from types import SimpleNamespace
from typing import Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from deliveries import loads, queries, transitions
from deliveries.models import Courier, Task
from deliveries.pages import addresses, wording
from deliveries.reasons import FailureReason
from deliveries.statuses import OPEN, TaskStatus, TaskType
from stores import credentials
from stores.actors import Actor
from stores.models import User
from stores.refusals import Refused

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
CourierView = Callable[Concatenate[HttpRequest, Courier, P], HttpResponseBase]

LONGEST_NOTE = 2000
TOMORROW = "tomorrow"
AT_THE_DOOR = (
    FailureReason.NOT_AT_HOME,
    FailureReason.WRONG_ADDR,
    FailureReason.ADDRESS_UNREACHABLE,
    FailureReason.REFUSED,
    FailureReason.CLOSED_STORE,
    FailureReason.DAMAGED,
)
REASONS = [
    (gettext_lazy("Most often"), [(reason.value, reason.label) for reason in AT_THE_DOOR]),
    (gettext_lazy("Others"), [(reason.value, reason.label) for reason in FailureReason if reason not in AT_THE_DOOR]),
]


class DoneForm(forms.Form):
    """What a courier may say when a task is done."""

    notes = forms.CharField(required=False, max_length=LONGEST_NOTE)
    contact_name = forms.CharField(required=False, max_length=255)


class FailForm(forms.Form):
    """What a courier says when a task failed."""

    reason = forms.ChoiceField(
        choices=REASONS, error_messages={"required": gettext_lazy("Choose a reason."), "invalid_choice": gettext_lazy("Choose a reason.")}
    )
    notes = forms.CharField(required=False, max_length=LONGEST_NOTE)


@dataclass(frozen=True, slots=True)
class Card:
    """One task as a courier reads it."""

    task: Task
    window: str
    late_by: str
    load: str
    name: str
    contact: str
    lines: list[str]
    map_url: str
    next: bool
    held: bool

    @property
    def is_open(self) -> bool:
        return self.task.status in OPEN

    @property
    def is_pickup(self) -> bool:
        return self.task.type == TaskType.PICKUP

    @property
    def has_facts(self) -> bool:
        address = self.task.address
        return bool(address.description or address.access_code or self.task.comments or self.load)


@dataclass(kw_only=True)
class Day:
    """A courier's day: what comes now and why, what is left of earlier days, late, to do then, held up, and finished."""

    date: date
    title: str
    is_tomorrow: bool
    now: Card | None = None
    why: str = ""
    overdue: list[Card] = field(default_factory=list)
    late: list[Card] = field(default_factory=list)
    todo: list[Card] = field(default_factory=list)
    held: list[Card] = field(default_factory=list)
    finished: list[Card] = field(default_factory=list)

    @property
    def total(self) -> int:
        return bool(self.now) + sum(map(len, (self.overdue, self.late, self.todo, self.held, self.finished)))


class CourierLogin(LoginView):
    """The way in, made for a phone."""

    template_name = "pages/courier_login.html"

    def get_default_redirect_url(self) -> str:
        """Straight to the day's tasks."""
        return reverse("courier")


def for_couriers(view: CourierView[P]) -> View[P]:
    """Send strangers to the log-in page, and tell those who are no couriers where they are."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return redirect("courier_login")
        courier = Courier.objects.select_related("user").filter(user=request.user).first()
        if courier is None:
            return render(request, "pages/courier_only.html", status=403)
        return view(request, courier, *args, **kwargs)

    return never_cache(guarded)


@require_safe
@for_couriers
def day(request: HttpRequest, courier: Courier) -> HttpResponse:
    """Today's tasks in their order, or tomorrow's; open ones of earlier days come before today's."""
    at = timezone.now()
    today = at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    tomorrow = request.GET.get("day") == TOMORROW
    shown = today + timedelta(days=1) if tomorrow else today
    left = [] if tomorrow else queries.left_open(courier, before=today)
    _listed, tasks = queries.day_list(courier, shown)
    page = plan(left, tasks, shown, at=at)
    return render(request, "pages/courier.html", {"courier": courier, "day": page, "reasons": REASONS})


@require_POST
@for_couriers
def start(request: HttpRequest, courier: Courier, pk: int) -> HttpResponse:
    """The courier sets out."""

    def move(task: Task, by: Actor, at: datetime) -> str:
        started = transitions.start(task, by=by, at=at)
        if started.status == TaskStatus.DOING:
            return _("Task #%(pk)d is under way.") % {"pk": pk}
        return _("Task #%(pk)d needs no start any more.") % {"pk": pk}

    return _answer(request, courier, pk, move)


@require_POST
@for_couriers
def done(request: HttpRequest, courier: Courier, pk: int) -> HttpResponse:
    """It went well; a note, and who received it, may be given."""
    form = DoneForm(request.POST)

    def move(task: Task, by: Actor, at: datetime) -> str:
        transitions.complete(task, by=by, at=at, **form.cleaned_data)
        return _("Task #%(pk)d is done.") % {"pk": pk}

    return _answer(request, courier, pk, move, form)


@require_POST
@for_couriers
def failed(request: HttpRequest, courier: Courier, pk: int) -> HttpResponse:
    """It did not work out, for a reason."""
    form = FailForm(request.POST)

    def move(task: Task, by: Actor, at: datetime) -> str:
        transitions.fail(task, by=by, at=at, **form.cleaned_data)
        return _("Task #%(pk)d is marked as failed. The desk can see why.") % {"pk": pk}

    return _answer(request, courier, pk, move, form)


def _answer(
    request: HttpRequest, courier: Courier, pk: int, move: Callable[[Task, Actor, datetime], str], form: forms.Form | None = None
) -> HttpResponse:
    """Move a task of the courier's own, say what came of it, and go back to the list."""
    task = get_object_or_404(Task, pk=pk, courier=courier)
    if form is not None and not form.is_valid():
        for problem in form.errors.values():
            messages.warning(request, f"Task #{pk}: {' '.join(str(word) for word in problem)}")
    else:
        try:
            messages.success(request, move(task, credentials.user_actor(courier.user), timezone.now()))
        except Refused as refusal:
            messages.warning(request, str(refusal))
    query = f"?day={TOMORROW}" if request.POST.get("day") == TOMORROW else ""
    return redirect(f"{reverse('courier')}{query}")


def plan(left: Sequence[Task], tasks: Sequence[Task], shown: date, *, at: datetime) -> Day:
    """The day as the page shows it; the next task is one under way, else the first: earlier days, then late, then the rest."""
    today = at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    still_open = [*left, *in_time([task for task in tasks if task.status in OPEN])]
    held = [task for task in still_open if is_held(task)]
    ready = [task for task in still_open if task not in held]
    overdue = [task for task in ready if task in left]
    late = [task for task in ready if task not in overdue and task.before < at]
    todo = [task for task in ready if task not in overdue and task not in late]
    queue = [*overdue, *late, *todo] if shown == today else []
    first = next((task for task in queue if task.status == TaskStatus.DOING), queue[0] if queue else None)
    return Day(
        date=shown,
        title=capfirst(wording.day_name(shown, today=today)),
        is_tomorrow=shown != today,
        now=_card(first, shown, at=at, comes_next=True) if first else None,
        why=_why(first, overdue, late),
        overdue=[_card(task, shown, at=at) for task in overdue if task is not first],
        late=[_card(task, shown, at=at) for task in late if task is not first],
        todo=[_card(task, shown, at=at) for task in todo if task is not first],
        held=[_card(task, shown, at=at, held=True) for task in held],
        finished=[_card(task, shown, at=at) for task in tasks if task.status not in OPEN],
    )


def in_time(tasks: Sequence[Task]) -> list[Task]:
    """Tasks as the desk listed them, unless a window is over before an earlier one on the list begins: then by their windows."""
    contradicts = any(later.before <= earlier.after for index, earlier in enumerate(tasks) for later in tasks[index + 1 :])
    return sorted(tasks, key=lambda task: (task.before, task.type != TaskType.PICKUP)) if contradicts else list(tasks)


def is_held(task: Task) -> bool:
    """Whether there is nothing to drop off, because every pickup of the delivery failed: the desk says what becomes of it."""
    pickups = {row["status"] for row in task.load_rows if row["type"] == TaskType.PICKUP} - {TaskStatus.CANCELLED}
    return task.type == TaskType.DROPOFF and pickups == {TaskStatus.FAILED}


def _why(first: Task | None, overdue: list[Task], late: list[Task]) -> str:
    """Why a task comes before all others, where the clock alone does not tell."""
    if first is None or first.status == TaskStatus.DOING:
        return ""
    if first in overdue:
        return _("It is left from an earlier day, so it comes first.")
    return _("It is late, so it comes first.") if first in late else ""


def _card(task: Task, shown: date, *, at: datetime, comes_next: bool = False, held: bool = False) -> Card:
    address = task.address
    others: list[Any] = [SimpleNamespace(**row) for row in task.load_rows] or [task]
    zone = ZoneInfo(settings.TIME_ZONE)
    same_day = task.after.astimezone(zone).date() == task.before.astimezone(zone).date() == shown
    load = loads.summary(loads.shown(task, others))
    name = address.company or address.name or (task.store.name if task.type == TaskType.PICKUP else address.contact_name)
    return Card(
        task=task,
        window=wording.clocks(task.after, task.before, zone=zone)
        if same_day
        else wording.window_words(task.after, task.before, zone=zone, at=at),
        late_by=wording.span_words(at - task.before) if task.status in OPEN and task.before < at else "",
        load="" if load in task.comments else load,
        name=name,
        contact=address.contact_name if address.contact_name != name else "",
        lines=addresses.lines(address),
        map_url=f"https://www.openstreetmap.org/directions?to={address.latitude:.6f}%2C{address.longitude:.6f}",
        next=comes_next,
        held=held,
    )
