"""A program that nobody can call: it reads the feed all the time, from where it stands on."""

import threading

import httpx

from tests.chaos.journal import Json
from tests.chaos.load import Caller

PAUSE_S = 0.3
PER_PAGE = 50


class Follower(threading.Thread):
    """Reads until told to stop; `read` holds the ids of events in the order in which they came."""

    def __init__(self, base_url: str, caller: Caller) -> None:
        """Not begun yet."""
        super().__init__(name="follower", daemon=True)
        self.over = threading.Event()
        self.read: list[str] = []
        self._caller = caller
        self._http = httpx.Client(base_url=base_url, timeout=20, trust_env=False)
        self._next = f"/api/events?itemsPerPage={PER_PAGE}"

    def run(self) -> None:
        """Ask again and again; a question that was not answered is asked again as it was."""
        while not self.over.wait(PAUSE_S):
            self.catch_up()

    def catch_up(self) -> None:
        """Read what there is by now."""
        while members := self._page():
            self.read += [member["id"] for member in members]

    def _page(self) -> list[Json]:
        try:
            answer = self._http.get(self._next, headers=self._caller.headers)
        except httpx.TransportError:
            return []
        if not answer.is_success:
            return []
        found = answer.json()
        self._next = found["hydra:view"]["hydra:next"]
        members: list[Json] = found["hydra:member"]
        return members
