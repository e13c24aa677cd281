"""Spikes to come, bin after bin: a recording's, again and again, or those that are told as they fire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import as_rate
from engine.broadband import SAMPLING_RATE, TROUGH, first_sample
from engine.sources.electrodes.trains import Fed, scattered

Within = Callable[[int], tuple[npt.NDArray[np.float64], npt.NDArray[Any]]]
"""The spikes of a bin: seconds since its start, and units."""


class Playing(Fed):
    """Spikes of a recording at their own times, or where its bins have but counts, at random within these.

    Parameters
    ----------
    counts : ndarray of int, shape (n_bins, n_units)
    bin_rate : float
        Bins per second.
    within : function, optional
        Gives the spikes of a bin; None where that is not known.
    seed, take : int
        Of what is at random: another take of the same seed has it otherwise.
    """

    def __init__(
        self,
        counts: npt.NDArray[np.integer[Any]],
        bin_rate: float,
        within: Within | None,
        seed: int,
        take: int = 0,
    ) -> None:
        super().__init__(counts.shape[1])
        self._counts, self._within, self._rate = counts, within, as_rate(bin_rate)
        self._rng = np.random.default_rng((seed, 1, take))
        self._fed = 0

    def edge(self, number: int) -> int:
        """The first sample of a bin; bins are counted on from lap to lap."""
        return first_sample(number, self._rate)

    def feed_up_to(self, number: int) -> None:
        """Let the units fire in all bins up to this one, itself included.

        A spike begins before its trough, maybe in the bin before: have the next bin fed, too.
        """
        while self._fed <= number:
            begin, index = self.edge(self._fed), self._fed % len(self._counts)
            n_samples = self.edge(self._fed + 1) - begin
            if self._within is None:
                samples, units = scattered(self._counts[index], n_samples, self._rng)
            else:
                seconds, units = self._within(index)
                samples = np.clip(np.rint(seconds * SAMPLING_RATE), 0, n_samples - 1).astype(np.int64)
            self.feed(begin + samples, units)
            self._fed += 1


class Fired(Fed):
    """Spikes of which each bin's counts are told before it is read, at random within it.

    They are 0.4 ms later than their bin, so that what is seen of a spike begins in that.

    Parameters
    ----------
    n_units : int
    bin_rate : float
        Bins per second.
    seed : int
    """

    def __init__(self, n_units: int, bin_rate: float, seed: int) -> None:
        super().__init__(n_units)
        self._rate, self._rng = as_rate(bin_rate), np.random.default_rng((seed, 1))

    def edge(self, number: int) -> int:
        """The first sample of a bin."""
        return first_sample(number, self._rate)

    def fire(self, number: int, counts: npt.NDArray[np.integer[Any]]) -> None:
        """Let the units fire in a bin, shape (n_units,)."""
        begin = self.edge(number)
        samples, units = scattered(counts, self.edge(number + 1) - begin, self._rng)
        self.feed(begin + TROUGH + samples, units)

    def feed_up_to(self, number: int) -> None:
        """Nothing is known of bins that have not fired."""
