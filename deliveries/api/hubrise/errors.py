"""How this dialect says no: a status, an `error_type`, and the fields at fault as pointers into the body."""

from collections.abc import Iterable, Iterator
from typing import Any

from rest_framework import exceptions, status

from deliveries import amending, booking, pricing, stops, transitions
from deliveries.api import conditional, once
from deliveries.outbox import subscriptions, targets
from quotes import offers, price_lists
from quotes.pricing import counting, grammar, operators
from stores import keeping, money, orders, phones, places, refusals, schedules
from stores.refusals import Refused

Body = dict[str, Any]

LONGEST_MESSAGE = 200
UNPROCESSABLE = (422, "unprocessable_entity")

WORDS: dict[type[Refused], tuple[int, str]] = {
    refusals.Invalid: UNPROCESSABLE,
    refusals.Missing: UNPROCESSABLE,
    refusals.NotFound: (404, "not_found"),
    refusals.NotAllowed: (403, "forbidden"),
    money.BadMoney: UNPROCESSABLE,
    phones.BadPhone: UNPROCESSABLE,
    places.BadPoint: UNPROCESSABLE,
    places.GeocoderDown: (500, "internal_error"),
    schedules.BadMoment: UNPROCESSABLE,
    orders.TooMuch: UNPROCESSABLE,
    orders.NameTaken: UNPROCESSABLE,
    offers.NotForDelivery: UNPROCESSABLE,
    offers.NotYourFleet: UNPROCESSABLE,
    grammar.BadRule: UNPROCESSABLE,
    operators.RuleFailed: UNPROCESSABLE,
    counting.NoRuleMatches: UNPROCESSABLE,
    counting.NotASupplement: UNPROCESSABLE,
    pricing.NoPriceList: UNPROCESSABLE,
    price_lists.InUse: UNPROCESSABLE,
    stops.AddressNotFound: UNPROCESSABLE,
    stops.TooFewStops: UNPROCESSABLE,
    stops.WrongOrder: UNPROCESSABLE,
    stops.BadStopWindow: UNPROCESSABLE,
    amending.UnknownStop: UNPROCESSABLE,
    booking.AlreadyDelivered: UNPROCESSABLE,
    transitions.IllegalMove: UNPROCESSABLE,
    transitions.AlreadyCompleted: UNPROCESSABLE,
    transitions.TaskIsCancelled: UNPROCESSABLE,
    transitions.PreviousUnfinished: UNPROCESSABLE,
    transitions.AlreadyAssigned: UNPROCESSABLE,
    transitions.AssignedBlocksCancel: UNPROCESSABLE,
    transitions.CarriedByAnother: UNPROCESSABLE,
    transitions.BadWindow: UNPROCESSABLE,
    once.BadKey: (400, "bad_request"),
    keeping.InFlight: (409, "conflict"),
    keeping.OtherRequest: UNPROCESSABLE,
    keeping.AnswerLost: (409, "conflict"),
    conditional.Outdated: (412, "precondition_failed"),
    targets.UnsafeTarget: UNPROCESSABLE,
    subscriptions.TooManyWebhooks: UNPROCESSABLE,
}
"""The one table from what the core refuses to what this dialect answers; a test keeps it whole."""

ERROR_TYPES: dict[int, str] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "routing_error",
    409: "conflict",
    412: "precondition_failed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    422: "unprocessable_entity",
    429: "too_many_requests",
    500: "internal_error",
}


class TooLarge(exceptions.APIException):
    """The body is longer than we read."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large"


class Unprocessable(exceptions.APIException):
    """The body is JSON, but not what the call takes."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY


class BadField(exceptions.APIException):
    """One field of a body whose form nobody has read yet."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY

    def __init__(self, message: str, *, path: Iterable[str | int]) -> None:
        super().__init__(message)
        self.problem = {"field": pointer(path), "message": message}


def explain(refusal: Refused) -> tuple[int, Body]:
    """The status and the body that say what the core refused."""
    code, error_type = next(WORDS[kind] for kind in type(refusal).__mro__ if kind in WORDS)
    problems = refusal.problems if isinstance(refusal, refusals.Invalid) else (refusal,)
    named = [{"field": pointer(problem.path), "message": _short(str(problem))} for problem in problems if problem.path]
    if named:
        return code, {"message": "Validation failed", "errors": named, "error_type": error_type}
    return code, {"message": _short(str(refusal)), "error_type": error_type}


def explain_request(problem: exceptions.APIException) -> tuple[int, Body]:
    """The status and the body for a request that never reached the core."""
    if isinstance(problem, exceptions.ValidationError):
        named = [{"field": field, "message": message} for field, message in _problems(problem.detail)]
        return 422, {"message": "Validation failed", "errors": named, "error_type": "unprocessable_entity"}
    if isinstance(problem, BadField):
        return 422, {"message": "Validation failed", "errors": [problem.problem], "error_type": "unprocessable_entity"}
    error_type = ERROR_TYPES.get(problem.status_code, "bad_request")
    return problem.status_code, {"message": _short(str(problem.detail)), "error_type": error_type}


def pointer(path: Iterable[str | int]) -> str:
    """`("items", 0, "price")` as "/items/0/price", in the words of this dialect."""
    return "".join(f"/{_word(str(step)).replace('~', '~0').replace('/', '~1')}" for step in path)


def _word(step: str) -> str:
    return step.removesuffix("_cents")


def _problems(detail: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, str]]:
    """Flatten what serializers say, nested as the body is, into a field and a message each."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _problems(inner, path if name == "non_field_errors" else (*path, name))
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            yield from _problems(inner, path if isinstance(inner, str) else (*path, number))
    else:
        yield pointer(path), _short(str(detail))


def _short(message: str) -> str:
    """Messages quote what was sent, which may be long."""
    return message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + "..."
