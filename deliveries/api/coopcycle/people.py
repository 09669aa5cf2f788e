"""Tokens, and whoever holds them: logging in, OAuth2, `/api/me`."""

from base64 import b64decode
from datetime import date as date_type
from typing import Any, NoReturn
from uuid import NAMESPACE_URL, uuid5

import orjson
from django.contrib.auth import authenticate
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiParameter
from oauth2_provider.views.base import TokenView
from rest_framework import exceptions
from rest_framework.request import Request

from deliveries import couriers, queries
from deliveries.api.coopcycle import actions, auth, collections, media, payloads, rights
from deliveries.api.coopcycle.describing import described
from deliveries.api.coopcycle.endpoint import Endpoint, OpenEndpoint, preflight
from deliveries.api.coopcycle.schemas import ref
from deliveries.models import Courier
from stores import credentials
from stores.models import User

DAY = (OpenApiParameter("date", date_type, OpenApiParameter.PATH),)
CLIENT_FAILED = "Client authentication failed"


@method_decorator(csrf_exempt, name="dispatch")
class OAuth2TokenView(TokenView):
    """`POST /oauth2/token`: client credentials for a token; every error also has a `message`, as old clients read it."""

    allowed = ("POST", "OPTIONS")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """In this dialect whatever the method, and open to browsers."""
        if request.method == "OPTIONS":
            return preflight(request, self.allowed)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tokens are posted for."""
        sentence = f"Method {request.method} is not allowed here. Allowed: {', '.join(self.allowed)}."
        response = self._refusal({"error": "invalid_request", "error_description": sentence}, 405)
        response.headers["Allow"] = ", ".join(self.allowed)
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A token, or why not."""
        try:
            sent = media.form(request)
        except media.Unreadable as error:
            return self._refusal({"error": "invalid_request", "error_description": str(error)}, 400)
        except RequestDataTooBig:
            return self._refusal({"error": "invalid_request", "error_description": "The body is too large."}, 413)
        if _holds_nul(request.META.get("HTTP_AUTHORIZATION", "")):
            return self._refusal({"error": "invalid_client"}, 401)
        if any("\0" in value for _, values in sent.lists() for value in values):
            return self._refusal({"error": "invalid_request", "error_description": "NUL characters are not read."}, 400)
        if sent.get("grant_type", "client_credentials") != "client_credentials":
            return self._refusal({"error": "unsupported_grant_type"}, 400)
        response: HttpResponse = super().post(request, *args, **kwargs)
        if response.status_code == 200:
            return response
        return self._refusal(orjson.loads(response.content), response.status_code)

    def _refusal(self, said: dict[str, Any], status: int) -> HttpResponse:
        if said.get("error") == "invalid_client":
            said["error_description"], status = CLIENT_FAILED, 401
        message = said.setdefault("error_description", OAUTH_SENTENCES.get(said["error"], "The request was refused."))
        response = JsonResponse({**said, "message": message}, status=status)
        response.headers["Cache-Control"] = "no-store"
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="OAuth"'
        return response


def _holds_nul(header: str) -> bool:
    """Whether Basic credentials hold what no database keeps; what is no Basic header is judged elsewhere."""
    scheme, _, encoded = header.partition(" ")
    try:
        return scheme.lower() == "basic" and b"\0" in b64decode(encoded)
    except ValueError:
        return False


OAUTH_SENTENCES = {
    "unsupported_grant_type": "The authorization grant type is not supported by the authorization server.",
    "invalid_scope": "The requested scope is invalid, unknown, or malformed",
    "invalid_request": "The request is missing a parameter, or a parameter cannot be read.",
}


class Door(OpenEndpoint):
    """Where tokens are given; bodies are forms, and refusals carry a code and a message."""

    def field(self, name: str) -> str:
        """A field of a form, whatever its encoding."""
        return media.form(self.request._request).get(name, "").replace("\0", "")

    def refuse(self, message: str) -> NoReturn:
        """401 with the message."""
        raise exceptions.AuthenticationFailed(message)


class LoginView(Door):
    """A name and a password for a token."""

    @described("log_in", "Log in with a name and a password", tag="Tokens", plainly=ref("Login"), form="Credentials", public=True)
    def post(self, request: Request) -> HttpResponse:
        """`_username` may be an e-mail address."""
        name = credentials.username_of(self.field("_username"))
        user = authenticate(request._request, username=name, password=self.field("_password"))
        if not isinstance(user, User):
            self.refuse("Invalid credentials.")
        token, refresh_token = auth.tokens_for(user)
        return self.answer_plainly(payloads.login(user, credentials.user_actor(user), token=token, refresh_token=refresh_token))


class RefreshView(Door):
    """A refresh token for a new token."""

    @described(
        "refresh_token", "Get a new token with a refresh token", tag="Tokens", plainly=ref("Login"), form="RefreshToken", public=True
    )
    def post(self, request: Request) -> HttpResponse:
        """The refresh token stays the same."""
        refresh_token = self.field("refresh_token")
        found = auth.refreshed(refresh_token)
        if found is None:
            self.refuse("Invalid JWT Refresh Token" if refresh_token else "Missing JWT Refresh Token")
        user, actor, token = found
        return self.answer_plainly(payloads.login(user, actor, token=token, refresh_token=refresh_token))


class CheckView(Endpoint):
    """Whether a token is still good."""

    for_people = True

    @described("check_token", "Check a token", tag="Tokens", plainly={"type": "object"})
    def get(self, request: Request) -> HttpResponse:
        """200 when it is."""
        return self.answer_plainly({})


class MeView(Endpoint):
    """Who the token's holder is."""

    @described("get_me", "Get the holder of the token", tag="People", gives="Me")
    def get(self, request: Request) -> HttpResponse:
        """A person, or a program with its store."""
        if self.caller.client is not None:
            return self.resource(payloads.program(self.caller.client))
        assert self.caller.user is not None
        return self.resource(payloads.person(self.caller.user, self.by))


class MyTasksView(Endpoint):
    """A courier's day."""

    for_people = True
    right = rights.moves_tasks

    @described("get_my_tasks", "List the tasks of a courier's day", tag="People", gives="TaskList", parameters=DAY)
    def get(self, request: Request, date: str) -> HttpResponse:
        """The tasks of a day in their order; nothing is stored for a day without."""
        asked, user = collections.read_day(date, ("date",)), self.caller.user
        assert user is not None
        courier = Courier.objects.filter(user=user).first()
        listed, rows = queries.day_list(courier, asked) if courier else (None, [])
        iri = f"/api/.well-known/genid/{uuid5(NAMESPACE_URL, f'{user.pk}/{date}').hex}"
        return self.resource(payloads.task_list(listed, rows, user=user, day=asked.isoformat(), at=self.at, iri=iri))


class MyLocationView(Endpoint):
    """Where a courier is."""

    for_people = True
    right = rights.moves_tasks

    @described("set_my_location", "Report where a courier is", tag="People", plainly={"type": "array"}, takes="Positions")
    def post(self, request: Request) -> HttpResponse:
        """Keep the newest of the positions sent."""
        known = self.read(actions.positions)
        courier = Courier.objects.filter(user=self.caller.user).first()
        if courier is not None and known:
            point, since = max(known, key=lambda position: position[1] or self.at)
            couriers.locate(courier, point, at=min(since or self.at, self.at))
        return self.answer_plainly([])
