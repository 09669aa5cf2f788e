"""A receiver that behaves as badly as a test wants: it is handed each connection and does with it what it likes."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from deliveries.outbox.posting import Outcome, post

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Behaviour = Callable[[socket.socket, threading.Event], None]


@dataclass
class Receiver:
    """Where it listens, and every byte it was sent."""

    port: int
    connections: int = 0
    heard: bytearray = field(default_factory=bytearray)
    names: list[str | None] = field(default_factory=list)

    def url(self, host: str = "127.0.0.1", *, scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/hook"


@contextmanager
def receiving(behave: Behaviour, *, tls: ssl.SSLContext | None = None, hears_out: bool = True) -> Iterator[Receiver]:
    """Listen on the loopback interface; `behave` gets each connection after the request, and an event that is set at the end.

    One that does not hear its callers out has read only how the request begins.
    """
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver = Receiver(listener.getsockname()[1])
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: receiver.names.append(name)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                receiver.connections += 1
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        def serve(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                # What the client does not like of us it says by hanging up.
                held = connection if tls is None else tls.wrap_socket(connection, server_side=True)
                with held:
                    request = held.recv(1000)
                    while hears_out and not complete(request) and (more := held.recv(65536)):
                        request += more
                    receiver.heard += request
                    behave(held, over)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield receiver
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)


def complete(request: bytes) -> bool:
    """Is this a whole request, head and body?"""
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def saying(*parts: bytes, every_s: float = 0.0) -> Behaviour:
    """Says the parts one after the other, and hangs up."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        for part in parts:
            connection.sendall(part)
            if over.wait(every_s):
                return

    return behave


def late(*_args: Any, **_kwargs: Any) -> list[Any]:
    """A name service that takes its time and then knows nothing, in place of `socket.getaddrinfo`."""
    time.sleep(1.5)
    return []


def silent(_connection: socket.socket, over: threading.Event) -> None:
    """Says nothing for as long as it is let."""
    over.wait(30)


def send(url: str, *, timeout_s: float = 5.0, body: bytes = b"{}", headers: dict[str, str] | None = None) -> Outcome:
    """Post something, not waiting for as long as a worker would."""
    return post(url, body, headers or {}, timeout_s=timeout_s)


def leads_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Make names lead to one IPv4 address after the other (the last for good); returns what was asked for."""
    left = list(answers)
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_args: Any, **_kwargs: Any) -> list[Any]:
        asked.append(host)
        return [found(left.pop(0) if len(left) > 1 else left[0], port)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def leads_to_all(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Make every name lead to all of these addresses."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, port, *_args, **_kwargs: [found(address, port) for address in addresses])


def found(address: str, port: int) -> tuple[Any, ...]:
    """An address as `socket.getaddrinfo` gives it."""
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)
