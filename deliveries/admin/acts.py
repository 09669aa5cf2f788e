"""Verbs of the core as the desk offers them: on many rows of a list or on the page of one, refusals said in words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst

from deliveries.admin.desk import DeskAdmin, actor_of, may, moment_of, page_url
from stores.actors import Actor
from stores.refusals import Invalid, Refused

APPLY = "apply"
SHOWN = 20
"""Rows named one by one on the page that asks; the rest are counted."""


def _always(row: Any) -> bool:
    return True


def _nothing(_: Any) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Act:
    """One verb: `call(row, by=, at=, **answers)`, with the answers of `form` when something must be asked first.

    `done` says how many rows it was done to, `ending` what the answers add to that, as " to Aya"; `warns` what is odd
    about a result, "" for nothing; `fits` tells from a row whether to offer it on its page; `grave` ones ask
    before they are done, and say what `follows`; `quiet` ones are no louder on a page than others for all that; `for_stores`
    ones are for the owners of a store, too. `done_to` names the row it was done to when that was one alone.
    """

    name: str
    label: str
    icon: str
    call: Callable[..., object]
    done: Callable[[int], str]
    done_to: Callable[[Any], str] | None = None
    form: type[forms.Form] | None = None
    fits: Callable[[Any], bool] = _always
    reached: Callable[[Any], bool] = _always
    ending: Callable[[dict[str, Any]], str] = _nothing
    warns: Callable[[Any], str] = _nothing
    grave: bool = False
    quiet: bool = False
    follows: str = ""
    for_stores: bool = False

    @property
    def asks(self) -> bool:
        return self.form is not None or self.grave

    def form_for(self, data: Any, rows: Iterable[Any], *, now: datetime) -> forms.Form:
        """The questions; a form may know the rows it is about, and the moment of asking."""
        form_class = self.form or forms.Form
        return form_class(data, rows=rows, now=now) if issubclass(form_class, AboutRows) else form_class(data)


class AboutRows(forms.Form):
    """Questions that depend on the rows they are about, or on the moment of asking."""

    def __init__(self, data: Any = None, *, now: datetime, rows: Iterable[Any] = (), **kwargs: Any) -> None:
        self.rows, self.now = list(rows), now
        super().__init__(data, **kwargs)


def in_words(row: Model, refusal: Refused) -> str:
    """What the core said, with the name of the row it said it about."""
    name, problems = str(row), refusal.problems if isinstance(refusal, Invalid) else (refusal,)
    said = " ".join(sentence if sentence.endswith((".", "!", "?")) else f"{sentence}." for sentence in map(str, problems))
    return capfirst(said) if name in said else f"{name}: {said}"


def carry_out(request: HttpRequest, act: Act, rows: Iterable[Model], answers: dict[str, Any]) -> int:
    """Call the core once for each row, and tell what came of it; returns how many it was done to."""
    by, at = actor_of(request), moment_of(request)
    reached: list[Model] = []
    for row in rows:
        try:
            result = act.call(row, by=by, at=at, **answers)
        except Refused as refusal:
            messages.warning(request, in_words(row, refusal))
        else:
            if act.reached(result):
                reached.append(row)
                odd = act.warns(result)
                if odd:
                    messages.warning(request, odd)
            else:
                messages.warning(request, f"{row}: nothing to {act.label.lower()}.")
    if reached:
        said = act.done_to(reached[0]) if act.done_to and len(reached) == 1 else act.done(len(reached))
        messages.success(request, f"{said.removesuffix('.')}{act.ending(answers)}.")
    return len(reached)


@dataclass(frozen=True)
class Titled:
    """A row under a name that says more than its own, as the way to it at the top of its page shows it."""

    row: Model
    name: str

    @property
    def pk(self) -> Any:
        return self.row.pk

    @property
    def _meta(self) -> Any:
        return self.row._meta

    def __str__(self) -> str:
        return self.name


class ActingAdmin(DeskAdmin):
    """A model whose rows are moved by verbs of the core, never by its form."""

    acts: ClassVar[tuple[Act, ...]] = ()
    change_form_template = "admin/desk/change_form.html"

    def may_do(self, act: Act, actor: Actor) -> bool:
        """The desk may do all; a store, what is meant for stores."""
        return actor.runs_the_desk or act.for_stores

    def describe(self, row: Any) -> str:
        """What tells a row from others on the page that asks before something is done to it."""
        return " · ".join(part for part in (str(row), row.get_status_display() if hasattr(row, "get_status_display") else "") if part)

    def title_of(self, row: Any) -> str:
        """What the page of a row is called."""
        return str(row)

    def has_act_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "change", self.opts.label_lower)

    def open_acts(self, request: HttpRequest) -> list[Act]:
        """What whoever asks may do with rows of this table."""
        actor = actor_of(request)
        return [act for act in self.acts if self.has_act_permission(request) and self.may_do(act, actor)]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The acts, on as many rows as are ticked."""
        usual: dict[str, Any] = super().get_actions(request)
        if "_popup" in request.GET:
            return usual
        return {**{act.name: (self._on_many(act), act.name, act.label) for act in self.open_acts(request)}, **usual}

    def get_urls(self) -> list[URLPattern]:
        """A page for each act on one row, before Django's own."""
        route = path(
            "<path:object_id>/act/<slug:name>/",
            self.admin_site.admin_view(self.act_view),
            name=f"{self.opts.app_label}_{self.opts.model_name}_act",
        )
        return [route, *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The page of a row, with a button for each act that fits it."""
        context = dict(extra_context or {})
        if object_id is not None:
            row = self.get_object(request, object_id)
            if row is not None:
                context["acts"] = self._buttons(request, row)
                name = self.title_of(row)
                context |= {"subtitle": name, "original": Titled(row, name)}
        return super().changeform_view(request, object_id, form_url, context)

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        """Ask what there is to ask, then do it to one row. A GET changes nothing."""
        act = next((act for act in self.acts if act.name == name), None)
        row = None if act is None else self.get_object(request, object_id)
        if act is None or row is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}.")
        if act not in self.open_acts(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" and (not act.form or APPLY in request.POST) else None
        form = act.form_for(given, [row], now=moment_of(request))
        if given is not None and form.is_valid():
            carry_out(request, act, [row], form.cleaned_data)
            return HttpResponseRedirect(reverse(page_url(row), args=[row.pk]))
        return self._ask(
            request, act, form, [row], {"back": reverse(page_url(row), args=[row.pk]), "original": Titled(row, self.title_of(row))}
        )

    def _on_many(self, act: Act) -> Callable[..., HttpResponseBase | None]:
        def action(admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
            rows = list(queryset)
            if not act.asks:
                carry_out(request, act, rows, {})
                return None
            form = act.form_for(request.POST if APPLY in request.POST else None, rows, now=moment_of(request))
            if APPLY in request.POST and form.is_valid():
                carry_out(request, act, rows, form.cleaned_data)
                return None
            return self._ask(request, act, form, rows, {"back": request.get_full_path(), "many": True})

        return action

    def _ask(self, request: HttpRequest, act: Act, form: forms.Form, rows: list[Any], more: dict[str, Any]) -> TemplateResponse:
        count = len(rows)
        name = self.title_of(rows[0]) if count == 1 else f"{count} {self.opts.verbose_name_plural}"
        context = {
            **self.admin_site.each_context(request),
            "title": f"{act.label}: {name}",
            "opts": self.opts,
            "act": act,
            "form": form,
            "media": self.media + form.media,
            "shown": [self.describe(row) for row in rows[:SHOWN]],
            "rest": max(0, count - SHOWN),
            "ticked": [row.pk for row in rows],
            "select_name": helpers.ACTION_CHECKBOX_NAME,
            **more,
        }
        return TemplateResponse(request, "admin/desk/act.html", context)

    def _buttons(self, request: HttpRequest, row: Model) -> list[dict[str, Any]]:
        urls = page_url(row, "act")
        return [
            {
                "label": act.label,
                "icon": act.icon,
                "url": reverse(urls, args=[row.pk, act.name]),
                "asks": act.asks,
                "variant": "danger" if act.grave and not act.quiet else "default",
            }
            for act in self.open_acts(request)
            if act.fits(row)
        ]
