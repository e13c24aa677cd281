"""Spikes in the voltages below a session's bins: true ones, and those that were found."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.broadband import Samples

KEPT: Final = 512
"""Pieces, of 25 ms or a bin each: more than pages look back."""

Channels = npt.NDArray[np.int32]


class Troughs(NamedTuple):
    """Where spikes have their troughs.

    Attributes
    ----------
    samples : ndarray of int64, shape (n,)
        Since the session began.
    channels : ndarray of int32, shape (n,)
    """

    samples: Samples
    channels: Channels

    @classmethod
    def none(cls) -> Troughs:
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int32))

    def between(self, first: int, stop: int) -> Troughs:
        """Those of samples from `first` on, before `stop`."""
        inside = (self.samples >= first) & (self.samples < stop)
        return Troughs(self.samples[inside], self.channels[inside])


class TroughLog:
    """The newest of them. One thread adds, ahead of their time; any thread reads."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, Troughs, Troughs]] = deque(maxlen=KEPT)

    def add(self, stop: int, true: Troughs, found: Troughs) -> None:
        """Take in what came with the samples before `stop`; what is found may be of earlier ones."""
        self._pieces.append((stop, true, found))

    def between(self, first: int, stop: int) -> tuple[Troughs, Troughs]:
        """True and found ones of samples from `first` on, before `stop`."""
        pieces = [each for each in list(self._pieces) if each[0] > first]
        samples, channels = np.zeros(0, np.int64), np.zeros(0, np.int32)
        true, found = (
            Troughs(
                np.concatenate([samples, *(each.samples for each in those)]),
                np.concatenate([channels, *(each.channels for each in those)]),
            )
            for those in ([each[1] for each in pieces], [each[2] for each in pieces])
        )
        return true.between(first, stop), found.between(first, stop)
