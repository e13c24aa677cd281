"""Whether the units still fire as they did: each one's rate against a reference, and an alarm over all."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.bins.delivery import received
from engine.bins.description import Recorded, recorded
from engine.bins.selection import Selection
from engine.deck.replay import Replay

Units = npt.NDArray[np.float64]
"""One number a unit, shape (n_units,)."""
Counts = npt.NDArray[np.unsignedinteger[Any]]

WINDOW: Final = 15
REFERENCE: Final = 60
"""Seconds of received bins, in blocks of 1 s: what is compared, and what it is compared with."""
FLOOR: Final = 0.5 / WINDOW
"""Spikes a block that are added to every rate before its log is taken."""
SLOW: Final = 0.15
"""Standard deviation of a log rate over minutes, which is allowed for where no recording tells it."""
ALARM: Final = 2.0
CLEAR: Final = 1.5
"""Standard deviations at which an alarm begins, and below which it is over."""


@dataclass(frozen=True)
class DriftState:
    """How a session's units fire now, against the reference.

    Attributes
    ----------
    rate : ndarray of float64, shape (n_units,)
        Hz, over the last 15 s of received bins; NaN before the first second.
    reference : ndarray of float64, shape (n_units,)
        Hz, over as much of the reference as there is; NaN before the first second.
    unit_shift : ndarray of float64, shape (n_units,)
        Change of the log rate, in standard deviations; NaN until the reference is complete.
    shift : float
        Of the population, in standard deviations; NaN until then.
    alarm : bool
    reference_seconds : int
        Of reference so far; it is complete at `REFERENCE`.
    """

    rate: Units
    reference: Units
    unit_shift: Units
    shift: float = math.nan
    alarm: bool = False
    reference_seconds: int = 0

    @property
    def change(self) -> Units:
        """Amplitude of the change, in parts of the reference's rate, shape (n_units,); NaN without one."""
        with np.errstate(divide="ignore", invalid="ignore"):
            change = self.rate / self.reference - 1
        return np.where(np.isfinite(change), change, np.nan)

    @property
    def n_shifted(self) -> int:
        """Units whose own shift is beyond `ALARM`."""
        return int(np.count_nonzero(np.abs(self.unit_shift) > ALARM))


def block_bins(bin_rate: float) -> int:
    """Bins of a block, which is 1 s."""
    return max(round(bin_rate), 1)


def log_rate(spikes: Units | npt.NDArray[np.int64], blocks: int) -> Units:
    """Log of the spikes a block; half a spike a window is added, so that a silent unit has one (Haldane's
    estimate of the log of a ratio, 1956, Annals of Human Genetics 20, 309)."""
    found: Units = np.log(spikes / blocks + FLOOR)
    return found


@lru_cache(maxsize=16)
def natural_sd(recording: Recorded, selection: Selection) -> Units:
    """How much a unit's log rate differs from window to reference although nothing is wrong.

    ``sqrt(max(var(W) + var(R), 1 / (mean(W) + 1/2) + 1 / (mean(R) + 2)))``, W and R being the spikes in
    windows of 15 s and of 60 s that begin at every second of the recording's selected bins, ``var`` that of
    their logs. Trial phases, targets and slow fluctuations are in it, which a session's own minute holds
    too few of. The lower bound is a Poisson process's, by the delta method; it matters where few bins are
    played again and again.

    Returns
    -------
    ndarray of float64, shape (n_units,)
    """
    bins = selection.bins(recording)
    bins = bins[recording.observed[bins]]
    size = block_bins(recording.bin_rate)
    n_blocks = max(len(bins) // size, 1)
    # As often as it takes: a session plays it in a loop.
    bins = np.resize(bins, size * (n_blocks + REFERENCE)) if len(bins) else bins
    starts = np.arange(0, len(bins), size)
    spikes = np.zeros((n_blocks + REFERENCE, recording.n_units), np.int64)
    if len(bins):
        spikes = np.add.reduceat(recording.counts[bins], starts, axis=0, dtype=np.int64)
    return spread(spikes)


def spread(spikes: npt.NDArray[np.int64]) -> Units:
    """The formula of `natural_sd`, of the spikes in successive blocks, shape (n_blocks, n_units)."""
    n_units = spikes.shape[1]
    total = np.concatenate((np.zeros((1, n_units), np.int64), spikes.cumsum(axis=0)))
    natural, poisson = np.zeros(n_units), np.zeros(n_units)
    for length in (WINDOW, REFERENCE):
        sums = total[length:] - total[:-length]
        natural += log_rate(sums, length).var(axis=0)
        poisson += 1 / (sums.mean(axis=0) + length * FLOOR)
    return np.sqrt(np.maximum(natural, poisson))


class Detector:
    """Compares the newest 15 s with a reference of 60 s.

    The shift of a unit is ``(log w - log r) / sd``, w and r being its rates in window and reference, and
    ``sd`` that of `natural_sd`. The shift of the population is the root mean square of its units' shifts:
    near 1 while all is as usual. An alarm begins above 2 sd and is over below 1.5 (a Shewhart chart with
    hysteresis, Montgomery 2013, Introduction to Statistical Quality Control, chapter 5). Logs, because a
    fall silent is then far larger than any modulation, which multiplies a rate.

    Parameters
    ----------
    bin_rate : float
    sd : ndarray of float64, shape (n_units,), or int
        That of each unit; or how many there are: then that of the reference, played twice, and `SLOW`.
    """

    def __init__(self, bin_rate: float, sd: Units | int) -> None:
        self._own = isinstance(sd, int)
        self._sd: Units = np.ones(sd) if isinstance(sd, int) else sd
        self._blocks: list[npt.NDArray[np.int64]] = []  # of the reference
        self._size = block_bins(bin_rate)
        self._seconds = self._size / bin_rate
        self._unknown = np.full(len(self._sd), np.nan)
        self._block = np.zeros(len(self._sd), np.int64)
        self._filled = 0
        self._window: deque[npt.NDArray[np.int64]] = deque(maxlen=WINDOW)
        self._spikes = np.zeros(len(self._sd), np.int64)  # in the window
        self._alarm = False
        self.set_reference()

    def set_reference(self) -> None:
        """Take what comes from now on as the reference, and forget what was."""
        self._reference = np.zeros(len(self._sd), np.int64)
        self._blocks.clear()
        self._reference_rate = self._reference_log = self._unknown
        self._referred = 0
        self._block = np.zeros(len(self._sd), np.int64)
        self._filled = 0
        self.state = self._judged()

    def advance(self, counts: Counts) -> list[DriftState]:
        """Take new bins, in any portions.

        Parameters
        ----------
        counts : ndarray, shape (n, n_units)
            Of bins that were received.

        Returns
        -------
        list of DriftState
            Those with which an alarm began or was over.
        """
        turns = []
        while len(counts):
            room = self._size - self._filled
            taken, counts = counts[:room], counts[room:]
            self._block += taken.sum(axis=0, dtype=np.int64)
            self._filled += len(taken)
            if self._filled == self._size and self._close_block():
                turns.append(self.state)
        return turns

    def _close_block(self) -> bool:
        """Judge anew with the block that is full; true if that turned the alarm."""
        before = self._alarm
        if len(self._window) == WINDOW:
            self._spikes -= self._window[0]
        self._window.append(self._block)
        self._spikes += self._block
        if self._referred < REFERENCE:
            self._reference += self._block
            self._referred += 1
            if self._own:
                self._blocks.append(self._block)
                if self._referred == REFERENCE:
                    self._sd = np.hypot(spread(np.tile(self._blocks, (2, 1))), SLOW)
            self._reference_rate = self._reference / (self._referred * self._seconds)
            self._reference_log = log_rate(self._reference, self._referred)
        self._block = np.zeros_like(self._block)
        self._filled = 0
        self.state = self._judged()
        return self._alarm != before

    def _judged(self) -> DriftState:
        n = len(self._window)
        rate = self._spikes / (n * self._seconds) if n else self._unknown
        if not self._referred:
            self._alarm = False
            return DriftState(rate, self._unknown, self._unknown)
        reference = self._reference_rate
        if self._referred < REFERENCE:
            return DriftState(rate, reference, self._unknown, reference_seconds=self._referred)
        unit_shift = (log_rate(self._spikes, n) - self._reference_log) / self._sd
        shift = math.sqrt(float(unit_shift @ unit_shift) / len(unit_shift))
        self._alarm = shift > (CLEAR if self._alarm else ALARM)
        return DriftState(rate, reference, unit_shift, shift, self._alarm, REFERENCE)


class DriftMonitor:
    """Follows the units of one session, with a cursor of its own in the ring.

    The session's first minute is the reference, and so is the minute after its selection has changed. At
    speed max it sees what is still in the ring when it looks. Its methods may be called from any thread.

    Parameters
    ----------
    replay : Replay

    Attributes
    ----------
    reselected : bool
        Whether the reference is of a selection that was made later than the session.
    """

    def __init__(self, replay: Replay) -> None:
        description = replay.description
        self._replay = replay
        self._selection: Selection | None = None  # until the first look, which finds its sd
        self._detector = Detector(description.bin_rate, description.n_units)
        self._cursor = 0
        self._needed = block_bins(description.bin_rate)
        self.reselected = False
        self._spikes = np.zeros(description.n_units, np.int64)
        self._n_bins = 0
        self._means = np.full(description.n_units, np.nan)
        self._lock = threading.Lock()  # guards all above; held while a look lasts

    def latest(self) -> DriftState:
        """The state at the last look."""
        return self._detector.state

    def mean_rates(self) -> Units:
        """Each unit's rate since the session's start, shape (n_units,), Hz; NaN before its first bin."""
        return self._means

    def set_reference(self) -> None:
        """Take the minute that follows as the reference. It ends an alarm."""
        with self._lock:
            self._take()
            self._detector.set_reference()
            self.reselected = False
        self._replay.note("drift reference")

    def look(self) -> None:
        """Take what is new in the ring, as soon as that may fill a block; to be called now and then."""
        selection = self._replay.selection
        if self._replay.ring.head - self._cursor < self._needed and selection == self._selection:
            return
        description, recording = self._replay.description, recorded(self._replay.description)
        sd = natural_sd(recording, selection) if recording else description.n_units
        with self._lock:
            counts = self._take()
            if selection != self._selection:
                self.reselected, self._selection = self._selection is not None, selection
                self._detector = Detector(description.bin_rate, sd)
                if self.reselected:
                    self._replay.note("drift reference for the new selection")
                return
            turns = self._detector.advance(counts)
        for state in turns:
            found = f"alarm {state.shift:.1f} sd {state.n_shifted} units" if state.alarm else "over"
            self._replay.note(f"drift {found}")

    def _take(self) -> Counts:
        """The counts of new bins that were received, which are in the means from then on."""
        rows, lost = self._replay.ring.since(self._cursor)
        self._cursor += lost + len(rows)
        counts: Counts = rows["counts"][received(rows)]
        if len(counts):
            self._spikes += counts.sum(axis=0, dtype=np.int64)
            self._n_bins += len(counts)
            self._means = self._spikes / (self._n_bins * self._replay.description.bin_width)
        return counts
