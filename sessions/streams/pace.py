"""How far a client is written to ahead of what it has taken: by its credit, or by the pings it answers.

What the kernels on both sides hold for a client that does not read is stale when it does, and a server
sees nothing of it. A ping lies behind the packets that were written before it, and every WebSocket client
answers it when it comes to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from engine.bins import clock
from sessions.streams.packets import PING, as_message

ASK_EVERY: Final = 0.1
"""Least seconds between two pings."""
FRESH_FOR: Final = 0.25
"""Seconds after an unanswered ping in which packets are still written: more than a round trip takes."""
MARK: Final = b"fresh"
"""What these pings carry."""
MOST: Final = 64
"""Packets written to one client before others have their turn."""


class Pace:
    """One client's.

    Parameters
    ----------
    credit : int, optional
        Packets that may be out unanswered.
    """

    def __init__(self, credit: int | None = None) -> None:
        self.credit = credit
        self._out: deque[int] = deque()  # rows of packets that are not answered
        self._pinged = -ASK_EVERY
        self._open = False  # whether that ping is not answered

    def room(self, fresh: bool) -> int:
        """Packets that may be written now; `fresh` if none may become old on its way."""
        if self.credit is not None:
            return min(self.credit - len(self._out), MOST)
        return 0 if fresh and self.unread_for(clock.now()) > FRESH_FOR else MOST

    def sent(self, rows: Sequence[int], fresh: bool) -> bytes:
        """Note that packets are being written; return what is to be written after them."""
        if self.credit is not None:
            self._out.extend(rows)
            return b""
        now = clock.now()
        if not fresh or self._open or now - self._pinged < ASK_EVERY:
            return b""
        self._pinged, self._open = now, True
        return as_message(PING, MARK)

    def answered(self, number: int) -> None:
        """The client has answered the packet of this row, and with it all before."""
        while self._out and self._out[0] <= number:
            self._out.popleft()

    def ponged(self, data: bytes) -> None:
        """The client has come to a ping."""
        if data == MARK:
            self._open = False

    def unread_for(self, now: float) -> float:
        """Seconds for which a ping has not been answered."""
        return now - self._pinged if self._open else 0.0
