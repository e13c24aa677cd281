"""Trials in groups: by target position or by any column of the trial table."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded
from engine.bins.trials import Scalar

Group = npt.NDArray[np.intp]

MAX_GROUPS = 9
"""More than that nobody tells apart."""

ALL, TARGET = "", "target"
COLUMN = "column:"
N_SECTORS = 8
N_QUANTILES = 4
MINUS = "\N{MINUS SIGN}"
ARROWS = "→↗↑↖←↙↓↘"


@dataclass(frozen=True)
class Split:
    """Groups of trials.

    Attributes
    ----------
    labels : tuple of str
        At most `MAX_GROUPS`.
    group : ndarray of int, shape (n_trials,)
        Index in `labels` of each trial; -1 for trials in none, which lack the value.
    note : str
        How values were joined; empty if each has its own group.
    """

    labels: tuple[str, ...]
    group: Group
    note: str = ""


def split_names(recording: Recorded) -> dict[str, str]:
    """What `split_trials` takes for this recording, and what people call it."""
    columns = dict.fromkeys(name for trial in recording.trials for name in trial.columns)
    return {ALL: "nothing", TARGET: "target position"} | {
        f"{COLUMN}{name}": name.replace("_", " ") for name in columns
    }


def split_trials(recording: Recorded, by: str) -> Split:
    """Put each trial into a group.

    Parameters
    ----------
    recording : Recorded
    by : str
        A key of `split_names`: nothing, target or a column. More than `MAX_GROUPS` target positions are
        joined into 8 directions, numbers into quarters of equal size, texts into the most frequent
        ones and the others.
    """
    if by == ALL:
        return Split(("all trials",), np.zeros(len(recording.trials), np.intp))
    if by == TARGET:
        return _by_target(np.array([(t.target_x, t.target_y) for t in recording.trials]).reshape(-1, 2))
    return _by_values([trial.columns.get(by.removeprefix(COLUMN)) for trial in recording.trials])


def _by_target(targets: npt.NDArray[np.float64]) -> Split:
    known = np.flatnonzero(np.isfinite(targets).all(axis=1))
    places, place = np.unique(targets[known], axis=0, return_inverse=True)
    centre = places.mean(axis=0) if len(places) else np.zeros(2)
    angles = np.arctan2(*(places - centre).T[::-1])
    sector_size = 2 * math.pi / N_SECTORS
    sector = np.rint(angles / sector_size).astype(int) % N_SECTORS
    group = np.full(len(targets), -1, np.intp)
    if len(places) > MAX_GROUPS:
        group[known] = sector[place.ravel()]
        labels = tuple(f"{arrow} {360 * i // N_SECTORS}°" for i, arrow in enumerate(ARROWS))
        return Split(labels, group, f"{len(places)} target positions in {N_SECTORS} directions")
    order = np.argsort((angles + sector_size / 2) % (2 * math.pi), kind="stable")
    rank = np.empty(len(places), np.intp)
    rank[order] = np.arange(len(places))
    group[known] = rank[place.ravel()]
    labels = tuple(f"{ARROWS[sector[i]]} {places[i, 0]:g}, {places[i, 1]:g}" for i in order)
    return Split(tuple(label.replace("-", MINUS) for label in labels), group)


def _by_values(values: list[Scalar | None]) -> Split:
    missing = [value is None or (isinstance(value, float) and math.isnan(value)) for value in values]
    known = [value for value, gone in zip(values, missing, strict=True) if not gone and value is not None]
    counted = Counter(known)
    if len(counted) <= MAX_GROUPS:
        numeric = all(isinstance(value, (int, float)) for value in counted)
        ordered = sorted(counted, key=None if numeric else str)
        place = {value: i for i, value in enumerate(ordered)}
        labels = tuple(_spell(value) for value in ordered)
        note = ""
    elif all(isinstance(value, (int, float)) for value in counted):
        numbers = np.array(known, np.float64)
        inner = np.quantile(numbers, np.arange(1, N_QUANTILES) / N_QUANTILES)
        place = {value: int(np.searchsorted(inner, float(value), side="right")) for value in counted}
        bounds = [numbers.min(), *inner, numbers.max()]
        labels = tuple(f"{low:.4g} to {high:.4g}" for low, high in pairwise(bounds))
        note = f"{len(counted)} values in quarters"
    else:
        often = [value for value, _ in counted.most_common(MAX_GROUPS - 1)]
        place = {value: often.index(value) if value in often else len(often) for value in counted}
        labels = (*map(_spell, often), "others")
        note = f"{len(counted)} values, the most frequent ones apart"
    group = [
        -1 if gone or value is None else place[value] for value, gone in zip(values, missing, strict=True)
    ]
    return Split(labels, np.array(group, np.intp), note)


def _spell(value: Scalar) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
