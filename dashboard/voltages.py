"""Voltages for the pages of a session, while anybody looks."""

from __future__ import annotations

import numpy as np

from engine.bins.source import Sampled, Source
from engine.bins.troughs import Troughs
from engine.view import View, scope_channels, waveform_channel
from plotters.base import LATE, Floats, Trace


class Voltages:
    """What a session's view has not shown yet.

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

    def traces(self, view: View) -> tuple[Trace, Trace] | tuple[None, None]:
        """What has come of the scope's channels, and of that with the waveforms; None if nothing."""
        if self._row is None:
            return None, None
        voltages = self._source.voltages
        blocks, lost = voltages.since(self._row)
        self._row += lost + len(blocks)
        if not blocks:
            return None, None
        first, stop = blocks[0].first, blocks[-1].first + len(blocks[-1].samples)
        known = max(self._marked, first - LATE), stop - LATE
        self._marked = known[1]
        spikes = self._source.troughs.between(*known)

        def trace(channels: list[int]) -> Trace:
            samples = np.concatenate([block.samples[:, channels] for block in blocks]).astype(np.float32)
            samples *= voltages.microvolts_per_count
            true, found = (_shown(each, channels) for each in spikes)
            return Trace(first, samples, true, found)

        description = self._source.description
        return trace(scope_channels(description, view)), trace([waveform_channel(description, view)])

    @property
    def levels(self) -> tuple[Floats, Floats]:
        """Noise and threshold of all electrodes, uV, shape (n_channels,); NaN before they are known."""
        return self._source.noise, self._source.thresholds

    def _wake(self) -> None:
        """Bins bring frames, and frames the blocks that were due meanwhile."""


def _shown(troughs: Troughs, channels: list[int]) -> Troughs:
    """Those of some channels, by their places among these."""
    at = np.full(max([*channels, *troughs.channels.tolist()], default=-1) + 1, -1, np.int32)
    at[channels] = np.arange(len(channels))
    rows = at[troughs.channels]
    return Troughs(troughs.samples[rows >= 0], rows[rows >= 0])
