"""Decoders without a connection: each asks for its bins and sends its answers by calls of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from engine.answers.holds import Hold
from engine.answers.intake import SILENT_AFTER
from engine.answers.predictions import MAX_DECODERS, Predictions
from engine.bins import clock
from engine.errors import BadPrediction


class Caller:
    """One decoder: what it is called, and how far it has read.

    Attributes
    ----------
    asked : str or None
        What it calls itself.
    address : str
        From which it calls.
    hold : Hold or None
        On the name under which its answers count; None while it needs none.
    cursor : int or None
        The bin that it reads next; None before it has read any.
    lost : int
        Bins that it skipped, or that were gone when it asked for them.
    told : bool
        Whether it may know the truth.
    """

    def __init__(self, asked: str | None, address: str) -> None:
        self.asked = asked
        self.address = address
        self.hold: Hold | None = None
        self.cursor: int | None = None
        self.lost = 0
        self.waiting = 0
        self.told = False
        self.heard = clock.now()

    @property
    def name(self) -> str | None:
        return None if self.hold is None else self.hold.name

    def is_there(self) -> bool:
        """Whether a call of it waits, or its last one ended less than `SILENT_AFTER` ago."""
        return self.waiting > 0 or clock.now() - self.heard <= SILENT_AFTER


class Callers:
    """Those of one session. Its methods may be called from any thread.

    A decoder is known by what it calls itself and by its address. From its first call on it holds its
    name as one with a connection does, and leaves `SILENT_AFTER` seconds after its last.

    Parameters
    ----------
    predictions : Predictions
    """

    MOST: Final = MAX_DECODERS

    def __init__(self, predictions: Predictions) -> None:
        self._predictions = predictions
        self._callers: dict[tuple[str | None, str], Caller] = {}
        self._lock = threading.Lock()  # guards the one above and what callers hold

    def called(
        self, asked: str | None, address: str, answers: bool = False, *, truth: bool = False
    ) -> tuple[Caller, bool]:
        """Note a call.

        Parameters
        ----------
        asked : str or None
            What the decoder calls itself, as `engine.answers.prediction.checked_name` has it.
        address : str
        answers : bool
            Whether it needs a name, if it has not said one. If its first call does, it has its bins from
            elsewhere, and may know the truth.
        truth : bool
            Whether this call tells it the truth.

        Returns
        -------
        caller : Caller
        new : bool
            Whether this is its first call.

        Raises
        ------
        BadPrediction
            If there are too many.
        """
        self.look()
        with self._lock:
            known = self._callers.get((asked, address))
            if known is None and len(self._callers) >= self.MOST:
                raise BadPrediction(
                    f"{self.MOST} decoders ask this session for bins or answer call by call, the limit. "
                    f"Use one of their names, or wait until one was silent for {SILENT_AFTER:g} s."
                )
            caller = known or Caller(asked, address)
            self._callers[asked, address] = caller
            caller.heard = clock.now()
            caller.told = caller.told or truth or (known is None and answers)
            if caller.hold is not None and truth:
                self._predictions.holds.tell(caller.hold)
            if caller.hold is None and (asked is not None or answers):
                caller.hold = self._predictions.holds.take(asked, caller.is_there, truth=caller.told)
            return caller, known is None

    @contextmanager
    def waiting(self, caller: Caller) -> Iterator[None]:
        """Count a call that may take its time."""
        with self._lock:
            caller.waiting += 1
        try:
            yield
        finally:
            with self._lock:
                caller.waiting -= 1
                caller.heard = clock.now()

    def read(self, caller: Caller, first: int, end: int) -> None:
        """Note that a decoder has the bins from `first` on, before `end`; what it skipped is lost to it."""
        before, caller.cursor = caller.cursor, max(end, caller.cursor or 0)
        if before is not None and first > before:
            caller.lost += first - before
            if caller.name is not None:
                self._predictions.drop(caller.name, before, first, clock.now())

    def look(self) -> None:
        """Let those go who have been silent."""
        with self._lock:
            gone = [each for each in self._callers.values() if not each.is_there()]
            for each in gone:
                del self._callers[each.asked, each.address]
        for each in gone:
            self._leave(each)

    def close(self) -> None:
        """Let everybody go."""
        with self._lock:
            gone = list(self._callers.values())
            self._callers.clear()
        for each in gone:
            self._leave(each)

    def _leave(self, caller: Caller) -> None:
        hold, caller.hold = caller.hold, None
        if hold is not None:
            self._predictions.leave(hold.name, clock.now(), caller.cursor)
            self._predictions.holds.free(hold)
