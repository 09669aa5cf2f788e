"""The one admin site of the instance, and its navigation."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite

Entry = tuple[str, str, str]

NAVIGATION: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Today",
        (
            ("Deliveries", "local_shipping", "deliveries.delivery"),
            ("Tasks", "task_alt", "deliveries.task"),
            ("Orders", "receipt_long", "stores.order"),
            ("Quotes", "sell", "quotes.deliveryquote"),
        ),
    ),
    (
        "Couriers",
        (
            ("Couriers", "pedal_bike", "deliveries.courier"),
            ("Task lists", "format_list_numbered", "deliveries.tasklist"),
        ),
    ),
    (
        "Stores",
        (
            ("Stores", "storefront", "stores.store"),
            ("Accounts", "business", "stores.account"),
            ("Addresses", "location_on", "stores.address"),
            ("Price lists", "payments", "quotes.pricingruleset"),
            ("Package sets", "package_2", "stores.packageset"),
            ("Time slots", "schedule", "stores.timeslot"),
            ("Tags", "label", "stores.tag"),
        ),
    ),
    (
        "Webhooks",
        (
            ("Subscriptions", "webhook", "deliveries.subscription"),
            ("Calls", "outbox", "deliveries.call"),
        ),
    ),
    (
        "Instance",
        (
            ("Event log", "history", "deliveries.event"),
            ("People", "group", "stores.user"),
            ("Groups", "shield_person", "auth.group"),
            ("API clients", "api", "stores.apiclient"),
            ("Connections", "key", "stores.connection"),
            ("Jobs", "manufacturing", "procrastinate.procrastinatejob"),
        ),
    ),
)
"""What stands beside every page: title, icon, and the table it leads to."""


COURIERS_ELSEWHERE = 'Couriers have pages of their own: <a href="{0}">{0}</a>.'


class LoginForm(AuthenticationForm):
    """The login of the desk, which shows couriers the way to their own."""

    def confirm_login_allowed(self, user: Any) -> None:
        """Refuses whoever has nothing to do at the desk."""
        if not user.is_staff and hasattr(user, "courier"):
            raise forms.ValidationError(format_html(COURIERS_ELSEWHERE, reverse("courier")), code="courier")
        super().confirm_login_allowed(user)


class RelaisAdminSite(UnfoldAdminSite):
    """The dispatch desk; its looks come from the `UNFOLD` setting."""

    index_title = "Today"
    login_form = LoginForm

    def has_permission(self, request: HttpRequest) -> bool:
        """Whoever has access to the desk and something to do there; couriers have pages of their own."""
        return super().has_permission(request) and any(model_admin.has_view_permission(request) for model_admin in self._registry.values())


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The navigation as the `UNFOLD` setting wants it; tables that whoever asks may not see are left out."""
    tables = {model._meta.label_lower: model_admin for model, model_admin in admin.site._registry.items()}
    groups = [
        {
            "title": title,
            "separator": True,
            "items": [
                {"title": name, "icon": icon, "link": reverse(f"admin:{table.replace('.', '_')}_changelist")}
                for name, icon, table in entries
                if table in tables and tables[table].has_view_permission(request)
            ],
        }
        for title, entries in NAVIGATION
    ]
    home = {"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}
    return [{"items": [home]}, *(group for group in groups if group["items"])]
