"""Bins and logs of predictions as a session would have them, with times that a test chooses."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.answers.prediction import PREDICTION
from engine.bins.answered import Verdict
from engine.bins.schema import Rows
from engine.sources.recordings.recording import Recording
from tests.builders import play

START = 1000.0
LATENCY = 0.004


def sent(recording: Recording, bins: Iterable[int]) -> Rows:
    """Bins that were sent at the recording's own pace."""
    rows = play(recording, bins)
    rows["due"] = START + np.arange(len(rows)) * recording.bin_width
    return rows


def answers(rows: Rows, noise: float = 0.0, decoder: int = 0, seed: int = 0) -> Rows:
    """A prediction of everything for each bin, all on time."""
    lines = np.zeros(len(rows), PREDICTION)
    lines["sequence_number"] = rows["sequence_number"]
    lines["received"] = rows["due"] + LATENCY
    rng = np.random.default_rng(seed)
    lines["values"] = rows["kinematics"] + noise * rng.normal(size=(len(rows), 4))
    lines["decoder"] = decoder
    return lines


def line(verdict: Verdict, number: int, decoder: int = 0) -> Rows:
    """One line without values."""
    made = np.zeros(1, PREDICTION)
    made["sequence_number"], made["values"] = number, np.nan
    made["decoder"], made["verdict"] = decoder, verdict
    return made
