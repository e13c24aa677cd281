"""A block of trials of a closed loop: how it went, and its bins to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.bins.description import Description
from engine.bins.schema import Rows
from engine.bins.trial_table import trial_table
from engine.bins.trials import Trial
from engine.decoders.bins import Bins, stretches
from engine.decoders.refit import intended
from engine.errors import EmptySelection


@dataclass(frozen=True)
class Reached:
    """How a block went.

    Attributes
    ----------
    n_trials : int
    success : float
        Share of the targets that were acquired, 0 to 1.
    seconds : float
        Mean time of the trials that acquired theirs, with the hold; NaN if none did.
    """

    n_trials: int
    success: float
    seconds: float


def reached(trials: Sequence[Trial], bin_width: float) -> Reached:
    """How trials went that have ended; a trial's last bin counts."""
    took = [trial.stop_time - trial.start_time + bin_width for trial in trials if trial.success]
    seconds = float(np.mean(took)) if took else float("nan")
    return Reached(len(trials), len(took) / len(trials), seconds)


def whole_trials(rows: Rows, description: Description) -> tuple[int, ...]:
    """Trials that have ended, and of which no bin is missing.

    Parameters
    ----------
    rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
        As they were sent, also those that were lost on the way.
    description : Description
        Of the session that sent them.

    Returns
    -------
    tuple of int
        Their rows among the description's trials, ascending.
    """
    numbers, bins = np.unique(rows["trial"][rows["trial"] >= 0], return_counts=True)
    return tuple(
        row
        for row, n in zip(numbers.tolist(), bins.tolist(), strict=True)
        if (trial := description.trials[row]).success is not None
        and abs(n - (trial.stop_time - trial.start_time) * description.bin_rate) < 0.5  # not if NaN
    )


def block_bins(rows: Rows, description: Description, gain: float) -> Bins:
    """What a decoder learns from a block (Gilja et al. 2012, Nature Neuroscience 15, 1752-1757).

    Counts are those that were sent, with whatever disturbs them. The cursor's velocity is turned towards
    the trial's target at the same speed, and zero within its radius; as the cursor errs and the user does
    not, this holds also for what leads away. What a decoder answers is multiplied by the steering's gain
    before it moves the cursor, so speeds are divided by it: else they shrink by it with each block. Each
    trial begins a stretch, since the cursor may be put elsewhere between two. What was lost on the way is
    left out: no decoder has seen it.

    Parameters
    ----------
    rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
    description : Description
        Of a closed loop.
    gain : float
        By which its steering has multiplied what moved the cursor.

    Returns
    -------
    Bins
        Of `whole_trials` alone; `sha256` is empty, as there is no file.

    Raises
    ------
    EmptySelection
        If no decoder moves the cursor there, or no trial is whole.
    """
    if description.goal is None:
        raise EmptySelection(f"{description.name} is no closed loop. Make a session with the source user.")
    whole = whole_trials(rows, description)
    kept = rows[np.isin(rows["trial"], whole) & ~rows["lost"]]
    if not len(kept):
        raise EmptySelection(f"None of {len(rows)} bins is of a trial that is whole. Collect more trials.")
    ids = np.array(description.trial_ids, np.int64)
    goals = kept["intention"][:, 1:3]
    start = stretches(kept["packet_id"], kept["observed"])
    start[1:] |= np.diff(kept["trial"]) != 0
    wanted = intended(kept["kinematics"], goals, description.goal.radius, by_decoder=True)
    wanted[:, 2:] /= gain
    return Bins(
        counts=kept["counts"],
        kinematics=wanted.astype(np.float32),
        target=goals,
        packet_id=kept["packet_id"],
        trial_id=ids[kept["trial"]],
        observed=kept["observed"],
        coverage=kept["coverage"],
        start=start,
        channel_names=np.array(description.channel_names, np.str_),
        bin_rate=description.bin_rate,
        bin_width=description.bin_width,
        recording=description.name,
        sha256="",
        length_unit=description.length_unit,
        start_time=description.start_time,
        synthetic=description.synthetic,
        trial_table=trial_table([description.trials[row] for row in whole]),
    )
