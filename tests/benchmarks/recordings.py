"""Recordings of any size, made up at random: for measurements, where what they say does not matter."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from engine.files.nwb_writer import Series, Session, write_nwb

KINEMATICS_HZ = 1000
TRIAL = 2.3
"""Seconds."""


def write_random(path: Path, n_units: int, seconds: float, firing_hz: float = 8.0) -> Path:
    """Write a recording in the schema of MC_Maze: kinematics at 1 kHz, trials without pause."""
    chance = np.random.default_rng(0)
    times = np.arange(round(seconds * KINEMATICS_HZ)) / KINEMATICS_HZ
    angle = times * 2 * np.pi / TRIAL
    position = 100 * np.column_stack((np.cos(angle), np.sin(angle)))
    velocity = 100 * 2 * np.pi / TRIAL * np.column_stack((-np.sin(angle), np.cos(angle)))
    starts = np.arange(0, seconds - TRIAL, TRIAL)
    n_spikes = chance.poisson(firing_hz * seconds, n_units)
    session = Session(
        identifier=path.stem,
        description="synthetic: made up at random for a measurement",
        start=datetime(2024, 1, 1, tzinfo=UTC),
        spike_times=[np.sort(chance.uniform(0, seconds, n)) for n in n_spikes],
        obs_intervals=np.array([[0.0, seconds]]),
        series=[
            Series("cursor_pos", position, times, "mm", "centre"),
            Series("hand_pos", position + 5, times, "mm", "centre"),
            Series("hand_vel", velocity, times, "mm/s"),
        ],
        trials={
            "start_time": starts,
            "stop_time": starts + TRIAL,
            "success": np.ones(len(starts), bool),
            "active_target": np.zeros(len(starts), np.int64),
        },
    )
    write_nwb(path, session)
    return path
