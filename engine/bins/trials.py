"""Trials, and what happens in them: declared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

Scalar = bool | int | float | str

TrialEvent = Literal["start", "target_on", "go_cue", "move_onset", "stop"]
TRIAL_EVENTS: tuple[TrialEvent, ...] = get_args(TrialEvent)

EVENT_NAMES: Final[dict[TrialEvent, str]] = {
    "start": "trial_start",
    "target_on": "target_on",
    "go_cue": "go_cue",
    "move_onset": "move_onset",
    "stop": "trial_end",
}
"""As LSL, Redis and Kafka tell them."""

Phase = Literal["waiting", "target on", "go", "moving", "hit", "cool-down"]

PHASES: Final[tuple[Phase, ...]] = get_args(Phase)


class Barrier(NamedTuple):
    """A wall that the cursor cannot pass, as MC_Maze's ``barrier_pos`` has it, in length units."""

    x: float
    y: float
    half_width: float
    half_height: float


@dataclass(frozen=True)
class Trial:
    """One row of the trial table. Times are the file's seconds; NaN where the file has none."""

    trial_id: int
    start_time: float
    stop_time: float
    target_on_time: float = float("nan")
    go_cue_time: float = float("nan")
    move_onset_time: float = float("nan")
    success: bool | None = None
    target_id: int | None = None
    target_x: float = float("nan")
    target_y: float = float("nan")
    target_pos: tuple[tuple[float, float], ...] = ()
    barriers: tuple[Barrier, ...] = ()
    columns: Mapping[str, Scalar] = field(default_factory=lambda: MappingProxyType({}))


def event_time(trial: Trial, event: TrialEvent) -> float:
    """When an event happened, in the file's seconds; NaN if the trial lacks it."""
    match event:
        case "start":
            return trial.start_time
        case "target_on":
            return trial.target_on_time
        case "go_cue":
            return trial.go_cue_time
        case "move_onset":
            return trial.move_onset_time
        case "stop":
            return trial.stop_time


class Plan(NamedTuple):
    """What the trials alone say of bins, shape (n_bins,) each.

    Attributes
    ----------
    planned : ndarray of uint8, shape (n_bins,)
        Index in `PHASES`: waiting, target on, go or moving.
    armed : ndarray of bool, shape (n_bins,)
        Whether the target can be hit.
    """

    planned: npt.NDArray[np.uint8]
    armed: npt.NDArray[np.bool_]
