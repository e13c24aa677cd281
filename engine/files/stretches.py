"""Where in time the samples of a series are: stretches without a gap, laid over those that are played."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.broadband import SAMPLING_RATE, Samples

Floats = npt.NDArray[np.float64]
OFF: Final = 1.0
"""Hz by which a series' rate may differ from `SAMPLING_RATE`."""
SECOND: Final = SAMPLING_RATE
"""Rows after which the time is looked at again: a rate that is off by `OFF` has come to one sample then."""
AT_ONCE: Final = 32 * SECOND
"""Timestamps that are read together."""
MOST: Final = 100_000
"""Stretches of a series."""


class Unplayable(Exception):
    """Why voltages cannot be played: words that go on from "the voltages"."""


@dataclass(frozen=True, eq=False)
class Stretches:
    """Rows of a series that follow each other without a gap.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        First row of each, ascending from 0.
    times : ndarray of float64, shape (n,)
        Of that row, s of the file.
    lengths : ndarray of int64, shape (n,)
        How many rows it has.
    """

    rows: Samples
    times: Floats
    lengths: Samples

    @classmethod
    def regular(cls, n_rows: int, rate: float, start: float) -> Stretches:
        """Those of a series at a rate, Hz, from a time on, s; one if the rate is exactly `SAMPLING_RATE`.

        Raises
        ------
        Unplayable
        """
        _check(rate)
        rows = np.arange(0, n_rows, SECOND)
        return cls._of([(rows, start + rows / rate)], n_rows)

    @classmethod
    def stamped(cls, timestamps: Any) -> tuple[Stretches, float]:
        """Those of a series with timestamps, s, shape (n_rows,), read piece by piece; and its rate.

        Raises
        ------
        Unplayable
        """
        n_rows = len(timestamps)
        steps = np.diff(np.asarray(timestamps[:SECOND], np.float64))
        if not len(steps) or not (steps > 0).all():
            raise Unplayable("have timestamps that do not ascend. Repair these")
        steps = steps[steps < 1.5 * np.median(steps)]  # all but gaps
        rate = 1 / float(steps.mean())
        _check(rate, OFF + SAMPLING_RATE / len(steps))
        return cls._of(_looks(timestamps), n_rows), rate

    @classmethod
    def _of(cls, looks: Any, n_rows: int) -> Stretches:
        """From rows and their times: one begins where they are off by more than a sample."""
        rows: list[int] = []
        times: list[float] = []
        for some, theirs in looks:
            for row, time in zip(some.tolist(), theirs.tolist(), strict=True):
                if not rows or abs((time - times[-1]) * SAMPLING_RATE - (row - rows[-1])) > 1:
                    rows.append(row)
                    times.append(time)
            if len(rows) > MOST:
                raise Unplayable(f"have more than {MOST} gaps in their timestamps. Repair these")
        firsts = np.array(rows, np.int64)
        return cls(firsts, np.array(times, np.float64), np.diff(firsts, append=n_rows))

    def without(self, lost: Floats) -> Stretches:
        """The same without what was lost: when that begins and ends, s, shape (n, 2), ascending."""
        rows, times, lengths = [], [], []
        for row, time, length in zip(self.rows, self.times, self.lengths, strict=True):
            edges = np.rint((lost - time) * SAMPLING_RATE).clip(0, length).astype(np.int64)
            begins, ends = np.append(0, edges[:, 1]), np.append(edges[:, 0], length)
            kept = ends > begins
            rows.append(row + begins[kept])
            times.append(time + begins[kept] / SAMPLING_RATE)
            lengths.append((ends - begins)[kept])
        return Stretches(*(np.concatenate(each) for each in (rows, times, lengths)))

    @property
    def spans(self) -> Floats:
        """Begin and end of each, s, shape (n, 2)."""
        return np.column_stack([self.times, self.times + self.lengths / SAMPLING_RATE])

    def laid(self, start: float) -> Laid:
        """Over samples at `SAMPLING_RATE` since a time of the file, s."""
        firsts = np.rint((self.times - start) * SAMPLING_RATE).astype(np.int64)
        return Laid(firsts, self.rows, self.lengths)


NOWHERE: Final = Stretches(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))


@dataclass(frozen=True, eq=False)
class Laid:
    """Which row is played at which sample. Where there is none, the one before is held.

    Attributes
    ----------
    firsts, rows, lengths : ndarray of int64, shape (n,)
        First sample and first row of each stretch, and how many rows it has.
    """

    firsts: Samples
    rows: Samples
    lengths: Samples

    def at(self, samples: Samples) -> tuple[Samples, npt.NDArray[np.bool_]]:
        """The rows of samples, shape (n,) as these, and whether each is that of its own time."""
        i = np.maximum(np.searchsorted(self.firsts, samples, "right") - 1, 0)
        since = samples - self.firsts[i]
        kept = np.clip(since, 0, self.lengths[i] - 1)
        return self.rows[i] + kept, kept == since

    def coverage(self, edges: Samples) -> Floats:
        """How much of each bin has samples of its own, 0 to 1, shape (n,), of bins with n + 1 edges."""
        until = np.append(self.firsts[1:], np.iinfo(np.int64).max)
        lengths = np.minimum(self.lengths, until - self.firsts)
        before = np.concatenate(([0], np.cumsum(lengths)))
        i = np.maximum(np.searchsorted(self.firsts, edges, "right") - 1, 0)
        so_far = before[i] + np.clip(edges - self.firsts[i], 0, lengths[i])
        shares: Floats = np.round(np.diff(so_far) / np.diff(edges), 6)
        return shares


def _check(rate: float, off: float = OFF) -> None:
    if not abs(rate - SAMPLING_RATE) <= off:
        raise Unplayable(
            f"are sampled at {rate:g} Hz, and spikes are found at {SAMPLING_RATE} Hz. Resample them"
        )


def _looks(timestamps: Any) -> Iterator[tuple[Samples, Floats]]:
    """Rows whose time must be looked at, and these: one each second, and those after a gap."""
    last = -np.inf
    for begin in range(0, len(timestamps), AT_ONCE):
        times = np.asarray(timestamps[begin : begin + AT_ONCE], np.float64)
        steps = np.diff(times, prepend=last)
        if not (steps > 0).all():
            raise Unplayable("have timestamps that do not ascend. Repair these")
        last = float(times[-1])
        gaps = np.flatnonzero(np.abs(steps * SAMPLING_RATE - 1) > 0.5)
        places = np.union1d(np.arange(0, len(times), SECOND), gaps)
        yield begin + places, times[places]
