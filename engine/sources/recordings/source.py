"""A recording as the source of a session: the selected bins in order, as often as wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.bins.selection import EVERYTHING, Selection
from engine.bins.source import Block, Capability, Position, Tick, Told
from engine.sources.recordings.events import trial_events
from engine.sources.recordings.playhead import Playhead
from engine.sources.recordings.recording import Recording

CAN: Final[tuple[Capability, ...]] = ("pause", "step", "seek", "select", "speed", "loop", "perturbation")


class RecordingSource:
    """An `engine.bins.source.Seekable`.

    Parameters
    ----------
    recording : Recording
    selection : Selection
    loop : bool
        Whether the first bin follows the last.
    """

    kind = "recording"
    can = CAN

    def __init__(self, recording: Recording, selection: Selection = EVERYTHING, loop: bool = True) -> None:
        self.description = recording
        self.selection = selection
        self._playhead = Playhead(selection.bins(recording), loop)
        self._events = trial_events(recording)
        self._bytes = np.ascontiguousarray(recording.bins).view(np.uint8).data
        self._width = recording.bins.itemsize

    @property
    def loop(self) -> bool:
        return self._playhead.loop

    @loop.setter
    def loop(self, loop: bool) -> None:
        self._playhead.loop = loop

    @property
    def ended(self) -> bool:
        return self._playhead.ended

    @property
    def position(self) -> Position:
        packet_id = self._playhead.next_bin
        return Position(
            current_index=self._playhead.next_index,
            packet_id=packet_id,
            n_selected=len(self._playhead),
            seconds=packet_id / self.description.bin_rate,
        )

    def ready(self, n: int) -> int:
        return self._playhead.ready(n)

    def fill(self, block: Block, ticks: Sequence[Tick]) -> Told:
        raw, size, start, source, width = block.raw, block.size, block.body, self._bytes, self._width
        told: list[tuple[float, str]] = []
        for i, index in enumerate(self._playhead.take(len(ticks)).tolist()):
            raw[start : start + width] = source[index * width : (index + 1) * width]
            start += size
            if index in self._events:
                told += [(ticks[i][0], text) for text in self._events[index]]
        return told

    def bins(self, selection: Selection) -> npt.NDArray[np.intp]:
        return selection.bins(self.description)

    def select(self, selection: Selection, bins: npt.NDArray[np.intp]) -> None:
        self.selection = selection
        self._playhead.select(bins)

    def seek(self, packet_id: int) -> None:
        self._playhead.seek(packet_id)

    def rewind(self) -> None:
        self._playhead.rewind()

    def close(self) -> None:
        """Nothing runs."""
