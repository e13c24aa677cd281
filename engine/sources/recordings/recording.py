"""A recording as every session shares it: frozen facts, binned once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.answered import Answers
from engine.bins.description import Indices
from engine.bins.selection import spell_ids
from engine.bins.trials import Plan, Trial
from engine.errors import UnknownTrial
from engine.files.voltages import VoltageSeries
from engine.sources.recordings.spike_times import SpikeTimes
from engine.sources.recordings.trial_plan import plan


@dataclass(frozen=True, eq=False)
class Recording:
    """Read-only arrays and facts of one recording.

    Attributes
    ----------
    name : str
        What people call it: the file's name without its ending.
    bin_rate : float
        Bins per second.
    start_time : float
        Start of bin 0 in the file's seconds; always a whole number of bins.
    bins : ndarray, shape (n_bins,), dtype `bin_dtype`
        One row a bin; not writeable.
    trials : tuple of Trial
        In order of their start.
    series : mapping
        What the reader chose for position and velocity, and what it passed over and why.
    sha256 : str
        Of the file's bytes, in hexadecimal.
    spike_times : SpikeTimes, optional
        When they were within their bins; None where the file has counts alone.
    answers : Answers, optional
        Where it is a record with predictions.
    voltages : VoltageSeries, optional
        Where its file has them.
    detection : mapping of ndarray of float64, shape (n_units,)
        How spikes were found on each channel, by the names of the wire, where it is a record of electrodes.
    warnings : tuple of str
        What in the file is doubtful, what was done about it, and the option that mends it: a sentence
        or a few each.
    trial_tables : mapping
        Which table of trials the reader took, and which it passed over and why.
    """

    name: str
    bin_rate: float
    start_time: float
    bins: npt.NDArray[np.void]
    trials: tuple[Trial, ...]
    channel_names: tuple[str, ...]
    length_unit: str
    synthetic: bool
    series: Mapping[str, Any]
    sha256: str
    spike_times: SpikeTimes | None = None
    answers: Answers | None = None
    voltages: VoltageSeries | None = None
    detection: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()
    trial_tables: Mapping[str, Any] = field(
        default_factory=lambda: MappingProxyType({"taken": None, "passed_over": []})
    )

    goal = None
    sampled = truth = False

    @property
    def n_bins(self) -> int:
        return len(self.bins)

    @property
    def n_units(self) -> int:
        return int(self.counts.shape[1])

    @property
    def bin_width(self) -> float:
        """Seconds."""
        return 1.0 / self.bin_rate

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.n_bins / self.bin_rate

    @property
    def counts(self) -> npt.NDArray[np.unsignedinteger[Any]]:
        """Spike counts, shape (n_bins, n_units)."""
        return self.bins["counts"]

    @property
    def kinematics(self) -> npt.NDArray[np.float32]:
        """x, y (length units), vx, vy (per second), shape (n_bins, 4); NaN where missing."""
        return self.bins["kinematics"]

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        """Whether each bin's centre was recorded, shape (n_bins,)."""
        return self.bins["observed"]

    @property
    def coverage(self) -> npt.NDArray[np.float64]:
        """Share of each bin that was recorded, 0 to 1, shape (n_bins,)."""
        return self.bins["coverage"]

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """Bin centres in the file's seconds, shape (n_bins,), rounded to 1 us."""
        return np.round(self.start_time + (np.arange(self.n_bins) + 0.5) / self.bin_rate, 6)

    @property
    def count_dtype(self) -> np.dtype[Any]:
        """``uint8``, or ``uint16`` where a bin has more than 255 spikes of a unit."""
        return self.counts.dtype

    @cached_property
    def trial_ids(self) -> tuple[int, ...]:
        """Ids of `trials`, in their order."""
        return tuple(trial.trial_id for trial in self.trials)

    @cached_property
    def target_ids(self) -> tuple[int, ...]:
        """What trials aim at, ascending: indices within each trial's own targets."""
        return tuple(sorted({t.target_id for t in self.trials if t.target_id is not None}))

    @cached_property
    def target_places(self) -> frozenset[tuple[float, float]]:
        """Where trials aim, in length units."""
        places = ((t.target_x, t.target_y) for t in self.trials)
        return frozenset(place for place in places if not math.isnan(place[0]))

    @cached_property
    def _rows(self) -> dict[int, int]:
        return {trial.trial_id: row for row, trial in enumerate(self.trials)}

    @cached_property
    def plan(self) -> Plan:
        """What the trial table alone says of every bin."""
        return plan(self.trials, self.bins["trial"], self.bin_at)

    def phases(self, packet_ids: Indices) -> Plan:
        """What the trial table says of some bins, shape (n,) each."""
        planned, armed = self.plan
        return Plan(planned[packet_ids], armed[packet_ids])

    def clean(self, packet_ids: Indices) -> npt.NDArray[np.unsignedinteger[Any]]:
        """The counts of some bins, shape (n, n_units)."""
        return self.counts[packet_ids]

    @cached_property
    def go_bins(self) -> tuple[int, ...]:
        """The first bin of each trial from which a hit counts; -1 where there is none."""
        trial = self.bins["trial"]
        can_hit = np.flatnonzero(self.plan.armed & (trial >= 0))
        first = np.full(len(self.trials), -1)
        rows, found = np.unique(trial[can_hit], return_index=True)
        first[rows] = can_hit[found]
        return tuple(first.tolist())

    def trial_row(self, trial_id: int) -> int:
        """Row of a trial in `trials`.

        Raises
        ------
        UnknownTrial
            If the recording has no such trial.
        """
        try:
            return self._rows[trial_id]
        except KeyError:
            raise UnknownTrial(
                f"Unknown trial {trial_id}. This recording has {spell_ids(sorted(self._rows), 'trial')}."
            ) from None

    def bin_at(self, seconds: float) -> int:
        """Index of the bin that holds a time of the file's clock, limited to the recording."""
        index = int(np.floor(round((seconds - self.start_time) * 1e6) * self.bin_rate / 1e6 + 1e-9))
        return min(max(index, 0), self.n_bins - 1)
