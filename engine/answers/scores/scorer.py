"""The thread that scores a session: it reads the ring and the log of predictions at its own pace."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.answers.predictions import KEPT, Predictions
from engine.answers.scores.board import MISSING_AFTER, Board
from engine.answers.scores.places import LastPlaces, Places
from engine.answers.scores.sent import Reference
from engine.answers.scores.summary import Summary, TrialScore
from engine.bins import clock
from engine.bins.source import Moved
from engine.deck.replay import Replay

log = logging.getLogger(__name__)

AGAIN: Final = KEPT // 4
"""Lines that are read again when scores begin anew: those about earlier bins are left out."""
PERIOD: Final = 0.5
"""Least seconds between two looks, unless the ring fills."""
REST: Final = 30.0
"""Times as long as a look took: where many sessions want the processor, scores are looked at less often."""
LONGEST: Final = 2.0
"""Seconds between two looks of a busy server."""


@dataclass(frozen=True)
class Scoreboard:
    """The scores of a session at one moment.

    Attributes
    ----------
    at : float
        On the engine's clock.
    decoders : mapping of str to Summary
        By name, the best first: by R2 of position over the last 10 s, those without it last.
    next_bin, next_line : int
        The first bin, and the first line of the log of predictions, that are not in it.
    """

    at: float = -math.inf
    decoders: Mapping[str, Summary] = field(default_factory=dict)
    next_bin: int = 0
    next_line: int = 0


class Scorer:
    """Scores the predictions of a session from the first one on.

    Its methods may be called from any thread; none but `close` and `settle` waits. As a listener of the
    replay it keeps it from running away at speed max.

    Parameters
    ----------
    replay : Replay
    predictions : Predictions
    radius : function
        That of targets, in length units, as it is now.
    """

    def __init__(self, replay: Replay, predictions: Predictions, radius: Callable[[], float]) -> None:
        self.error: str | None = None
        self._replay = replay
        self._predictions = predictions
        self._radius = radius
        self._latest = Scoreboard()
        self._places: Mapping[str, LastPlaces] = {}
        self._moving_above = math.nan
        self._begins = 0  # the first bin that is scored
        self._nothing = np.empty(0, replay.ring.dtype)
        self._next_bin = self._next_line = self._scored_lines = 0
        self._woken = threading.Event()
        self._hurry = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._turn = threading.Condition()  # guards the two above; notified after every look

    @property
    def driver(self) -> str | None:
        """Of a closed loop: the decoder that moves the cursor, if it is known."""
        source = self._replay.source
        return source.driver if isinstance(source, Moved) else None

    @property
    def moving_above(self) -> float:
        """Speed above which a bin is one of movement; NaN before anything was scored, or where unknown."""
        return self._moving_above

    def latest(self) -> Scoreboard:
        """The scores as they were at the last look: half a second ago at most, 2 s on a busy server."""
        return self._latest

    def places(self, packet_ids: npt.NDArray[np.int64]) -> dict[str, Places]:
        """Where decoders had the cursor the last time that they answered bins of the recording.

        Returns
        -------
        dict of str to ndarray of float32, shape (n, 2)
            By decoder, for those that have answered any of them since scores began; NaN where they have
            not.
        """
        found = {name: places.at(packet_ids) for name, places in self._places.items()}
        return {name: places for name, places in found.items() if np.isfinite(places).any()}

    def settle(self, timeout: float) -> Scoreboard:
        """The scores with everything that was received before this call, or what there is in time."""
        lines = self._predictions.ring.head
        self._woken.set()
        self._hurry.set()
        with self._turn:
            self._turn.wait_for(
                lambda: self._thread is None or self._closed or self._scored_lines >= lines, timeout
            )
        return self._latest

    def restart(self, first: int) -> None:
        """Forget all scores, and score the bins from number `first` on."""
        with self._turn:
            self._begins = first
            self._scored_lines = 0
            self._latest = Scoreboard(clock.now(), {}, first, self._next_line)
            self._places = {}
        self._wake()

    def news(self) -> None:
        """Tell that there are new predictions."""
        if self._thread is None:
            self._start()
        self._wake()
        if self._predictions.ring.head - self._next_line > KEPT // 4:
            self._hurry.set()

    # As a listener of the replay

    def wake(self) -> None:
        self._wake()
        if self._replay.ring.head - self._next_bin > self._replay.ring.capacity // 4:
            self._hurry.set()

    def floor(self) -> int:
        return self._next_bin

    def close(self) -> None:
        """End the thread and wait for it. A second call does nothing."""
        with self._turn:
            self._closed = True
            thread = self._thread
        self._woken.set()
        self._hurry.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _wake(self) -> None:
        if not self._woken.is_set():  # setting it again takes a lock each time
            self._woken.set()

    # The thread

    def _start(self) -> None:
        with self._turn:
            if self._thread is None and not self._closed:
                self._next_bin = max(self._replay.ring.head - self._replay.ring.capacity, self._begins)
                self._thread = threading.Thread(
                    target=self._run, name=f"scores of {id(self):x}", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        self._replay.add_listener(self)
        try:
            begins, board = self._begins, self._board()
            while not self._closed:
                self._woken.wait(MISSING_AFTER)  # after that silence, bins may be missing
                self._woken.clear()
                self._hurry.clear()
                if begins != self._begins:
                    begins, board = self._begins, self._board()
                    # Back to what the board before has taken since that bin: it may have been quicker.
                    self._next_bin = begins
                    self._next_line = max(self._next_line - AGAIN, 0)
                    self._replay.more()
                began = clock.now()
                self._look(board, begins)
                self._hurry.wait(min(max(PERIOD, REST * (clock.now() - began)), LONGEST))
        except Exception as error:  # whatever it is, it ends the scores alone, and visibly
            log.exception("The %s have failed", threading.current_thread().name)
            self.error = f"{type(error).__name__}: {error}"
        finally:
            self._replay.remove_listener(self)
            with self._turn:
                self._closed = True
                self._turn.notify_all()

    def _board(self) -> Board:
        reference = Reference.of(self._replay.description)
        self._moving_above = reference.moving_above
        return Board(reference, self._replay.ring.capacity)

    def _driver(self) -> int | None:
        """Its number, if it has answered."""
        names = self._predictions.names
        return names.index(self.driver) if self.driver in names else None

    def _look(self, board: Board, begins: int) -> None:
        """Score what is new, of bins from number `begins` on."""
        lines, lost = self._predictions.ring.since(self._next_line)
        self._next_line += lost + len(lines)
        if lost:
            log.warning("%d predictions came too fast to be scored", lost)
        lines = lines[lines["sequence_number"] >= begins]
        end = self._replay.ring.head  # every bin that the lines are about was sent before this
        while self._next_bin < end:
            rows, gone = self._replay.ring.since(self._next_bin, end - self._next_bin)
            self._next_bin += gone + len(rows)
            self._replay.more()
            if len(rows):
                board.advance(rows, lines[:0], self._radius(), clock.now(), self._driver())
        at = clock.now()
        finished = board.advance(self._nothing, lines, self._radius(), at, self._driver())
        names = self._predictions.names
        for decoder, trial in finished:
            self._replay.note(told(names[decoder], trial))
        summaries = sorted(board.summaries().items(), key=lambda item: item[1].window.merit)
        with self._turn:
            if begins == self._begins:  # what was scored is not over since
                self._latest = Scoreboard(
                    at,
                    {names[decoder]: each for decoder, each in summaries},
                    self._next_bin,
                    self._next_line,
                )
                self._places = {names[decoder]: each for decoder, each in board.places().items()}
                self._scored_lines = self._next_line
            self._turn.notify_all()


def told(decoder: str, trial: TrialScore) -> str:
    """A trial's score in one line, such as ``score kalman trial 12 hit 0.850 s r2 0.91``."""
    words = ["score", decoder, f"trial {trial.trial_id}"]
    if trial.hit is not None:
        words.append(f"hit {trial.measures.time_to_target:.3f} s" if trial.hit else "miss")
    if not math.isnan(trial.measures.r2_position):
        words.append(f"r2 {trial.measures.r2_position:.2f}")
    return " ".join(words)
