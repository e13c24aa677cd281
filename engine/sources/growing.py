"""What is known of bins that are made as they are sent: the channels at once, trials as they come."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.bins.description import Goal, Indices
from engine.bins.schema import bin_dtype
from engine.bins.trials import EVENT_NAMES, PHASES, Plan, Trial, TrialEvent

NO_SERIES: Final[Mapping[str, Any]] = MappingProxyType(
    {"position": None, "velocity": None, "passed_over": []}
)
COUNTS: Final = np.dtype(np.uint16)
"""Nobody knows how many spikes will come."""
KEPT_SECONDS: Final = 120.0
"""For which counts and phases of bins that were sent are known: more than a ring keeps."""
GAP: Final = 1.0
"""Seconds for which a source may say that there is no trial until one and the same is another."""
KEPT_AT_LEAST: Final = 1024
"""Bins, if these are slow."""
PHASE_OF: Final[Mapping[TrialEvent, int]] = {
    "target_on": PHASES.index("target on"),
    "go_cue": PHASES.index("go"),
    "move_onset": PHASES.index("moving"),
}
_EVENTS: Final = {name: event for event, name in EVENT_NAMES.items()}


class GrowingDescription:
    """An `engine.bins.description.Description` that grows. One thread writes it, that of the replay.

    Times of trials are seconds of bins sent: the start of bin k is ``k / bin_rate``.

    Parameters
    ----------
    name : str
    channel_names : tuple of str
    bin_rate : float
    length_unit : str
    series : mapping
    told : bool
        Whether events tell when trials have their go cue; else a hit counts from a trial's start.
    """

    sha256 = None
    synthetic = False
    goal: Goal | None = None
    sampled = truth = False
    start_time = 0.0
    n_bins = None
    duration = None
    count_dtype = COUNTS
    warnings: tuple[str, ...] = ()
    trial_tables: Mapping[str, Any] = MappingProxyType({"taken": None, "passed_over": []})

    def __init__(
        self,
        name: str,
        channel_names: tuple[str, ...],
        bin_rate: float,
        length_unit: str = "units",
        series: Mapping[str, Any] = NO_SERIES,
        told: bool = False,
    ) -> None:
        self.name = name
        self.channel_names = channel_names
        self.n_units = len(channel_names)
        self.bin_rate = bin_rate
        self.bin_width = 1.0 / bin_rate
        self.length_unit = length_unit
        self.series = series
        self.trials: list[Trial] = []
        self.trial_ids: list[int] = []
        self.go_bins: list[int] = []
        self.bins: npt.NDArray[np.void] = np.zeros(0, bin_dtype(self.n_units, COUNTS))
        self._told = told
        self._kept = max(round(KEPT_SECONDS * bin_rate), KEPT_AT_LEAST)
        self._counts = np.zeros((self._kept, self.n_units), COUNTS)
        self._phase = np.zeros(self._kept, np.uint8)
        self._armed = np.zeros(self._kept, np.bool_)
        self._dues = np.full(self._kept, -math.inf)
        self._begun: list[int] = []  # the first bin of each trial
        self._row = -1
        self._away = 0  # bins since the last trial of which it is known that none was on
        self._stage = (0, False)  # the phase of the trial, and whether its target can be hit

    @property
    def counts(self) -> npt.NDArray[np.unsignedinteger[Any]]:
        return self.bins["counts"]

    @property
    def kinematics(self) -> npt.NDArray[np.float32]:
        return self.bins["kinematics"]

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        return self.bins["observed"]

    @property
    def target_ids(self) -> tuple[int, ...]:
        return tuple(sorted({t.target_id for t in self.trials if t.target_id is not None}))

    @property
    def target_places(self) -> frozenset[tuple[float, float]]:
        places = ((trial.target_x, trial.target_y) for trial in self.trials)
        return frozenset(place for place in places if not math.isnan(place[0]))

    def clean(self, packet_ids: Indices) -> npt.NDArray[np.unsignedinteger[Any]]:
        return self._counts[packet_ids % self._kept]

    def phases(self, packet_ids: Indices) -> Plan:
        places = packet_ids % self._kept
        return Plan(self._phase[places], self._armed[places])

    # What the source writes

    def append(self, packet_id: int, due: float, counts: npt.NDArray[Any]) -> None:
        """Note a bin that is sent."""
        place = packet_id % self._kept
        self._counts[place], self._dues[place] = counts, due
        self._phase[place], self._armed[place] = self._stage if self._row >= 0 else (0, False)

    def trial_time(self, packet_id: int) -> float:
        """Seconds since the trial's start, of the bin that comes next; NaN outside of trials."""
        return math.nan if self._row < 0 else (packet_id - self._begun[self._row]) / self.bin_rate

    def enter(self, packet_id: int, trial: Trial | None, known: bool = True) -> int:
        """Note the trial of the bin that comes next; return its row, -1 outside of trials.

        The trial that was before goes on if its id is the same, and its target, unless it is `known` that
        there was none for longer than `GAP`: what is lost of a stream ends no trial.
        """
        if trial is None:
            if self._row >= 0:
                self._end(packet_id)
            self._row = -1
            self._away += known
            return -1
        last, near = len(self.trials) - 1, self._away <= GAP * self.bin_rate
        self._away = 0
        if last >= 0 and near and _same(self.trials[last], trial):
            if self._row < 0:
                self.trials[last] = replace(self.trials[last], stop_time=math.nan)
            self._row = last
            return last
        if self._row >= 0:
            self._end(packet_id)
        self._begun.append(packet_id)
        self.go_bins.append(-1 if self._told else packet_id)
        self.trial_ids.append(trial.trial_id)
        self.trials.append(replace(trial, start_time=packet_id / self.bin_rate))
        self._row, self._stage = last + 1, (0, not self._told)
        return self._row

    def tell(self, text: str, due: float, newest: int) -> None:
        """Note an event such as ``go_cue 3`` at its time, given the newest bin that was sent.

        It counts from the bin on that was due then, or would have been.
        """
        name, _, trial_id = text.partition(" ")
        event = _EVENTS.get(name)
        if event is None or event not in PHASE_OF or [trial_id] != [str(i) for i in self.trial_ids[-1:]]:
            return
        first = self._begun[-1]
        recent = np.arange(max(first, newest + 1 - self._kept), newest + 1)
        after = np.searchsorted(self._dues[recent % self._kept], due - self.bin_width / 2)
        self.mark(event, int(recent[0] + after) if len(recent) else first, newest)

    def mark(self, event: TrialEvent, packet_id: int, newest: int) -> None:
        """Note an event of the present trial at a bin, given the newest that was sent."""
        row = len(self.trials) - 1
        self.trials[row] = _timed(self.trials[row], event, packet_id / self.bin_rate)
        since = np.arange(packet_id, newest + 1) % self._kept
        phase, armed = max(self._stage[0], PHASE_OF[event]), self._stage[1]
        self._phase[since] = phase
        if event == "go_cue" and not armed:
            self._armed[since] = armed = True
            self.go_bins[row] = packet_id
        self._stage = phase, armed

    def judge(self, success: bool) -> None:
        """Say how the present trial has ended."""
        self.trials[-1] = replace(self.trials[-1], success=success)

    def _end(self, packet_id: int) -> None:
        self.trials[-1] = replace(self.trials[-1], stop_time=packet_id / self.bin_rate)


def _same(one: Trial, other: Trial) -> bool:
    """Whether both are one trial."""
    return (one.trial_id, one.target_id) == (other.trial_id, other.target_id)


def _timed(trial: Trial, event: TrialEvent, time: float) -> Trial:
    match event:
        case "target_on":
            return replace(trial, target_on_time=time)
        case "go_cue":
            return replace(trial, go_cue_time=time)
        case _:
            return replace(trial, move_onset_time=time)
