"""Subscriptions at the desk: who is told of what, where, whether it arrives, and what to do when it does not."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Q, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RadioFilter
from unfold.decorators import display

from deliveries.admin import calls, columns, facets, shown_once, watching
from deliveries.admin.acts import Act, ActingAdmin
from deliveries.admin.desk import actor_of, may, moment_of, page_url
from deliveries.admin.plainly import situation, title
from deliveries.admin.shown_once import OnceForm
from deliveries.admin.watching import ON, STATES, calls_of, is_on, names, only_on, reach, watched
from deliveries.models import CallState, Subscription
from deliveries.outbox import queue, sending, subscriptions
from stores.actors import Actor
from stores.refusals import Refused


class StateFacet(RadioFilter):
    """On, failing, off, and why."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> facets.Choices:
        return [(name, label) for name, (label, _) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        _, condition = STATES.get(self.value() or "", ("", Q()))
        return queryset.filter(condition)


class ReachedStoreFacet(facets.StoreFacet):
    """The stores that subscriptions reach, be it through their account."""

    def of_row(self, queryset: QuerySet[Any], pk: int) -> QuerySet[Any]:
        """The subscriptions that reach a store."""
        return queryset.filter(pk__in=Subscription.objects.of_store(pk).order_by().values("pk"))


def of_client(request: HttpRequest, client: Any) -> list[dict[str, Any]]:
    """The subscriptions of a client, as its page lists them; one query."""
    rows = watched(client.subscriptions.all(), moment_of(request)).order_by("pk")
    return [
        {
            "row": columns.link(row, row.host or "read by polling"),
            "names": names(row),
            "reach": reach(row),
            "state": watching.shown_state(row),
        }
        for row in rows
    ]


def send_test(subscription: Subscription, *, by: Actor, at: datetime) -> None:
    """Have a worker send an event that did not happen."""
    only_on(subscription)
    queue.test(subscription.pk)


def switch_on(subscription: Any, *, by: Actor, at: datetime) -> None:
    """Send again; what waits goes first."""
    if subscription.revoked_at is not None:
        raise Refused(f"Its {'key' if subscription.connection is None else 'token'} was revoked.")
    subscriptions.enable(subscription, by=by, at=at)


def resend_failed(subscription: Subscription, *, by: Actor, at: datetime) -> int:
    """Send once more what was given up; returns how many calls."""
    only_on(subscription)
    return sending.resend_failed(subscription, by=by, at=at)


def _done(singular: str, plural: str) -> Any:
    return lambda count: ngettext(singular, plural, count) % {"count": count}


ACTS = (
    Act(
        name="test",
        label="Send a test event",
        icon="science",
        call=send_test,
        fits=is_on,
        for_stores=True,
        done=_done("A test event is on its way: reload to see the answer.", "%(count)d test events are on their way."),
    ),
    Act(
        name="resend",
        label="Resend everything given up",
        icon="replay",
        call=resend_failed,
        fits=lambda subscription: is_on(subscription) and bool(subscription.lost),
        reached=bool,
        for_stores=True,
        done=_done("All that was given up is sent again.", "All that was given up to %(count)d subscriptions is sent again."),
    ),
    Act(
        name="enable",
        label="Switch on",
        icon="play_arrow",
        call=switch_on,
        fits=lambda subscription: subscription.disabled_at is not None,
        for_stores=True,
        done=_done("1 subscription is on.", "%(count)d subscriptions are on."),
        done_to=lambda row: f"{title(row)} is on again. Send a test event to see whether it answers.",
    ),
    Act(
        name="disable",
        label="Switch off",
        icon="block",
        call=subscriptions.disable,
        grave=True,
        quiet=True,
        follows=(
            "Nothing is sent there any more. What is owed by now waits. What happens from now on is not sent to a webhook, even once "
            "it is switched on again; a till's callback gets it then. Deliveries go on."
        ),
        fits=is_on,
        for_stores=True,
        done=_done("1 subscription is off.", "%(count)d subscriptions are off."),
        done_to=lambda row: f"{title(row)} is off: nothing is sent there until it is switched on again.",
    ),
)
ROTATING = (
    "The receiver gets another secret, which is shown here once. For a day every call is signed with both, so that there is "
    "time to put the new one in place; X-CoopCycle-Signature, which holds one signature, is made with the new one at once."
)


@admin.register(Subscription)
class SubscriptionAdmin(ActingAdmin):
    """Whom we tell of what; clients make and end subscriptions themselves, by their API."""

    by_hand = False
    acts = ACTS
    change_form_template = "admin/deliveries/subscription/change_form.html"
    list_display = ("who", "reaches", "told", "shown_state", "shown_owed", "given_up", "last_answer")
    list_filter = (StateFacet, ("client__dialect", ChoicesCheckboxFilter), ReachedStoreFacet)
    search_fields = ("client__name", "url", "store__name", "account__name")
    search_help_text = "Client, store, account, or address"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("shown_state", "last_answer"),
                    ("shown_owed", "given_up"),
                    ("client_link", "reaches"),
                    ("all_names", "address"),
                    ("created", "secret_note"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Subscriptions with what they are owed and what became of it, and whether whoever asks may see the client as well."""
        client_seen = Value(may(request, "view", "stores.apiclient"))
        return watched(super().get_queryset(request), moment_of(request)).annotate(client_seen=client_seen)

    def get_ordering(self, request: HttpRequest) -> Any:
        """What needs somebody first."""
        trouble = Case(When(STATES["failing"][1], then=0), When(STATES["given_up"][1], then=1), When(ON, then=2), default=3)
        return [trouble, "client__name", "id"]

    def get_urls(self) -> list[URLPattern]:
        """The page that makes a secret, before Django's own."""
        route = path("<path:object_id>/secret/", self.admin_site.admin_view(self.secret_view), name="deliveries_subscription_secret")
        return [route, *super().get_urls()]

    def secret_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Give a webhook another secret; a callback signs with its client's, and has none."""
        row = self.get_object(request, object_id)
        if row is None or row.connection_id is not None:
            raise Http404(f"There is no webhook {object_id}.")
        if not actor_of(request).is_admin:
            raise PermissionDenied
        form, back = OnceForm(request.POST if request.method == "POST" else None), reverse(page_url(row), args=[row.pk])
        if form.is_bound and form.is_valid() and form.use_up(request):
            secret = subscriptions.rotate(row, by=actor_of(request), at=moment_of(request))
            return shown_once.show(self, request, [("Secret", secret)], title=title(row), back=back)
        return shown_once.ask(self, request, form, title="New secret", intro=f"{title(row)}. {ROTATING}", back=back)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The page of a subscription, with its newest calls."""
        context = dict(extra_context or {})
        row = None if object_id is None else self.get_object(request, object_id)
        if row is not None:
            context |= {"situation": situation(row), "calls": calls.newest(row, now=moment_of(request)), "all_calls": calls_of(row)}
            if row.connection_id is None and actor_of(request).is_admin:
                context["issue"] = {"label": "New secret", "url": reverse("admin:deliveries_subscription_secret", args=[row.pk])}
        return super().changeform_view(request, object_id, form_url, context)

    def title_of(self, row: Any) -> str:
        """Client, address, events."""
        return title(row)

    def describe(self, row: Any) -> str:
        """Client, address, events, store."""
        return f"{title(row)} · {reach(row)}"

    @display(description="Client", ordering="client__name")
    def who(self, row: Any) -> SafeString:
        return columns.lines(row.client, row.client.get_dialect_display())

    @display(description="Client")
    def client_link(self, row: Any) -> SafeString:
        return columns.lines(columns.link(row.client) if row.client_seen else row.client, row.client.get_dialect_display())

    @display(description="Store")
    def reaches(self, row: Any) -> str:
        return reach(row)

    @display(description="Events", ordering="url")
    def told(self, row: Any) -> SafeString:
        return columns.lines(names(row), row.host or "read by polling")

    @display(description="Events")
    def all_names(self, row: Any) -> SafeString:
        positions = "a driver's position alone counts" if row.follows_positions else ""
        return columns.lines(", ".join(row.names), positions)

    @display(description="Where to")
    def address(self, row: Any) -> str:
        """The address without its query, which may hold what only the receiver should know."""
        parts = urlsplit(row.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}" if row.url else "read by polling"

    @display(description="State")
    def shown_state(self, row: Any) -> SafeString:
        return watching.shown_state(row)

    @display(description="Owed")
    def shown_owed(self, row: Any) -> SafeString | str:
        return watching.shown_owed(row)

    @display(description="Given up")
    def given_up(self, row: Any) -> SafeString | str:
        if not row.lost:
            return "–"
        last = columns.ago(datetime.fromisoformat(row.lost["last"]), now=row.looked_at)
        return columns.unbroken(columns.to(calls_of(row, CallState.FAILED), str(row.lost["count"]), columns.RED), f"last {last}")

    @display(description="Last answer")
    def last_answer(self, row: Any) -> SafeString | str:
        return watching.last_answer(row)

    @display(description="Since")
    def created(self, row: Any) -> str:
        return columns.clock(row.created_at, ZoneInfo(settings.TIME_ZONE), now=row.looked_at)

    @display(description="Signed with")
    def secret_note(self, row: Any) -> str:
        if row.connection_id is not None:
            return "its client's secret"
        if row.previous_until is None or row.previous_until <= row.looked_at:
            return "a secret of its own"
        until = columns.clock(row.previous_until, ZoneInfo(settings.TIME_ZONE), now=row.looked_at)
        return f"a secret of its own, and until {until} the one before"
