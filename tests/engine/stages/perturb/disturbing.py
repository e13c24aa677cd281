"""Counts and rows after the models of some settings, as a replay disturbs them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.schema import Rows, row_dtype
from engine.stages.perturb import Perturbations

RATE = 40.0


def perturbed(
    counts: npt.NDArray[Any], settings: dict[str, Any], seed: int = 1, first: int = 0, chunk: int = 1000
) -> npt.NDArray[Any]:
    """Counts, shape (n, n_units), after the models of `settings`, in chunks of so many bins."""
    models = Perturbations(seed, counts.shape[1], RATE)
    models.change(settings)
    out = counts.copy()
    for at in range(0, len(out), chunk):
        models.apply(out[at : at + chunk], first + at)
    return out


def delivered(
    n: int, settings: dict[str, Any], seed: int = 1, first: int = 0, chunk: int = 1000, n_units: int = 6
) -> Rows:
    """`n` rows with what the models of `settings` say of their delivery."""
    models = Perturbations(seed, n_units, RATE)
    models.change(settings)
    rows = np.zeros(n, row_dtype(n_units))
    for at in range(0, n, chunk):
        models.deliver(rows[at : at + chunk], first + at)
    return rows
