"""One call on the wire: bounded in time and size, to a checked address, and never an exception for what the network does."""

import codecs
import re
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from typing import Any

import httpcore

from deliveries.outbox import targets
from deliveries.outbox.targets import Address, Target, UnsafeTarget

TIMEOUT_S = 20.0
EXCERPT = 2048
MOST_READ = 64 * 1024
AT_ONCE = 4096
LONGEST_ERROR = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: either the status that was answered, or the error that kept an answer away.

    `excerpt` is the first 2 kB of the answer. `retry_after_s` is what the receiver asks us to wait, if it does.
    """

    status: int | None
    duration_ms: int
    excerpt: str = ""
    error: str = ""
    retry_after_s: float | None = None


@dataclass(slots=True)
class _Bounds:
    """What is left of the time and of the bytes that one call may take."""

    timeout_s: float
    start: float = field(default_factory=time.monotonic)
    bytes_left: int = MOST_READ

    def spent_ms(self) -> int:
        return round((time.monotonic() - self.start) * 1000)

    def seconds(self) -> float:
        """Seconds left; raises TimeoutError when there are none."""
        left = self.start + self.timeout_s - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Stream(httpcore.NetworkStream):
    """A socket whose every move is within the bounds of the whole call, whatever timeout it is given."""

    def __init__(self, sock: socket.socket, bounds: _Bounds) -> None:
        self._sock = sock
        self._bounds = bounds

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._sock.settimeout(self._bounds.seconds())
        data = self._sock.recv(min(max_bytes, AT_ONCE))
        self._bounds.bytes_left -= len(data)
        if self._bounds.bytes_left < 0:
            raise httpcore.RemoteProtocolError(f"The answer is longer than {MOST_READ} bytes before it comes to the point")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        while rest:
            self._sock.settimeout(self._bounds.seconds())
            try:
                rest = rest[self._sock.send(rest) :]
            except (ConnectionError, ssl.SSLEOFError) as error:
                # A server may refuse before it has heard everything; its answer is read all the same.
                raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._sock.close()

    def start_tls(self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None) -> "_Stream":
        self._sock.settimeout(self._bounds.seconds())
        try:
            return _Stream(ssl_context.wrap_socket(self._sock, server_hostname=server_hostname), self._bounds)
        except OSError:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        return None


class _Backend(httpcore.NetworkBackend):
    """Connects to a host at exactly the addresses that were checked, so that a name answering otherwise next time gains nothing."""

    def __init__(self, bounds: _Bounds) -> None:
        self._bounds = bounds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _Stream:
        addresses = targets.resolve(host, port, timeout_s=self._bounds.seconds())
        for number, address in enumerate(addresses, start=1):
            try:
                # One that does not answer leaves time for the others.
                return self._connect(address, host, port, self._bounds.seconds() / (len(addresses) - number + 1))
            except OSError:
                if number == len(addresses):
                    raise
        raise OSError("the name has no address")

    def _connect(self, address: Address, host: str, port: int, seconds: float) -> _Stream:
        sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        try:
            sock.settimeout(seconds)
            sock.connect((str(address), port))
            targets.guard(ip_address(sock.getpeername()[0]), host)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, UnsafeTarget):
            sock.close()
            raise
        return _Stream(sock, self._bounds)


def post(url: str, body: bytes, headers: dict[str, str], *, timeout_s: float = TIMEOUT_S) -> Outcome:
    """Send one call and hear what is answered; redirects are an answer like any other.

    Resolving, connecting, writing and reading take `timeout_s` seconds together at most. Not inside a transaction.
    """
    bounds = _Bounds(timeout_s)
    try:
        return _exchange(targets.parse(url), body, headers, bounds)
    except TimeoutError:
        error = f"timed out after {timeout_s:g} s"
    except UnsafeTarget as refusal:
        error = f"refused: {str(refusal).rstrip('.')}"
    except httpcore.RemoteProtocolError as problem:
        error = f"no answer in HTTP: {problem}"
    except OSError as problem:
        error = _sentence(problem)
    return Outcome(status=None, duration_ms=bounds.spent_ms(), error=error.replace("\0", "\ufffd")[:LONGEST_ERROR])


def _exchange(target: Target, body: bytes, headers: dict[str, str], bounds: _Bounds) -> Outcome:
    """One connection, one request, one answer.

    A connection of its own costs a millisecond or so beside what a webhook takes, and carries nothing over between receivers.
    """
    url = httpcore.URL(scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path)
    sent = [(b"Host", target.netloc), *((name.encode("ascii"), value.encode("ascii")) for name, value in headers.items())]
    # Certificates are made out to names without the dot that ends them.
    extensions = {"sni_hostname": target.host.removesuffix(".")}
    with (
        httpcore.ConnectionPool(ssl_context=_trust(), network_backend=_Backend(bounds)) as pool,
        pool.stream("POST", url, headers=sent, content=body, extensions=extensions) as answer,
    ):
        told = {name.lower(): value.decode("latin-1") for name, value in answer.headers}
        excerpt = _excerpt(answer)
        return Outcome(
            status=answer.status,
            duration_ms=bounds.spent_ms(),
            excerpt=excerpt,
            retry_after_s=_retry_after(told.get(b"retry-after", ""), told.get(b"date", "")),
        )


@cache
def _trust() -> ssl.SSLContext:
    """Whom we believe: the authorities of the system and of Mozilla; read once, because that takes long."""
    return httpcore.default_ssl_context()


def _excerpt(answer: httpcore.Response) -> str:
    """As much of the body as arrives in time, up to 2 kB; the status has said what counts."""
    data = b""
    try:
        for chunk in answer.iter_stream():
            data += chunk
            if len(data) >= EXCERPT:
                break
    except (OSError, httpcore.RemoteProtocolError):
        pass
    # A character cut in two at the end is left out; others that are none are replaced.
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return decoder.decode(data[:EXCERPT], final=len(data) < EXCERPT).replace("\0", "\ufffd")


def _retry_after(text: str, date: str) -> float | None:
    """Seconds that a `Retry-After` header asks for; a moment in it is measured by the answer's own clock, its `Date`."""
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    until, now = _moment(text), _moment(date)
    return None if until is None or now is None else max((until - now).total_seconds(), 0.0)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sentence(problem: OSError) -> str:
    """What went wrong with the connection, in a few words without numbers."""
    match problem:
        case ssl.SSLCertVerificationError():
            return f"certificate verify failed: {problem.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {(problem.reason or str(problem)).lower().replace('_', ' ')}"
        case socket.gaierror():
            return f"name not resolved: {(problem.strerror or str(problem)).lower()}"
    return (problem.strerror or str(problem)).lower()
