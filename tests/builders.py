"""Small recordings for tests: one in memory, without any file."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

import numpy as np

from engine.bins.schema import Rows, bin_dtype, row_dtype
from engine.bins.selection import EVERYTHING, Selection
from engine.bins.trials import Trial
from engine.deck.replay import Replay
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.source import RecordingSource

TARGETS = ((100.0, 0.0), (0.0, 100.0), (-100.0, 0.0))


def small_recording(
    n_units: int = 5,
    n_bins: int = 200,
    *,
    n_trials: int = 4,
    bin_rate: float = 40.0,
    start_time: float = 0.0,
    gaps: bool = False,
    name: str = "small",
) -> Recording:
    """The same recording every time: each trial is a straight reach from the centre to its target.

    Trial i has the id i and aims at target ``i % 3``; trial 2 failed and has no movement onset.
    Target on, go cue and movement onset come after 10, 30 and 40 % of the trial. Bin b has
    ``(b + unit) % 4`` spikes of each unit.

    Parameters
    ----------
    n_bins, n_trials : int
        Trials have ``n_bins // n_trials`` bins each and abut.
    gaps : bool
        End each trial after 80 % of those bins; what follows is outside of trials and not observed.
    """
    bins = np.zeros(n_bins, bin_dtype(n_units))
    index = np.arange(n_bins)
    bins["packet_id"] = index
    bins["counts"] = (index[:, None] + np.arange(n_units)) % 4
    bins["trial"] = -1
    for missing in ("trial_time_ms", "kinematics", "intention", "intended"):
        bins[missing] = np.nan
    bins["observed"] = not gaps

    pitch = n_bins // n_trials
    length = round(0.8 * pitch) if gaps else pitch
    trials = []
    for i in range(n_trials):
        first, target_id = i * pitch, i % len(TARGETS)
        rows = bins[first : first + length]
        seconds = np.arange(length) / bin_rate
        progress = (np.arange(length) + 0.5) / length
        target = np.array(TARGETS[target_id])
        position = progress[:, None] * target
        rows["trial"] = i
        rows["trial_time_ms"] = 1000.0 * seconds
        rows["observed"] = True
        rows["kinematics"][:, :2] = position
        rows["kinematics"][:, 2:] = target * bin_rate / length
        rows["intention"][:, 0] = target_id
        rows["intention"][:, 1:3] = target
        rows["intention"][:, 3] = np.hypot(*(target - position).T)
        start = start_time + first / bin_rate
        failed = i == 2
        trials.append(
            Trial(
                trial_id=i,
                start_time=start,
                stop_time=start + length / bin_rate,
                target_on_time=start + 0.1 * length / bin_rate,
                go_cue_time=start + 0.3 * length / bin_rate,
                move_onset_time=np.nan if failed else start + 0.4 * length / bin_rate,
                success=not failed,
                target_id=target_id,
                target_x=TARGETS[target_id][0],
                target_y=TARGETS[target_id][1],
                target_pos=TARGETS,
                columns=MappingProxyType({"maze_id": i, "split": "train", "heldout": False}),
            )
        )
    bins["coverage"] = bins["observed"]
    bins.flags.writeable = False
    return Recording(
        name=name,
        bin_rate=bin_rate,
        start_time=start_time,
        bins=bins,
        trials=tuple(trials),
        channel_names=tuple(f"unit {unit}" for unit in range(n_units)),
        length_unit="mm",
        synthetic=True,
        series=MappingProxyType(
            {
                "position": {"name": "cursor_pos", "path": "processing/behavior/cursor_pos"},
                "velocity": {"name": "cursor_vel", "path": "processing/behavior/cursor_vel"},
                "passed_over": [],
            }
        ),
        sha256="0" * 64,
    )


def replay_of(
    recording: Recording, *, selection: Selection = EVERYTHING, loop: bool = True, **options: Any
) -> Replay:
    """A deck with a recording in it; close it."""
    return Replay(RecordingSource(recording, selection, loop), **options)


def play(recording: Recording, bins: Iterable[int]) -> Rows:
    """These bins as a ring has them that were sent one after another, on time."""
    indices = np.fromiter(bins, np.intp)
    rows = np.zeros(len(indices), row_dtype(recording.n_units, recording.counts.dtype))
    for name in recording.bins.dtype.names or ():
        rows[name] = recording.bins[name][indices]
    rows["sequence_number"] = np.arange(len(indices))
    return rows
