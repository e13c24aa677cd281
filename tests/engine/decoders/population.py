"""A small population that fires as cosine tuning says, while a cursor goes back and forth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BIN_RATE = 40.0
TRIAL_BINS = 30


@dataclass(frozen=True)
class Population:
    counts: np.ndarray
    targets: np.ndarray
    starts: np.ndarray
    goals: np.ndarray

    def __getitem__(self, rows: slice) -> Population:
        return Population(self.counts[rows], self.targets[rows], self.starts[rows], self.goals[rows])


def population(n_trials: int = 60, n_units: int = 40, seed: int = 1) -> Population:
    """Straight reaches with a bell-shaped speed to 8 targets, each a stretch of its own.

    Unit 0 is silent; the others fire with velocity and, less, with position.
    """
    draws = np.random.default_rng(seed)
    phase = (np.arange(TRIAL_BINS) + 0.5) / TRIAL_BINS
    path = 10 * phase**3 - 15 * phase**4 + 6 * phase**5
    speed = (30 * phase**2 - 60 * phase**3 + 30 * phase**4) * BIN_RATE / TRIAL_BINS
    angles = 2 * np.pi * draws.integers(0, 8, n_trials) / 8
    ends = 100 * np.column_stack((np.cos(angles), np.sin(angles)))
    position = (path[:, None] * ends[:, None]).reshape(-1, 2)
    velocity = (speed[:, None] * ends[:, None]).reshape(-1, 2)
    preferred = 2 * np.pi * draws.random(n_units)
    pull = np.vstack((np.cos(preferred), np.sin(preferred)))
    rates = np.maximum(1.0 + velocity @ pull / 150 + position @ pull / 400, 0.0)
    rates[:, 0] = 0.0
    return Population(
        counts=draws.poisson(rates).astype(np.uint8),
        targets=np.hstack((position, velocity)).astype(np.float32),
        starts=np.arange(n_trials * TRIAL_BINS) % TRIAL_BINS == 0,
        goals=np.repeat(ends, TRIAL_BINS, axis=0).astype(np.float32),
    )


def r2(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Coefficient of determination, mean over columns."""
    residual = ((truth - predicted) ** 2).sum(axis=0)
    return float((1 - residual / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)).mean())
