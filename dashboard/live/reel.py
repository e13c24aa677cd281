"""The recording as a tape: which bins are played, and the way from one to another."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from dashboard.live.trial_list import passages
from engine.bins.description import Description, Recorded
from engine.bins.selection import Selection

Spans = list[list[int]]
"""Stretches of successive bins: the first and one past the last of each."""


@lru_cache(maxsize=16)
def selected_spans(selection: Selection, recording: Recorded) -> Spans:
    """The selected bins."""
    bins = selection.bins(recording)
    starts = np.flatnonzero(np.diff(bins, prepend=-2) != 1)
    ends = np.append(starts[1:], len(bins)) - 1
    return np.column_stack((bins[starts], bins[ends] + 1)).tolist()  # type: ignore[no-any-return]


def tape(recording: Description) -> dict[str, Any]:
    """A recording as the page draws it.

    Returns
    -------
    dict
        ``n_bins``, ``bin_rate``, and ``trials``: id, first bin, one past the last, and target of each
        trial that has bins.
    """
    trials = [
        [each.trial.trial_id, each.first, each.end, each.trial.target_id] for each in passages(recording)
    ]
    return {"n_bins": recording.n_bins or 1, "bin_rate": recording.bin_rate, "trials": trials}


@lru_cache(maxsize=16)
def reel(selection: Selection, recording: Recorded) -> Reel:
    """The same for all who ask."""
    return Reel(selection, recording)


class Reel:
    """The selected bins of a recording, and ways along them.

    Parameters
    ----------
    selection : Selection
    recording : Recorded
    """

    def __init__(self, selection: Selection, recording: Recorded) -> None:
        self._recording = recording
        self._bins = selection.bins(recording)

    def nearest(self, bin_: int) -> int:
        """The selected bin that is nearest."""
        after = min(int(np.searchsorted(self._bins, bin_)), len(self._bins) - 1)
        before = max(after - 1, 0)
        return int(min(self._bins[before], self._bins[after], key=lambda each: abs(int(each) - bin_)))

    def away(self, bin_: int, n: int) -> int:
        """The bin that is played so many bins after (before) another; the first or last at the ends."""
        at = int(np.searchsorted(self._bins, self.nearest(bin_))) + n
        return int(self._bins[min(max(at, 0), len(self._bins) - 1)])

    def ahead(self, index: int, loop: bool) -> int | None:
        """The bin that is played as number `index`, counted from the first one; None if there is none."""
        n = len(self._bins)
        return int(self._bins[index % n]) if loop or 0 <= index < n else None

    def trial_away(self, bin_: int, n: int) -> int | None:
        """The first selected bin of the trial so many selected trials away; None if there are none.

        Back is first to the beginning of this trial, unless that has only just been left.
        """
        firsts = self._trial_starts()
        if not len(firsts):
            return None
        at = bisect_right(firsts, bin_) - 1
        begun = at >= 0 and bin_ - firsts[at] > self._recording.bin_rate / 2
        if n < 0 and begun:
            at += 1
        return firsts[min(max(at + n, 0), len(firsts) - 1)]

    def _trial_starts(self) -> list[int]:
        """The first selected bin of each trial."""
        trials: npt.NDArray[Any] = self._recording.bins["trial"][self._bins]
        _, first = np.unique(trials, return_index=True)
        return [int(self._bins[i]) for i in sorted(first) if trials[i] >= 0]
