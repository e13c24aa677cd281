"""What guide.md says about the default recording, worked out from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.sources.recordings.synthetic import simulate
from engine.stages.perturb import PRESETS, Perturbations

BIN_RATE = 40
HISTORY = 10  # bins
DRAWS = 5
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """The recording, binned.

    `counts` has the shape (n_bins, n_units); `cursor` and `velocity` (n_bins, 2) hold mm and mm/s
    at the bins' centres; `spikes` holds seconds.
    """

    spikes: list[Floats]
    counts: Floats
    cursor: Floats
    velocity: Floats
    speed: Floats
    trials: dict[str, Any]
    target: Floats

    def at(self, seconds: float) -> int:
        """Index of the bin that holds a time."""
        return int(seconds * BIN_RATE)


def load() -> Data:
    session = simulate()
    edges = np.arange(294 * BIN_RATE + 1) / BIN_RATE
    centres = edges[:-1] + 0.5 / BIN_RATE
    at_centres = {
        series.name: np.column_stack(
            [np.interp(centres, series.timestamps, series.data[:, i]) for i in range(2)]
        )
        for series in session.series
    }
    trials = dict(session.trials)
    target = [
        shown[active] for shown, active in zip(trials["target_pos"], trials["active_target"], strict=True)
    ]
    return Data(
        spikes=list(session.spike_times),
        counts=np.column_stack([np.histogram(t, edges)[0] for t in session.spike_times]).astype(float),
        cursor=at_centres["cursor_pos"],
        velocity=at_centres["hand_vel"],
        speed=np.hypot(*at_centres["hand_vel"].T),
        trials=trials,
        target=np.array(target),
    )


class Ridge:
    """Ridge regression from the last bins of counts, learned on the first three quarters.

    Parameters
    ----------
    counts : ndarray, shape (n_bins, n_units)
    wanted : ndarray, shape (n_bins, 2)
        Position (mm) or velocity (mm/s).
    history : int
        How many bins, the present one included.
    """

    def __init__(
        self, counts: Floats, wanted: Floats, history: int = HISTORY, penalty: float = 100.0
    ) -> None:
        self.history = history
        self.first = int(0.75 * len(counts))
        self.wanted = wanted[self.first :]
        seen = lagged(counts, self.history)[: self.first]
        self.centre, self.scale = seen.mean(axis=0), seen.std(axis=0) + 1e-9
        self.mean = wanted[: self.first].mean(axis=0)
        seen = (seen - self.centre) / self.scale
        gram = seen.T @ seen + penalty * np.eye(seen.shape[1])
        self.weights = np.linalg.solve(gram, seen.T @ (wanted[: self.first] - self.mean))

    def decode(self, counts: Floats) -> Floats:
        """The estimate in the last quarter."""
        unseen = (lagged(counts, self.history)[self.first :] - self.centre) / self.scale
        return np.asarray(unseen @ self.weights + self.mean)

    def r2(self, counts: Floats) -> float:
        """Explained share of the variance in the last quarter, mean over x and y."""
        error = ((self.wanted - self.decode(counts)) ** 2).sum(axis=0)
        spread = ((self.wanted - self.wanted.mean(axis=0)) ** 2).sum(axis=0)
        return float(np.mean(1.0 - error / spread))


def lagged(counts: Floats, history: int) -> Floats:
    """Each bin beside those before it, shape (n_bins, history * n_units); zeros before the first."""
    padded = np.vstack([np.zeros((history - 1, counts.shape[1])), counts])
    return np.hstack([padded[history - 1 - lag : len(padded) - lag] for lag in range(history)])


def reach_rates(data: Data) -> tuple[Floats, Floats, Floats]:
    """Directions of the reaches (radians), rates during them (Hz, n_trials x n_units), cosine fits.

    A fit's rows are mean rate, cosine and sine weight, one column a unit; after Georgopoulos et al. (1982).
    """
    direction = np.arctan2(data.target[:, 1], data.target[:, 0])
    onset = [data.at(t) for t in data.trials["move_onset_time"]]
    rates = np.array([data.counts[b - 2 : b + 10].mean(axis=0) * BIN_RATE for b in onset])
    design = np.column_stack([np.ones_like(direction), np.cos(direction), np.sin(direction)])
    return direction, rates, np.linalg.lstsq(design, rates, rcond=None)[0]


def disturbed(data: Data, decoder: Ridge) -> tuple[dict[int, float], dict[int, float], dict[str, float]]:
    """R2 with fewer units, with units lost after learning (%), and with each level of perturbation.

    Which units are left is drawn `DRAWS` times; the mean counts.
    """
    rng = np.random.default_rng(0)
    n_units = data.counts.shape[1]
    orders = [rng.permutation(n_units) for _ in range(DRAWS)]
    fewer, lost, levels = {}, {}, {}
    for n in (9, 18, 36, 71, n_units):
        kept = [data.counts[:, order[:n]] for order in orders[: 1 if n == n_units else DRAWS]]
        fewer[n] = float(np.mean([Ridge(counts, data.velocity).r2(counts) for counts in kept]))
    for percent in (0, 10, 20, 30, 40, 50):
        scores = []
        for order in orders:
            silenced = data.counts.copy()
            silenced[:, order[: n_units * percent // 100]] = 0.0
            scores.append(decoder.r2(silenced))
        lost[percent] = float(np.mean(scores))
    for level in PRESETS:
        perturbations = Perturbations(0, n_units, BIN_RATE)
        perturbations.change({"preset": level})
        counts = data.counts.astype(np.uint8)
        perturbations.apply(counts, 0)
        levels[level] = decoder.r2(counts.astype(float))
    return fewer, lost, levels
