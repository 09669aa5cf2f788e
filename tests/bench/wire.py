"""A client that costs next to nothing, so that the figures are the server's."""

import socket
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One request, ready to send: `expect` is the status that it must answer."""

    name: str
    raw: bytes
    expect: int = 200


def call(name: str, method: str, path: str, headers: dict[str, str], body: bytes = b"", *, expect: int = 200) -> Call:
    """Print a request once; it is sent many times."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{key}: {value}" for key, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return Call(name, "\r\n".join([*lines, "", ""]).encode() + body, expect)


class Wire:
    """One kept-alive connection to the server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def seconds(self, sent: Call) -> float:
        """How long one request takes to its last byte; raises when the answer is not the one expected."""
        begin = time.perf_counter()
        self.socket.sendall(sent.raw)
        data = self.socket.recv(65536)
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(next(line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")))
        missing = length - len(body)
        while missing > 0:
            missing -= len(self._more())
        spent = time.perf_counter() - begin
        status = int(head.split(b" ", 2)[1])
        if status != sent.expect:
            raise RuntimeError(f"{sent.name} answered {status}: {data[-500:]!r}")
        return spent

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise RuntimeError("the server closed the connection")
        return data
