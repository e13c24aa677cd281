"""What decoders answer: a ring of predictions, each matched to its bin when it is received."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.answers.cursor import Place, Stretches, Values
from engine.answers.holds import Holds
from engine.answers.prediction import PREDICTION, checked_number
from engine.answers.safety import SafeCursor, Safety
from engine.bins.answered import Verdict
from engine.bins.ring import Ring
from engine.bins.schema import Rows
from engine.bins.source import Moved
from engine.deck.replay import Replay
from engine.errors import BadPrediction

MAX_DECODERS: Final = 32
"""Names per session; those made up for decoders that have gone do not count."""
PER_BIN: Final = 4
"""Predictions a decoder may send per bin, on average. Saved up, they reach for the whole ring at once."""
FEW, RECENT = 8, 400
"""Bins among which one is looked for by its time: first among those that most decoders answer."""
KEPT: Final = 65_536
"""Lines of the log that are kept: 10 s of 32 decoders at 200 bins per second."""

Positions = npt.NDArray[np.float32]


class Bin(NamedTuple):
    """What a prediction is matched to."""

    number: int
    packet_id: int
    stretch: int
    due: float
    place: Place


class Entry:
    """One decoder: which of the bins in the ring it has answered, where its cursor was, and its budget."""

    def __init__(self, capacity: int, cursor: SafeCursor, head: int) -> None:
        self.numbers = np.full(capacity, -1, np.int64)
        self.positions = np.full((capacity, 2), np.nan, np.float32)
        self.cursor = cursor
        self.refused = 0
        self._budget = capacity
        self._head = head

    def afford(self, head: int) -> bool:
        """Take one prediction from the budget, which grows with every bin that is sent."""
        self._budget = min(self._budget + PER_BIN * (head - self._head), len(self.numbers))
        self._head = head
        if self._budget == 0:
            return False
        self._budget -= 1
        return True


class Predictions:
    """The predictions of one session. Its methods may be called from any thread.

    Parameters
    ----------
    replay : Replay
    news : function, optional
        Called after each line of the log, by the thread that brought it: return at once.
    safety : Safety, optional
        Guards the cursors that are shown.

    Attributes
    ----------
    names : list of str
        Of decoders, in the order of their first prediction. It only grows.
    holds : Holds
        Who answers under which of them: to be asked before the first prediction.
    ring : Ring
        The log, of `PREDICTION` rows in the order in which they were received.
    """

    def __init__(
        self,
        replay: Replay,
        news: Callable[[], None] = lambda: None,
        safety: Safety | None = None,
    ) -> None:
        self.names: list[str] = []
        self.ring = Ring(PREDICTION, bin_rate=1.0, seconds=KEPT)
        self._replay = replay
        self._news = news
        self._moved = replay.source if isinstance(replay.source, Moved) else None
        self._safety = safety or Safety(replay)
        self._entries: list[Entry] = []
        self._index: dict[str, int] = {}
        self._stretches = Stretches(replay.ring.capacity)
        self._bin = Bin(-1, -1, -1, 0.0, (0.0, 0.0))  # the last one asked for: many decoders answer it
        self._line = np.zeros(1, PREDICTION)
        self.holds = Holds(self._index)
        self._lock = threading.Lock()  # guards all of the above; held for some microseconds

    @property
    def refused(self) -> dict[str, int]:
        """Predictions beyond the rate limit, by decoder: counted and not kept."""
        return {name: entry.refused for name, entry in zip(self.names, list(self._entries), strict=False)}

    def receive(self, decoder: str, sequence_number: int, values: Values, at: float) -> Verdict | None:
        """Take one prediction.

        Parameters
        ----------
        decoder : str
            Its name, as `checked_name` has it.
        sequence_number : int
            Of the bin.
        values : tuple of float
            x, y, vx, vy; NaN where the decoder gives none.
        at : float
            When it was received, on the engine's clock.

        Returns
        -------
        Verdict or None
            None if the decoder sends too many.

        Raises
        ------
        BadPrediction
            If the bin has not been sent yet, or there are too many decoders.
        """
        with self._lock:
            head = self._replay.ring.head
            checked_number(sequence_number, head)
            index = self._index.get(decoder)
            if index is None:
                index = self._add(decoder, head)
            entry = self._entries[index]
            if not entry.afford(head):
                entry.refused += 1
                return None
            verdict = self._judge(entry, head, sequence_number, values, at)
            self._write(sequence_number, at, values, index, verdict)
            if self._moved is not None and verdict <= Verdict.LATE:
                # After the log has it: the next bin may follow at once.
                self._moved.answer(decoder, sequence_number, values)
        self._news()
        return verdict

    def number_due(self, at: float) -> int:
        """The number of the bin that was due at a time on the engine's clock, to within half a bin.

        Raises
        ------
        BadPrediction
            If none of the newest `RECENT` was.
        """
        ring = self._replay.ring
        for n in (FEW, RECENT):
            rows, _ = ring.since(max(ring.head - n, 0), n)
            if len(rows):
                apart = np.abs(rows["due"] - at)
                nearest = int(np.argmin(apart))
                if apart[nearest] < self._replay.period / 2:
                    return int(rows["sequence_number"][nearest])
        raise BadPrediction(
            f"No bin was due at {at:.3f} s. Give an answer the time stamp of the sample that it is for."
        )

    def drop(self, decoder: str, first: int, end: int, at: float) -> None:
        """Note that the bins from `first` on, before `end`, never reached a decoder."""
        with self._lock:
            index = self._index.get(decoder)
            if index is None:
                return
            numbers = np.arange(max(first, end - self._replay.ring.capacity), end)
            lines = np.zeros(len(numbers), PREDICTION)
            lines["sequence_number"] = numbers
            lines["received"], lines["values"] = at, np.nan
            lines["decoder"], lines["verdict"] = index, Verdict.DROPPED
            self.ring.publish(lines)
        self._news()

    def leave(self, decoder: str, at: float, first: int | None = None) -> None:
        """Note that a decoder gets no more bins, from the bin `first` on or from the next one."""
        with self._lock:
            index = self._index.get(decoder)
            if index is None:
                return
            number = self._replay.ring.head if first is None else first
            self._write(number, at, (math.nan,) * 4, index, Verdict.LEFT)
        self._news()

    def decoded(self, rows: Rows) -> dict[str, Positions]:
        """Where decoders had their cursors, as `engine.answers.safety` lets them be shown.

        Parameters
        ----------
        rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
            Of the session's ring.

        Returns
        -------
        dict of str to ndarray of float32, shape (n, 2)
            By decoder, for those who answered any of the bins; NaN where they did not. After the last
            answer a cursor that is held, by an emergency stop or the watchdog, stands where it was.
        """
        numbers = rows["sequence_number"]
        slots = numbers % self._replay.ring.capacity
        found = {}
        for name, entry in zip(self.names, list(self._entries), strict=False):
            answered = entry.numbers[slots] == numbers
            if answered.any():
                found[name] = np.where(answered[:, None], entry.positions[slots], np.float32(np.nan))
            cursor = entry.cursor
            if self._safety.holds(cursor):
                held = (numbers > cursor.number) & (numbers < cursor.number + len(entry.numbers))
                if held.any():
                    positions = found.setdefault(name, np.full((len(rows), 2), np.nan, np.float32))
                    positions[held] = cursor.place
        return found

    # With the lock held

    def _add(self, decoder: str, head: int) -> int:
        if sum(map(self.holds.keeps_place, self.names)) >= MAX_DECODERS:
            raise BadPrediction(
                f"This session has {MAX_DECODERS} decoders, which is the limit. "
                "Use one of their names, or another session."
            )
        self._entries.append(Entry(self._replay.ring.capacity, self._safety.add(decoder), head))
        self.names.append(decoder)
        self._index[decoder] = len(self.names) - 1
        return self._index[decoder]

    def _judge(self, entry: Entry, head: int, number: int, values: Values, at: float) -> Verdict:
        if number < head - len(entry.numbers):
            return Verdict.STALE
        if number != self._bin.number and not self._find(number):
            return Verdict.STALE
        slot = number % len(entry.numbers)
        if entry.numbers[slot] == number:
            return Verdict.DUPLICATE
        # The place before the number: who reads a number that fits finds the place there.
        entry.positions[slot] = entry.cursor.move(
            number, self._bin.packet_id, self._bin.stretch, self._bin.place, values
        )
        entry.numbers[slot] = number
        return Verdict.ON_TIME if at < self._bin.due + self._replay.period else Verdict.LATE

    def _find(self, number: int) -> bool:
        """Find the bin that is answered; false if it has just left the ring."""
        first = min(self._stretches.end, number)
        rows, lost = self._replay.ring.since(first, number + 1 - first)
        if lost > number - first:
            return False
        unknown = rows[rows["sequence_number"] >= self._stretches.end]
        self._stretches.take(unknown["sequence_number"], unknown["packet_id"], unknown["kinematics"])
        x, y, _, _ = rows["kinematics"][-1].tolist()
        packet_id, due = int(rows["packet_id"][-1]), float(rows["due"][-1])
        self._bin = Bin(number, packet_id, self._stretches.first(number), due, (x, y))
        return True

    def _write(self, number: int, at: float, values: Values, index: int, verdict: Verdict) -> None:
        self._line[0] = (number, at, values, index, verdict)
        self.ring.publish(self._line)
