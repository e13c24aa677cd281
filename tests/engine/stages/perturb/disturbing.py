"""Counts and rows after the models of some settings, as a replay disturbs them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded
from engine.bins.schema import Rows, row_dtype
from engine.sources.recordings.recording import Recording
from engine.stages.perturb import Perturbations
from tests.builders import small_recording

RATE = 40.0


@lru_cache(maxsize=4)
def tuned_recording(n_units: int, n_bins: int, spikes: float = 1.0) -> Recording:
    """Units with preferred directions all around, which fire so many spikes a bin in the mean, as chance
    has them; the movement never stands still.
    """
    rng = np.random.default_rng(0)
    t = np.arange(n_bins)[:, None] / RATE
    phases = rng.uniform(0, 2 * np.pi, (2, 40))
    speeds = rng.uniform(0.5, 5.0, (2, 40))
    velocity = np.stack([np.sin(speeds[i] * t + phases[i]).sum(axis=1) for i in (0, 1)], axis=1)
    position = np.cumsum(velocity, axis=0) / RATE
    preferred = np.linspace(0, 2 * np.pi, n_units, endpoint=False)
    ahead = np.roll(velocity / velocity.std(), -4, axis=0)
    logs = 0.5 * (ahead @ np.stack((np.cos(preferred), np.sin(preferred))))
    small = small_recording(n_units, n_bins)
    bins = small.bins.copy()
    bins["kinematics"] = np.concatenate((position, velocity), axis=1)
    bins["counts"] = rng.poisson(spikes * np.exp(logs - logs.var(axis=0) / 2))
    return replace(small, bins=bins)


def perturbed(
    counts: npt.NDArray[Any],
    settings: dict[str, Any],
    seed: int = 1,
    first: int = 0,
    chunk: int = 1000,
    recording: Recorded | None = None,
) -> npt.NDArray[Any]:
    """Counts, shape (n, n_units), after the models of `settings`, in chunks of so many bins."""
    models = Perturbations(seed, counts.shape[1], RATE, recording)
    models.change(settings)
    out = counts.copy()
    for at in range(0, len(out), chunk):
        models.apply(out[at : at + chunk], first + at)
    return out


def delivered(
    n: int,
    settings: dict[str, Any],
    seed: int = 1,
    first: int = 0,
    chunk: int = 1000,
    n_units: int = 6,
    recording: Recorded | None = None,
) -> Rows:
    """`n` rows with what the models of `settings` say of their delivery."""
    models = Perturbations(seed, n_units, RATE, recording)
    models.change(settings)
    rows = np.zeros(n, row_dtype(n_units))
    for at in range(0, n, chunk):
        models.deliver(rows[at : at + chunk], first + at)
    return rows
