"""Which browser pages may connect: those of our own ports, and those that the settings name."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

STANDARD_PORTS = {"http": 80, "https": 443}
"""An origin does not name them."""


@dataclass(frozen=True)
class Origins:
    """Origins of trusted pages.

    Attributes
    ----------
    ports : tuple of int
        Ours: a page of the same host name on one of them is our own, as is one of this very address.
    allowed : tuple of str
        Others, such as ``https://lab.example``; ``null`` is a page opened from a file.
    """

    ports: tuple[int, ...] = ()
    allowed: tuple[str, ...] = ()

    def allow(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may reach us at `host`, the request's Host header."""
        if origin in self.allowed:
            return True
        try:
            page, ours = urlsplit(origin), urlsplit(f"//{host}")
            same_port = (
                page.port == ours.port or (page.port or STANDARD_PORTS.get(page.scheme)) in self.ports
            )
        except ValueError:
            return False
        return page.hostname is not None and page.hostname == ours.hostname and same_port
