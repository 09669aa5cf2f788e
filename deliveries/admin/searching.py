"""How the desk searches: every word, accents and case aside; a number of a telephone as one word; "delivery 30" as a key."""

import re
import unicodedata
from functools import reduce
from typing import Any

from django.conf import settings
from django.db.models import Func, JSONField, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from unfold.admin import ModelAdmin

from stores import phones

ACCENTED = "".join(chr(point) for point in range(0xC0, 0x180) if len(unicodedata.normalize("NFD", chr(point))) > 1)
PLAIN = "".join(unicodedata.normalize("NFD", letter)[0] for letter in ACCENTED)
_TO_PLAIN = str.maketrans(ACCENTED, PLAIN)
MOST_DIGITS = 18
LOOKUPS = {"=": "iexact", "^": "istartswith"}


class WithoutAccents(Func):
    """A text with its accents taken off, as PostgreSQL can without an extension."""

    function = "translate"
    output_field = TextField()

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, Value(ACCENTED), Value(PLAIN))


def plain(text: str) -> str:
    """A text with its accents taken off, as the database does it."""
    return unicodedata.normalize("NFC", text).translate(_TO_PLAIN)


def found(admin: ModelAdmin, rows: QuerySet[Any], text: str, *, fields: Any) -> QuerySet[Any]:
    """The rows in which every word of `text` stands in some of the `fields`, written as Django's `search_fields`."""
    text = text.replace("\0", " ").strip()
    number = re.fullmatch(rf"(?:{admin.opts.verbose_name}\s*)?#?\s*(\d+)", text, re.IGNORECASE)
    if number and not text[0].isdigit():
        return rows.filter(pk=int(number[1])) if len(number[1]) <= MOST_DIGITS else rows.none()
    phone = phones.lenient(text, country=settings.RELAIS_COUNTRY)
    words = [phone] if phone != text and phone.startswith("+") else text.split()
    within = admin.model._default_manager.get_queryset()
    matching = reduce(lambda so_far, word: so_far & Q(pk__in=_with(within, word, fields).values("pk")), words, Q())
    return rows.filter(matching)


def _with(rows: QuerySet[Any], word: str, fields: Any) -> QuerySet[Any]:
    """Rows that have one word in some field."""
    either, plainly = Q(pk__in=()), {}
    for position, field in enumerate(fields):
        path, lookup = field.lstrip("=^"), LOOKUPS.get(field[0], "icontains")
        if path.rpartition("__")[2] in ("id", "pk"):
            if word.lstrip("#").isdecimal() and len(word) <= MOST_DIGITS:
                either |= Q(**{path: int(word.lstrip("#"))})
            continue
        plainly[f"plain_{position}"] = WithoutAccents(KT(path) if _is_in_json(rows, path) else path)
        either |= Q(**{f"plain_{position}__{lookup}": plain(word)})
    matching: QuerySet[Any] = rows.order_by().alias(**plainly).filter(either)
    return matching


def _is_in_json(rows: QuerySet[Any], path: str) -> bool:
    """Whether a path leads into a column of JSON, whose values must be asked for as text."""
    column, _, rest = path.partition("__")
    return bool(rest) and isinstance(rows.model._meta.get_field(column), JSONField)
