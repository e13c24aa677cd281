"""What the controls of a session's page stand at, and the tape under the position slider."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.description import Description, Recorded, recorded
from engine.bins.selection import Selection
from engine.bins.trials import TrialEvent, event_time
from engine.deck.replay import Replay
from engine.stages.perturb import PRESETS

Spans = list[list[int]]
"""Stretches of successive bins: the first and one past the last of each."""

EVENTS: Mapping[TrialEvent, str] = {
    "start": "start",
    "target_on": "target on",
    "go_cue": "go cue",
    "move_onset": "movement onset",
    "stop": "end",
}
"""Of a trial, as people call them."""


def settings(replay: Replay) -> dict[str, Any]:
    """All that can be set, as the page's controls show it.

    Returns
    -------
    dict
        ``speed``, ``loop``, ``seed``, ``selection`` and ``perturbation`` as REST has them; ``preset``,
        the name of the one that is in force, if any; ``selected``, how many bins are, and ``spans``,
        which.
    """
    selection, perturbation = replay.selection, replay.perturbation
    recording = recorded(replay.description)
    spans = selected_spans(selection, recording) if recording else [[0, 1]]
    return {
        "speed": replay.speed,
        "loop": replay.loop,
        "seed": replay.seed,
        "selection": dataclasses.asdict(selection),
        "selected": sum(end - first for first, end in spans),
        "spans": spans,
        "perturbation": perturbation,
        "preset": preset_of(perturbation),
    }


def preset_of(perturbation: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The preset that has these settings."""
    for name, models in PRESETS.items():
        if all(perturbation[key].items() >= values.items() for key, values in models.items()):
            return name
    return None


@lru_cache(maxsize=16)
def selected_spans(selection: Selection, recording: Recorded) -> Spans:
    """The selected bins."""
    return _spans(selection.bins(recording))


def tape(recording: Description) -> dict[str, Any]:
    """A recording as the position slider draws it.

    Returns
    -------
    dict
        ``n_bins``, ``bin_rate``, and ``trials``: id, first bin, one past the last, and target of each
        trial that has bins.
    """
    trial_of_bin = recording.bins["trial"]
    inside = np.flatnonzero(trial_of_bin >= 0)
    rows, first, n_bins = np.unique(trial_of_bin[inside], return_index=True, return_counts=True)
    trials = [
        [recording.trials[row].trial_id, start, start + n, recording.trials[row].target_id]
        for row, start, n in zip(rows.tolist(), inside[first].tolist(), n_bins.tolist(), strict=True)
    ]
    return {"n_bins": recording.n_bins or 1, "bin_rate": recording.bin_rate, "trials": trials}


def events_of(recording: Description) -> list[tuple[TrialEvent, str, bool]]:
    """The events of a trial, their names, and whether any trial of this recording has them."""
    return [
        (event, name, any(math.isfinite(event_time(trial, event)) for trial in recording.trials))
        for event, name in EVENTS.items()
    ]


def _spans(bins: npt.NDArray[np.intp]) -> Spans:
    """Of ascending bins, at least one."""
    starts = np.flatnonzero(np.diff(bins, prepend=-2) != 1)
    ends = np.append(starts[1:], len(bins)) - 1
    return np.column_stack((bins[starts], bins[ends] + 1)).tolist()  # type: ignore[no-any-return]
