"""Calls at the desk: what each subscriber is owed or was sent, every attempt at it, and the way to send it again."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Count, DateTimeField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import CheckboxFilter, DropdownFilter
from unfold.decorators import display

from deliveries.admin import columns, facets, searching
from deliveries.admin.acts import Act, ActingAdmin
from deliveries.admin.desk import actor_of, moment_of
from deliveries.admin.plainly import title
from deliveries.admin.watching import CLIENTS_SECRET, PROGRESS, RETRY, SECRET, TO_READ, answer, names, only_on
from deliveries.models import UNSETTLED, Attempt, Call, CallState, Event, Subscription
from deliveries.outbox import sending
from stores.actors import Actor

COLORS: dict[str, str] = {name: color for name, (_, color) in PROGRESS.items()}
NEWEST = 20
LATEST = 50
"""Attempts shown of a call; a few runs of the timetable."""


class SubscriptionFacet(facets.RowFacet):
    """The subscriptions that whoever asks may see."""

    title = "subscription"
    parameter_name = "subscription"

    def lookups(self, request: HttpRequest, model_admin: Any) -> facets.Choices:
        rows = (
            Subscription.objects.visible_to(actor_of(request))
            .select_related("client")
            .defer(*CLIENTS_SECRET)
            .order_by("client__name", "id")
        )
        return [(str(row.pk), f"{row} · {names(row)}") for row in rows.order_by("client__name", "id")]


class ProgressFacet(CheckboxFilter):
    """How far calls have come, in the words of the list."""

    title = "state"
    parameter_name = "progress"

    def lookups(self, request: HttpRequest, model_admin: Any) -> facets.Choices:
        return [(name, words) for name, (words, _) in PROGRESS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known, wanted = progress(moment_of(request)), Q()
        for name in self.value() or ():
            if name not in known:
                raise IncorrectLookupParameters(f"No call is “{name}”.")
            wanted |= known[name]
        return queryset.filter(wanted)


class NameFacet(DropdownFilter):
    """The events that anybody subscribed to."""

    title = "event"
    parameter_name = "name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> facets.Choices:
        asked = Subscription.objects.visible_to(actor_of(request)).order_by().values_list("names", flat=True)
        return [(name, name) for name in sorted({name for names in asked for name in names})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.value()
        return queryset.filter(name=name) if name else queryset


def tried(rows: QuerySet[Any], now: datetime) -> Any:
    """Calls as lists show them, in one query, without their bodies and what is secret, with the moment they are looked at."""
    attempts = Attempt.objects.filter(call=OuterRef("pk"))
    told = JSONObject(status="status", error="error")
    return (
        rows.select_related("subscription__client", "subscription__connection", "subscription__key", "event")
        .defer("body", "event__data", *(f"subscription__{name}" for name in SECRET))
        .annotate(
            looked_at=Value(now, output_field=DateTimeField()),
            attempted=Subquery(attempts.order_by().values("call").annotate(count=Count("pk")).values("count")),
            last_answer=Subquery(attempts.order_by("-pk").annotate(json=told).values("json")[:1]),
        )
    )


def subject(event: Event | None) -> SafeString | str:
    """What a call is about, leading to its page."""
    if event is None:
        return "a test"
    for kind, table, pk in (
        ("Delivery", "deliveries_delivery", event.delivery_id),
        ("Order", "stores_order", event.order_id),
        ("Task", "deliveries_task", event.task_id),
    ):
        if pk is not None:
            return columns.to(reverse(f"admin:{table}_change", args=[pk]), f"{kind} #{pk}")
    return "–"


def next_attempt(call: Any) -> str:
    """When it is tried again, or what it waits for; "–" once it is settled. Of a row of `tried`, as the next."""
    if call.state not in UNSETTLED:
        return "–"
    if call.subscription.is_passive:
        return "when it is asked for"
    if call.subscription.disabled_at is not None:
        return "when it is switched on"
    if call.state == CallState.WAITING:
        return "after those before it"
    if call.due_at is None or call.due_at <= call.looked_at:
        return "now"
    return columns.clock(call.due_at, ZoneInfo(settings.TIME_ZONE), now=call.looked_at)


def answers(call: Any) -> SafeString | str:
    """How often it was tried, and what was said last."""
    if not call.attempted:
        return "–"
    return columns.lines(
        answer(call.last_answer["status"], call.last_answer["error"]),
        ngettext("%(count)d attempt", "%(count)d attempts", call.attempted) % {"count": call.attempted},
    )


def progress(now: datetime) -> dict[str, Q]:
    """What holds for the calls of each of `PROGRESS`; every call is in one of them, which `state` tells of a loaded one."""
    sent, later = ~Q(subscription__url=""), Q(state=CallState.QUEUED, due_at__gt=now)
    return {
        CallState.WAITING: sent & (Q(state=CallState.WAITING) | (later & Q(tries=0))),
        TO_READ: Q(subscription__url="", state__in=UNSETTLED),
        CallState.QUEUED: sent & Q(state=CallState.QUEUED) & (Q(due_at=None) | Q(due_at__lte=now)),
        RETRY: sent & later & Q(tries__gt=0),
        CallState.ACKNOWLEDGED: Q(state=CallState.ACKNOWLEDGED),
        CallState.FAILED: Q(state=CallState.FAILED),
    }


def state(call: Any) -> tuple[str, str]:
    """How far it has come, and that in words: what waits for another attempt is not on its way."""
    known: str = call.state
    if call.state in UNSETTLED and call.subscription.is_passive:
        known = TO_READ
    elif call.state == CallState.QUEUED and call.due_at is not None and call.due_at > call.looked_at:
        known = RETRY if call.tries else CallState.WAITING
    return known, PROGRESS[known][0]


def badge(call: Any) -> SafeString:
    """How far it has come, in its colour."""
    known, words = state(call)
    return columns.badge(words, COLORS[known])


def newest(subscription: Subscription, *, now: datetime) -> list[dict[str, Any]]:
    """The newest calls of a subscription, as its page lists them; one query."""
    rows = tried(Call.objects.filter(subscription=subscription), now).order_by("-id")[:NEWEST]
    return [
        {
            "row": columns.link(call, call.name),
            "about": subject(call.event),
            "badge": badge(call),
            "answers": answers(call),
            "next": next_attempt(call),
            "age": columns.ago(call.created_at, now=now),
        }
        for call in rows
    ]


def pretty(body: str) -> str:
    """JSON as people read it; as it stands when it is none."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def duration(ms: int) -> str:
    """As "85 ms" or "20.0 s"."""
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def resend(call: Any, *, by: Actor, at: datetime) -> None:
    """Send it once more, whatever became of it."""
    only_on(call.subscription)
    sending.resend(call, by=by, at=at)


@admin.register(Call)
class CallAdmin(ActingAdmin):
    """The newest calls first; the outbox makes, sends and settles them."""

    by_hand = False
    acts = (
        Act(
            name="resend",
            label="Resend",
            icon="replay",
            call=resend,
            for_stores=True,
            fits=lambda call: call.state not in UNSETTLED,
            done=lambda count: ngettext("1 call is sent again.", "%(count)d calls are sent again.", count) % {"count": count},
        ),
    )
    change_form_template = "admin/deliveries/call/change_form.html"
    list_display = ("what", "about", "to", "shown_state", "answers", "next_attempt", "age")
    list_filter = (ProgressFacet, SubscriptionFacet, NameFacet)
    search_fields = ("=message_id", "=event__delivery__id", "=event__request_id")
    search_help_text = "Message id, number of a delivery, request id"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("badge", "next_attempt"),
                    ("what", "about"),
                    ("to_link", "shown_message_id"),
                    ("created", "settled"),
                    ("happened", "request_id"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Calls with how often they were tried, and whether whoever asks may see the subscription as well."""
        seen = Subscription.objects.visible_to(actor_of(request)).filter(pk=OuterRef("subscription")).order_by()
        return tried(super().get_queryset(request), moment_of(request)).annotate(subscription_seen=Exists(seen))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Ids are copied, not remembered: a single word is looked for as it stands, which is cheap in what may be a large table."""
        words = search_term.replace("\0", " ").split()
        if len(words) != 1 or words[0].startswith("#"):
            return super().get_search_results(request, queryset, search_term)
        word = words[0]
        exactly = Q(message_id=word) | Q(event__request_id=word)
        if word.isdecimal() and len(word) <= searching.MOST_DIGITS:
            exactly |= Q(event__delivery_id=int(word))
        return queryset.filter(exactly), False

    def get_ordering(self, request: HttpRequest) -> Any:
        """The newest first."""
        return ["-id"]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The page of a call, with what it says and every attempt at it."""
        context = dict(extra_context or {})
        call = None if object_id is None else self.get_object(request, object_id)
        if call is not None:
            zone = ZoneInfo(settings.TIME_ZONE)
            context["body"] = pretty(call.body)
            context["attempts"] = [
                {
                    "when": f"{columns.clock(attempt.started_at, zone, now=call.looked_at)}:{attempt.started_at:%S}",
                    "answer": answer(attempt.status, attempt.error),
                    "duration": duration(attempt.duration_ms),
                    "excerpt": attempt.excerpt,
                }
                for attempt in call.attempts.order_by("-id")[:LATEST]
            ]
        return super().changeform_view(request, object_id, form_url, context)

    def describe(self, row: Any) -> str:
        """Event, receiver, state."""
        return f"{row} · {state(row)[1]}"

    @display(description="Event", ordering="name")
    def what(self, call: Any) -> str:
        return str(call.name)

    @display(description="About")
    def about(self, call: Any) -> SafeString | str:
        return subject(call.event)

    @display(description="To")
    def to(self, call: Any) -> SafeString:
        return columns.lines(call.subscription.client, call.subscription.host or "read by polling")

    @display(description="To")
    def to_link(self, call: Any) -> SafeString | str:
        told = title(call.subscription)
        return columns.link(call.subscription, told) if call.subscription_seen else told

    @display(description="State", label=COLORS, ordering="state")
    def shown_state(self, call: Any) -> tuple[str, str]:
        return state(call)

    @display(description="State")
    def badge(self, call: Any) -> SafeString:
        return badge(call)

    @display(description="Answer")
    def answers(self, call: Any) -> SafeString | str:
        return answers(call)

    @display(description="Next attempt", ordering="due_at")
    def next_attempt(self, call: Any) -> str:
        return next_attempt(call)

    @display(description="Age", ordering="created_at")
    def age(self, call: Any) -> str:
        return columns.ago(call.created_at, now=call.looked_at)

    @display(description="Message id")
    def shown_message_id(self, call: Any) -> str:
        return str(call.message_id)

    @display(description="Owed since")
    def created(self, call: Any) -> str:
        return columns.clock(call.created_at, ZoneInfo(settings.TIME_ZONE), now=call.looked_at)

    @display(description="Settled")
    def settled(self, call: Any) -> str:
        return columns.clock(call.settled_at, ZoneInfo(settings.TIME_ZONE), now=call.looked_at) or "–"

    @display(description="What happened")
    def happened(self, call: Any) -> SafeString | str:
        return "a test" if call.event is None else f"{call.event.kind}, {call.event.actor_name}"

    @display(description="Request id")
    def request_id(self, call: Any) -> str:
        return (call.event.request_id if call.event else "") or "–"
