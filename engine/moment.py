"""A moment of a session: its newest bins as they were sent, with the facts to read them by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.analysis.rates import Rates, mean_rates
from engine.answers.predictions import Predictions
from engine.answers.scores.scorer import Scoreboard
from engine.bins.schema import Rows
from engine.bins.trials import Trial
from engine.deck.happenings import Note
from engine.deck.replay import Replay
from engine.deck.transport import Speed
from engine.view import Units, View, shown_units

Plot = Literal["raster", "rate", "arena", "position", "velocity", "units", "timing"]
"""What a picture of a moment can show; the live plots of the same names show it as it comes."""

mean_rates_once = lru_cache(maxsize=8)(mean_rates)


@dataclass(frozen=True, eq=False)
class Decoded:
    """What one decoder made of a moment's bins.

    Attributes
    ----------
    path : ndarray of float32, shape (n_bins, 2)
        Its cursor as it was shown, in length units; NaN where there was no answer.
    r2_position, r2_velocity : float
        Over the last 10 s, as `engine.answers.scores.sums.Measures` has them; NaN where unknown.
    """

    path: npt.NDArray[np.float32]
    r2_position: float = math.nan
    r2_velocity: float = math.nan


@dataclass(frozen=True, eq=False)
class Moment:
    """Plain data: it may travel to another process.

    Attributes
    ----------
    session, recording : str
        The session's code and the recording's name.
    synthetic : bool
    rows : ndarray, shape (n_bins,), dtype `engine.bins.schema.row_dtype`
        Oldest first; fewer than `seconds` asks for where less was sent.
    seconds : float
        What was asked for, of recording.
    bin_rate : float
        Bins per second of recording.
    length_unit : str
    channel_names : tuple of str, one a unit
    mean_rates : ndarray of float64, shape (n_units,)
        Spikes per second over the recording's observed bins; NaN if there are none.
    units : ndarray of intp, shape (n_shown,)
        Those that are not hidden, in the order of the session's view, from below.
    unit_order : str
        As `engine.view.View.order` names it.
    target_radius : float
        In the length unit.
    trials : mapping
        By the value of ``rows["trial"]``; without the columns of the file's own.
    speed : float or "max"
    seed : int
    perturbation : mapping
        Every model's settings, as they are now.
    notes : tuple of Note
        What was asked of the session since the oldest of these bins.
    names : tuple of str
        All decoders of the session, in the order of their first prediction.
    decoders : mapping of str to Decoded
        Those of them that answered any of these bins.
    """

    session: str
    recording: str
    synthetic: bool
    rows: Rows
    seconds: float
    bin_rate: float
    length_unit: str
    channel_names: tuple[str, ...]
    mean_rates: Rates
    units: Units
    unit_order: str
    target_radius: float
    trials: Mapping[int, Trial]
    speed: Speed
    seed: int
    perturbation: Mapping[str, Mapping[str, Any]]
    notes: tuple[Note, ...]
    names: tuple[str, ...] = ()
    decoders: Mapping[str, Decoded] = field(default_factory=dict)


def take_moment(
    session: str, replay: Replay, predictions: Predictions, board: Scoreboard, view: View, seconds: float
) -> Moment:
    """Copy the newest bins of a replay and what they need.

    Parameters
    ----------
    session : str
        Its code.
    replay : Replay
    predictions : Predictions
    board : Scoreboard
        The scores as they are now.
    view : View
    seconds : float
        Of recording, at most what the ring keeps.
    """
    rows, description = replay.ring.snapshot(seconds), replay.description
    shown = [int(row) for row in np.unique(rows["trial"]) if row >= 0]
    names, windows = tuple(predictions.names), {name: each.window for name, each in board.decoders.items()}
    decoders = {
        name: Decoded(path, windows[name].r2_position, windows[name].r2_velocity)
        if name in windows
        else Decoded(path)
        for name, path in predictions.decoded(rows).items()
    }
    since = rows["due"][0] if len(rows) else np.inf
    return Moment(
        session=session,
        recording=description.name,
        synthetic=description.synthetic,
        rows=rows,
        seconds=seconds,
        bin_rate=description.bin_rate,
        length_unit=description.length_unit,
        channel_names=description.channel_names,
        mean_rates=mean_rates_once(description),
        units=shown_units(description, view),
        unit_order=view.order,
        target_radius=view.hit_radius,
        trials={row: replace(description.trials[row], columns={}) for row in shown},
        speed=replay.speed,
        seed=replay.seed,
        perturbation=replay.perturbation,
        notes=tuple(note for note in replay.notes if note.asked and note.due >= since),
        names=names,
        decoders=decoders,
    )
