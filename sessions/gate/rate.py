"""How many requests one address may send."""

from __future__ import annotations

import math
import threading

from engine.bins import clock
from sessions.refusals import TooMany

BURST = 8.0
"""Seconds of requests that may come at once: a class behind one address opens the dashboard together."""
FORGET_ABOVE = 4096
"""Addresses kept before those that owe nothing are forgotten."""


class Rate:
    """Counts requests by address; may be called from any thread.

    Each request moves the address's due time on by one period; one whose due time is more than the burst
    ahead must wait (the generic cell rate algorithm, ATM Forum, Traffic Management 4.0).

    Parameters
    ----------
    per_second : float
    """

    def __init__(self, per_second: float = 250.0) -> None:
        self._period = 1 / per_second
        self._due: dict[str, float] = {}
        self._lock = threading.Lock()  # guards the due times

    def take(self, address: str) -> None:
        """Count a request.

        Raises
        ------
        TooMany
            With the whole seconds after which to try again.
        """
        now = clock.now()
        with self._lock:
            if len(self._due) > FORGET_ABOVE:
                self._due = {each: due for each, due in self._due.items() if due > now}
            due = max(now, self._due.get(address, now))
            ahead = due - now - BURST
            if ahead <= 0:
                self._due[address] = due + self._period
                return
        raise TooMany(
            f"More than {1 / self._period:g} requests a second have come from {address}. Send fewer.",
            retry_after=max(1, math.ceil(ahead)),
        )
