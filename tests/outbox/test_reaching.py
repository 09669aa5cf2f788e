"""Whom a call reaches: nobody inside, whatever names lead to, and nobody who cannot prove a name."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import LazySettings

from deliveries.outbox import posting, targets
from tests.outbox.receivers import OK, Receiver, leads_to, receiving, saying, send

USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


@pytest.fixture(autouse=True)
def _demo(settings: LazySettings) -> None:
    settings.ALLOW_PRIVATE_TARGETS = True


@pytest.fixture
def _strict(_demo: None, settings: LazySettings) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False


@pytest.mark.usefixtures("_strict")
class TestPrivateAddresses:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost.", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]"])
    def test_no_spelling_reaches_a_server_inside(self, host: str) -> None:
        with receiving(saying(OK)) as receiver:
            outcome = send(receiver.url(host, scheme="https"))
        # Not every name service knows "localhost" with a dot.
        assert outcome.error.startswith(("refused: ", "name not resolved: ") if host == "localhost." else "refused: ")
        assert (outcome.status, receiver.connections) == (None, 0)

    def test_the_error_says_which_address(self) -> None:
        assert send("https://10.0.0.1/").error == "refused: 10.0.0.1 is a private address"

    def test_plain_http_is_refused(self) -> None:
        assert send("http://8.8.8.8/").error == "refused: The URL must begin with https://"

    def test_a_name_that_leads_elsewhere_after_it_was_registered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        leads_to(monkeypatch, "93.184.215.14", "127.0.0.1")
        with receiving(saying(OK)) as receiver:
            url = receiver.url("hooks.example", scheme="https")
            targets.check(url)
            assert send(url).error == "refused: hooks.example leads to a loopback address"
        assert receiver.connections == 0

    def test_a_name_that_leads_elsewhere_after_it_was_checked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The call goes to the address that was checked: nobody asks for the name again."""
        asked = leads_to(monkeypatch, "93.184.215.14", "127.0.0.1")
        reached: list[tuple[str, int]] = []

        def connect(_sock: socket.socket, address: tuple[str, int]) -> None:
            reached.append(address)
            raise ConnectionRefusedError(111, "Connection refused")

        monkeypatch.setattr(socket.socket, "connect", connect)
        with receiving(saying(OK)) as receiver:
            assert send(receiver.url("hooks.example", scheme="https")).error == "connection refused"
        assert asked == ["hooks.example"]
        assert reached == [("93.184.215.14", receiver.port)]

    def test_a_connection_that_ends_inside_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Something between us and the network sends the connection elsewhere: who is at its end is looked at too."""
        leads_to(monkeypatch, "93.184.215.14")
        connect = socket.socket.connect
        with receiving(saying(OK)) as receiver:
            monkeypatch.setattr(socket.socket, "connect", lambda sock, _address: connect(sock, ("127.0.0.1", receiver.port)))
            outcome = send(receiver.url("hooks.example", scheme="https"))
            time.sleep(0.1)
        assert outcome.error == "refused: hooks.example leads to a loopback address"
        assert (receiver.connections, bytes(receiver.heard)) == (1, b"")


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate that vouches for itself: its file, and what a server shows it with."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.2"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.KeyUsage(**dict.fromkeys(USAGES, False) | {"digital_signature": True, "key_cert_sign": True}), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, private = folder / "certificate.pem", folder / "key.pem"
    shown.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, private)
    return shown, context


class TestTls:
    @pytest.fixture
    def receiver(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
        """A server for hooks.example, in whose certificate the system trusts; every name leads there."""
        trusted, context = certificate(tmp_path, "hooks.example")
        leads_to(monkeypatch, "127.0.0.1")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        posting._trust.cache_clear()
        with receiving(saying(OK), tls=context) as receiver:
            yield receiver
        posting._trust.cache_clear()

    def test_a_certificate_that_vouches_for_itself_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        _, context = certificate(tmp_path, "hooks.example")
        leads_to(monkeypatch, "127.0.0.1")
        with receiving(saying(OK), tls=context) as receiver:
            outcome = send(receiver.url("hooks.example", scheme="https"))
        assert outcome.error == "certificate verify failed: self-signed certificate"
        assert (outcome.status, bytes(receiver.heard)) == (None, b"")

    @pytest.mark.parametrize("host", ["hooks.example", "hooks.example."])
    def test_the_real_name_is_said_to_the_server(self, receiver: Receiver, host: str) -> None:
        outcome = send(receiver.url(host, scheme="https"))
        assert (outcome.status, outcome.excerpt, outcome.error) == (200, "ok", "")
        assert receiver.names == ["hooks.example"]
        assert f"\r\nHost: {host}:{receiver.port}\r\n".encode() in bytes(receiver.heard)

    def test_a_certificate_of_another_name_is_refused(self, receiver: Receiver) -> None:
        outcome = send(receiver.url("other.example", scheme="https"))
        assert outcome.error.startswith("certificate verify failed: Hostname mismatch")
        assert bytes(receiver.heard) == b""

    def test_a_server_that_speaks_no_tls(self) -> None:
        with receiving(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n", every_s=0.2), hears_out=False) as receiver:
            outcome = send(receiver.url(scheme="https"))
        assert outcome.error.startswith("TLS failed: ")

    def test_a_long_body_is_sent_whole(self, receiver: Receiver) -> None:
        assert send(receiver.url("hooks.example", scheme="https"), body=b"x" * 1_000_000).status == 200
        assert bytes(receiver.heard).endswith(b"\r\n\r\n" + b"x" * 1_000_000)
