"""Which bin is next: the selected bins in order, with loop, seek and rewind. No clock, no thread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.errors import OutsideSelection


class Playhead:
    """A position in an ascending list of bins.

    Parameters
    ----------
    bins : ndarray of int, shape (n_selected,)
        Indices into the recording, ascending, at least one.
    loop : bool
        Whether the first bin follows the last.
    """

    def __init__(self, bins: npt.NDArray[np.intp], loop: bool = True) -> None:
        self._bins = bins
        self.loop = loop
        self.index = 0

    def __len__(self) -> int:
        return len(self._bins)

    @property
    def ended(self) -> bool:
        """Whether nothing is left to play."""
        return not self.loop and self.index >= len(self._bins)

    @property
    def next_index(self) -> int:
        """Where in the list the bin stands that `take` would give first; the last if there is none left."""
        return self.index % len(self) if self.loop else min(self.index, len(self) - 1)

    @property
    def next_bin(self) -> int:
        """That bin."""
        return int(self._bins[self.next_index])

    def ready(self, n: int) -> int:
        """How many `take` would give of `n`."""
        left = len(self._bins) - self.index
        return min(n, left or (len(self._bins) if self.loop else 0))

    def take(self, n: int) -> npt.NDArray[np.intp]:
        """Move on by at most `n` bins and return their indices; fewer at the end of the selection."""
        if self.index >= len(self._bins) and self.loop:
            self.index = 0
        taken = self._bins[self.index : self.index + n]
        self.index += len(taken)
        return taken

    def select(self, bins: npt.NDArray[np.intp]) -> None:
        """Play other bins, from their first."""
        self._bins = bins
        self.index = 0

    def rewind(self) -> None:
        self.index = 0

    def seek(self, bin_index: int) -> None:
        """Make a bin the next one.

        Raises
        ------
        OutsideSelection
            If the bin is not among the selected ones.
        """
        at = int(np.searchsorted(self._bins, bin_index))
        if at == len(self._bins) or self._bins[at] != bin_index:
            raise OutsideSelection(
                f"Packet {bin_index} lies outside the selection. "
                f"Seek to one of its {len(self)} packets, or change the selection."
            )
        self.index = at
