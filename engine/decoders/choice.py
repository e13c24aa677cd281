"""How hyperparameters that nobody has set are chosen: by cross-validation, within the training trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

N_FOLDS: Final = 5

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Choice:
    """What was chosen, and among what.

    Attributes
    ----------
    name : str
        Of the hyperparameter.
    value : int or float
        What it was set to.
    tried : tuple of float
        Values that were compared, ascending; none where that would have taken too long.
    scores : tuple of float
        R2 of each on trials left out of the fit, mean over the columns that are predicted; where several
        hyperparameters were chosen together, the others are at their best for it.
    """

    name: str
    value: int | float
    tried: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()

    @classmethod
    def best(cls, name: str, tried: Sequence[int | float], scores: Floats) -> Choice:
        """Take what has the highest score."""
        value = tried[int(np.argmax(scores))]
        return cls(name, value, tuple(map(float, tried)), tuple(np.asarray(scores, float).tolist()))


def mean_r2(error: Floats, known: Floats) -> Floats:
    """R2 from summed squared errors, mean over the columns that vary.

    Parameters
    ----------
    error : ndarray of float64, shape (..., n_columns)
    known : ndarray of float64, shape (n_rows, n_columns)
        What was to be predicted.

    Returns
    -------
    ndarray of float64, shape (...)
    """
    spread = ((known - known.mean(axis=0)) ** 2).sum(axis=0)
    varies = spread > 0
    return np.asarray((1 - error[..., varies] / spread[varies]).sum(axis=-1) / max(varies.sum(), 1))


def folds(
    trial: npt.NDArray[np.intp], rows: npt.NDArray[np.intp], n: int = N_FOLDS
) -> list[npt.NDArray[np.intp]]:
    """Bins in parts of about as many trials each, next to each other in time; no trial is in two.

    Parameters
    ----------
    trial : ndarray of int, shape (n_bins,)
        Which trial each bin is of.
    rows : ndarray of int, shape (n_rows,)
        Bins to share out.
    n : int
        Parts at most; of a single trial, as many parts of its bins.

    Returns
    -------
    list of ndarray of int
        Rows of each part.
    """
    _, unit = np.unique(trial[rows], return_inverse=True)
    if unit[-1] == 0:
        unit = np.arange(len(rows))
    n_units = int(unit[-1]) + 1
    n_parts = min(n, n_units)
    part = unit * n_parts // n_units
    return [rows[part == i] for i in range(n_parts)]
