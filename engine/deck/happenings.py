"""What happens in a session, in order: events of its trials, what people ask of it, and remarks."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from engine.bins import clock

KEPT: Final = 4096
NOTES_KEPT: Final = 1000


@dataclass(frozen=True)
class Note:
    """What was asked of a session, such as ``"seek 400"``, or found out about it, and when.

    Attributes
    ----------
    text : str
    due : float
        Seconds of the engine's clock, as bins have it.
    timestamp : float
        Unix seconds.
    asked : bool
        Whether it changed anything; false for remarks.
    """

    text: str
    due: float
    timestamp: float
    asked: bool = True


class Happening(NamedTuple):
    """Something that happened, such as ``target_on 3`` or ``pause``, at `due` on the engine's clock."""

    text: str
    due: float


class Happenings:
    """The newest of them, for any number of readers, each with a cursor of its own; and the notes apart.

    Attributes
    ----------
    changes : int
        Notes of what was asked so far: who has seen this number has seen every setting.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._kept: deque[Happening] = deque(maxlen=KEPT)
        self._head = 0
        self._notes: deque[Note] = deque(maxlen=NOTES_KEPT)
        self._remarks: deque[Note] = deque(maxlen=NOTES_KEPT)  # apart: they come by the hundred
        self._lock = threading.Lock()  # guards all of the above

    @property
    def head(self) -> int:
        """How many there ever were, which is the cursor of one who wants those that follow."""
        return self._head

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was asked and what was remarked, oldest first; the newest 1,000 of each."""
        with self._lock:
            notes = (*self._notes, *self._remarks)
        return tuple(sorted(notes, key=lambda note: note.due))

    def add(self, text: str, due: float) -> None:
        """An event of a trial, at the time at which its bin is due."""
        with self._lock:
            self._add(text, due)

    def note(self, text: str, asked: bool) -> None:
        """What was asked, or is remarked, now."""
        with self._lock:
            note = Note(text, clock.now(), time.time(), asked)
            (self._notes if asked else self._remarks).append(note)
            self.changes += asked
            self._add(text, note.due)

    def since(self, cursor: int) -> tuple[list[Happening], int]:
        """Those from a cursor on that are still kept, and the cursor of the next."""
        with self._lock:
            n = min(self._head - cursor, len(self._kept))
            return (list(self._kept)[-n:] if n else []), self._head

    def _add(self, text: str, due: float) -> None:
        self._kept.append(Happening(text, due))
        self._head += 1
