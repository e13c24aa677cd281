"""Counts of positive values on a logarithmic scale: quantiles of a stream, in bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.answers.scores.moments import Floats

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LogScale:
    """Buckets whose edges are a constant ratio apart. What lies beyond the ends counts in the last ones.

    As DDSketch does it: Masson, Rim & Lee (2019), Proceedings of the VLDB Endowment 12:2195.

    Attributes
    ----------
    low, high : float
        Ends of the scale.
    ratio : float
        Of neighbouring edges. A quantile is off by half of it at most.
    """

    low: float
    high: float
    ratio: float

    @cached_property
    def n_buckets(self) -> int:
        return math.ceil(math.log(self.high / self.low) / math.log(self.ratio))

    @property
    def edges(self) -> Floats:
        """Shape (n_buckets + 1,)."""
        return np.geomspace(self.low, self.low * self.ratio**self.n_buckets, self.n_buckets + 1)

    def count(self, values: Floats) -> Counts:
        """How many values lie in each bucket, shape (n_buckets,); NaN does not count."""
        known = np.maximum(values[np.isfinite(values)], self.low)
        at = (np.log(known / self.low) / math.log(self.ratio)).astype(np.int64)
        return np.bincount(np.minimum(at, self.n_buckets - 1), minlength=self.n_buckets)

    def quantile(self, counts: Counts, q: float) -> float:
        """The value below which a share `q` lies: the middle of its bucket; NaN if nothing was counted."""
        total = int(counts.sum())
        if not total:
            return math.nan
        bucket = int(np.searchsorted(np.cumsum(counts), max(math.ceil(q * total), 1)))
        return float(self.low * self.ratio ** (bucket + 0.5))


LATENCY = LogScale(1e-5, 100.0, 1.01)
"""Seconds, to 0.5 %."""

ERROR = LogScale(0.01, 10_000.0, 1.1)
"""Distance of the decoder's cursor from the true one, in length units."""
