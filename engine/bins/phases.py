"""The phase of a trial as in an experiment, followed through the bins that were played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.bins.description import Description
from engine.bins.schema import Rows
from engine.bins.trials import PHASES, Phase

WAITING, HIT, COOL_DOWN = (PHASES.index(phase) for phase in ("waiting", "hit", "cool-down"))
BETWEEN: Final = (WAITING, COOL_DOWN)
"""Phases that go on when a trial begins."""
NOWHERE: Final = (WAITING, -1)
"""A stretch is a phase, and the trial that it belongs to."""

COOL_DOWN_TIME: Final = 0.5
"""Seconds of recording after a trial's end."""


@dataclass(frozen=True)
class TrialState:
    """Where an experiment stands at the newest bin.

    Attributes
    ----------
    phase : str
    seconds : float
        For which it has lasted, of recording as it was played.
    hits : int
        Since this was first followed.
    """

    phase: Phase = "waiting"
    seconds: float = 0.0
    hits: int = 0


class TrialFollower:
    """Follows the trials of one session, bin by bin.

    The trials' events say when the target is on, when the subject may go and when it moves; one that a
    trial lacks is skipped. A hit is the cursor within a radius of the target, from the go cue on (from
    the target's appearance or the trial's start, where those are missing); it lasts to the end of the
    trial. A jump, to any but the next bin of the recording, begins anew.

    Parameters
    ----------
    description : Description
        Of the bins.
    """

    def __init__(self, description: Description) -> None:
        self._phases = description.phases
        self._width = description.bin_width
        self._cool_bins = round(COOL_DOWN_TIME * description.bin_rate)
        self._packet_id = -2
        self._trial = -1
        self._hit = False
        self._cooling = 0
        self._stretch = NOWHERE
        self._n_bins = 0
        self._hits = 0

    def advance(self, rows: Rows, radius: float) -> TrialState:
        """Follow new bins.

        Parameters
        ----------
        rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
            In the order in which they were played; in any portions.
        radius : float
            Of a target, in length units.
        """
        packet_ids = rows["packet_id"]
        planned, armed = self._phases(packet_ids)
        inside = armed & (rows["intention"][:, 3] <= radius)
        for bin_ in zip(
            packet_ids.tolist(), rows["trial"].tolist(), planned.tolist(), inside.tolist(), strict=True
        ):
            self._step(*bin_)
        phase, _ = self._stretch
        return TrialState(PHASES[phase], self._n_bins * self._width, self._hits)

    def _step(self, packet_id: int, trial: int, planned: int, inside: bool) -> None:
        if packet_id != self._packet_id + 1:
            self._hit, self._cooling, self._stretch = False, 0, NOWHERE
            self._n_bins = 0
        elif trial != self._trial:
            self._hit = False
            if self._trial >= 0:
                self._cooling = self._cool_bins
        if inside and not self._hit:
            self._hit = True
            self._hits += 1
        phase = HIT if self._hit else planned
        if phase == WAITING and self._cooling:
            phase = COOL_DOWN
        stretch = (phase, -1 if phase in BETWEEN else trial)
        self._n_bins = self._n_bins + 1 if stretch == self._stretch else 1
        self._packet_id, self._trial, self._stretch = packet_id, trial, stretch
        self._cooling = max(self._cooling - 1, 0)
