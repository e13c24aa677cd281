"""Analyses of a whole recording, one a file: numpy in, numpy out.

All of them count only what was observed: a bin that was not is missing, never silent.
"""

from engine.analysis.aligned import Aligned, aligned_counts
from engine.analysis.paths import Paths, trial_paths
from engine.analysis.psth import Psth, psth, smooth
from engine.analysis.rates import mean_rates, trial_rates
from engine.analysis.splits import MAX_GROUPS, Split, split_names, split_trials
from engine.analysis.tuning import Tuning, preferred_directions, tuning

__all__ = [
    "MAX_GROUPS",
    "Aligned",
    "Paths",
    "Psth",
    "Split",
    "Tuning",
    "aligned_counts",
    "mean_rates",
    "preferred_directions",
    "psth",
    "smooth",
    "split_names",
    "split_trials",
    "trial_paths",
    "trial_rates",
    "tuning",
]
