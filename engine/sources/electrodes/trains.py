"""When the units near the electrodes fire: as those of a recording did, or at random for an intention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from engine.broadband import BLOCK, REFRACTORY, SAMPLING_RATE, Samples

Floats = npt.NDArray[np.float64]
Units = npt.NDArray[np.int32]


class Spikes(NamedTuple):
    """Of all units, in the order of their samples.

    Attributes
    ----------
    samples : ndarray of int64, shape (n,)
    units : ndarray of int32, shape (n,)
    """

    samples: Samples
    units: Units


class Trains(Protocol):
    """Spikes to come."""

    @property
    def n_units(self) -> int: ...

    def take(self, stop: int) -> Spikes:
        """The spikes before a sample that were not taken yet."""
        ...


class Played:
    """Spikes at given times.

    Parameters
    ----------
    spike_times : sequence of ndarray of float64
        Of each unit, s.
    start : float
        Time of sample 0, s; what was before is left out.
    duration : float, optional
        Seconds after which they begin again.
    """

    def __init__(
        self, spike_times: Sequence[Floats], start: float = 0.0, duration: float | None = None
    ) -> None:
        self.n_units = len(spike_times)
        self._period = None if duration is None else round(duration * SAMPLING_RATE)
        times = np.concatenate([np.zeros(0), *spike_times]) - start
        units = np.repeat(np.arange(self.n_units, dtype=np.int32), [len(each) for each in spike_times])
        samples = np.rint(times * SAMPLING_RATE).astype(np.int64)
        order = np.lexsort((units, samples))
        inside = samples[order] >= 0
        if self._period is not None:
            inside &= samples[order] < self._period
        self._samples, self._units = samples[order][inside], units[order][inside]
        self._next = self._lap = 0

    def take(self, stop: int) -> Spikes:
        taken: list[Spikes] = []
        while True:
            since = self._lap * (self._period or 0)
            until = int(np.searchsorted(self._samples, stop - since))
            now = slice(self._next, until)
            taken.append(Spikes(self._samples[now] + since, self._units[now]))
            self._next = until
            if self._period is None or stop < since + self._period:
                break
            self._next, self._lap = 0, self._lap + 1
        return joined(taken)


class Poisson:
    """Poisson spikes with a dead time of 1 ms after each.

    A unit's rate r is its baseline times ``1 + depth m``, m being the modulation of the present intention,
    and no more than the ceiling. Outside the dead time d its hazard is ``r / (1 - r d)``, so that r is the
    mean rate (Cox 1962, Renewal Theory). Rates change every 10 ms.

    Parameters
    ----------
    baselines : ndarray of float64, shape (n_units,)
        Hz.
    depth : float
        0 to 1.
    ceiling : float
        Hz, below 1,000.
    rng : Generator
        Its alone.
    """

    def __init__(self, baselines: Floats, depth: float, ceiling: float, rng: np.random.Generator) -> None:
        self.n_units = len(baselines)
        self._baselines, self._depth, self._ceiling, self._rng = baselines, depth, ceiling, rng
        self._wait = rng.standard_exponential(self.n_units)  # hazard until the next spike
        self._free = np.zeros(self.n_units)  # the sample at which the dead time ends
        self._made = 0
        self._held = Spikes(np.zeros(0, np.int64), np.zeros(0, np.int32))
        self.intend(np.zeros(self.n_units))

    def intend(self, modulation: npt.ArrayLike) -> None:
        """Set what units fire for from the next 10 ms on.

        Parameters
        ----------
        modulation : array of float, shape (n_units,)
            -1 to 1; what is beyond is taken as these.
        """
        share = 1 + self._depth * np.clip(np.broadcast_to(modulation, self.n_units), -1, 1)
        rate = np.minimum(self._baselines * share, self._ceiling) / SAMPLING_RATE
        self._hazard = np.maximum(rate / (1 - rate * REFRACTORY), 1e-12)

    def take(self, stop: int) -> Spikes:
        made = [self._held]
        while self._made < stop:
            made.append(self._step())
        samples, units = joined(made)
        n = int(np.searchsorted(samples, stop))
        self._held = Spikes(samples[n:], units[n:])
        return Spikes(samples[:n], units[:n])

    def _step(self) -> Spikes:
        """The spikes of the next 10 ms."""
        first, self._made = self._made, self._made + BLOCK
        at, due = np.maximum(self._free, first), np.arange(self.n_units)
        made: list[Spikes] = []
        while len(due):
            fires = at[due] + self._wait[due] / self._hazard[due]
            late = fires >= self._made
            passed = np.maximum(self._made - at[due[late]], 0)
            self._wait[due[late]] -= passed * self._hazard[due[late]]
            due, fires = due[~late], fires[~late]
            made.append(Spikes(np.floor(fires).astype(np.int64), due.astype(np.int32)))
            at[due] = self._free[due] = np.floor(fires) + REFRACTORY
            self._wait[due] = self._rng.standard_exponential(len(due))
        samples, units = joined(made)
        order = np.lexsort((units, samples))
        return Spikes(samples[order], units[order])


class Fed:
    """Spikes that are told bin by bin, each before its samples are asked for.

    Parameters
    ----------
    n_units : int
    """

    def __init__(self, n_units: int) -> None:
        self.n_units = n_units
        self._held = joined([])

    def feed(self, samples: Samples, units: npt.NDArray[np.integer]) -> None:
        """Add spikes, none before those that were told already."""
        order = np.lexsort((units, samples))
        self._held = joined([self._held, Spikes(samples[order], units[order].astype(np.int32))])

    def take(self, stop: int) -> Spikes:
        samples, units = self._held
        n = int(np.searchsorted(samples, stop))
        self._held = Spikes(samples[n:], units[n:])
        return Spikes(samples[:n], units[:n])


def scattered(
    counts: npt.NDArray[np.integer], n_samples: int, rng: np.random.Generator
) -> tuple[Samples, Units]:
    """Where spikes may be of which a bin has but counts: anywhere, each 1 ms after the unit's one before.

    Parameters
    ----------
    counts : ndarray of int, shape (n_units,)
    n_samples : int
        Of the bin. Units that have too many spikes for it have them closer.

    Returns
    -------
    samples : ndarray of int64, shape (n_spikes,)
        Since the bin's start, of unit after unit.
    units : ndarray of int32, shape (n_spikes,)
    """
    counts = counts.astype(np.int64)
    units = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    place = np.arange(len(units)) - np.repeat(np.cumsum(counts) - counts, counts)  # among its unit's
    gap = np.minimum(REFRACTORY, n_samples // np.maximum(counts, 1))[units]
    free = n_samples - (counts[units] - 1) * gap
    drawn = np.floor(rng.random(len(units)) * free).astype(np.int64)
    return drawn[np.lexsort((drawn, units))] + place * gap, units


def joined(parts: Sequence[Spikes]) -> Spikes:
    """Parts one after the other."""
    if not parts:
        return Spikes(np.zeros(0, np.int64), np.zeros(0, np.int32))
    return Spikes(*(np.concatenate(each) for each in zip(*parts, strict=True)))
