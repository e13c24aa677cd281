"""The server's end: a signal begins it, and it is over in time whatever the server is doing."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

log = logging.getLogger(__name__)

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
        limit = threading.Timer(seconds, give_up, (seconds,))
        limit.daemon = True
        limit.start()


def interrupt() -> NoReturn:
    """What a signal does while nothing is served yet."""
    raise KeyboardInterrupt


def give_up(seconds: float) -> NoReturn:
    """End the process although it is at work, and say what with."""
    here = threading.current_thread(), threading.main_thread()
    at_work = sorted(each.name for each in threading.enumerate() if each not in here and not each.daemon)
    log.warning(
        "Ended after %g s, before all was done: %s. The next start finishes records.",
        seconds,
        ", ".join(at_work) or "what was being closed",
    )
    leave()


def leave() -> NoReturn:
    """End the process at once and well, without waiting for threads."""
    os._exit(0)
