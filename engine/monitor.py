"""A thread that looks after a session now and then, far from the path of a bin."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

PERIOD: Final = 0.5
"""Seconds from one look to the next."""


class Monitor:
    """Calls functions twice a second, until it is closed. Its methods may be called from any thread.

    Parameters
    ----------
    name : str
        Of the thread.
    looks : functions
        Each looks at something, with a cursor of its own where that is a ring.
    """

    def __init__(self, name: str, *looks: Callable[[], None]) -> None:
        self.error: str | None = None
        self._looks = looks
        self._rounds = 0
        self._closed = False
        self._hurried = False
        self._turn = threading.Condition()  # guards the three above; notified after every round
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def settle(self, timeout: float) -> bool:
        """Look at once, and wait until all that happened before this call was seen; false if it was not."""
        with self._turn:
            wanted = self._rounds + 2  # the round that is under way may have looked before
            while self._rounds < wanted and not self._closed:
                self._hurried = True
                self._turn.notify_all()
                if not self._turn.wait(timeout):
                    return False
            return not self._closed

    def close(self) -> None:
        """End the thread and wait for it. A second call does nothing."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closed:
                for look in self._looks:
                    look()
                with self._turn:
                    self._rounds += 1
                    self._turn.notify_all()
                    self._turn.wait_for(lambda: self._hurried or self._closed, PERIOD)
                    self._hurried = False
        except Exception as error:  # whatever it is, it ends the looks alone, and visibly
            log.exception("The %s has failed", self._thread.name)
            self.error = f"{type(error).__name__}: {error}"
            with self._turn:
                self._closed = True
                self._turn.notify_all()
