"""The types of fields in bodies: how each is read, and what it is called in the OpenAPI document.

Money is read in `context["currency"]`, times without offset in `context["tz"]`.
"""

import math
import re
from typing import Any
from urllib.parse import urlsplit

import orjson
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deliveries.api.hubrise import formats
from stores import money, schedules
from stores.refusals import Refused

MOST_BYTES_OF_CUSTOM_FIELDS = 8 * 1024
DEEPEST = 32
LARGEST = 2**63
LONGEST_URL = 2048
_URL = re.compile(r"https?://[^\s\\]+", re.IGNORECASE)
MONEY = {"type": "string", "pattern": r"^-?[0-9]{1,10}\.[0-9]{2} [A-Z]{3}$", "example": "4.50 EUR"}
FEE = {"type": "string", "pattern": r"^[0-9]{1,10}\.[0-9]{2} [A-Z]{3}$", "example": "4.50 EUR"}
DEGREES = {"type": "string", "pattern": r"^-?[0-9]{1,3}(\.[0-9]{1,20})?$", "example": "48.856614"}
DECIMAL = {"type": "string", "pattern": r"^-?[0-9]{1,9}(\.[0-9]{1,20})?$", "example": "1.0"}

EVENTS: dict[str, tuple[str, ...]] = {
    "order": ("create", "update"),
    "delivery": ("create", "update"),
    "customer": ("create", "update"),
    "location": ("update",),
    "catalog": ("create", "update", "delete"),
    "inventory": ("patch", "update"),
}
"""What a callback may ask for. Customers, catalogs and inventories never change here."""

Json = dict[str, Any]


class Name(serializers.CharField):
    """A text that must be there, kept in a column of `max_length`."""

    def __init__(self, max_length: int = 255, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("must be a string")
        return super().to_internal_value(data)


class Text(Name):
    """An optional text."""

    def __init__(self, max_length: int = 255, **options: Any) -> None:
        super().__init__(max_length, **({"required": False, "allow_null": True, "allow_blank": True} | options))


@extend_schema_field({"type": "string", "format": "uri", "maxLength": LONGEST_URL, "pattern": "^([hH][tT][tT][pP][sS]?://[^ ]+)?$"})
class Url(Text):
    """The address of a page: whoever reads the delivery is led there, so it leads to nothing but pages."""

    def __init__(self) -> None:
        super().__init__(LONGEST_URL)

    def to_internal_value(self, data: Any) -> str:
        url = super().to_internal_value(data)
        if not _leads_to_a_page(url):
            raise serializers.ValidationError("must be an http or https URL")
        return url


class Flag(serializers.BooleanField):
    """true or false, and no word for them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("must be true or false")
        return data


class Count(serializers.IntegerField):
    """A whole number, and no string that holds one."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str | bool):
            raise serializers.ValidationError("must be a whole number")
        return super().to_internal_value(data)


@extend_schema_field(MONEY)
class Money(serializers.Field[int, Any, str, Any]):
    """An amount of the account's currency, as hundredths."""

    def to_internal_value(self, data: Any) -> int:
        try:
            return self.parse(data, currency=self.context["currency"])
        except Refused as refusal:
            raise serializers.ValidationError(str(refusal)) from refusal

    def parse(self, data: Any, *, currency: str) -> int:
        return money.parse(data, currency=currency)


@extend_schema_field(FEE)
class Fee(Money):
    """An amount that is not below zero."""

    def parse(self, data: Any, *, currency: str) -> int:
        return money.parse_positive(data, currency=currency)


@extend_schema_field({"type": "string", "format": "date-time"})
class Time(serializers.Field[Any, Any, str, Any]):
    """A moment; without an offset, on the location's clock."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | options))

    def to_internal_value(self, data: Any) -> Any:
        try:
            return schedules.parse_time(data, tz=self.context["tz"])
        except Refused as refusal:
            raise serializers.ValidationError(str(refusal)) from refusal


@extend_schema_field(DECIMAL)
class Decimal(serializers.Field[str, Any, str, Any]):
    """A decimal number up to `limit` either way, as the string that was sent."""

    def __init__(self, limit: float = 100_000, **options: Any) -> None:
        self.limit = limit
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        try:
            return formats.read_decimal(data, limit=self.limit)
        except formats.BadDecimal as error:
            raise serializers.ValidationError(str(error)) from error


@extend_schema_field(DEGREES)
class Degrees(Decimal):
    """A latitude or a longitude."""

    def __init__(self, limit: float) -> None:
        super().__init__(limit, required=False, allow_null=True)


@extend_schema_field({"type": "object", "additionalProperties": True})
class Object(serializers.Field[Json, Any, Json, Any]):
    """Any JSON object of at most 8 KB."""

    def to_internal_value(self, data: Any) -> Json:
        if not isinstance(data, dict):
            raise serializers.ValidationError("must be an object")
        _check_printable(data)
        if len(orjson.dumps(data)) > MOST_BYTES_OF_CUSTOM_FIELDS:
            raise serializers.ValidationError("must not be larger than 8 KB")
        return data


@extend_schema_field(
    {
        "type": "object",
        "properties": {resource: {"type": "array", "items": {"type": "string", "enum": list(kinds)}} for resource, kinds in EVENTS.items()},
        "additionalProperties": False,
        "example": {"order": ["create", "update"], "delivery": ["update"]},
    }
)
class EventNames(serializers.Field[list[str], Any, Json, Any]):
    """Events by their resources, `{"order": ["create"]}`, as the names that the core keeps: `order.create`."""

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("must be an object")
        problems = {resource: found for resource, kinds in data.items() if (found := _problems_of_events(resource, kinds))}
        if problems:
            raise serializers.ValidationError(problems)
        return list(dict.fromkeys(f"{resource}.{kind}" for resource, kinds in data.items() for kind in kinds))


def _problems_of_events(resource: str, kinds: Any) -> Any:
    known = EVENTS.get(resource)
    if known is None:
        return [f"is not a resource: there are {', '.join(EVENTS)}"]
    if not isinstance(kinds, list):
        return ["must be an array"]
    return {
        number: [f"is not an event of {resource}: there are {', '.join(known)}"] for number, kind in enumerate(kinds) if kind not in known
    }


def _check_printable(data: Json) -> None:
    """Refuse what comes back from the database as something that JSON cannot carry on."""
    level: list[Any] = [data]
    for _ in range(DEEPEST):
        level = [
            inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
        ]
        if any(isinstance(value, float) and math.fabs(value) >= LARGEST for value in level):
            raise serializers.ValidationError("must not hold numbers of more than 64 bits")
    if level:
        raise serializers.ValidationError(f"must not be nested more than {DEEPEST} deep")


def _leads_to_a_page(url: str) -> bool:
    if not _URL.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
