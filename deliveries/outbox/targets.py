"""Where a call may go: the form of its URL, and every address that its host turns out to have."""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Thread

import httpx
from django.conf import settings

from stores.refusals import Path, Refused

Address = IPv4Address | IPv6Address

LONGEST_URL = 2000
RESOLVE_TIMEOUT_S = 5.0
PORTS = {"https": 443, "http": 80}
NAME = re.compile(r"(?=.{1,254}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?")
LOCALHOST = (".localhost", ".localhost.localdomain")
"""Names of this machine, and whatever stands below them."""
UNICAST_6 = ip_network("2000::/3")
INSIDE = tuple(
    ip_network(block)
    for block in (
        "100.64.0.0/10",  # between a provider and its customers
        "168.63.129.16/32",  # public by number, yet it answers from within one provider's data centres
        "192.0.0.0/24",  # protocol assignments, one of them a metadata service
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # protocol assignments, Teredo among them, which carries IPv4 inside
        "2002::/16",  # 6to4 carries IPv4 inside
        "3fff::/20",  # documentation, newer than some address tables
    )
)
"""What the address tables of some Python versions call global, and what leads elsewhere than it says."""


class UnsafeTarget(Refused):
    """A URL that calls must not be sent to."""

    code = "unsafe_target"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in the parts that a connection needs; `host` is ASCII without brackets, `netloc` is what the Host header says."""

    scheme: str
    host: str
    port: int
    netloc: bytes
    path: bytes


def check(url: str, *, path: Path = ("url",)) -> None:
    """Refuse a URL that calls must not go to; raises UnsafeTarget, about the field at `path`.

    Asks the name service, so it belongs outside of transactions. A name that is not known (yet) passes on purpose: whoever
    subscribes may set up their host afterwards, and the addresses are looked at again on every connection.
    """
    try:
        target = parse(url)
        resolve(target.host, target.port)
    except UnsafeTarget as refusal:
        raise UnsafeTarget(str(refusal), path=path) from refusal
    except OSError:
        return


def parse(url: str) -> Target:
    """The parts of a URL that is well formed for calls, wherever it leads; raises UnsafeTarget."""
    if len(url) > LONGEST_URL:
        raise UnsafeTarget(f"The URL is longer than {LONGEST_URL} characters.")
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise UnsafeTarget("This is not a URL.") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.ALLOW_PRIVATE_TARGETS):
        raise UnsafeTarget(f"The URL must begin with https://{' or http://' if settings.ALLOW_PRIVATE_TARGETS else ''}.")
    if parts.userinfo:
        raise UnsafeTarget("The URL must not hold a user name or password.")
    host = parts.raw_host.decode("ascii")
    if not NAME.fullmatch(host) and _literal(host) is None:
        raise UnsafeTarget("The URL must name a host.")
    port = PORTS[parts.scheme] if parts.port is None else parts.port
    if not 0 < port < 2**16:
        raise UnsafeTarget("The port of the URL must be between 1 and 65535.")
    return Target(scheme=parts.scheme, host=host, port=port, netloc=parts.netloc, path=parts.raw_path)


def resolve(host: str, port: int, *, timeout_s: float = RESOLVE_TIMEOUT_S) -> tuple[Address, ...]:
    """The addresses of a host, each of them allowed, in the order to try them.

    Raises UnsafeTarget when any is not allowed (whoever mixes them in is up to something), OSError when the name is not
    known, and TimeoutError, which is one, when that is not found out in time.
    """
    if _is_this_host(host) and not settings.ALLOW_PRIVATE_TARGETS:
        raise UnsafeTarget(f"{host} leads to a loopback address.")
    found = dict.fromkeys(_look_up(host, port, timeout_s))
    for address in found:
        guard(address, host)
    return tuple(found)


def guard(address: Address, host: str) -> None:
    """Refuse an address that calls must not reach; raises UnsafeTarget.

    For a name the sentence does not say which address: whoever asks may not be meant to learn the numbers of our network.
    """
    flaw = "" if settings.ALLOW_PRIVATE_TARGETS else _flaw(address)
    if flaw:
        raise UnsafeTarget(f"{host} is {flaw}." if _literal(host) == address else f"{host} leads to {flaw}.")


def _flaw(address: Address) -> str:
    """What kind of address this is when calls must not reach it; empty for those of the public internet."""
    if address.is_unspecified:
        return "no address of a host"
    if address.is_loopback:
        return "a loopback address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if isinstance(address, IPv6Address) and address not in UNICAST_6 and not address.is_private:
        # Among them IPv4 in other clothes: mapped, compatible, behind NAT64.
        return "not an address of the public internet"
    if address.is_private:
        return "a private address"
    if address.is_reserved or not address.is_global or any(address in block for block in INSIDE):
        return "not an address of the public internet"
    return ""


def _is_this_host(host: str) -> bool:
    """Whether a name means this machine wherever it is asked for: not every resolver knows each way to write it."""
    return f".{host.lower().removesuffix('.')}".endswith(LOCALHOST)


def _literal(host: str) -> Address | None:
    """The address that a host spells out; one with the name of a network interface is none that others could use."""
    try:
        return None if "%" in host else ip_address(host)
    except ValueError:
        return None


def _look_up(host: str, port: int, timeout_s: float) -> list[Address]:
    """Ask the name service, in a thread that may be left behind: the system's resolver knows no deadline."""
    found: list[Address] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                found.append(ip_address(address[0]))
        except OSError as error:
            failed.append(error)

    thread = Thread(target=ask, name="resolver", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        raise TimeoutError(f"{host} was not resolved in time")
    if failed:
        raise failed[0]
    return found
