"""A recording of a few units whose tuning is known: smooth wandering, without trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.bins.schema import bin_dtype
from engine.sources.recordings.recording import Recording
from tests.builders import small_recording

DIRECTIONS = np.radians([0.0, 60.0, 135.0, 200.0, 300.0, 0.0, 0.0, 0.0])
DEPTHS = np.array([0.8, 1.0, 0.6, 0.8, 1.0, 0.0, 0.0, 0.0])
"""Per `SPEED`; the last three units encode nothing, and vary beyond Poisson."""
SPEED = 500.0
LEAD = 4
"""Bins."""
GAIN = 0.4
"""Variance of the gain of those that encode nothing."""


def known_population(n_bins: int = 6000, seed: int = 0) -> Recording:
    """Units fire 0.8 times a bin at rest, `LEAD` bins before the movement."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n_bins + 80, 4))
    kernel = np.exp(-0.5 * ((np.arange(81) - 40) / 10.0) ** 2)
    kinematics = np.stack([np.convolve(axis, kernel, "valid") for axis in noise.T], axis=1)
    kinematics *= np.array([50.0, 50.0, 300.0, 300.0]) / kinematics.std(axis=0)
    ahead = np.roll(kinematics[:, 2:], -LEAD, axis=0) / SPEED
    weights = np.stack([DEPTHS * np.cos(DIRECTIONS), DEPTHS * np.sin(DIRECTIONS)])
    rate = 0.8 * np.exp(ahead @ weights)
    rate[:, DEPTHS == 0] *= rng.gamma(1 / GAIN, GAIN, (n_bins, int((DEPTHS == 0).sum())))
    bins = np.zeros(n_bins, bin_dtype(len(DEPTHS)))
    bins["counts"] = rng.poisson(rate)
    bins["kinematics"] = kinematics
    bins["packet_id"], bins["trial"] = np.arange(n_bins), -1
    bins["observed"], bins["coverage"] = True, 1.0
    bins["trial_time_ms"] = bins["intention"] = bins["intended"] = np.nan
    names = tuple(f"unit {i}" for i in range(len(DEPTHS)))
    return replace(small_recording(), name="known", bins=bins, trials=(), channel_names=names)
