"""A web server on this machine that gives prepared answers, for clients of outside services."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Loopback:
    """What the server says, and what it was asked; clear `answering` to leave clients waiting until it is set again."""

    body: bytes = b"{}"
    status: int = 200
    status_of: Callable[[bytes], int] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    asked_with: list[Message] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)
    netloc: str = ""

    @property
    def url(self) -> str:
        return f"http://{self.netloc}"


@contextmanager
def serving() -> Iterator[Loopback]:
    """Serve on a free port of the loopback interface for as long as the block lasts."""
    loopback = Loopback()
    loopback.answering.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            loopback.asked_with.append(self.headers)
            loopback.asked.append((self.path, self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            loopback.answering.wait(10)
            self.send_response(loopback.status if loopback.status_of is None else loopback.status_of(loopback.asked[-1][1]))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(loopback.body)))
            for name, value in loopback.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(loopback.body)

        do_POST = do_GET  # noqa: N815 - the name http.server calls

        def log_message(self, *_args: object) -> None:
            """Keep the tests quiet."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                return  # the client has given up waiting, which is what some tests are about

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    loopback.netloc = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        loopback.answering.set()
        server.shutdown()
        server.server_close()
        thread.join()
