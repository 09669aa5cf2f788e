"""Where calls may go: every spelling of an address inside is refused, whatever name leads there."""

import socket
import time
from typing import Any

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from deliveries.outbox import posting, targets
from deliveries.outbox.targets import UnsafeTarget
from stores.refusals import Refused
from tests.outbox.receivers import late, leads_to_all

LOOPBACK = [
    *("127.0.0.1", "127.0.0.53", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.1", "017700000001"),
    *("localhost", "LOCALHOST", "localhost.", "LocalHost.", "hooks.localhost", "a.b.localhost.", "localhost.localdomain"),
    *("[::1]", "[0:0:0:0:0:0:0:1]"),
]
INSIDE = [
    *("10.0.0.1", "10.1", "0xa000001", "172.16.0.1", "172.31.255.255", "192.168.1.1", "192.168.257", "[fd00::1]", "[fc00::1]"),
    *("169.254.169.254", "2852039166", "0xa9fea9fe", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    *("0.0.0.1", "0", "[::]", "100.64.0.1", "198.18.0.1", "192.0.2.1", "203.0.113.7", "240.0.0.1", "255.255.255.255"),
    *(
        "224.0.0.1",
        "239.1.1.1",
        "[ff02::1]",
        "[ff0e::1]",
        "192.88.99.1",
        "[fec0::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[5f00::1]",
        "[100::1]",
    ),
]
IPV4_INSIDE_IPV6 = [
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]"),
    *("[2002:7f00:1::]", "[2002:a00:1::1]", "[2001:0:7f00:1::]", "[64:ff9b::7f00:1]", "[64:ff9b::a00:1]", "[64:ff9b:1::a00:1]"),
    # Even where the address inside is one of the public internet: nobody publishes these.
    *("[::ffff:8.8.8.8]", "[2002:808:808::1]", "[64:ff9b::808:808]"),
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.215.14", "[2606:4700:4700::1111]", "[2a00:1450:4001:81c::200e]"]


@pytest.fixture(autouse=True)
def _strict(settings: LazySettings) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False


@pytest.mark.parametrize("host", [*LOOPBACK, *INSIDE, *IPV4_INSIDE_IPV6])
def test_addresses_inside_are_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(UnsafeTarget) as refused:
        targets.check(f"https://{host}/hook")
    assert refused.value.path == ("url",)


@pytest.mark.parametrize("host", PUBLIC)
def test_addresses_of_the_public_internet_are_let_through(host: str) -> None:
    targets.check(f"https://{host}:8443/hook?key=1")


@pytest.mark.parametrize("host", [*LOOPBACK, "10.0.0.1", "169.254.1.1", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_demo_may_call_itself(settings: LazySettings, scheme: str, host: str) -> None:
    settings.ALLOW_PRIVATE_TARGETS = True
    targets.check(f"{scheme}://{host}:8123/hook")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://8.8.8.8/", "The URL must begin with https://."),
        ("ftp://8.8.8.8/", "The URL must begin with https://."),
        ("file:///etc/passwd", "The URL must begin with https://."),
        ("8.8.8.8/hook", "The URL must begin with https://."),
        ("//8.8.8.8/hook", "The URL must begin with https://."),
        ("", "The URL must begin with https://."),
        ("https://", "The URL must name a host."),
        ("https:///hook", "The URL must name a host."),
        ("https://a..example/", "The URL must name a host."),
        ("https://a b.example/", "The URL must name a host."),
        ("https://127.0.0.1%00.example/", "The URL must name a host."),
        ("https://[fe80::1%25eth0]/", "The URL must name a host."),
        (f"https://{'a' * 64}.example/", "The URL must name a host."),
        (f"https://{'a.' * 130}example/", "The URL must name a host."),
        ("https://me@8.8.8.8/", "The URL must not hold a user name or password."),
        ("https://8.8.8.8\\@127.0.0.1/", "The URL must not hold a user name or password."),
        ("https://8.8.8.8:0/", "The port of the URL must be between 1 and 65535."),
        ("https://8.8.8.8:65536/", "The port of the URL must be between 1 and 65535."),
        ("https://8.8.8.8:-1/", "The port of the URL must be between 1 and 65535."),
        ("https://8.8.8.8:port/", "This is not a URL."),
        ("https://8.8.8.8/\r\nHost: other", "This is not a URL."),
        ("https://0177.0.0.1/", "This is not a URL."),
        ("https://\uff11\uff12\uff17.0.0.1/", "This is not a URL."),
        ("https://[::1/", "This is not a URL."),
        ("https://8.8.8.8/\ud800", "This is not a URL."),
        (f"https://8.8.8.8/{'a' * 2000}", "The URL is longer than 2000 characters."),
    ],
)
def test_a_url_that_is_no_target_is_refused_with_the_reason(url: str, sentence: str) -> None:
    with pytest.raises(UnsafeTarget) as refused:
        targets.check(url)
    assert str(refused.value) == sentence


def test_the_demo_takes_http_but_nothing_else(settings: LazySettings) -> None:
    settings.ALLOW_PRIVATE_TARGETS = True
    with pytest.raises(UnsafeTarget, match=r"^The URL must begin with https:// or http://\.$"):
        targets.check("ftp://localhost/")


def test_the_longest_url_is_long_enough() -> None:
    targets.check("https://8.8.8.8/".ljust(2000, "a"))


def test_a_refusal_names_the_address_that_was_written_but_not_one_that_was_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsafeTarget, match=r"^10\.0\.0\.1 is a private address\.$"):
        targets.check("https://10.0.0.1/")
    leads_to_all(monkeypatch, "10.20.30.40")
    with pytest.raises(UnsafeTarget, match=r"^db\.example leads to a private address\.$"):
        targets.check("https://db.example/")


def test_one_address_inside_among_others_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to_all(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(UnsafeTarget):
        targets.check("https://hooks.example/")
    leads_to_all(monkeypatch, "8.8.8.8", "::1")
    with pytest.raises(UnsafeTarget):
        targets.check("https://hooks.example/")


def test_addresses_come_once_each_in_the_order_of_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to_all(monkeypatch, "2606:4700::1", "8.8.8.8", "2606:4700::1", "1.1.1.1")
    assert [str(address) for address in targets.resolve("hooks.example", 443)] == ["2606:4700::1", "8.8.8.8", "1.1.1.1"]


def test_a_name_in_any_script_is_looked_up_by_its_ascii_form(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to_all(monkeypatch, "127.0.0.1")
    with pytest.raises(UnsafeTarget, match=r"^xn--rve-fma\.example leads to a loopback address\.$"):
        targets.check("https://rêve.example/")


def test_the_refusal_is_about_the_field_the_caller_says() -> None:
    with pytest.raises(Refused) as refused:
        targets.check("https://10.0.0.1/", path=("callback", "url"))
    assert (refused.value.path, refused.value.code) == (("callback", "url"), "unsafe_target")


def test_a_name_that_is_not_known_yet_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: Any, **_kwargs: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    targets.check("https://hooks.example/")
    with pytest.raises(socket.gaierror):
        targets.resolve("hooks.example", 443)


def test_a_name_service_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", late)
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        targets.resolve("hooks.example", 443, timeout_s=0.1)
    assert time.monotonic() - start < 1


@pytest.mark.parametrize("host", ["localhost.", "hooks.localhost", "localhost.localdomain."])
def test_this_machine_is_not_asked_for_by_name(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Some resolvers do not know these names, others lead to us: registering and connecting refuse them alike."""
    leads_to_all(monkeypatch, "8.8.8.8")
    with pytest.raises(UnsafeTarget):
        targets.check(f"https://{host}/")
    outcome = posting.post(f"https://{host}/", b"{}", {})
    assert (outcome.status, outcome.error) == (None, f"refused: {host} leads to a loopback address")


@given(st.text() | st.text().map("https://{}/".format) | st.from_regex(r"https://[^/]{0,20}(:[0-9]{0,6})?/.*"))
def test_whatever_is_sent_as_a_url_is_taken_apart_or_refused(url: str) -> None:
    try:
        target = targets.parse(url)
    except UnsafeTarget:
        return
    assert target.scheme == "https"
    assert target.host.isascii()
    assert 0 < target.port < 65536
    assert target.path.startswith(b"/")
