"""API clients and their connections at the desk: secrets are shown once, when they are made, and never again."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import ngettext
from oauth2_provider.models import AccessToken, Grant, IDToken, RefreshToken
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from deliveries.admin import columns, facets, shown_once, subscriptions
from deliveries.admin.acts import Act, ActingAdmin
from deliveries.admin.desk import page_url, replace
from deliveries.admin.shown_once import OnceForm, Secret, kept_back
from deliveries.models import Call, Subscription
from stores import credentials
from stores.models import Account, ApiClient, Connection, Dialect, Store

for _model in (ApiClient, AccessToken, Grant, IDToken, RefreshToken):
    # Tokens come and go by themselves; a client is cut off by revoking its connections, or by deleting it.
    replace(_model)

SCOPES = (("orders.read", "Read orders and deliveries"), ("orders.write", "Change orders and deliveries"))


class NewClientForm(OnceForm):
    """A program, and whom it speaks for."""

    name = forms.CharField(max_length=255, widget=UnfoldAdminTextInputWidget)
    dialect = forms.ChoiceField(choices=Dialect.choices, widget=UnfoldAdminSelectWidget)
    store = forms.ModelChoiceField(
        queryset=Store.objects.all(),
        required=False,
        widget=UnfoldAdminSelectWidget,
        empty_label="None",
        help_text="The store a CoopCycle client speaks for; a HubRise client is connected to its stores afterwards.",
    )
    carrier_ref = forms.SlugField(
        label="Carrier's ref",
        required=False,
        max_length=64,
        widget=UnfoldAdminTextInputWidget,
        help_text="For the software of an outside carrier: the ref it signs with.",
    )

    def clean(self) -> dict[str, Any]:
        """A CoopCycle client speaks for one store; others for none of their own."""
        given = self.cleaned_data
        if given.get("dialect") == Dialect.COOPCYCLE and "store" in given and given["store"] is None:
            self.add_error("store", "A CoopCycle client speaks for one store: choose it.")
        if given.get("dialect") == Dialect.HUBRISE:
            given["store"] = None
        return given

    def make(self) -> tuple[ApiClient, list[Secret]]:
        """The client, with its id and secret."""
        given = self.cleaned_data
        client, secret = credentials.new_client(
            name=given["name"], dialect=Dialect(given["dialect"]), store=given["store"], carrier_ref=given["carrier_ref"]
        )
        return client, [("Client id", client.client_id), ("Client secret", secret)]


class KeyForm(OnceForm):
    """What an API key is for."""

    name = forms.CharField(required=False, max_length=255, widget=UnfoldAdminTextInputWidget, help_text="To tell it from others.")

    def make(self, client: ApiClient) -> list[Secret]:
        """The key."""
        return [("API key", credentials.issue_api_key(client, name=self.cleaned_data["name"])[1])]


class ConnectionForm(OnceForm):
    """What a HubRise client may reach, and do there."""

    store = forms.ModelChoiceField(queryset=Store.objects.all(), required=False, widget=UnfoldAdminSelectWidget, empty_label="None")
    account = forms.ModelChoiceField(
        queryset=Account.objects.all(),
        required=False,
        widget=UnfoldAdminSelectWidget,
        empty_label="None",
        help_text="Instead of one store: every store of this account.",
    )
    scopes = forms.MultipleChoiceField(choices=SCOPES, initial=["orders.write"], widget=UnfoldAdminCheckboxSelectMultipleWidget)
    name = forms.CharField(required=False, max_length=255, widget=UnfoldAdminTextInputWidget, help_text="To tell it from others.")

    def clean(self) -> dict[str, Any]:
        """Either a store or an account."""
        given = self.cleaned_data
        if "store" in given and "account" in given and (given["store"] is None) == (given["account"] is None):
            self.add_error("store", "Choose either a store or an account.")
        return given

    def make(self, client: ApiClient) -> list[Secret]:
        """The token."""
        given = self.cleaned_data
        _, token = credentials.connect(
            client, store=given["store"], account=given["account"], scopes=" ".join(given["scopes"]), name=given["name"]
        )
        return [("Access token", token)]


@admin.register(ApiClient)
class ApiClientAdmin(ActingAdmin):
    """The programs that talk to us."""

    change_form_template = "admin/stores/apiclient/change_form.html"
    list_display = ("name", "dialect", "store", "carrier_ref", "connection_count", "client_id")
    list_filter = (("dialect", ChoicesCheckboxFilter), facets.StoreFacet)
    list_select_related = ("store",)
    search_fields = ("name", "=client_id", "carrier_ref", "store__name")
    fields = ("name", ("dialect", "client_id"), ("store", "carrier_ref"), "allowed_scopes", "redirect_uris")
    readonly_fields = ("dialect", "client_id", "store", "carrier_ref")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Clients with the number of their open connections, and without what is secret."""
        rows = super().get_queryset(request)
        open_connections = Count("connections", filter=Q(connections__revoked_at__isnull=True))
        return rows.defer(*kept_back(ApiClient)).annotate(open_connections=open_connections)

    def get_urls(self) -> list[URLPattern]:
        """The pages that make secrets, before Django's own."""
        view = self.admin_site.admin_view
        return [
            path("add/", view(self.new_view), name="stores_apiclient_add"),
            path("<path:object_id>/key/", view(self.key_view), name="stores_apiclient_key"),
            path("<path:object_id>/connect/", view(self.connect_view), name="stores_apiclient_connect"),
            *super().get_urls(),
        ]

    def new_view(self, request: HttpRequest) -> HttpResponseBase:
        """Register a program."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewClientForm(request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid() and form.use_up(request):
            client, shown = form.make()
            return shown_once.show(self, request, shown, title=str(client), back=reverse(page_url(client), args=[client.pk]))
        return shown_once.ask(self, request, form, title="New API client", back=reverse("admin:stores_apiclient_changelist"))

    def key_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Give a CoopCycle client another key."""
        return self._connect(request, object_id, Dialect.COOPCYCLE, KeyForm, "New API key")

    def connect_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Connect a HubRise client to a store or an account."""
        return self._connect(request, object_id, Dialect.HUBRISE, ConnectionForm, "New access token")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The page of a client, with its connections."""
        context = dict(extra_context or {})
        client = None if object_id is None else self.get_object(request, object_id)
        if client is not None:
            context["connections"] = [
                (connection, columns.link(connection, f"{connection.hint}…"))
                for connection in client.connections.select_related("store", "account")
            ]
            context["subscriptions"] = subscriptions.of_client(request, client)
            speaks = client.dialect == Dialect.COOPCYCLE
            context["issue"] = {
                "label": "New API key" if speaks else "New access token",
                "url": reverse(f"admin:stores_apiclient_{'key' if speaks else 'connect'}", args=[client.pk]),
            }
        return super().changeform_view(request, object_id, form_url, context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """A client goes with its keys, its subscriptions and what they are owed: these are counted, and need no leave of their own."""
        gone = {"client__in": [client.pk for client in objs]}
        counts = {
            "API clients": len(objs),
            "connections": Connection.objects.filter(**gone).count(),
            "subscriptions": Subscription.objects.filter(**gone).count(),
            "calls": Call.objects.filter(subscription__in=Subscription.objects.filter(**gone).order_by()).count(),
        }
        return [str(client) for client in objs], counts, set(), []

    def _connect(
        self, request: HttpRequest, object_id: str, dialect: Dialect, form_class: Callable[..., Any], title: str
    ) -> HttpResponseBase:
        client = self.get_object(request, object_id)
        if client is None or client.dialect != dialect:
            raise Http404("There is no such client.")
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = form_class(request.POST if request.method == "POST" else None)
        back = reverse(page_url(client), args=[client.pk])
        if form.is_bound and form.is_valid() and form.use_up(request):
            return shown_once.show(self, request, form.make(client), title=str(client), back=back)
        return shown_once.ask(self, request, form, title=f"{title}: {client}", back=back)

    @display(description="Open connections", ordering="open_connections")
    def connection_count(self, client: Any) -> int:
        return int(client.open_connections)


REVOKE = Act(
    name="revoke",
    label="Revoke",
    icon="key_off",
    call=lambda connection, *, by, at: credentials.revoke(connection, at=at),
    grave=True,
    fits=lambda connection: connection.revoked_at is None,
    done=lambda count: ngettext("%(count)d connection is closed.", "%(count)d connections are closed.", count) % {"count": count},
)


@admin.register(Connection)
class ConnectionAdmin(ActingAdmin):
    """Keys and tokens: how each begins, what it reaches, and whether it still does."""

    by_hand = False
    acts = (REVOKE,)
    list_display = ("shown_hint", "client", "reaches", "scopes", "name", "state", "created_at")
    list_filter = (facets.RevokedFacet, ("client__dialect", ChoicesCheckboxFilter))
    list_select_related = ("client", "store", "account")
    search_fields = ("name", "client__name", "^hint", "store__name", "account__name")
    fields = (("shown_hint", "badge"), ("client", "name"), ("reaches", "scopes"), ("created_at", "revoked_at"))

    def get_queryset(self, request: HttpRequest) -> Any:
        """Connections without their digests."""
        return super().get_queryset(request).select_related("client", "store", "account").defer("digest")

    @display(description="Begins with")
    def shown_hint(self, connection: Any) -> str:
        return f"{connection.hint}…"

    @display(description="Reaches")
    def reaches(self, connection: Any) -> str:
        return str(connection.store or f"every store of {connection.account}")

    @display(description="State")
    def badge(self, connection: Any) -> SafeString:
        return columns.badge("Open", "success") if connection.revoked_at is None else columns.badge("Closed", "danger")

    @display(description="State", label={"open": "success", "closed": "danger"}, ordering="revoked_at")
    def state(self, connection: Any) -> tuple[str, str]:
        return ("open", "Open") if connection.revoked_at is None else ("closed", "Closed")
