"""Which bins a session plays: trials, targets, outcome, part of the trial, and from where to where."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    first_packet, last_packet : int, optional
        Only bins from one to the other, both included.
    """

    trial_ids: tuple[int, ...] = ()
    target_ids: tuple[int, ...] = ()
    success: bool | None = None
    begin: TrialEvent = "start"
    begin_offset: float = 0.0
    end: TrialEvent = "stop"
    end_offset: float = 0.0
    first_packet: int | None = None
    last_packet: int | None = None

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
        chosen = self._of_trials(recording)
        first = 0 if self.first_packet is None else self.first_packet
        last = recording.n_bins - 1 if self.last_packet is None else self.last_packet
        if first > 0 or last < recording.n_bins - 1:
            chosen = chosen[(chosen >= first) & (chosen <= last)]
        if not len(chosen):
            raise EmptySelection(
                "The selection holds no bin. Choose other trials, targets, outcome, part of the trial or "
                f"packets; this recording has packets 0 to {recording.n_bins - 1}."
            )
        return chosen

    def _of_trials(self, recording: Recorded) -> npt.NDArray[np.intp]:
        """The bins that trials, targets, outcome and part of the trial choose."""
        if replace(self, first_packet=None, last_packet=None).is_everything:
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
        return np.flatnonzero((centres >= first[trial_of_bin]) & (centres < last[trial_of_bin]))

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
