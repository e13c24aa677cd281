"""Trials as one structured array, which goes into a file without any pickle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.trials import Trial

TIMES = ("start_time", "stop_time", "target_on_time", "go_cue_time", "move_onset_time")
FACTS = (*TIMES, "success", "target_id", "target_x", "target_y")
"""Fields of a `Trial` that are numbers; NaN where it has none."""
OWN = frozenset({"trial_id", "target_pos", *FACTS})


def trial_table(trials: Sequence[Trial]) -> npt.NDArray[np.void]:
    """One row a trial.

    Parameters
    ----------
    trials : sequence of Trial

    Returns
    -------
    ndarray, shape (n_trials,)
        ``trial_id``; the `FACTS` as float64 (times in s, places in length units); ``target_pos``, shape
        (n_targets, 2), filled up with NaN; then the file's other columns, if they are numbers or text.
    """
    n_targets = max((len(trial.target_pos) for trial in trials), default=0)
    others = dict(_others(trials))
    dtype: list[Any] = [("trial_id", np.int64), *((name, np.float64) for name in FACTS)]
    dtype += [("target_pos", np.float64, (n_targets, 2))]
    table = np.zeros(len(trials), [*dtype, *((name, column.dtype) for name, column in others.items())])
    table["trial_id"] = [trial.trial_id for trial in trials]
    for name in FACTS:
        facts = (getattr(trial, name) for trial in trials)
        table[name] = [np.nan if fact is None else float(fact) for fact in facts]
    table["target_pos"] = np.nan
    for row, trial in enumerate(trials):
        if trial.target_pos:
            table["target_pos"][row, : len(trial.target_pos)] = trial.target_pos
    for name, column in others.items():
        table[name] = column
    return table


def _others(trials: Sequence[Trial]) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for name in trials[0].columns if trials else ():
        values = [trial.columns.get(name) for trial in trials]
        alike = len({isinstance(value, str) for value in values}) == 1
        column = np.array(values) if alike and None not in values else np.array(None)
        if name and name.isascii() and name not in OWN and column.dtype.kind in "biufU":
            yield name, column
