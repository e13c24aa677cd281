"""Voltages for the pages of a session, while anybody looks."""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.bins.source import Sampled, Source
from engine.bins.troughs import Troughs
from engine.broadband import WAVEFORM
from engine.view import View, scope_channels
from plotters.base import Floats, Trace

LATE: Final = 2 * WAVEFORM
"""Samples after which all is known that was found before."""


class Voltages:
    """What the scope of a session's view has not shown yet.

    Parameters
    ----------
    source : Source
        One that has voltages.
    """

    def __init__(self, source: Source) -> None:
        assert isinstance(source, Sampled)
        self._source = source
        self._row: int | None = None  # the next one, while anybody looks
        self._marked = 0  # samples of which spikes were told

    def join(self) -> None:
        """Somebody looks."""
        if self._row is None:
            self._row = self._source.voltages.join(self._wake)

    def leave(self) -> None:
        """Nobody looks any more."""
        self._source.voltages.leave(self._wake)
        self._row = None

    def trace(self, view: View) -> Trace | None:
        """What has come; None where nothing has."""
        if self._row is None:
            return None
        voltages = self._source.voltages
        blocks, lost = voltages.since(self._row)
        self._row += lost + len(blocks)
        if not blocks:
            return None
        channels = scope_channels(self._source.description, view)
        samples = np.concatenate([block.samples[:, channels] for block in blocks]).astype(np.float32)
        samples *= voltages.microvolts_per_count
        first, stop = blocks[0].first, blocks[-1].first + len(blocks[-1].samples)
        known = max(self._marked, first - LATE), stop - LATE
        self._marked = known[1]
        true, found = (_shown(each, channels) for each in self._source.troughs.between(*known))
        return Trace(first, samples, self._source.thresholds[channels], true, found)

    @property
    def noise(self) -> Floats:
        """Of all electrodes, uV, shape (n_channels,); NaN before it is known."""
        return self._source.noise

    def _wake(self) -> None:
        """Bins bring frames, and frames the blocks that were due meanwhile."""


def _shown(troughs: Troughs, channels: list[int]) -> Troughs:
    """Those of some channels, by their places among these."""
    at = np.full(max([*channels, *troughs.channels.tolist()], default=-1) + 1, -1, np.int32)
    at[channels] = np.arange(len(channels))
    rows = at[troughs.channels]
    return Troughs(troughs.samples[rows >= 0], rows[rows >= 0])
