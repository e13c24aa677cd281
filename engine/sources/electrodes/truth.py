"""Found spikes against the true ones: which were found, which were made up, and how late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.broadband import SAMPLING_RATE, Samples

Channels = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
TOLERANCE: Final = SAMPLING_RATE // 2000
"""Samples between the troughs of a true spike and of a found one: 0.5 ms."""


@dataclass(frozen=True, eq=False)
class Matched:
    """What was found of what is true, per channel. NaN where there is nothing to tell.

    A true spike and a found one of the same channel belong together if their troughs are at most 0.5 ms
    apart; each belongs to one at most. Two spikes of a channel within that count as two true ones.

    Attributes
    ----------
    n_true, n_found, n_hits : ndarray of int64, shape (n_channels,)
    errors : ndarray of int64, shape (n_hits in all,)
        By how many samples each found trough is later than the true one.
    channels : ndarray of int32, shape (n_hits in all,)
        Of those.
    """

    n_true: Samples
    n_found: Samples
    n_hits: Samples
    errors: Samples
    channels: Channels

    @property
    def recall(self) -> Floats:
        """Share of the true spikes that were found, shape (n_channels,)."""
        return _share(self.n_hits, self.n_true)

    @property
    def precision(self) -> Floats:
        """Share of the found spikes that are true, shape (n_channels,)."""
        return _share(self.n_hits, self.n_found)

    @property
    def recall_in_all(self) -> float:
        return float(_share(self.n_hits.sum(), self.n_true.sum()))

    @property
    def precision_in_all(self) -> float:
        return float(_share(self.n_hits.sum(), self.n_found.sum()))

    @property
    def timing_error(self) -> tuple[float, float]:
        """Mean and standard deviation, s; the mean is the delay of a causal filter."""
        if not len(self.errors):
            return np.nan, np.nan
        return float(self.errors.mean() / SAMPLING_RATE), float(self.errors.std() / SAMPLING_RATE)

    @property
    def timing_errors(self) -> Floats:
        """Mean of each channel, s, shape (n_channels,)."""
        sums = np.bincount(self.channels, self.errors, len(self.n_true))
        return _share(sums, self.n_hits * SAMPLING_RATE)


def match(
    true: Samples,
    true_channels: Channels,
    found: Samples,
    found_channels: Channels,
    n_channels: int,
    tolerance: int = TOLERANCE,
) -> Matched:
    """Pair true and found spikes, so that as many as possible are paired.

    Parameters
    ----------
    true, found : ndarray of int64, shape (n,)
        Samples of the troughs, in any order.
    true_channels, found_channels : ndarray of int32, shape (n,)
    n_channels : int
    tolerance : int
        Samples, included.
    """
    last = max((int(each.max()) for each in (true, found) if len(each)), default=0)
    stride = last + tolerance + 1  # further apart than any pair
    truths = np.sort(true_channels.astype(np.int64) * stride + true)
    finds = np.sort(found_channels.astype(np.int64) * stride + found)
    pairs = _pairs(truths.tolist(), finds.tolist(), tolerance)
    hits = np.array(pairs, np.int64).reshape(-1, 2)
    channels = (hits[:, 0] // stride).astype(np.int32)
    return Matched(
        n_true=np.bincount(true_channels, minlength=n_channels),
        n_found=np.bincount(found_channels, minlength=n_channels),
        n_hits=np.bincount(channels, minlength=n_channels),
        errors=hits[:, 1] - hits[:, 0],
        channels=channels,
    )


def _pairs(truths: list[int], finds: list[int], tolerance: int) -> list[tuple[int, int]]:
    """The earliest of each with the earliest of the other that is near: no other choice pairs more."""
    pairs, i, j = [], 0, 0
    while i < len(truths) and j < len(finds):
        if finds[j] < truths[i] - tolerance:
            j += 1
        elif finds[j] > truths[i] + tolerance:
            i += 1
        else:
            pairs.append((truths[i], finds[j]))
            i, j = i + 1, j + 1
    return pairs


def _share(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.divide(part, whole), np.float64)
