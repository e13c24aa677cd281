"""Voltages of a session on their way into its journal: whole chunks, compressed as the NWB file has them.

An entry `CHUNK` is the index of its first sample and how many samples it has, and then what HDF5 stores of
a chunk of an int16 dataset with the filters shuffle and gzip: finishing a record copies it. `GAP` is the
first sample of some that were lost, and the first that was not.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from engine.bins.voltages import VoltageRing, Wake
from engine.broadband import BLOCK, SAMPLING_RATE, Counts16
from engine.files.entries import Entries, read_entries

LAYOUT, CHUNK, GAP = "voltage_layout", "voltages", "voltage_gap"
"""Names of entries."""
HEAD: Final = struct.Struct("<QI")
MOST_BLOCKS: Final = 10
"""Blocks of a chunk: a process that is killed loses no more than what waits and this."""
CHUNK_BYTES: Final = 1024 * 1024
"""Of a chunk at most, of which HDF5 keeps as many for a reader."""

Gap = tuple[int, int]
"""The first sample that was lost, and the first that was not."""


@dataclass(frozen=True)
class Layout:
    """How voltages are recorded.

    Attributes
    ----------
    n_channels : int
    microvolts_per_count : float
    chunk : int
        Samples of a chunk.
    """

    n_channels: int
    microvolts_per_count: float
    chunk: int

    @classmethod
    def of(cls, ring: VoltageRing) -> Layout:
        blocks = CHUNK_BYTES // (BLOCK * ring.n_channels * np.dtype(np.int16).itemsize)
        return cls(ring.n_channels, ring.microvolts_per_count, BLOCK * min(max(blocks, 1), MOST_BLOCKS))


@dataclass(frozen=True)
class RecordedVoltages:
    """What a record has of voltages, beside themselves.

    Attributes
    ----------
    layout : Layout
    first : int
        Index of the first sample since the session began.
    n_samples : int
        Up to the last one, those that were lost included.
    gaps : tuple of Gap
        Samples that were lost; they are zeros.
    """

    layout: Layout
    first: int
    n_samples: int
    gaps: tuple[Gap, ...]

    @property
    def starting_time(self) -> float:
        """Of the first sample on the record's clock, s."""
        return self.first / SAMPLING_RATE


def deflated(samples: Counts16) -> bytes:
    """A chunk as HDF5's filters shuffle and gzip leave it.

    Low bytes of noise are incompressible and high bytes a few symbols, so Huffman codes alone make it as
    small as level 4 does, in a third of the time.
    """
    planes = samples.astype("<i2", copy=False).view(np.uint8).reshape(-1, 2).T.tobytes()
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_HUFFMAN_ONLY)
    return packer.compress(planes) + packer.flush()


class VoltageLog:
    """A reader of a session's voltages, which writes them down; all but `wake` in one thread.

    What it leaves for longer than the ring keeps it is lost. That is written down as well, and zeros take
    its place, so that the others stay where they were.

    Parameters
    ----------
    ring : VoltageRing
    entries : Entries
        Of the journal.
    wake : function
        Called by the deck's thread where so much waits that it is time to `write`.

    Attributes
    ----------
    n_blocks, lost : int
        Blocks that were written, and those that were gone before they could be.
    """

    def __init__(self, ring: VoltageRing, entries: Entries, wake: Wake) -> None:
        self.n_blocks = self.lost = 0
        self._ring = ring
        self._entries = entries
        self._wake = wake
        self._layout = layout = Layout.of(ring)
        self._chunk: Counts16 = np.zeros((layout.chunk, layout.n_channels), "<i2")
        self._start: int | None = None  # the first sample of all
        self._next = 0  # after the newest sample that was taken
        self._index = self._filled = 0  # of the chunk that is being filled, and its samples so far
        entries.append(LAYOUT, json.dumps(vars(layout)).encode())
        self._row = ring.head  # it may be woken before the next line is done
        self._row = ring.join(self.wake)

    @property
    def behind(self) -> bool:
        """Whether more would wait than half of what the ring keeps."""
        return self._ring.head - self._row > self._ring.capacity // 2

    def wake(self) -> None:
        if self._ring.head - self._row >= self._ring.capacity // 4:
            self._wake()

    def write(self) -> None:
        """Write what is there, but for a chunk that is not full.

        Raises
        ------
        OSError
        """
        head = self._ring.head  # what comes meanwhile has to wait: the record is more than voltages
        while self._row < head:
            blocks, lost = self._ring.since(self._row, self._layout.chunk // BLOCK)
            self.lost += lost
            self._row += lost + len(blocks)
            for block in blocks:
                self._take(block.first, block.samples)

    def end(self) -> None:
        """Write what is there, also of a chunk that is not full.

        Raises
        ------
        OSError
        """
        self.write()
        self._flush()

    def close(self) -> None:
        """Read no more. A second call does nothing."""
        self._ring.leave(self.wake)

    def _take(self, first: int, samples: Counts16) -> None:
        if self._start is None:
            self._start = self._next = first
        if first != self._next:
            self._entries.append(GAP, json.dumps((self._next, first)).encode())
        self._next = first + len(samples)
        index, at = divmod(first - self._start, self._layout.chunk)
        if index != self._index:
            self._flush()
            self._index = index
        self._filled = at + len(samples)
        self._chunk[at : self._filled] = samples
        self.n_blocks += 1
        if self._filled == self._layout.chunk:
            self._flush()

    def _flush(self) -> None:
        if self._start is None or not self._filled:
            return
        head = HEAD.pack(self._start + self._index * self._layout.chunk, self._filled)
        self._entries.append(CHUNK, head + deflated(self._chunk))
        self._chunk[:] = 0
        self._filled = 0


def recorded_voltages(
    layout: bytes | None, heads: Sequence[bytes], gaps: Iterable[bytes]
) -> RecordedVoltages | None:
    """What the entries of a journal say of its voltages; None if it has none.

    Parameters
    ----------
    layout : bytes or None
        Content of the entry `LAYOUT`.
    heads : sequence of bytes
        The beginnings of entries `CHUNK`, in order.
    gaps : iterable of bytes
        Contents of entries `GAP`.
    """
    if layout is None or not heads:
        return None
    first, _ = HEAD.unpack(heads[0])
    newest, n = HEAD.unpack(heads[-1])
    lost = tuple((start, stop) for start, stop in map(json.loads, gaps) if stop < newest + n)
    return RecordedVoltages(Layout(**json.loads(layout)), first, newest + n - first, lost)


def read_chunks(file: BinaryIO, name: str, passphrase: str | None) -> Iterator[tuple[int, bytes]]:
    """The chunks of a journal, one by one: the index of the first sample, and what HDF5 stores.

    Raises
    ------
    RecordingError
        If it is not a journal, or the passphrase does not open it.
    """
    file.seek(0)
    for entry, content in read_entries(file, name, passphrase):
        if entry == CHUNK:
            first, _ = HEAD.unpack_from(content)
            yield first, content[HEAD.size :]
