"""What every page of the desk shares: who is asking, since when, and what they may see and do."""

from datetime import datetime
from typing import Any, ClassVar, NoReturn

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.utils import timezone
from unfold.admin import ModelAdmin

from deliveries import groups
from deliveries.admin import searching
from stores import credentials
from stores.actors import Actor, ActorKind

NOBODY = Actor(kind=ActorKind.USER, name="")
"""Whoever has not logged in: may do nothing, and sees nothing."""


def actor_of(request: HttpRequest) -> Actor:
    """Whoever is logged in, asked for once per request."""
    known: Actor | None = vars(request).get("desk_actor")
    if known is None:
        if not request.user.is_authenticated:
            return NOBODY
        known = credentials.user_actor(request.user)
        vars(request)["desk_actor"] = known
    return known


def moment_of(request: HttpRequest) -> datetime:
    """The moment of the request: the clock is read once, so that a page agrees with itself."""
    moment: datetime = vars(request).setdefault("desk_moment", timezone.now())
    return moment


def may(request: HttpRequest, verb: str, table: str) -> bool:
    """Whether whoever asks may do something with rows of a table; see `deliveries.groups`."""
    return groups.allows(actor_of(request), verb, table)


class DeskAdmin(ModelAdmin):
    """A model at the desk: permissions follow from roles, and rows from `visible_to` where the table has it.

    `by_hand` is False for rows that nobody makes, changes or deletes by a form: the core does, and its log tells how.
    """

    by_hand = True

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["relais/desk.css"]}

    list_per_page = 50
    show_full_result_count = False
    list_fullwidth = True
    list_filter_submit = True
    list_filter_sheet = True
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows of this table that whoever asks may see; lists order them once they are annotated."""
        rows = self.model._default_manager.get_queryset()
        rows = rows.order_by(*self.ordering) if self.ordering else rows
        visible: QuerySet[Any] = rows.visible_to(actor_of(request)) if hasattr(rows, "visible_to") else rows
        return visible

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """What all the words find, or the phone number they are together; never a row twice."""
        if not search_term.strip():
            return queryset, False
        return searching.found(self, queryset, search_term, fields=self.get_search_fields(request)), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list; an address that asks for what no row can have is put right first."""
        senseless = self._senseless(request)
        if senseless:
            kept = request.GET.copy()
            for name in senseless:
                del kept[name]
            messages.warning(request, f"Left out of this list, because no row can have it: {', '.join(sorted(senseless))}.")
            return HttpResponseRedirect(f"{request.path}?{kept.urlencode()}")
        return super().changelist_view(request, extra_context)

    def _senseless(self, request: HttpRequest) -> set[str]:
        """Parameters whose value the database would choke on: a NUL, or a value that its column does not know."""
        known = {field.name: {str(value) for value, _ in field.flatchoices} for field in self.opts.fields if field.choices}
        return {
            name
            for name, values in request.GET.lists()
            if "\0" in name
            or any("\0" in value for value in values)
            or any(part not in known.get(name.split("__")[0], (part,)) for value in values for part in value.split(","))
        }

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "view", self.opts.label_lower)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.by_hand and may(request, "add", self.opts.label_lower)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.by_hand and may(request, "change", self.opts.label_lower)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.by_hand and may(request, "delete", self.opts.label_lower)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> NoReturn:
        """What somebody may not see does not exist for them, and says so plainly."""
        raise Http404(f"There is no {opts.verbose_name} {object_id}.")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The page of a row; without the button to Django's own log where our event log tells more."""
        context = {**(extra_context or {}), **({} if self.by_hand else {"show_history": False})}
        return super().changeform_view(request, object_id, form_url, context)


def page_url(row: Model, page: str = "change") -> str:
    """The name of a row's page, for `reverse` with the row's key."""
    return f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}"


def replace(model: type[Model]) -> None:
    """Take away the page that another app registered for a model."""
    if admin.site.is_registered(model):
        admin.site.unregister(model)
