"""What detection gives: spikes, their waveforms, and features of each bin."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.broadband import WAVEFORM, Floats32, Samples

Channels = npt.NDArray[np.int32]


class Waveforms(NamedTuple):
    """Those that were completed, in the order of their crossings.

    Attributes
    ----------
    crossings, troughs : ndarray of int64, shape (n,)
        Samples: the trough is the lowest within 0.6 ms of the crossing.
    channels : ndarray of int32, shape (n,)
    values : ndarray of float32, shape (n, WAVEFORM)
        uV, filtered; the trough is at sample `TROUGH`.
    scores : ndarray of float32, shape (n, n_components)
        NaN until there are components.
    """

    crossings: Samples
    troughs: Samples
    channels: Channels
    values: Floats32
    scores: Floats32

    @classmethod
    def none(cls, n_components: int) -> Waveforms:
        nowhere = np.zeros(0, np.int64)
        values, scores = np.zeros((0, WAVEFORM), np.float32), np.zeros((0, n_components), np.float32)
        return cls(nowhere, nowhere, np.zeros(0, np.int32), values, scores)


class BinFeatures(NamedTuple):
    """Of a bin that is over.

    Attributes
    ----------
    number : int
        Bin k is of the samples from ``k / bin_rate`` on.
    counts : ndarray of int64, shape (n_channels,)
        Threshold crossings; 0 where a channel is missing.
    features : ndarray of float32, shape (n_channels, 2 + n_components)
        Threshold crossings; spike-band power, uV^2: the mean square of the filtered signal; mean scores of
        the waveforms that were completed in the bin, 0 without any. NaN where a channel is missing.
    """

    number: int
    counts: npt.NDArray[np.int64]
    features: Floats32


class Found(NamedTuple):
    """What a block has brought.

    Attributes
    ----------
    samples : ndarray of int64, shape (n,)
        Of threshold crossings, ascending.
    channels : ndarray of int32, shape (n,)
    waveforms : Waveforms
        Each at most 1.8 ms after its crossing.
    bins : tuple of BinFeatures
    """

    samples: Samples
    channels: Channels
    waveforms: Waveforms
    bins: tuple[BinFeatures, ...]
