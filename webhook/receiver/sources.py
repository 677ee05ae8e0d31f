"""Where does a request come from, and may a webhook come from there.

X-Forwarded-For is written by whoever likes to; only what our own proxies put at its right end is known.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import Blueprint, abort, request

from shared.configuration import Network
from shared.deps import Deps
from shared.observability import LogEvent, get_logger

_Address = IPv4Address | IPv6Address


def install_source_check(door: Blueprint, deps: Deps) -> None:
    """401 on every route of `door` for a sender with a list of sources, to whoever is not on it."""
    allowed = {alias: s.allowed_source_ips for alias, s in deps.settings.configuration.senders.items()}
    if not any(allowed.values()):
        return

    @door.before_request
    def refuse_strangers() -> None:
        alias = (request.view_args or {}).get("alias", "")
        networks = allowed.get(alias, ())
        if networks and not _is_from(networks, deps.settings.trusted_proxies):
            get_logger().warning(LogEvent.WEBHOOK_REFUSED, sender=alias, why="source")
            abort(401)


def _is_from(networks: Sequence[Network], proxies: Sequence[Network]) -> bool:
    source = source_of(request.remote_addr, request.headers.get("X-Forwarded-For"), proxies)
    return source is not None and is_in(source, networks)


def source_of(peer: str | None, forwarded_for: str | None, proxies: Sequence[Network]) -> _Address | None:
    """Pure: the nearest address that is not one of our `proxies`, from the right of `forwarded_for`.

    `peer`: who holds the connection; unless it is one of them, the header does not count. None: unreadable.
    """
    nearest = _address(peer or "")
    if nearest is None or forwarded_for is None or not is_in(nearest, proxies):
        return nearest
    hops = [_address(hop) for hop in forwarded_for.split(",")]
    known = [hop for hop in hops if hop is not None]
    if len(known) < len(hops):
        return None
    return next((hop for hop in reversed(known) if not is_in(hop, proxies)), known[0])


def is_in(address: _Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> _Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    # ::ffff:203.0.113.7 is how a socket for both families writes 203.0.113.7.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
