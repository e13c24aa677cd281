"""What a thread sleeps by: until a time, or until somebody rings."""

from __future__ import annotations

import math
import threading
from contextlib import suppress

from engine.bins import clock


class Alarm:
    """For one thread that waits and any number that ring. A ring before the wait ends it at once.

    A lock that is released to ring: a wait is one call of the interpreter, where `threading.Condition`
    makes a new lock and runs a dozen lines of Python.
    """

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """Let the thread go on, or not wait the next time."""
        with suppress(RuntimeError):  # it rings already
            self._silence.release()

    def wait(self, until: float) -> None:
        """Sleep until somebody rings, at most to this second of the engine's clock; infinity is never."""
        if until == math.inf:
            self._silence.acquire()
        elif (rest := until - clock.now()) > 0:
            self._silence.acquire(timeout=rest)
