"""A thread that looks after all sessions now and then, far from the path of a bin."""

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
    thread : MonitorThread
        Which calls them.
    name : str
        For the log.
    looks : functions
        Each looks at something, with a cursor of its own where that is a ring. Return soon: others wait.
    """

    def __init__(self, thread: MonitorThread, name: str, *looks: Callable[[], None]) -> None:
        self.error: str | None = None
        self._name = name
        self._looks = looks
        self._rounds = 0
        self._closed = False
        self._looking = threading.RLock()  # held during a round
        self._thread = thread
        thread.add(self)

    def settle(self, timeout: float) -> bool:
        """Look at once, and wait until all that happened before this call was seen; false if it was not."""
        wanted = self._rounds + 2  # the round that is under way may have looked before
        self._thread.hurry_until(lambda: self._rounds >= wanted or self._closed, timeout)
        return self._rounds >= wanted and not self._closed

    def close(self) -> None:
        """Look no more, and wait for the look that is under way. A second call does nothing."""
        with self._looking:
            self._closed = True
            self._looks = ()  # the thread may hold this monitor a while longer, but not what it looked at
        self._thread.remove(self)

    def go_round(self) -> None:
        """Look once. A failure ends the looks, and nothing else."""
        with self._looking:
            if self._closed:
                return
            try:
                for look in self._looks:
                    look()
                self._rounds += 1
            except Exception as error:  # whatever it is, it ends this monitor alone, and visibly
                log.exception("The %s has failed", self._name)
                self.error = f"{type(error).__name__}: {error}"
                self._closed = True


class MonitorThread:
    """The thread of all monitors of a server, which is there while any of them is.

    A hundred threads that want the interpreter at times of their own would cost several times what they do
    with it.
    """

    def __init__(self) -> None:
        self._monitors: tuple[Monitor, ...] = ()
        self._thread: threading.Thread | None = None
        self._hurried = 0
        self._turn = threading.Condition()  # guards the three above; notified after every round

    def add(self, monitor: Monitor) -> None:
        with self._turn:
            self._monitors = (*self._monitors, monitor)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="monitors", daemon=True)
                self._thread.start()

    def remove(self, monitor: Monitor) -> None:
        """A second call does nothing. The thread ends with the last one."""
        with self._turn:
            self._monitors = tuple(each for each in self._monitors if each is not monitor)
            self._turn.notify_all()

    def hurry_until(self, met: Callable[[], bool], timeout: float) -> None:
        """Let one round follow another until something is so."""
        with self._turn:
            self._hurried += 1
            self._turn.notify_all()
            self._turn.wait_for(met, timeout)
            self._hurried -= 1

    def _run(self) -> None:
        while True:
            monitors = self._monitors
            for monitor in monitors:  # one at a time, as all at once would keep others from the interpreter
                monitor.go_round()
                with self._turn:
                    self._turn.notify_all()
                    self._turn.wait_for(lambda: self._hurried or not self._monitors, PERIOD / len(monitors))
            with self._turn:
                if not self._monitors:
                    self._thread = None
                    return
