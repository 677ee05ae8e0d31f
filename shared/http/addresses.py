"""Which addresses and hosts may be called. Pure: knows no name server and no socket.

The standard library's `is_global` is no such rule: it calls `64:ff9b::7f00:1` global, which is 127.0.0.1
behind NAT64 (tried on 3.11 and 3.13), and on 3.11.7 `2002:7f00:1::` too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

#: RFC 6890 and its registry, https://www.iana.org/assignments/iana-ipv4-special-registry (a copy of it, read
#: 2026-11-22), with multicast, and what is public by number only.
_NOT_PUBLIC_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by a carrier's customers; a cloud keeps its metadata there
            "127.0.0.0/8",
            "168.63.129.16/32",  # a cloud's own host, as its guests see it
            "169.254.0.0/16",  # link-local; most clouds keep their metadata there
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
#: All that is given out of IPv6 so far. Outside lie loopback, private, link-local, multicast, mapped IPv4
#: (`::ffff:0:0/96`) and NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`).
_GIVEN_OUT_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments; Teredo, which wraps IPv4, is its first /32
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4 wraps IPv4
            "3fff::/20",  # documentation
        ),
    )
)


class Refusal(StrEnum):
    """Why an address is not called."""

    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    PLAIN_HTTP_NOT_ALLOWED = "plain_http_not_allowed"


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Lets a call reach public addresses through TLS, and the `allowed` networks in any way."""

    allowed: tuple[IPv4Network | IPv6Network, ...] = ()

    def refusal(self, address: str, *, is_encrypted: bool) -> Refusal | None:
        """Judge an address as it is about to be connected to. None: it may be called."""
        try:
            found = ip_address(address)
        except ValueError:
            return Refusal.ADDRESS_NOT_ALLOWED
        if any(found in network for network in self.allowed):
            return None
        if not is_public(found):
            return Refusal.ADDRESS_NOT_ALLOWED
        return None if is_encrypted else Refusal.PLAIN_HTTP_NOT_ALLOWED


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is one machine's address on the internet, and holds no other address inside."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    return address in _GIVEN_OUT_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def is_url_allowed(url: str, hosts: Collection[str], plain_hosts: Collection[str] = ()) -> bool:
    """Whether `url` leads to one of `hosts` through https, or to one of `plain_hosts` through http.

    A host is `name` for the scheme's own port, or `name:port`. It matches whole, in any case of letters.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    own_port, allowed = {"https": (443, hosts), "http": (80, plain_hosts)}.get(parts.scheme, (0, ()))
    host = parts.hostname if port in (None, own_port) else f"{parts.hostname}:{port}"
    return host in {each.lower() for each in allowed}
