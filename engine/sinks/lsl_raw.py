"""The LSL outlet of a session's voltages, which costs nothing until an inlet is there."""

from __future__ import annotations

from typing import Final

import numpy as np
import pylsl

from engine.bins.schema import Rows
from engine.broadband import BLOCK, SAMPLING_RATE
from engine.lsl import clock_offset
from engine.sinks.base import Subject
from engine.sinks.lsl import LslNames, make_outlet

BUFFERED: Final = 5
"""Seconds that may wait for an inlet."""


class RawLslSink:
    """Publishes the voltages of a session: float32, microvolts, a chunk a block.

    It is woken with each bin, and then has the blocks that were due meanwhile.

    Parameters
    ----------
    subject : Subject
        One with voltages.
    names : LslNames
    """

    def __init__(self, subject: Subject, names: LslNames) -> None:
        assert subject.voltages is not None
        self._voltages = subject.voltages
        self._scale = np.float32(subject.voltages.microvolts_per_count)
        speed = subject.rate / subject.description.bin_rate
        self._span = (BLOCK - 1) / (SAMPLING_RATE * speed)
        self._outlets = [
            make_outlet(
                names,
                subject.code,
                "Raw",
                "EEG",
                pylsl.cf_float32,
                SAMPLING_RATE * speed,
                [(name, "microvolts") for name in subject.description.channel_names],
                buffered=BUFFERED,
            )
        ]
        self._offset = clock_offset()
        self._row: int | None = None  # the next one, while somebody listens

    def wanted(self) -> bool:
        heard = any(outlet.have_consumers() for outlet in self._outlets)
        if heard and self._row is None:
            self._row = self._voltages.join(self._wake)
        elif not heard and self._row is not None:
            self._leave()
        return heard

    def push(self, _: Rows) -> None:
        if self._row is None:
            return
        blocks, lost = self._voltages.since(self._row)
        self._row += lost + len(blocks)
        for block in blocks:
            if block.paced:
                # liblsl takes the time of a chunk's last sample.
                newest = block.due + self._span + self._offset
                self._outlets[0].push_chunk(block.samples * self._scale, newest)

    def event(self, text: str, due: float) -> None:
        """Events have an outlet of their own."""

    def close(self) -> None:
        self._leave()
        self._outlets.clear()  # pylsl destroys an outlet when its last reference goes

    def _wake(self) -> None:
        """Bins wake it."""

    def _leave(self) -> None:
        self._voltages.leave(self._wake)
        self._row = None
