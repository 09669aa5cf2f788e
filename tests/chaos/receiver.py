"""Whoever is called: writes down what comes, mostly thanks for it, and sometimes fails, dawdles or hangs up."""

import random
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
LONGEST_DAWDLE_S = 3.0
FAILS, HANGS_UP, DAWDLES = 0.05, 0.03, 0.05
"""How often, of the calls that come for the first time; whoever comes again is always thanked, or a run would not end."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that came in: `hook` names the subscription, `id` is its `webhook-id`."""

    at: float
    hook: str
    id: str
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Listens on a free port of the loopback interface until `stop`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, seed: int) -> None:
        """Begin to listen; `seed` decides how calls are answered."""
        super().__init__((HOST, 0), Handler)
        self.arrivals: list[Arrival] = []
        self._random = random.Random(seed)  # noqa: S311 - decides who is kept waiting
        self._known: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, name="receiver", daemon=True).start()

    def url(self, hook: str) -> str:
        """Where a subscription has its calls sent."""
        return f"http://{HOST}:{self.server_address[1]}/{hook}"

    def note(self, hook: str, call_id: str, body: bytes) -> float:
        """Write down a call; how it is to be answered, from 0 up to 1, and 1 when it came before."""
        with self._lock:
            self.arrivals.append(Arrival(time.time(), hook, call_id, body))
            again = (hook, call_id) in self._known
            self._known.add((hook, call_id))
            return 1.0 if again else self._random.random()

    def stop(self) -> None:
        """Listen no more."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever calls may be killed while they do."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take a call."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if len(body) < int(self.headers.get("Content-Length", "0")):
            self.close_connection = True
            return
        luck = self.server.note(self.path.strip("/"), self.headers.get("webhook-id", ""), body)
        if luck < HANGS_UP:
            self.close_connection = True
            return
        if luck < HANGS_UP + DAWDLES:
            time.sleep(LONGEST_DAWDLE_S * luck / (HANGS_UP + DAWDLES))
        self.send_response(500 if HANGS_UP + DAWDLES < luck < HANGS_UP + DAWDLES + FAILS else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Everything is in `arrivals`."""
