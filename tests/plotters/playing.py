"""What plotters are given when bins have been played, and what they make of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.answers.scores.scorer import Scoreboard
from engine.bins.phases import TrialFollower
from engine.bins.schema import Rows
from engine.sources.recordings.recording import Recording
from engine.view import PLAIN, View
from plotters.base import Floats, News, Replace, Scene, Set, Shift, Update
from plotters.marks import MARKS

NO_SCORES = Scoreboard()


def news_of(
    recording: Recording,
    rows: Rows,
    n_new: int | None = None,
    *,
    view: View = PLAIN,
    sent: npt.ArrayLike = np.nan,
    decoded: Mapping[str, Floats] | None = None,
    scores: Scoreboard = NO_SCORES,
) -> News:
    """The newest `n_new` rows as news, all by default."""
    recent = rows[-Scene(recording).n_recent :]
    names = dict.fromkeys([*(decoded or {}), *scores.decoders])
    return News(
        rows=recent[len(recent) - n_new :] if n_new is not None else recent[-Scene(recording).n_bins :],
        state="playing",
        recent=recent,
        sent=np.broadcast_to(np.float32(sent), len(recent)),
        trial=TrialFollower(recording).advance(rows, view.hit_radius),
        view=view,
        decoded=decoded or {},
        marked=[*names, *[""] * len(MARKS)][: len(MARKS)],
        scores=scores,
    )


def columns(updates: Iterable[Update]) -> dict[tuple[str, str], Any]:
    """New values by source and column."""
    return {(u.source, u.column): u.values for u in updates if isinstance(u, Shift | Replace)}


def properties(updates: Iterable[Update]) -> dict[str, Mapping[str, Any]]:
    """Properties that are set, by model."""
    return {u.model: u.properties for u in updates if isinstance(u, Set)}
