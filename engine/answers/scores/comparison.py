"""How sure a score is, and a difference between two decoders, over trials of which both answered all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.answers.scores.resampled import CONFIDENCE, LEAST_TRIALS
from engine.answers.scores.summary import TrialScore

RESAMPLES: Final = 2000
BATCH: Final = 100
"""Resamples that are in memory at once."""


@dataclass(frozen=True)
class Estimate:
    """A mean over trials.

    Attributes
    ----------
    mean : float
        NaN without trials.
    low, high : float
        Its 95 % interval, by percentiles of a bootstrap over trials (Efron & Tibshirani 1993, ch. 13);
        NaN below `LEAST_TRIALS`.
    n_trials : int
    """

    mean: float
    low: float
    high: float
    n_trials: int


@dataclass(frozen=True)
class Pair:
    """Two decoders on the trials that both answered, bin by bin.

    Attributes
    ----------
    one, other : str
        Names of the decoders.
    difference : Estimate
        Of `one` minus `other`, by trial.
    p_value : float
        Of Wilcoxon's signed-rank test on these differences, two-sided; NaN below `LEAST_TRIALS`.
    """

    one: str
    other: str
    difference: Estimate
    p_value: float


def estimate(values: npt.ArrayLike, seed: int = 0) -> Estimate:
    """The mean of a measure over trials, shape (n_trials,), with its interval; NaN values are left out."""
    from scipy.stats import bootstrap  # takes a second to load, and few sessions compare

    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    mean = float(known.mean()) if len(known) else np.nan
    if len(known) < LEAST_TRIALS:
        return Estimate(mean, np.nan, np.nan, len(known))
    found = bootstrap(
        (known,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=BATCH,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = found.confidence_interval
    return Estimate(mean, float(low), float(high), len(known))


def estimates(trials: Mapping[str, Sequence[TrialScore]], measure: str) -> dict[str, Estimate]:
    """The mean of a measure over trials for each decoder, as `compare` takes them."""
    return {
        name: estimate([getattr(trial.measures, measure) for trial in of_decoder])
        for name, of_decoder in trials.items()
    }


def compare(trials: Mapping[str, Sequence[TrialScore]], measure: str) -> tuple[Pair, ...]:
    """Every two decoders, in the order of `trials`.

    Parameters
    ----------
    trials : mapping of str to sequence of TrialScore
        By decoder.
    measure : str
        A field of `engine.answers.scores.sums.Measures` that is a float.
    """
    return tuple(_pair(one, other, trials, measure) for one, other in combinations(trials, 2))


def _pair(one: str, other: str, trials: Mapping[str, Sequence[TrialScore]], measure: str) -> Pair:
    from scipy.stats import wilcoxon

    values = [_by_passage(trials[name], measure) for name in (one, other)]
    common = sorted(values[0].keys() & values[1].keys())
    differences = np.array([values[0][key] - values[1][key] for key in common])
    differences = differences[np.isfinite(differences)]
    p_value = np.nan
    if len(differences) >= LEAST_TRIALS:
        p_value = float(wilcoxon(differences).pvalue) if differences.any() else 1.0
    return Pair(one, other, estimate(differences), p_value)


def _by_passage(trials: Sequence[TrialScore], measure: str) -> dict[tuple[int, int], float]:
    """A measure by the first bin and the number of bins, of passages of which every bin was answered."""
    whole = [trial for trial in trials if not trial.measures.missing]
    return {
        (trial.sequence_number, trial.measures.n_bins): float(getattr(trial.measures, measure))
        for trial in whole
    }
