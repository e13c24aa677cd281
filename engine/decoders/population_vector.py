"""Population vector: every unit votes for its preferred direction."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import param

from engine.decoders.base import VELOCITY, Floats, NeuralDecoder, Training
from engine.decoders.history import History, lagged, pooled
from engine.errors import CannotFit


class PopulationVector(NeuralDecoder):
    """Cosine tuning and its vector sum (Georgopoulos, Schwartz & Kettner 1986, Science 233, 1416-1419).

    While the hand moves in direction m, unit i fires ``b_i + k_i . m`` spikes a bin, by least squares;
    ``k_i`` points in its preferred direction. The vector is the sum over units of
    ``(c_i - mean_i) / sd_i * k_i / sd_i``, with counts averaged over a window; it is scaled to the
    velocity by a single gain, so that its direction stays the population's. It has no opinion on
    position.
    """

    key = "population_vector"
    learned: ClassVar[tuple[str, ...]] = (*NeuralDecoder.learned, "votes", "offset")
    columns_wanted = VELOCITY

    window = param.Integer(default=8, bounds=(1, 100), doc="Bins over which counts are averaged.")
    moving = param.Number(
        default=0.2, bounds=(0.0, 1.0), doc="Tuning is learned at speeds above this part of the highest."
    )

    votes: Floats
    """What a spike of each unit adds to the velocity, shape (n_active, 2)."""
    offset: Floats
    """Velocity without any spike above the mean, shape (2,)."""

    def reset(self) -> None:
        self._history = History(len(self.active), self.window)

    def _learn(self, training: Training) -> None:
        if len(self.columns) < 2:
            raise CannotFit("A population vector needs the velocity. This recording lacks it.")
        rows = training.rows
        velocity = training.targets[rows]
        rates = self._rates(lagged(training, rows, self.window))
        speed = np.hypot(*velocity.T)
        moves = speed > self.moving * speed.max()
        direction = velocity[moves] / speed[moves, None]
        design = np.column_stack((direction, np.ones(len(direction))))
        tuning = np.linalg.lstsq(design, rates[moves])[0]
        spread = rates.std(axis=0)
        votes = np.divide(tuning[:2], spread**2, out=np.zeros_like(tuning[:2]), where=spread > 0).T
        vector = rates @ votes
        centred = vector - vector.mean(axis=0)
        gain = (centred * velocity).sum() / (centred**2).sum()
        self.votes = gain * votes
        self.offset = velocity.mean(axis=0) - gain * vector.mean(axis=0)

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:  # noqa: ARG002
        rates = self._rates(self._history.push(signal)[None])[0]
        return np.asarray(rates @ self.votes + self.offset)

    def _rates(self, features: Floats) -> Floats:
        """Mean counts of the window, less each unit's mean, shape (n, n_active)."""
        return pooled(features, self.window, self.window)[:, :-1]
