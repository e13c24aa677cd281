"""How well spikes are found while a session plays: the newest seconds against their truth."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.broadband import SAMPLING_RATE, Floats32, Samples
from engine.sources.electrodes.truth import TOLERANCE, Channels, Matched, match

SECONDS: Final = 10
"""Of signal, that are judged together."""


@dataclass(frozen=True, eq=False)
class Detected:
    """How a detection does; another one each second.

    Attributes
    ----------
    thresholds, noise : ndarray of float32, shape (n_channels,)
        uV, at present.
    matched : Matched
        Of the newest `SECONDS`.
    """

    thresholds: Floats32
    noise: Floats32
    matched: Matched

    @property
    def by_channel(self) -> dict[str, npt.NDArray[np.floating[Any]]]:
        """By the names of the wire, shape (n_channels,) each; NaN where there is nothing to tell."""
        matched = self.matched
        return {
            "threshold": self.thresholds,
            "noise_uv": self.noise,
            "recall": matched.recall,
            "precision": matched.precision,
            "timing_error_ms": 1e3 * matched.timing_errors,
        }


class Judge:
    """Matches second by second, and forgets what is older than `SECONDS`; the very first is left out.

    A spike and its finding that lie on both sides of a second's edge do not find each other: one in 2,000.

    Parameters
    ----------
    n_channels : int
    """

    def __init__(self, n_channels: int) -> None:
        self._n_channels = n_channels
        nothing = np.zeros(0, np.int64), np.zeros(0, np.int32)
        self._true: tuple[Samples, Channels] = nothing
        self._found: tuple[Samples, Channels] = nothing
        self._seconds: deque[Matched] = deque(maxlen=SECONDS)
        self._begun = 0

    def add(self, true: tuple[Samples, Channels], found: tuple[Samples, Channels], stop: int) -> bool:
        """Take in troughs, as samples and channels, of which there are all that lie before a sample.

        Returns
        -------
        bool
            Whether another second was judged.
        """
        self._true, self._found = _joined(self._true, true), _joined(self._found, found)
        end = (self._begun + 1) * SAMPLING_RATE
        if stop < end + TOLERANCE:
            return False
        now, self._true = _cut(self._true, end)
        of_those, self._found = _cut(self._found, end)
        if self._begun:
            self._seconds.append(match(*now, *of_those, self._n_channels))
        self._begun += 1
        return bool(self._seconds)

    @property
    def matched(self) -> Matched:
        """All together, when a second was judged."""
        return Matched(
            n_true=np.sum([each.n_true for each in self._seconds], axis=0),
            n_found=np.sum([each.n_found for each in self._seconds], axis=0),
            n_hits=np.sum([each.n_hits for each in self._seconds], axis=0),
            errors=np.concatenate([each.errors for each in self._seconds]),
            channels=np.concatenate([each.channels for each in self._seconds]),
        )


def _joined(one: tuple[Samples, Channels], other: tuple[Samples, Channels]) -> tuple[Samples, Channels]:
    return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])


def _cut(
    troughs: tuple[Samples, Channels], end: int
) -> tuple[tuple[Samples, Channels], tuple[Samples, Channels]]:
    """Those before a sample, and the others."""
    samples, channels = troughs
    before = samples < end
    return (samples[before], channels[before]), (samples[~before], channels[~before])
