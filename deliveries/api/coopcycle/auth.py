"""Who is calling: an API key, a person's token, or a program's OAuth2 token, each known after one query."""

from dataclasses import dataclass, replace

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from stores import credentials
from stores.actors import Actor
from stores.models import ApiClient, Connection, Dialect, User

KEY_SCOPES = frozenset(["deliveries", "tasks"])
"""An API key does what its store's client does on deliveries, and follows their tasks, as far as the client is allowed to."""

NOT_FOUND = "JWT Token not found"
INVALID = "Invalid JWT Token"
EXPIRED = "Expired JWT Token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever asks, as `request.user`: an actor, and the row behind it."""

    actor: Actor
    user: User | None = None
    client: ApiClient | None = None
    key: Connection | None = None

    @property
    def is_authenticated(self) -> bool:
        """There is no caller that nobody knows."""
        return True


class Bearer(BaseAuthentication):
    """`Authorization: Bearer ...`, or `?token=` for people."""

    def authenticate(self, request: Request) -> tuple[Caller, str] | None:
        """The caller and the secret shown; None when nothing was shown, AuthenticationFailed when it opens nothing."""
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret:
            token = request._request.GET.get("token", "")
            return (_person(token), token) if token else None
        if secret.startswith(credentials.API_KEY_PREFIX):
            return _key(secret), secret
        return (_person(secret) if secret.count(".") == 2 else _program(secret)), secret

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Bearer"


def tokens_for(user: User) -> tuple[str, str]:
    """A person's access and refresh token."""
    refresh = RefreshToken.for_user(user)
    return str(refresh.access_token), str(refresh)


def refreshed(text: str) -> tuple[User, Actor, str] | None:
    """Whoever a refresh token was given to, with a new access token; None when it is worth nothing."""
    try:
        refresh = RefreshToken(text)  # type: ignore[arg-type]  # a text is what it reads
    except TokenError:
        return None
    found = _by_claim(refresh.payload.get("user_id"))
    return None if found is None else (*found, str(refresh.access_token))


def _key(secret: str) -> Caller:
    found = credentials.by_connection(secret, dialect=Dialect.COOPCYCLE)
    if found is None:
        raise AuthenticationFailed(INVALID)
    connection, actor = found
    return Caller(actor=replace(actor, scopes=KEY_SCOPES & connection.client.scopes), client=connection.client, key=connection)


def _person(text: str) -> Caller:
    try:
        token = AccessToken(text)  # type: ignore[arg-type]  # a text is what it reads
    except ExpiredTokenError as error:
        raise AuthenticationFailed(EXPIRED) from error
    except TokenError as error:
        raise AuthenticationFailed(INVALID) from error
    found = _by_claim(token.payload.get("user_id"))
    if found is None:
        raise AuthenticationFailed(INVALID)
    user, actor = found
    return Caller(actor=actor, user=user)


def _by_claim(claim: object) -> tuple[User, Actor] | None:
    return credentials.by_user_id(int(claim)) if isinstance(claim, str | int) and str(claim).isdecimal() else None


def _program(secret: str) -> Caller:
    found = credentials.by_access_token(secret, at=timezone.now())
    if found is None:
        raise AuthenticationFailed(INVALID)
    client, actor = found
    return Caller(actor=actor, client=client)
