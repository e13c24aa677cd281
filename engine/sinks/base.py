"""What a replay needs of an outlet."""

from __future__ import annotations

from typing import Protocol

from engine.bins.ring import Rows


class Outlet(Protocol):
    """Driven by the session's thread alone; `close` too is called there."""

    def wanted(self) -> bool:
        """Whether somebody listens. A session that waits for its first listener asks this."""
        ...

    def push(self, rows: Rows) -> None:
        """Send bins that are due now, shape (n,), dtype `engine.bins.ring.row_dtype`."""
        ...

    def event(self, text: str, due: float) -> None:
        """Send what happened at `due`, in seconds of the engine's clock."""
        ...

    def close(self) -> None:
        """Vanish from the network. A second call does nothing."""
        ...
