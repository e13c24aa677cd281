"""A recording and its analyses, computed once for all who look at it."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from engine.analysis import (
    Aligned,
    Paths,
    Split,
    Tuning,
    aligned_counts,
    mean_rates,
    split_trials,
    trial_paths,
    tuning,
)
from engine.bins.trials import TrialEvent
from engine.errors import BadSetting
from engine.sources.recordings.recording import Recording

Rows = npt.NDArray[np.intp]

NOTHING = "nothing"
"""Name of the split that puts all trials into one group: addresses cannot tell an empty one from none."""


class Study:
    """May be used from any thread: at worst something is computed twice."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.trial_ids = np.array([trial.trial_id for trial in recording.trials], np.intp)
        self.split = lru_cache(maxsize=16)(self._split)
        self.aligned = lru_cache(maxsize=16)(self._aligned)

    def _split(self, by: str) -> Split:
        return split_trials(self.recording, "" if by == NOTHING else by)

    def _aligned(self, event: TrialEvent, before: float, after: float, step: int, unit: int) -> Aligned:
        return aligned_counts(self.recording, event, before, after, bins_per_step=step, units=[unit])

    @cached_property
    def paths(self) -> Paths:
        return trial_paths(self.recording)

    @cached_property
    def reach(self) -> float:
        """How far the paths extend, in the recording's length unit; 0 if there are none."""
        position = self.paths.position[np.isfinite(self.paths.position).all(axis=1)]
        return float(np.ptp(position, axis=0).max()) if len(position) else 0.0

    @cached_property
    def tuning(self) -> Tuning:
        return tuning(self.recording)

    @cached_property
    def rates(self) -> npt.NDArray[np.float64]:
        """Hz, shape (n_units,)."""
        return mean_rates(self.recording)

    @property
    def best_tuned(self) -> int:
        """The unit whose rate the direction of reach explains best; the first if none is tuned."""
        fit = self.tuning
        return int(np.argmax(np.where(fit.tuned, fit.r2, 0.0)))

    def rows(self, text: str) -> Rows:
        """Rows of the trials that a text such as ``1-20, 45`` names by their ids; all if it is empty.

        Raises
        ------
        BadSetting
            If it cannot be read.
        UnknownTrial
            If the recording has no such trial.
        """
        rows: set[int] = set()
        for part in filter(None, (part.strip() for part in text.split(","))):
            first, _, last = part.partition("-")
            try:
                low, high = int(first), int(last or first)
            except ValueError:
                raise BadSetting(
                    f"Cannot read {part!r} as trials. Write 3, or 1-20, or 1-20, 45."
                ) from None
            if last:
                rows |= {
                    row for row, trial in enumerate(self.recording.trials) if low <= trial.trial_id <= high
                }
            else:
                rows.add(self.recording.trial_row(low))
        if text.strip(" ,") and not rows:
            raise BadSetting(f"No trial has an id in {text}.")
        return np.array(sorted(rows), np.intp) if rows else np.arange(len(self.recording.trials))

    def spell(self, rows: Rows | list[int]) -> str:
        """The inverse of `rows`: as short a text as there is for some trials, empty for all."""
        if len(rows) == len(self.recording.trials):
            return ""
        ids = [self.recording.trials[row].trial_id for row in rows]
        order = sorted(trial.trial_id for trial in self.recording.trials)
        place = {trial_id: i for i, trial_id in enumerate(order)}
        runs: list[list[int]] = []
        for trial_id in sorted(ids):
            if runs and place[trial_id] == place[runs[-1][-1]] + 1:
                runs[-1].append(trial_id)
            else:
                runs.append([trial_id])
        return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)

    def nearest_found(self, recall: float, precision: float) -> int | None:
        """The channel whose recall and precision are nearest; None if they are known of none."""
        detection = self.recording.detection
        away = np.hypot(detection["recall"] - recall, detection["precision"] - precision)
        return int(np.nanargmin(away)) if np.isfinite(away).any() else None

    def nearest_tip(self, x: float, y: float) -> int | None:
        """The tuned unit whose arrow ends nearest to a point, Hz; None if no unit is tuned."""
        fit = self.tuning
        tuned = np.flatnonzero(fit.tuned)
        if not len(tuned):
            return None
        tips = fit.depth[tuned] * np.exp(1j * fit.preferred[tuned])
        return int(tuned[np.argmin(np.abs(tips - complex(x, y)))])
