"""Where the walkthrough is played: requests and answers over real HTTP, written down so that people can follow."""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
from django.core.management.color import Style

Json = Any

TIMEOUT_S = 15
WIDTH = 100
LONGEST_TEXT = 64
MOST_ELEMENTS = 2
HIDDEN = frozenset({"_password", "token", "refresh_token", "access_token", "client_secret"})


class Difference(Exception):
    """An answer is not what it should be."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who sends requests: a name, the dialect they speak, and what lets them in."""

    name: str
    dialect: str
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    @classmethod
    def hubrise(cls, name: str, token: str) -> "Speaker":
        """A program with a HubRise token."""
        return cls(name, "HubRise", {"X-Access-Token": token})

    @classmethod
    def coopcycle(cls, name: str, token: str) -> "Speaker":
        """A person or a program with a bearer token or an API key."""
        return cls(name, "CoopCycle", {"Authorization": f"Bearer {token}"}, "application/ld+json")

    @classmethod
    def stranger(cls, name: str) -> "Speaker":
        """Somebody who has shown nothing yet."""
        return cls(name, "CoopCycle")

    @classmethod
    def client(cls, name: str, client_id: str, client_secret: str) -> "Speaker":
        """A program that shows its id and secret."""
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        return cls(name, "OAuth2", {"Authorization": f"Basic {basic}"})


class Stage:
    """Sends what speakers say to one instance, shows it, and checks the answers."""

    def __init__(self, client: httpx.Client, write: Callable[[str], object], style: Style) -> None:
        self._client, self._write, self._style = client, write, style
        self.calls = self.checks = 0

    def act(self, title: str) -> None:
        """Announce what comes."""
        self._write(f"\n{self._style.MIGRATE_HEADING(f'== {title} ==')}")

    def tell(self, text: str) -> None:
        """Say what goes on."""
        self._write(f"\n{self._style.MIGRATE_LABEL(text)}")

    def call(
        self, who: Speaker, method: str, path: str, body: Json = None, *, form: dict[str, str] | None = None, status: int = 200
    ) -> Json:
        """Send a request, show it with its answer, and return what the answer's body says, its text when that is no JSON.

        Raises `Difference` when the answer has another status.
        """
        self.calls += 1
        self._write(f"\n  {self._style.SUCCESS(who.name)}  {self._style.HTTP_INFO(f'{method} {path}')}  ({who.dialect})")
        self._show(form if form is not None else body)
        headers = dict(who.headers)
        content: bytes | None = None
        if form is None and method in ("POST", "PUT", "PATCH"):
            headers["Content-Type"] = who.content_type
            content = json.dumps({} if body is None else body).encode()
        answer = self._client.request(method, path, headers=headers, content=content, data=form)
        said = _read(answer)
        self._write(f"  {'<-':>4} {answer.status_code} {answer.headers.get('Content-Type', '')}")
        self._show(said)
        if answer.status_code != status:
            raise Difference(
                f"{who.name}: {method} {path} was answered with {answer.status_code} instead of {status}:\n{answer.text[:2000]}"
            )
        return said

    def expect(self, what: str, found: Json, wanted: Json) -> None:
        """Note that something is as it should be; raises `Difference` when it is not."""
        self.checks += 1
        if found != wanted:
            raise Difference(f"{what}: found {found!r} instead of {wanted!r}.")
        self._write(f"     {self._style.SUCCESS('✓')} {what}")

    def expect_given(self, what: str, found: Json) -> None:
        """Note that something has a value; raises `Difference` when it has none."""
        self.expect(what, bool(found), True)

    def expect_member(self, what: str, member: Json, of: Iterable[Json]) -> None:
        """Note that something is among others; raises `Difference` when it is not."""
        self.expect(what, member in list(of), True)

    def _show(self, value: Json) -> None:
        if value in (None, "", {}):
            return
        if isinstance(value, str):
            self._write(f"       {trimmed(value.strip())}")
            return
        short = json.dumps(trimmed(value), ensure_ascii=False)
        text = short if len(short) <= WIDTH else json.dumps(trimmed(value), ensure_ascii=False, indent=2)
        self._write("\n".join(f"       {line}" for line in text.splitlines()))


def trimmed(value: Json, *, depth: int = 0) -> Json:
    """A value short enough to be looked at: secrets hidden, nulls left out, long texts and lists cut, depths filled in."""
    if isinstance(value, dict):
        if depth > 2:
            return "{...}"
        kept = {key: "..." if key in HIDDEN else trimmed(each, depth=depth + 1) for key, each in value.items() if each is not None}
        return {key: each for key, each in kept.items() if each not in ([], {})}
    if isinstance(value, list):
        shown = [trimmed(each, depth=depth + 1) for each in value[:MOST_ELEMENTS]]
        return [*shown, f"... {len(value) - MOST_ELEMENTS} more"] if len(value) > MOST_ELEMENTS else shown
    if isinstance(value, str):
        first_line = value.partition("\n")[0]
        return value if len(value) <= LONGEST_TEXT and first_line == value else f"{first_line[:LONGEST_TEXT]}..."
    return value


def _read(answer: httpx.Response) -> Json:
    if "json" not in answer.headers.get("Content-Type", ""):
        return answer.text
    try:
        return answer.json()
    except ValueError as error:
        raise Difference(f"{answer.request.method} {answer.request.url.path} says it answers JSON, and does not.") from error
