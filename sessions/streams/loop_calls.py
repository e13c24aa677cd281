"""Calls from other threads into an event loop, woken once for all that come while it is busy."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class LoopCalls:
    """What replays ring when they have news for a loop.

    Waking a loop costs a system call in which the caller gives the interpreter's lock away, and has to
    wait for it again. With many sessions the loop is at work for others most of the time; then a ring
    costs nothing but its place in the queue.

    Parameters
    ----------
    loop : asyncio event loop
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._calls: deque[Callable[[], None]] = deque()
        self._rung = False

    def ring(self, call: Callable[[], None]) -> None:
        """Have the loop make a call soon. May be called from any thread."""
        self._calls.append(call)
        if not self._rung:
            self._rung = True
            self.loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        try:
            for _ in range(len(self._calls)):  # who rings meanwhile comes after the loop's other work
                self._calls.popleft()()
        finally:
            self._rung = bool(self._calls)
            if self._calls:  # looked at again: who rang just before the line above relied on it
                self._rung = True
                self.loop.call_soon(self._answer)
