"""Hydra collections: pages, views, and the parameters that filter them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self
from urllib.parse import quote, urlencode

from django.db.models import QuerySet
from rest_framework.request import Request

from deliveries.api.coopcycle import forms
from deliveries.api.coopcycle.errors import Malformed
from stores.refusals import Path

MOST_PER_PAGE = 100
LAST_PAGE = 10**9

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class BadParameter(Malformed):
    """A query parameter that cannot be read."""

    code = "bad_parameter"


@dataclass(frozen=True)
class Search:
    """The parameters a collection is filtered by."""

    iri: str
    names: tuple[str, ...]

    @property
    def payload(self) -> dict[str, Any]:
        """The collection's URL template."""
        return {
            "@type": "hydra:IriTemplate",
            "hydra:template": f"{self.iri}{{?{','.join(self.names)}}}",
            "hydra:variableRepresentation": "BasicRepresentation",
            "hydra:mapping": [
                {"@type": "IriTemplateMapping", "variable": name, "property": name.partition("[")[0], "required": False}
                for name in self.names
            ],
        }


@dataclass(frozen=True)
class Page:
    """Which part of a collection was asked for, and the parameters it was asked with, without `page`.

    `viewed` is for collections whose clients look for the view even where there is but one page.
    """

    number: int
    size: int
    paged: bool
    parameters: tuple[tuple[str, str], ...]
    viewed: bool = False

    @classmethod
    def read(cls, request: Request, *, size: int, paged: bool = True, viewed: bool = False) -> Self:
        """Read `page` and `itemsPerPage`; raises `BadParameter`."""
        given = request._request.GET
        number = _count(given.get("page"), "page", most=LAST_PAGE) or 1
        wanted = _count(given.get("itemsPerPage"), "itemsPerPage", most=LAST_PAGE) or size
        pairs = sorted((name, value) for name, values in given.lists() for value in values if name not in ("page", "token"))
        return cls(number, min(wanted, MOST_PER_PAGE), paged, tuple(pairs), viewed)

    def collection(
        self, kind: str, iri: str, rows: QuerySet[Any], printed: Callable[[Any], dict[str, Any]], *, search: Search | None = None
    ) -> dict[str, Any]:
        """The rows of this page as members of a collection; two queries when paged, else one."""
        if not self.paged:
            members = [printed(row) for row in rows]
            return self._payload(kind, iri, members, total=len(members), search=search)
        start = (self.number - 1) * self.size
        total = rows.count()
        members = [printed(row) for row in rows[start : start + self.size]] if start < total else []
        return self._payload(kind, iri, members, total=total, search=search)

    def _payload(self, kind: str, iri: str, members: Sequence[Any], *, total: int, search: Search | None) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "@context": f"/api/contexts/{kind}",
            "@id": iri,
            "@type": "hydra:Collection",
            "hydra:member": members,
            "hydra:totalItems": total,
        }
        if self.viewed or self.parameters or self.number > 1 or (self.paged and total > self.size):
            payload["hydra:view"] = self._view(iri, total)
        if search is not None:
            payload["hydra:search"] = search.payload
        return payload

    def _view(self, iri: str, total: int) -> dict[str, Any]:
        if not self.paged:
            return {"@id": self._url(iri, None), "@type": "hydra:PartialCollectionView"}
        last = max(1, -(-total // self.size))
        view = {
            "@id": self._url(iri, self.number),
            "@type": "hydra:PartialCollectionView",
            "hydra:first": self._url(iri, 1),
            "hydra:last": self._url(iri, last),
        }
        if self.number > 1:
            view["hydra:previous"] = self._url(iri, self.number - 1)
        if self.number < last:
            view["hydra:next"] = self._url(iri, self.number + 1)
        return view

    def _url(self, iri: str, number: int | None) -> str:
        pairs = [*self.parameters] + ([] if number is None else [("page", str(number))])
        return f"{iri}?{urlencode(pairs, quote_via=quote, safe='')}"


def read_day(text: str, path: Path) -> date:
    """A day as `2026-11-20`; raises `BadParameter`."""
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year <= 2200:
        raise BadParameter(f"“{text[:40]}” is not a day; write it as 2026-11-20.", path=path)
    return day


def _count(text: str | None, name: str, *, most: int) -> int | None:
    return None if not text else forms.whole(text, (name,), least=1, most=most)
