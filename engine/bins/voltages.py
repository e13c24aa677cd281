"""Voltages below the bins of a session: the last blocks that were due, for any number of readers."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from engine.bins.ticks import as_rate
from engine.broadband import BLOCK, SAMPLING_RATE, Counts16, first_sample

KEPT: Final = 1.0
"""Seconds of voltages for readers, or two bins if these are longer."""

Wake = Callable[[], None]
"""Told of new blocks by the deck's thread: it returns at once."""


class Voltages(NamedTuple):
    """A block that was due.

    Attributes
    ----------
    row : int
        How many blocks were published before.
    first : int
        Index of the first sample since the session began.
    due : float
        When that was due, seconds of the engine's clock.
    unix : float
        The same, Unix seconds.
    paced : bool
        False at speed max.
    samples : ndarray of int16, shape (BLOCK, n_channels)
        Shared by all readers.
    """

    row: int
    first: int
    due: float
    unix: float
    paced: bool
    samples: Counts16


class Flow(NamedTuple):
    """How samples become due at present.

    Attributes
    ----------
    due : float
        When the newest bin was due, and so all samples so far; seconds of the engine's clock.
    pace : float
        Seconds from one sample's being due to the next one's, times the sampling rate: 1 at speed 1.
    unix_offset : float
        Makes Unix seconds of those.
    paced : bool
        False at speed max.
    flows : bool
        Whether samples of the next bin become due one by one.
    """

    due: float
    pace: float
    unix_offset: float
    paced: bool
    flows: bool


class VoltageRing:
    """Blocks of `BLOCK` samples, kept by reference: none is copied for a reader, or cut without one.

    A source adds samples ahead of their time; the deck's thread publishes them when they are due. Readers
    have a cursor each, and lose what they leave for longer than the ring keeps it. None waits for another.

    Parameters
    ----------
    n_channels : int
    microvolts_per_count : float
    bin_rate : float
        Bins per second.
    """

    def __init__(self, n_channels: int, microvolts_per_count: float, bin_rate: float) -> None:
        self.n_channels = n_channels
        self.microvolts_per_count = microvolts_per_count
        self._rate = as_rate(bin_rate)
        self.capacity = math.ceil(max(KEPT, 2 / bin_rate) * SAMPLING_RATE / BLOCK)
        self.head = 0  # how many blocks were ever published
        self._told = 0
        self._blocks: list[Voltages | None] = [None] * self.capacity
        self._made: deque[tuple[int, Counts16]] = deque()  # its thread appends, the deck's takes
        self._end = 0  # of what was made
        self._first = 0  # of the next block
        self._last = -math.inf  # when that is due at the earliest, as samples are in order
        self._readers: tuple[Wake, ...] = ()
        self._lock = threading.Lock()  # guards the one above

    def edge(self, number: int) -> int:
        """The first sample of a bin."""
        return first_sample(number, self._rate)

    # What the source does

    def add(self, samples: Counts16) -> None:
        """Have the next samples ready, shape (n, n_channels), which nobody changes any more."""
        self._made.append((self._end, samples))
        self._end += len(samples)

    # What the deck's thread does

    def publish(self, at: float, flow: Flow, n_bins: int) -> float:
        """Publish the blocks that are due.

        Parameters
        ----------
        at : float
            Now, in seconds of the engine's clock.
        flow : Flow
        n_bins : int
            How many were due so far.

        Returns
        -------
        float
            When the next block is due; infinity if a bin comes first, or nobody reads.
        """
        sent = self.edge(n_bins)
        if not self._readers:
            self._first = -(-sent // BLOCK) * BLOCK
            self._forget(sent)
            return math.inf
        seconds = flow.pace / SAMPLING_RATE
        limit = min(self.edge(n_bins + 1) if flow.flows else sent, self._end)
        exactly = float(n_bins * SAMPLING_RATE / self._rate)  # where the newest bin ends
        while (stop := self._first + BLOCK) <= limit:
            due = flow.due + (stop - exactly) * seconds
            if due > at:
                return due
            begun = max(due - BLOCK * seconds, self._last)
            self._last = due
            samples = self._cut(self._first, stop)
            block = Voltages(self.head, self._first, begun, begun + flow.unix_offset, flow.paced, samples)
            self._blocks[self.head % self.capacity] = block
            self.head += 1
            self._first = stop
        return math.inf

    def tell(self) -> None:
        """Wake the readers if there are new blocks."""
        if self._told != self.head:
            self._told = self.head
            for wake in self._readers:
                wake()

    def _forget(self, before: int) -> None:
        while self._made and self._made[0][0] + len(self._made[0][1]) <= before:
            self._made.popleft()

    def _cut(self, first: int, stop: int) -> Counts16:
        """Samples that were made: as they are, unless they were made in pieces."""
        self._forget(first)
        parts, i = [], 0
        while first < stop:
            begun, samples = self._made[i]
            parts.append(samples[first - begun : stop - begun])
            first += len(parts[-1])
            i += 1
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    # What readers do, in any thread

    def join(self, wake: Wake) -> int:
        """Be told of new blocks from now on; the row of the first."""
        with self._lock:
            self._readers = (*self._readers, wake)
            return self.head

    def leave(self, wake: Wake) -> None:
        """Be told no more; nothing is kept for nobody. A second call does nothing."""
        with self._lock:
            self._readers = tuple(each for each in self._readers if each != wake)
            if not self._readers:
                self._blocks = [None] * self.capacity

    def since(self, row: int, limit: int | None = None) -> tuple[list[Voltages], int]:
        """The blocks from a row on.

        Parameters
        ----------
        row : int
            The next call wants ``row + lost + len(blocks)``.
        limit : int, optional
            At most so many, the oldest first.

        Returns
        -------
        blocks : list of Voltages
        lost : int
            How many were gone.
        """
        head, kept = self.head, self._blocks
        first = max(row, head - self.capacity)
        last = head if limit is None else min(head, first + limit)
        found = [kept[i % self.capacity] for i in range(first, last)]
        # What was written over meanwhile is newer than what was asked for.
        blocks = [block for i, block in enumerate(found, first) if block is not None and block.row == i]
        return blocks, last - row - len(blocks)
