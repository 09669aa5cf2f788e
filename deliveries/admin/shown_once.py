"""Secrets on the page that makes them: asked for once, shown once, kept by no browser."""

from secrets import token_urlsafe
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers

from deliveries.admin.desk import DeskAdmin

Secret = tuple[str, str]
"""A label, and what is shown under it."""

SECRET = ("client_secret", "digest")

USED = "used_forms"
MOST_USED = 50
ONCE_ALREADY = "This form was sent before, and what it made was shown then. Open the page anew to make another."


def kept_back(model: type[Model], path: str = "") -> list[str]:
    """The columns of a table that hold what is secret, to be deferred; `path` is the lookup that leads to it, as "client__"."""
    return [f"{path}{field.name}" for field in model._meta.fields if field.name.startswith("sealed_") or field.name in SECRET]


class OnceForm(forms.Form):
    """A form that works once: sent again, as by reloading its answer, it is refused. Its number is no secret."""

    form_number = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"form_number": token_urlsafe(16)})

    def use_up(self, request: HttpRequest) -> bool:
        """Whether this is the first time that the form is sent; its number is remembered with the session."""
        number, used = self.cleaned_data["form_number"], request.session.get(USED, [])
        if number and number in used:
            self.add_error(None, ONCE_ALREADY)
            return False
        request.session[USED] = [*used, number][-MOST_USED:]
        return True


def ask(admin: DeskAdmin, request: HttpRequest, form: forms.Form, *, title: str, back: str, intro: str = "") -> TemplateResponse:
    """The page of a form that makes a secret."""
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "intro": intro,
        "opts": admin.opts,
        "form": form,
        "back": back,
        "media": admin.media + form.media,
    }
    return TemplateResponse(request, "admin/desk/form.html", context)


def show(admin: DeskAdmin, request: HttpRequest, shown: list[Secret], *, title: str, back: str) -> TemplateResponse:
    """The one page that ever holds a secret in clear; nobody keeps it, the browser's cache included."""
    context = {**admin.admin_site.each_context(request), "title": title, "opts": admin.opts, "shown": shown, "back": back}
    response = TemplateResponse(request, "admin/desk/once.html", context)
    add_never_cache_headers(response)
    return response
