"""The strength of a ridge penalty, and how many bins to look back: chosen on trials left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from engine.decoders.base import Floats, Training
from engine.decoders.choice import Choice, folds, mean_r2
from engine.decoders.history import normal_equations

USUAL_LAGS: Final = 10
USUAL_RIDGE: Final = 100.0
"""Where comparing would take too long."""
LONGEST: Final = 0.5
"""Seconds of history at most that are tried."""
LAGS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 25, 30, 40, 50)
QUICK, MOST_FEATURES = 2200, 3000
"""Features for which more than the usual lags are compared, and for which anything is: a few seconds'
worth, as the time grows with their cube."""
WEAKEST, STRONGEST = -2.5, 0.5
"""Decades of the penalty about the features' mean sum of squares."""
STEP: Final = 0.5
"""Decades."""


def lags_to_try(n_units: int, bin_rate: float) -> tuple[int, ...]:
    """Numbers of bins to look back, ascending: half a second's at most."""
    most = min(max(round(LONGEST * bin_rate), 1), max(QUICK // n_units, USUAL_LAGS))
    return tuple(each for each in LAGS if each <= most)


def choose_ridge(
    training: Training, lags: Sequence[int], ridge: float | None, pool: int = 1
) -> tuple[Choice, ...]:
    """Choose lags, or a penalty, or both together, by what is decoded best of trials left out.

    Normal equations are summed once for each fold; those to learn from are the sum of the others. The
    weights of fewer lags are solved by the leading block of the very Cholesky factor that is that of
    the most, so all lags cost one factor for each penalty and fold.

    Parameters
    ----------
    training : Training
    lags : sequence of int
        To compare, ascending; one if it is settled.
    ridge : float, optional
        If it is settled.
    pool : int
        As `engine.decoders.history.pooled` has it.

    Returns
    -------
    tuple of Choice
        Of ``lags`` and ``ridge``, those that were not settled.
    """
    n_units = training.signal.shape[1]
    if n_units * lags[-1] // pool > MOST_FEATURES:
        return tuple(
            Choice(name, usual)
            for name, usual, is_open in (
                ("lags", USUAL_LAGS, len(lags) != 1),
                ("ridge", USUAL_RIDGE, ridge is None),
            )
            if is_open
        )
    parts = [replace(training, rows=rows) for rows in folds(training.trial, training.rows)]
    sums = [normal_equations(each, lags[-1], pool) for each in parts]
    gram, cross = (np.sum(each, axis=0) for each in zip(*sums, strict=True))
    ridges = _ridges(gram) if ridge is None else (ridge,)
    sizes = [n_units * each // pool for each in lags]
    error = np.zeros((len(lags), len(ridges), training.targets.shape[1]))
    for part, (gram_out, cross_out) in zip(parts, sums, strict=True):
        squares = (part.targets[part.rows] ** 2).sum(axis=0)
        for j, weights in enumerate(_paths(gram - gram_out, cross - cross_out, ridges, sizes)):
            for i, w in enumerate(weights):
                error[i, j] += squares + _error(w, gram_out, cross_out)
    score = mean_r2(error, training.targets[training.rows])
    choices = []
    if len(lags) > 1:
        choices.append(Choice.best("lags", lags, score.max(axis=1)))
        score = score[lags.index(int(choices[0].value))][None]
    if ridge is None:
        choices.append(Choice.best("ridge", ridges, score[0]))
    return tuple(choices)


def _ridges(gram: Floats) -> tuple[float, ...]:
    """Penalties to try: round numbers, half a decade apart."""
    scale = math.log10(float(np.diag(gram)[:-1].mean()))
    first, last = round((scale + WEAKEST) / STEP), round((scale + STRONGEST) / STEP)
    return tuple(float(f"{10 ** (STEP * i):.2g}") for i in range(first, last + 1))


def _paths(
    gram: Floats, cross: Floats, ridges: Sequence[float], sizes: Sequence[int]
) -> list[list[Floats]]:
    """Weights by penalty and number of features, shape (size + 1, n_columns), the constant's last."""
    n = gram[-1, -1]
    mean, level = gram[-1, :-1] / n, cross[-1] / n
    centred = gram[:-1, :-1] - n * np.outer(mean, mean)
    pull = cross[:-1] - n * np.outer(mean, level)
    made = []
    for ridge in ridges:
        punished = centred.copy()
        punished[np.diag_indices_from(punished)] += ridge
        factor = cholesky(punished, lower=True, overwrite_a=True, check_finite=False)
        half = solve_triangular(factor, pull, lower=True, check_finite=False)
        weights = [
            solve_triangular(factor[:m, :m], half[:m], lower=True, trans="T", check_finite=False)
            for m in sizes
        ]
        made.append([np.vstack((w, level - mean[: len(w)] @ w)) for w in weights])
    return made


def _error(weights: Floats, gram: Floats, cross: Floats) -> Floats:
    """Sums of squared errors, less those of the targets, shape (n_columns,)."""
    m = len(weights) - 1
    block = gram[:m, :m] @ weights[:-1] + np.outer(gram[:m, -1], weights[-1])
    last = gram[-1, :m] @ weights[:-1] + gram[-1, -1] * weights[-1]
    fitted: Floats = (weights[:-1] * block).sum(axis=0) + weights[-1] * last
    shared: Floats = (weights[:-1] * cross[:m]).sum(axis=0) + weights[-1] * cross[-1]
    return fitted - 2 * shared
