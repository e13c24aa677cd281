"""What changes from the day on which a decoder was trained to a later one, after published figures."""

from __future__ import annotations

import itertools
import math
from typing import Any, Final

DAY: Final = 86_400.0
STABLE: Final = ((0.0, 1.0), (15.0, 0.67), (47.0, 0.31))
"""Days, and the share of units that were stable through them: Vaidya et al. 2014 (Proc IEEE EMBC 2014,
4872-4875), a Utah array in the motor cortex of a monkey. Between two, as many are lost of each day's."""

SOURCES: Final = (
    "Rates: each unit on a walk of its own, by Perge et al. 2013 (J Neural Eng 10:036004). Units that are "
    "gone: 33 % by day 15, 69 % by day 47, Vaidya et al. 2014 (EMBC 2014:4872), the same share each day in "
    "between; that another unit has taken the place of half of them is an assumption. Units that stay keep "
    "their tuning, as Fraser and Schwartz 2012 (J Neurophysiol 107:1970) and Stevenson et al. 2011 "
    "(J Neurophysiol 106:764) found; turn it with tuning_rotation."
)


def stable(day: float) -> float:
    """The share of units that are still there.

    Parameters
    ----------
    day : float
        From 0 to 47.
    """
    for (start, before), (end, after) in itertools.pairwise(STABLE):
        if day <= end:
            part = (day - start) / (end - start)
            return math.exp((1 - part) * math.log(before) + part * math.log(after))
    raise ValueError(f"Nothing is published of day {day:g}. Days end at {STABLE[-1][0]:g}.")


def changes(day: float) -> dict[str, dict[str, Any]]:
    """The models of a day, as `engine.stages.perturb.Perturbations.change` takes them."""
    walk = {"sd": 0.45, "fraction": 0.84, "time_constant": 300.0, "before": day * DAY}
    models: dict[str, dict[str, Any]] = {"gain_walk": {"enabled": True, **walk}}
    if day:
        gone = round(1 - stable(day), 2)
        models["turnover"] = {
            "enabled": True, "fraction": gone, "replaced": 0.5, "onset": 0.0, "duration": 0.0,
        }  # fmt: skip
    return models


DAYS_APART: Final = {f"day-{day}": changes(day) for day in (0, 1, 7, 15, 30)}
"""By name. Units that are gone on a day are so on every later one."""
