"""One call on the wire, against real servers: what is sent, what is heard, and what is cut off."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from deliveries.outbox import posting
from tests.outbox.receivers import OK, late, leads_to_all, receiving, saying, send, silent
from tests.stores.loopback import Loopback, serving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
SLACK_MS = 700
"""What a loaded machine may take on top of a deadline."""


@pytest.fixture(autouse=True)
def _demo(settings: LazySettings) -> None:
    settings.ALLOW_PRIVATE_TARGETS = True


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving() as server:
        yield server


class TestWhatIsSent:
    def test_a_call_arrives_as_it_was_written(self, server: Loopback) -> None:
        body = '{"name":"Zoë"}'.encode()
        outcome = send(f"{server.url}/hook?key=a%20b", body=body, headers={"Content-Type": "application/json", "webhook-id": "msg_1"})
        assert (outcome.status, outcome.excerpt, outcome.error) == (200, "{}", "")
        assert server.asked == [("/hook?key=a%20b", body)]
        [heard] = server.asked_with
        assert (heard["Content-Type"], heard["webhook-id"], heard["Host"]) == ("application/json", "msg_1", server.netloc)
        assert heard["Content-Length"] == str(len(body))

    def test_a_fragment_stays_at_home(self, server: Loopback) -> None:
        send(f"{server.url}/hook#secret")
        assert [path for path, _ in server.asked] == ["/hook"]

    def test_every_call_has_a_connection_of_its_own(self) -> None:
        with receiving(saying(OK)) as receiver:
            assert [send(receiver.url()).status for _ in range(3)] == [200, 200, 200]
        assert receiver.connections == 3

    def test_proxies_of_the_environment_are_not_asked(self, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
        with receiving(saying(OK)) as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            assert send(server.url).status == 200
        assert proxy.connections == 0

    def test_an_ipv6_host_is_written_in_brackets(self) -> None:
        host = b""
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
            listener.settimeout(5)
            port = listener.getsockname()[1]
            outcome = send(f"http://[::1]:{port}/", timeout_s=0.3)
            connection, _ = listener.accept()
            with connection:
                host = connection.recv(4096)
        assert f"\r\nHost: [::1]:{port}\r\n".encode() in b"\r\n" + host
        assert outcome.error == "timed out after 0.3 s"


class TestWhatIsHeard:
    @pytest.mark.parametrize("status", [200, 204, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503])
    def test_every_status_is_an_answer_and_no_redirect_is_followed(self, server: Loopback, status: int) -> None:
        server.status, server.body, server.headers = status, b"", {"Location": f"{server.url}/elsewhere"}
        outcome = send(f"{server.url}/hook")
        assert (outcome.status, outcome.error) == (status, "")
        assert [path for path, _ in server.asked] == ["/hook"]

    @pytest.mark.parametrize(
        ("body", "excerpt"),
        [
            (b"a" * 2048, "a" * 2048),
            (b"a" * 5000, "a" * 2048),
            (b"a" * 2047 + "é".encode() + b"b", "a" * 2047),
            (b"a\0b", "a\ufffdb"),
            (b"caf\xe9 ole", "caf\ufffd ole"),
            (b"caf\xc3", "caf\ufffd"),
            (b"", ""),
        ],
        ids=["2 kB", "more", "a character cut in two", "NUL", "Latin-1", "half a character", "nothing"],
    )
    def test_the_excerpt_is_the_first_2_kb_as_text(self, server: Loopback, body: bytes, excerpt: str) -> None:
        server.body = body
        assert send(server.url).excerpt == excerpt

    def test_no_more_is_read_than_the_excerpt_needs(self) -> None:
        sent = 0

        def endless(connection: socket.socket, _over: object) -> None:
            nonlocal sent
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                sent += connection.send(b"a" * 65536)

        with receiving(endless) as receiver:
            outcome = send(receiver.url())
            assert (outcome.status, outcome.excerpt) == (200, "a" * 2048)
            time.sleep(0.1)
        assert sent < 10 * 2**20, "what fits into the buffers of both ends, and not a byte more"

    def test_the_network_is_read_in_small_pieces(self, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
        recv = socket.socket.recv
        server.body = b"a" * 1_000_000
        read: list[int] = []

        def counting(sock: socket.socket, size: int) -> bytes:
            data = recv(sock, size)
            read.append(len(data))
            return data

        monkeypatch.setattr(socket.socket, "recv", counting)
        assert send(server.url).status == 200
        assert 2048 < sum(read) < 3 * 4096

    def test_an_answer_before_the_whole_call_was_heard_counts(self) -> None:
        with receiving(saying(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig", every_s=0.5), hears_out=False) as receiver:
            assert send(receiver.url(), timeout_s=2, body=b"x" * 20_000_000).status == 413

    def test_a_status_counts_even_when_the_body_breaks_off(self) -> None:
        with receiving(saying(HEAD + b"half of")) as receiver:
            outcome = send(receiver.url())
        assert (outcome.status, outcome.excerpt, outcome.error) == (200, "half of", "")

    def test_the_duration_is_that_of_the_whole_call(self) -> None:
        with receiving(saying(b"HTTP/1.1 200 OK\r\n", b"Content-Length: 2\r\n\r\n", b"ok", every_s=0.1)) as receiver:
            assert 200 <= send(receiver.url()).duration_ms < 200 + SLACK_MS


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ({"Retry-After": "120"}, 120.0),
            ({"Retry-After": "0"}, 0.0),
            ({"Retry-After": "-5"}, None),
            ({"Retry-After": "1.5"}, None),
            ({"Retry-After": "soon"}, None),
            ({"Retry-After": "9" * 5000}, None),
            ({}, None),
        ],
    )
    def test_seconds(self, server: Loopback, headers: dict[str, str], expected: float | None) -> None:
        server.status, server.headers = 503, headers
        assert send(server.url).retry_after_s == expected

    def test_a_moment_is_measured_by_the_clock_of_the_answer(self, server: Loopback) -> None:
        """The server of the test says the time in `Date`, as every server with a clock does."""
        until = datetime.now(UTC) + timedelta(minutes=10)
        server.status, server.headers = 429, {"Retry-After": until.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        assert send(server.url).retry_after_s == pytest.approx(600, abs=3)

    @pytest.mark.parametrize(
        ("date", "until", "expected"),
        [
            ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:48:37 GMT", 0.0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:50:37 GMT", 60.0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:50:37 1994", 60.0),
            ("", "Sun, 06 Nov 1994 08:50:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 9999999999999999999 08:50:37 GMT", None),
        ],
        ids=["later", "past", "RFC 850", "asctime", "a server without a clock", "beyond all years"],
    )
    def test_every_form_of_a_moment(self, date: str, until: str, expected: float | None) -> None:
        head = f"HTTP/1.1 503 No\r\nDate: {date}\r\nRetry-After: {until}\r\nContent-Length: 0\r\n\r\n".encode()
        with receiving(saying(head)) as receiver:
            assert send(receiver.url()).retry_after_s == expected

    @given(st.text(), st.text())
    def test_nonsense_asks_for_nothing_or_for_some_time(self, text: str, date: str) -> None:
        asked = posting._retry_after(text, date)
        assert asked is None or asked >= 0


class TestBounds:
    @pytest.mark.parametrize(
        "behave",
        [
            silent,
            saying(b"HTTP/1.1 200 OK\r\n", *[b"X-Drip: 1\r\n"] * 500, every_s=0.05),
            saying(*[bytes([letter]) for letter in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 500], every_s=0.05),
            saying(*[b"HTTP/1.1 102 Processing\r\n\r\n"] * 500, every_s=0.05),
        ],
        ids=["silence", "a header at a time", "a letter at a time", "processing for ever"],
    )
    def test_a_head_that_does_not_end_is_cut_off(self, behave: Callable[..., None]) -> None:
        with receiving(behave) as receiver:
            outcome = send(receiver.url(), timeout_s=0.4)
        assert (outcome.status, outcome.error) == (None, "timed out after 0.4 s")
        assert 400 <= outcome.duration_ms < 400 + SLACK_MS

    def test_a_body_that_does_not_end_is_cut_off_and_the_status_counts(self) -> None:
        with receiving(saying(HEAD, *[b"a"] * 500, every_s=0.05)) as receiver:
            outcome = send(receiver.url(), timeout_s=0.4)
        assert (outcome.status, outcome.error) == (200, "")
        assert 1 <= len(outcome.excerpt) <= 10
        assert 400 <= outcome.duration_ms < 400 + SLACK_MS

    def test_a_receiver_that_hardly_reads_is_cut_off(self) -> None:
        def sip(connection: socket.socket, over: Any) -> None:
            while not over.wait(0.02):
                connection.recv(200_000)

        with receiving(sip, hears_out=False) as receiver:
            outcome = send(receiver.url(), timeout_s=0.4, body=b"x" * 20_000_000)
        assert outcome.error == "timed out after 0.4 s"
        assert outcome.duration_ms < 400 + SLACK_MS

    def test_a_name_service_that_does_not_answer_is_part_of_the_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", late)
        outcome = send("http://hooks.example/", timeout_s=0.2)
        assert outcome.error == "timed out after 0.2 s"
        assert outcome.duration_ms < 200 + SLACK_MS

    def test_a_handshake_that_does_not_end_is_part_of_the_time(self) -> None:
        with receiving(silent) as receiver:
            outcome = send(receiver.url(scheme="https"), timeout_s=0.3)
        assert outcome.error == "timed out after 0.3 s"
        assert outcome.duration_ms < 300 + SLACK_MS

    @pytest.mark.parametrize(
        "head",
        [
            b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 200_000,
            b"HTTP/1.1 200 OK\r\n" + b"X-Many: a\r\n" * 20_000,
            b"HTTP/1.1 102 Processing\r\n\r\n" * 10_000,
        ],
        ids=["one long header", "many headers", "many answers before the answer"],
    )
    def test_an_answer_that_never_comes_to_the_point_is_not_heard_out(self, head: bytes) -> None:
        with receiving(saying(head, OK)) as receiver:
            outcome = send(receiver.url())
        assert outcome.status is None
        assert outcome.error.startswith("no answer in HTTP: The answer is longer than 65536 bytes")

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"hello\r\n\r\n",
            b"HTTP/1.1 999999 What\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
            b"\0" * 500,
            b"HTTP/1.1 200",
        ],
        ids=["nothing", "not HTTP", "no status", "no length", "NULs", "half a line"],
    )
    def test_what_is_not_http_is_an_error_in_words(self, answer: bytes) -> None:
        with receiving(saying(answer)) as receiver:
            outcome = send(receiver.url())
        assert outcome.status is None
        assert outcome.error.startswith("no answer in HTTP: ")
        assert "\0" not in outcome.error
        assert len(outcome.error) <= 200

    def test_nobody_listens(self) -> None:
        with receiving(silent) as gone:
            pass
        assert send(gone.url()).error == "connection refused"

    def test_a_connection_that_is_reset(self) -> None:
        def reset(connection: socket.socket, _over: object) -> None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        with receiving(reset) as receiver:
            assert send(receiver.url()).error == "connection reset by peer"

    def test_a_name_that_is_not_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_args: Any, **_kwargs: Any) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        assert send("https://hooks.example/").error == "name not resolved: name or service not known"

    def test_a_name_without_an_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: [])
        assert send("https://hooks.example/").error == "the name has no address"

    def test_the_next_address_is_tried_when_one_refuses(self, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
        port = int(server.netloc.partition(":")[2])
        leads_to_all(monkeypatch, "127.0.0.9", "127.0.0.1")
        assert send(f"http://hooks.example:{port}/").status == 200

    def test_the_next_address_is_tried_in_time_when_one_swallows_everything(
        self, server: Loopback, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        port = int(server.netloc.partition(":")[2])
        leads_to_all(monkeypatch, "127.0.0.9", "127.0.0.1")
        connect = socket.socket.connect

        def swallow(sock: socket.socket, address: tuple[str, int]) -> None:
            if address[0] == "127.0.0.9":
                time.sleep(sock.gettimeout() or 0)
                raise TimeoutError
            connect(sock, address)

        monkeypatch.setattr(socket.socket, "connect", swallow)
        assert send(f"http://hooks.example:{port}/", timeout_s=0.6).status == 200
