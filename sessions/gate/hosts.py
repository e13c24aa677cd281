"""By which names the server may be called.

A page of a foreign name can make that name point to this machine (DNS rebinding). Its requests then have
its own origin and reach us; only their Host header gives them away.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Hosts:
    """Names of this server: ``localhost``, IP addresses, which nobody can redirect, and those allowed.

    Attributes
    ----------
    allowed : tuple of str
        Names without a port, such as ``rig7.lab``.
    """

    allowed: tuple[str, ...] = ()

    def allow(self, host: str) -> bool:
        """Whether a request with this Host header may be answered."""
        try:
            parts = urlsplit(f"//{host}")
            name = parts.hostname
            fits = parts.port is None or parts.port > 0
        except ValueError:
            return False
        if not name or not fits or parts.netloc != host or parts.username is not None:
            return False
        return name == "localhost" or name in map(str.lower, self.allowed) or _is_address(name)


def is_loopback(host: str) -> bool:
    """Whether a server that listens on `host` can be reached from its own machine alone."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def one_address(ip: str) -> str:
    """The address by which limits count: all of this machine's own are one, and each keeps one spelling."""
    try:
        found = ip_address(ip.partition("%")[0])
    except ValueError:  # a Unix socket's peer
        return ip
    plain = getattr(found, "ipv4_mapped", None) or found
    return "127.0.0.1" if plain.is_loopback else str(plain)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
