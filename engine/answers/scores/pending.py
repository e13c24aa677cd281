"""Which bins a decoder is to answer, has answered, or has left without an answer."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


class Fate(IntEnum):
    """What became of a bin."""

    NOT_EXPECTED = 0
    """Not observed, or not delivered."""
    EXPECTED = 1
    ANSWERED = 2


class Pending:
    """The fate of the newest bins, by `sequence_number`.

    Parameters
    ----------
    kept : int
        Bins of which the fate is remembered.

    Attributes
    ----------
    missing : int
        Bins that were settled and still lack an answer.
    settled : int
        The first bin that is not settled.
    """

    def __init__(self, kept: int) -> None:
        self.missing = 0
        self.settled = 0
        self._fate = np.zeros(kept, np.uint8)

    def note(self, numbers: Numbers, expected: npt.NDArray[np.bool_]) -> None:
        """Note that these bins were sent, and for which of them an answer is expected."""
        self._fate[numbers % len(self._fate)] = np.where(expected, Fate.EXPECTED, Fate.NOT_EXPECTED)

    def skip(self, first: int, end: int) -> None:
        """Expect no answer to the bins from `first` on, before `end`."""
        self._fate[self._places(first, end)] = Fate.NOT_EXPECTED

    def settle(self, horizon: int) -> None:
        """Count the bins without an answer before `horizon`."""
        if horizon > self.settled:
            self.missing += self.count(self.settled, horizon)
            self.settled = horizon

    def count(self, first: int, end: int) -> int:
        """How many of the bins from `first` on, before `end`, lack an answer."""
        return int(np.count_nonzero(self._fate[self._places(first, end)] == Fate.EXPECTED))

    def unanswered(self, numbers: Numbers) -> Numbers:
        """Those of the bins that were not answered, expected or not."""
        kept: Numbers = numbers[self._fate[numbers % len(self._fate)] != Fate.ANSWERED]
        return kept

    def answer(self, numbers: Numbers, observed: npt.NDArray[np.bool_]) -> None:
        """Note answers; those about bins that were not observed do not count."""
        self._change(numbers, np.where(observed, Fate.ANSWERED, Fate.NOT_EXPECTED).astype(np.uint8))

    def release(self, numbers: Numbers) -> None:
        """Expect no answer to these bins any more; those that were answered stay so."""
        self._change(numbers[self._fate[numbers % len(self._fate)] == Fate.EXPECTED], Fate.NOT_EXPECTED)

    def _change(self, numbers: Numbers, fate: Fate | npt.NDArray[np.uint8]) -> None:
        """Change what became of bins, of missing ones too."""
        at = numbers % len(self._fate)
        self.missing -= int(np.count_nonzero((self._fate[at] == Fate.EXPECTED) & (numbers < self.settled)))
        self._fate[at] = fate

    def _places(self, first: int, end: int) -> npt.NDArray[np.intp]:
        return np.arange(max(first, end - len(self._fate)), end) % len(self._fate)
