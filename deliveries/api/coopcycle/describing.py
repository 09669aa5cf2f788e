"""What each call says of itself in the OpenAPI document, written above the handler."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from deliveries.api import conditional, once
from deliveries.api.coopcycle import media
from deliveries.api.coopcycle.schemas import Schema, collection, either, endless, many, ref

Handler = TypeVar("Handler", bound=Callable[..., Any])

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
REFUSALS = {
    400: "What was sent cannot be carried out; the fields at fault are named.",
    403: "Known, and not allowed.",
    404: "Not there.",
    406: "No such form of answer.",
    413: "The body is too large.",
    415: "No such form of body.",
    503: "The database does not answer; `Retry-After` says in how many seconds to try again.",
}


def described(
    name: str,
    summary: str,
    *,
    tag: str,
    gives: str = "",
    lists: str = "",
    follows: str = "",
    plainly: Schema | None = None,
    status: int = 200,
    takes: str = "",
    form: str = "",
    parameters: tuple[OpenApiParameter, ...] = (),
    public: bool = False,
) -> Callable[[Handler], Handler]:
    """Describe a handler: `gives` or `lists` names what it answers, `plainly` is answered as bare JSON, `takes` names its body.

    `follows` names the members of a collection that goes on and on, of which nobody knows the total.
    """
    answers: dict[Any, Any] = {}
    if plainly is not None:
        answers[status, media.JSON] = plainly
    elif follows:
        answers[status, media.LD], answers[status, media.JSON] = endless(follows), many(ref(follows))
    elif gives or lists:
        answers[status, media.LD] = collection(lists) if lists else ref(gives)
        answers[status, media.JSON] = many(ref(lists)) if lists else ref(gives)
    else:
        answers[status] = None
    for refusal in sorted(REFUSALS if takes or form else REFUSALS.keys() - {413, 415}):
        answers[refusal, media.LD] = either(ref("Error"), ref("ViolationList")) if refusal == 400 else ref("Error")
        answers[refusal, media.JSON] = ref("Problem")
    if form:
        answers = {key: value for key, value in answers.items() if key[0] in (200, 400, 406, 413)}
    if not public or form:
        answers[401, media.LD] = either(ref("Error"), ref("Unauthorized"))
        answers[401, media.JSON] = either(ref("Problem"), ref("Unauthorized"))
    request: Any = None
    if takes:
        request = dict.fromkeys((media.LD, media.JSON), ref(takes))
    elif form:
        request = dict.fromkeys(FORMS, ref(form))

    def describe(handler: Handler) -> Handler:
        told, more = _of_every_call(handler, single=bool(gives), public=public)
        return extend_schema(
            operation_id=name,
            summary=summary,
            tags=[tag],
            request=request,
            responses=answers | told,
            parameters=[*parameters, *more],
            auth=[] if public else None,
        )(handler)

    return describe


def _of_every_call(handler: Handler, *, single: bool, public: bool) -> tuple[dict[Any, Any], list[OpenApiParameter]]:
    """What calls of a method answer and take beside their own: see `once` and `conditional`."""
    method = handler.__name__.upper()
    told: dict[int, str] = {}
    more = []
    if method in once.METHODS and not public:
        told |= once.REFUSALS
        more.append(once.PARAMETER)
    if conditional.changes_one(handler, method):
        told |= conditional.REFUSALS
        more.append(conditional.IF_MATCH_PARAMETER)
    answers: dict[Any, Any] = {}
    for status, sentence in told.items():
        answers[status, media.LD] = OpenApiResponse(ref("Error"), sentence)
        answers[status, media.JSON] = OpenApiResponse(ref("Problem"), sentence)
    if method == "GET" and single and not public:
        answers[304] = OpenApiResponse(None, conditional.UNCHANGED)
        more.append(conditional.IF_NONE_MATCH_PARAMETER)
    return answers, more


def query(name: str, kind: type = str, **more: Any) -> OpenApiParameter:
    """A parameter of the query string."""
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, required=False, **more)


PAGES = (query("page", int), query("itemsPerPage", int))
