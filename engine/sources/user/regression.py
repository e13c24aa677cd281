"""Fits neurons to a recording: a Poisson regression for each unit, all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded
from engine.errors import CannotFit
from engine.sources.user.neurons import Counts, Floats, Neurons
from engine.sources.user.workspace import Workspace

MOST_BINS: Final = 20_000
"""That are looked at: trials spread over the recording."""
LONGEST_LEAD: Final = 0.2
"""Seconds."""
MIN_BINS: Final = 50
N_LEADS: Final = 9
N_FOLDS: Final = 4
RIDGE: Final = 1.0
"""Penalty on squared weights, but the constant's: that of a prior whose standard deviation is 1."""
FEW_STEPS, ALL_STEPS = 3, 8
"""Of Newton's method: to compare leads, each from where the last one ended, and at the best one."""
N_FEATURES: Final = 6
UPPER: Final = np.triu_indices(N_FEATURES)

Tell = Callable[[float], None]
"""Hears how much is done, from 0 to 1."""


@dataclass(frozen=True, eq=False)
class Sample:
    """The bins of a recording that are learned from.

    Attributes
    ----------
    counts : ndarray of uint8 or uint16, shape (n, n_units)
    kinematics : ndarray of float32, shape (n, 4)
        x, y, vx, vy; NaN where missing.
    group : ndarray of int64, shape (n,)
        Which trial a bin is of, or which stretch outside of trials.
    follows : ndarray of bool, shape (n,)
        Whether a bin follows the one before.
    bin_rate : float
        Bins per second.
    fast, reach : float
    centre : ndarray of float64, shape (2,)
        As `Neurons` has them.
    """

    counts: npt.NDArray[np.unsignedinteger[Any]]
    kinematics: npt.NDArray[np.float32]
    group: Counts
    follows: npt.NDArray[np.bool_]
    bin_rate: float
    fast: float
    reach: float
    centre: Floats

    @classmethod
    def of(cls, recording: Recorded, workspace: Workspace) -> Sample:
        """Whole trials, evenly spread, if there are more bins than are looked at."""
        bins = recording.bins
        block = np.arange(len(bins)) // max(round(5 * recording.bin_rate), 1)
        raw = np.where(bins["trial"] >= 0, bins["trial"], -1 - block)
        group = np.cumsum(np.diff(raw, prepend=raw[:1]) != 0)
        n_groups = int(group[-1]) + 1
        share = min(MOST_BINS / len(bins), 1.0)
        kept = np.diff(np.floor(np.arange(n_groups + 1) * share)) > 0
        rows = np.flatnonzero(kept[group])
        follows = np.zeros(len(rows), np.bool_)
        follows[1:] = np.diff(rows) == 1
        return cls(
            bins["counts"][rows],
            bins["kinematics"][rows],
            group[rows],
            follows & recording.observed[rows],
            recording.bin_rate,
            workspace.fast,
            workspace.reach,
            np.array(workspace.centre),
        )

    def features(self, rows: Counts) -> Floats:
        """Of some bins, shape (n_rows, 6)."""
        k = self.kinematics[rows].astype(np.float64)
        velocity = k[:, 2:] / self.fast
        place = (k[:, :2] - self.centre) / self.reach
        return np.column_stack((np.ones(len(rows)), velocity, np.hypot(*velocity.T), place))


def fit(sample: Sample, tell: Tell = lambda _: None, n_folds: int = N_FOLDS) -> Neurons:
    """Fit all units.

    The lead is chosen on the trials that are learned from; bits per spike are of those that are not, in
    so many parts.

    Raises
    ------
    CannotFit
        If there is too little to learn from.
    """
    leads = np.unique(np.round(np.linspace(0.0, LONGEST_LEAD, N_LEADS) * sample.bin_rate).astype(int))
    rows = _rows(sample, int(leads[-1]))
    if len(rows) < MIN_BINS:
        raise CannotFit(
            f"There are {len(rows)} bins with known movement to fit neurons to, of {len(sample.counts)}. "
            f"Choose a recording that has at least {MIN_BINS}."
        )
    counts = sample.counts[rows].astype(np.float64)
    features = [sample.features(rows + lead) for lead in leads.tolist()]
    fold = np.unique(sample.group[rows], return_inverse=True)[1] % n_folds
    gained = np.zeros(counts.shape[1])
    for part in range(n_folds):
        seen, held = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
        weights, best = _fit([each[seen] for each in features], counts[seen])
        mean = np.maximum(counts[seen].mean(axis=0), 1e-9)
        log_rate = _log_rates([each[held] for each in features], weights, best)
        gained += _likelihood(counts[held], log_rate) - _likelihood(counts[held], np.log(mean)[None])
        tell((part + 1) / (n_folds + 1))
    weights, best = _fit(features, counts)
    log_rate = _log_rates(features, weights, best)
    n_spikes = counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        bits = gained / n_spikes / np.log(2.0)
    nothing = ~(bits > 0)
    weights[:, nothing] = 0.0
    weights[0, nothing] = np.log(np.maximum(counts[:, nothing].mean(axis=0), 1e-9))
    log_rate[:, nothing] = weights[0, nothing]
    expected = np.exp(log_rate)
    beyond = ((counts - expected) ** 2 - expected).sum(axis=0) / (expected**2).sum(axis=0)
    tell(1.0)
    return Neurons(
        weights=weights,
        lead=leads[best],
        ceiling=log_rate.max(axis=0),
        dispersion=np.clip(np.where(n_spikes > 0, beyond, 0.0), 0.0, 10.0),
        bits_per_spike=bits,
        fast=sample.fast,
        reach=sample.reach,
        centre=sample.centre,
    )


def _rows(sample: Sample, longest: int) -> Counts:
    """Bins for which kinematics are known at every lead, without a gap."""
    good: npt.NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(sample.kinematics), axis=1)
    run = np.cumsum(~(good & sample.follows))  # the same number: no gap between
    rows = np.arange(max(len(good) - longest, 0))
    return np.asarray(rows[good[rows] & (run[rows] == run[rows + longest])])


def _fit(features: list[Floats], counts: Floats) -> tuple[Floats, Counts]:
    """Weights at the best lead of each unit, shape (6, n_units), and which that is, shape (n_units,)."""
    weights = np.zeros((N_FEATURES, counts.shape[1]))
    weights[0] = np.log(np.maximum(counts.mean(axis=0), 1e-9))
    found, likelihood = [], []
    for each in features:
        weights = _newton(each, counts, weights, FEW_STEPS)
        found.append(weights)
        likelihood.append(_likelihood(counts, each @ weights))
    best = np.argmax(likelihood, axis=0)
    for lead, each in enumerate(features):
        units = np.flatnonzero(best == lead)
        weights[:, units] = _newton(each, counts[:, units], found[lead][:, units], ALL_STEPS)
    return weights, best


def _newton(features: Floats, counts: Floats, weights: Floats, steps: int) -> Floats:
    """Maximise the penalised likelihood of every unit, from some weights on; none is changed in place."""
    first, second = UPPER
    products = features[:, first] * features[:, second]
    penalty = np.array([0.0] + [RIDGE] * (N_FEATURES - 1))
    weights = weights.copy()
    hessian = np.empty((counts.shape[1], N_FEATURES, N_FEATURES))
    for _ in range(steps):
        expected = np.exp(np.clip(features @ weights, -20.0, 6.0))
        gradient = features.T @ (counts - expected) - penalty[:, None] * weights
        hessian[:, first, second] = hessian[:, second, first] = expected.T @ products
        hessian += np.diag(penalty + 1e-9)
        weights += np.clip(np.linalg.solve(hessian, gradient.T[..., None])[..., 0].T, -1.0, 1.0)
    return weights


def _log_rates(features: list[Floats], weights: Floats, best: Counts) -> Floats:
    """Shape (n, n_units), each unit at its lead."""
    out = np.empty((len(features[0]), weights.shape[1]))
    for lead, each in enumerate(features):
        units = np.flatnonzero(best == lead)
        out[:, units] = each @ weights[:, units]
    return out


def _likelihood(counts: Floats, log_rate: Floats) -> Floats:
    """Of each unit's counts, in nats, but for what no rate changes; shape (n_units,)."""
    clipped = np.minimum(log_rate, 6.0)
    return np.asarray((counts * clipped - np.exp(clipped)).sum(axis=0))
