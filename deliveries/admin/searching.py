"""Searching the desk's lists: a phone number is found however it is written."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from stores import phones


class PhoneSearch:
    """Adds to a `ModelAdmin`: "06 12 34 56 78" also finds what is kept as +33612345678."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """What Django finds for the words, and for the number they may be; never a row twice."""
        find: Any = super().get_search_results  # type: ignore[misc]  # of the ModelAdmin it is mixed into
        if not search_term:
            return queryset, False
        search_term = search_term.removeprefix("#")
        terms = {search_term, phones.lenient(search_term, country=settings.RELAIS_COUNTRY)}
        found = Q(pk__in=())
        for term in terms:
            rows, _ = find(request, queryset.model._default_manager.all(), term)
            found |= Q(pk__in=rows.values("pk"))
        return queryset.filter(found), False
