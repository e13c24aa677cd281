"""Everything that is summed up about a decoder over some bins, and the measures that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.answers.scores.acquisition import Acquisition
from engine.answers.scores.angle import mean_angle
from engine.answers.scores.histogram import ERROR, LATENCY, Counts
from engine.answers.scores.lag import Lags
from engine.answers.scores.moments import (
    Floats,
    Moments,
    correlation,
    r_squared,
    root_mean_square_error,
    weighted_r_squared,
)
from engine.answers.scores.reach import Outcome


@dataclass(frozen=True)
class Measures:
    """How good a decoder was over some bins; NaN where nothing can be said.

    Measures of position are those of the decoder's cursor (`engine.answers.cursor`). Those of velocity need
    velocities: none are derived from positions, whose differences from bin to bin are mostly noise.
    Bins that were not observed are not scored.

    Attributes
    ----------
    r2_position, r2_velocity : float
        `engine.answers.scores.moments.r_squared`, the mean over x and y.
    rmse_position, rmse_velocity : float
        Root of the mean squared distance from the true one, in length units, and per second.
    correlation_position, correlation_velocity : float
        Pearson's, the mean over x and y.
    lag_ms : float
        By which the decoder is behind (`engine.answers.scores.lag.Lags.best`): of its velocity, or of its
        position if it predicts no velocity.
    angular_error_deg : float
        `engine.answers.scores.angle.mean_angle`.
    n_trials, n_hits : int
        Trials that the decoder followed from the go cue on, and those in which it hit.
    time_to_target : float
        Seconds from the go cue to the hit, the mean over hits.
    end_distance : float
        From cursor to target at the end of a trial, the mean over trials, in length units.
    path_efficiency : float
        `engine.answers.scores.reach.path_efficiency`, the mean over trials.
    bit_rate : float
        Throughput, bits per second: the summed index of difficulty of the trials that were hit over
        the time that all trials took (`engine.answers.scores.reach.index_of_difficulty`).
    success : float
        Closed loop: the share of finished trials in which the target was acquired (0 to 1). This and what
        follows are the driver's alone. So are `n_trials` to `bit_rate`, there of the cursor on the screen:
        a hit is an acquired target, and its time is that to the hold.
    acquisition_time, first_touch_time, dial_in_time : float
        `engine.answers.scores.acquisition.Acquisition`: means over the trials that have one, in seconds.
    orbits : float
        Of the same: the mean over trials in which the target was touched.
    bit_rate_achieved : float
        Of `engine.answers.scores.acquisition.Acquisition.bits`, 0 at least, bits per second.
    latency_p50_ms, latency_p99_ms : float
        From the bin's being due to its prediction's being received, to 0.5 %.
    coverage : float
        Share of the delivered and observed bins that were answered before they left the ring.
    n_bins : int
        That were scored.
    on_time, late, stale, duplicate : int
        Predictions, by `engine.answers.prediction.Verdict`.
    missing : int
        Delivered and observed bins without an answer.
    r2_position_x, r2_position_y, r2_velocity_x, r2_velocity_y : float
        Of each dimension.
    r2_position_weighted, r2_velocity_weighted : float
        `engine.answers.scores.moments.weighted_r_squared`.
    r2_position_moving, r2_velocity_moving : float
        The mean over x and y, over the bins in which the true speed is above
        `engine.answers.scores.sent.Reference.moving_above`.
    """

    r2_position: float
    r2_velocity: float
    rmse_position: float
    rmse_velocity: float
    correlation_position: float
    correlation_velocity: float
    lag_ms: float
    angular_error_deg: float
    n_trials: int
    n_hits: int
    time_to_target: float
    end_distance: float
    path_efficiency: float
    bit_rate: float
    success: float
    acquisition_time: float
    first_touch_time: float
    dial_in_time: float
    orbits: float
    bit_rate_achieved: float
    latency_p50_ms: float
    latency_p99_ms: float
    coverage: float
    n_bins: int
    on_time: int
    late: int
    stale: int
    duplicate: int
    missing: int
    r2_position_x: float
    r2_position_y: float
    r2_velocity_x: float
    r2_velocity_y: float
    r2_position_weighted: float
    r2_velocity_weighted: float
    r2_position_moving: float
    r2_velocity_moving: float

    @property
    def merit(self) -> tuple[bool, float]:
        """Sorts decoders, the best first: by R2 of position, or of velocity where none is known."""
        r2 = self.r2_velocity if math.isnan(self.r2_position) else self.r2_position
        return math.isnan(r2), -r2


N_SIGNALS: Final = 4
"""x, y, vx, vy."""
N_MOMENTS: Final = 2 * N_SIGNALS
"""The same once more, in moving bins alone."""


class Sums:
    """Of one decoder over some bins, trials and predictions. Two of them merge into one.

    Parameters
    ----------
    lags : Lags
    """

    def __init__(self, lags: Lags) -> None:
        self._lags = lags
        self._moments = Moments.none(N_MOMENTS + 2 * len(lags.bins))  # the last are those at each lag
        self._angle = np.zeros(2)
        self._outcomes = np.zeros(8)
        self._acquired = np.zeros(9)
        self.latency: Counts = np.zeros(LATENCY.n_buckets, np.int64)
        self.errors: Counts = np.zeros(ERROR.n_buckets, np.int64)
        self.verdicts = np.zeros(4, np.int64)
        self.n_bins = self.n_answered = 0

    def take(self, truth: Floats, predicted: Floats, moving_above: float = math.nan) -> None:
        """Take in observed bins: x, y, vx, vy, both of shape (n, 4); NaN where missing. Only once.

        Bins move whose true speed is above `moving_above`, none if that is NaN.
        """
        moving = np.hypot(*truth[:, 2:].T) > moving_above
        both = np.hstack((truth, np.where(moving[:, None], truth, np.nan)))
        self._moments.sums[:, :N_MOMENTS] = Moments.of(both, np.hstack((predicted, predicted))).sums
        self._angle = mean_angle(truth[:, 2:], predicted[:, 2:])
        self.errors = ERROR.count(np.hypot(*(truth[:, :2] - predicted[:, :2]).T))
        self.n_bins = len(truth)

    @property
    def signals(self) -> Moments:
        """Of x, y, vx, vy."""
        return Moments(self._moments.sums[:, :N_SIGNALS])

    def take_lagged(self, moments: Moments) -> None:
        """Take in the pairs at each lag, shape (n_lags, 2). Only once."""
        self._moments.sums[:, N_MOMENTS:] = moments.sums.reshape(len(moments.sums), -1)

    def judge(self, outcome: Outcome) -> None:
        """Take in one trial."""
        straight = not math.isnan(outcome.path_efficiency)
        self._outcomes += (
            1,
            outcome.hit,
            outcome.seconds if outcome.hit else 0.0,
            outcome.seconds,
            outcome.bits,
            outcome.end_distance,
            straight,
            outcome.path_efficiency if straight else 0.0,
        )

    def acquire(self, acquisition: Acquisition) -> None:
        """Take in one trial of a closed loop."""
        self.judge(acquisition.outcome)
        touched = not math.isnan(acquisition.first_touch)
        self._acquired += (
            1,
            acquisition.success,
            acquisition.seconds if acquisition.success else 0.0,
            touched,
            acquisition.first_touch if touched else 0.0,
            acquisition.dial_in if acquisition.success else 0.0,
            acquisition.orbits if touched else 0.0,
            acquisition.bits,
            acquisition.seconds,
        )

    def add(self, *others: Sums) -> None:
        """Take in the sums over other bins."""
        self._moments = Moments.merged([self._moments, *(other._moments for other in others)])
        for other in others:
            self._angle += other._angle
            self._outcomes += other._outcomes
            self._acquired += other._acquired
            self.latency += other.latency
            self.errors += other.errors
            self.verdicts += other.verdicts
            self.n_bins += other.n_bins
            self.n_answered += other.n_answered

    def measures(self, missing: int) -> Measures:
        """What follows, given how many delivered bins have no answer."""
        signals, sums = self.signals, self._moments.sums
        moving = r_squared(Moments(sums[:, N_SIGNALS:N_MOMENTS]))
        lagged = Moments(sums[:, N_MOMENTS:].reshape(len(sums), -1, 2))
        r2, correlated, error = r_squared(signals), correlation(signals), root_mean_square_error(signals)
        trials, hits, to_target, seconds, bits, ends, paths, straightness = self._outcomes.tolist()
        tried, acquired, acquiring, touched, touching, dialling, orbits, choices, taken = (
            self._acquired.tolist()
        )
        on_time, late, stale, duplicate = self.verdicts.tolist()
        angle, speed = self._angle.tolist()
        return Measures(
            r2_position=_mean(r2[:2]),
            r2_velocity=_mean(r2[2:]),
            rmse_position=_length(error[:2]),
            rmse_velocity=_length(error[2:]),
            correlation_position=_mean(correlated[:2]),
            correlation_velocity=_mean(correlated[2:]),
            lag_ms=1000.0 * self._lags.best(lagged),
            angular_error_deg=math.degrees(_ratio(angle, speed)),
            n_trials=int(trials),
            n_hits=int(hits),
            time_to_target=_ratio(to_target, hits),
            end_distance=_ratio(ends, trials),
            path_efficiency=_ratio(straightness, paths),
            bit_rate=_ratio(bits, seconds),
            success=_ratio(acquired, tried),
            acquisition_time=_ratio(acquiring, acquired),
            first_touch_time=_ratio(touching, touched),
            dial_in_time=_ratio(dialling, acquired),
            orbits=_ratio(orbits, touched),
            bit_rate_achieved=_ratio(choices if math.isnan(choices) else max(choices, 0.0), taken),
            latency_p50_ms=1000.0 * LATENCY.quantile(self.latency, 0.50),
            latency_p99_ms=1000.0 * LATENCY.quantile(self.latency, 0.99),
            coverage=_ratio(self.n_answered, self.n_answered + missing),
            n_bins=self.n_bins,
            on_time=on_time,
            late=late,
            stale=stale,
            duplicate=duplicate,
            missing=missing,
            r2_position_x=float(r2[0]),
            r2_position_y=float(r2[1]),
            r2_velocity_x=float(r2[2]),
            r2_velocity_y=float(r2[3]),
            r2_position_weighted=weighted_r_squared(Moments(signals.sums[:, :2])),
            r2_velocity_weighted=weighted_r_squared(Moments(signals.sums[:, 2:])),
            r2_position_moving=_mean(moving[:2]),
            r2_velocity_moving=_mean(moving[2:]),
        )


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _length(values: Floats) -> float:
    """Of a vector of which only the known dimensions count."""
    known = values[np.isfinite(values)]
    return math.hypot(*known) if len(known) else math.nan


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
