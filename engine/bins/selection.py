"""Which bins a session plays: trials, targets, outcome and part of the trial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded
from engine.bins.trials import TrialEvent, event_time
from engine.errors import EmptySelection, OutsideSelection, UnknownTarget


@dataclass(frozen=True)
class Selection:
    """OR within a field, AND across fields; an empty field asks for nothing in particular.

    Attributes
    ----------
    trial_ids, target_ids : tuple of int
    success : bool, optional
        Only trials that ended so.
    begin, end : trial event
        The part of the trial, from one event to another; trials that lack one of them are skipped.
    begin_offset, end_offset : float
        Seconds added to the events. A part never leaves its trial.
    """

    trial_ids: tuple[int, ...] = ()
    target_ids: tuple[int, ...] = ()
    success: bool | None = None
    begin: TrialEvent = "start"
    begin_offset: float = 0.0
    end: TrialEvent = "stop"
    end_offset: float = 0.0

    @property
    def is_everything(self) -> bool:
        """Whether every bin is meant, those between trials included."""
        return self == EVERYTHING

    def bins(self, recording: Recorded) -> npt.NDArray[np.intp]:
        """Indices of the selected bins, ascending, shape (n_selected,).

        Raises
        ------
        UnknownTrial, UnknownTarget
            If the recording has no such trial or target.
        EmptySelection
            If no bin remains.
        """
        if self.is_everything:
            return np.arange(recording.n_bins)
        rows = {recording.trial_row(trial_id) for trial_id in self.trial_ids}
        for target_id in self.target_ids:
            if target_id not in recording.target_ids:
                known = spell_ids(list(recording.target_ids), "target")
                raise UnknownTarget(f"Unknown target {target_id}. This recording has {known}.")
        n_trials = len(recording.trials)
        first, last = np.full(n_trials + 1, np.inf), np.full(n_trials + 1, -np.inf)
        for row, trial in enumerate(recording.trials):
            if (
                (not rows or row in rows)
                and (not self.target_ids or trial.target_id in self.target_ids)
                and (self.success is None or trial.success is self.success)
            ):
                first[row] = round(event_time(trial, self.begin) + self.begin_offset, 6)  # as centres are
                last[row] = round(event_time(trial, self.end) + self.end_offset, 6)
        trial_of_bin = recording.bins["trial"]  # -1 finds the last entry, which selects nothing
        centres = recording.centres
        chosen = np.flatnonzero((centres >= first[trial_of_bin]) & (centres < last[trial_of_bin]))
        if not len(chosen):
            raise EmptySelection(
                "The selection holds no bin. Choose other trials, targets, outcome or part of the trial."
            )
        return chosen

    def first_bin(self, trial_id: int, recording: Recorded) -> int:
        """The first selected bin of a trial.

        Raises
        ------
        UnknownTrial
            If the recording has no such trial.
        OutsideSelection
            If none of its bins is selected.
        """
        row = recording.trial_row(trial_id)
        selected = self.bins(recording)
        inside = selected[recording.bins["trial"][selected] == row]
        if not len(inside):
            raise OutsideSelection(
                f"Trial {trial_id} lies outside the selection. "
                "Seek to a trial that is selected, or change the selection."
            )
        return int(inside[0])


EVERYTHING = Selection()


def spell_ids(ids: list[int], noun: str) -> str:
    """'targets 0 to 7', 'trials 1, 4, 9', 'no targets'."""
    if not ids:
        return f"no {noun}s"
    if len(ids) > 1 and ids[-1] - ids[0] == len(ids) - 1:
        return f"{noun}s {ids[0]} to {ids[-1]}"
    shown = ", ".join(str(i) for i in ids[:12])
    return f"{noun}s {shown}" + (f" and {len(ids) - 12} more" if len(ids) > 12 else "")
