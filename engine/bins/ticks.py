"""Times as whole microseconds, and rates as fractions: what edges of bins are exact by."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

Ticks = npt.NDArray[np.int64]

TICKS = 1_000_000
"""Ticks of one second: times are rounded to 1 us before they are compared with bin edges."""


def as_rate(bin_rate: float) -> Fraction:
    """Bins per second as a small fraction: 33.3333 is 100/3, so that edges are exact."""
    return Fraction(bin_rate).limit_denominator(100)


def to_ticks(seconds: npt.ArrayLike) -> Ticks:
    """Times in s as whole microseconds, any shape."""
    return np.rint(np.asarray(seconds, np.float64) * TICKS).astype(np.int64)
