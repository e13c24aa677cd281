"""The server's end: a signal begins it, and it is over in time whatever the server is doing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

ENDED_WITHIN: Final = 9.0
"""Seconds from the signal; what is not done by then is left: a reading thread cannot be stopped."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Ending:
    """Whether the server has been told to end, and what it does then. One a process."""

    def __init__(self) -> None:
        self.begun = threading.Event()

    def on_signal(self, then: Callable[[], None]) -> None:
        """From now on SIGINT and SIGTERM begin the end, and call `then` in the main thread."""

        def handle(_signal: int, _frame: FrameType | None) -> None:
            if not self.begun.is_set():
                self.begun.set()
                self.within(ENDED_WITHIN)
            then()

        for each in SIGNALS:
            signal.signal(each, handle)

    def within(self, seconds: float) -> None:
        """Let the process be over in so many seconds at most."""
        limit = threading.Timer(seconds, leave)
        limit.daemon = True
        limit.start()


def interrupt() -> NoReturn:
    """What a signal does while nothing is served yet."""
    raise KeyboardInterrupt


def leave() -> NoReturn:
    """End the process at once and well, without waiting for threads."""
    os._exit(0)
