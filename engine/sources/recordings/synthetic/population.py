"""The neurons: tuned firing rates, and spikes drawn from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.sources.recordings.synthetic.smooth import Floats, smooth_noise

N_UNITS = 142
N_HELDOUT = 35  # as in MC_Maze
STEP_MS = 5  # rates are constant over a step
CLOCK = 30_000  # Hz, the grid of spike times
REFRACTORY_TICKS = 30  # 1 ms
CEILING = 140.0  # Hz, which no rate exceeds
REFERENCE_SPEED = 300.0  # mm/s, at which the tuning depths hold
REFERENCE_LENGTH = 100.0  # mm
N_SHARED = 6  # slow fluctuations common to all units


@dataclass(frozen=True)
class Population:
    """How each unit's log rate depends on the movement; every array has a row a unit.

    Cosine tuning to velocity with a speed term after Moran and Schwartz (1999), and preparatory
    tuning that is unrelated to it, after Churchland et al. (2010).

    Attributes
    ----------
    mean_rate : ndarray, shape (n_units,)
        Hz, before saturation at `CEILING`.
    lead_ms : ndarray, shape (n_units,)
        By how much the spikes come before the movement they encode.
    movement : ndarray, shape (n_units, 5)
        Weights of vx, vy, speed (per `REFERENCE_SPEED`), x, y (per `REFERENCE_LENGTH`).
    preparation : ndarray, shape (n_units, 2)
        Weights of the planned displacement's x, y (per `REFERENCE_LENGTH`).
    shared : ndarray, shape (n_units, n_shared)
        Weights of fluctuations that have nothing to do with the task.
    """

    mean_rate: Floats
    lead_ms: Floats
    movement: Floats
    preparation: Floats
    shared: Floats


def draw_population(rng: np.random.Generator) -> Population:
    """Draw the units: most of them tuned, a few strongly, some hardly at all."""
    direction = rng.uniform(0.0, 2.0 * np.pi, (3, N_UNITS))
    depth = np.array([[0.68], [0.48], [0.6]]) * rng.gamma(2.0, 0.5, (3, N_UNITS))
    velocity, position, preparation = np.stack(
        [depth * np.cos(direction), depth * np.sin(direction)], axis=-1
    )
    speed = rng.normal(0.35, 0.4, N_UNITS)
    return Population(
        mean_rate=np.clip(rng.lognormal(np.log(8.0), 0.8, N_UNITS), 1.0, 45.0),
        lead_ms=np.clip(rng.normal(100.0, 25.0, N_UNITS), 40.0, 160.0),
        movement=np.column_stack([velocity, speed, position]),
        preparation=preparation,
        shared=rng.normal(0.0, 0.3, (N_UNITS, N_SHARED)),
    )


def movement_drive(position: Floats, velocity: Floats) -> Floats:
    """What movement weights apply to, shape (n_ms, 5), from position (mm) and velocity (mm/s)."""
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    return np.column_stack(
        [velocity / REFERENCE_SPEED, speed / REFERENCE_SPEED, position / REFERENCE_LENGTH]
    )


def draw_fluctuations(rng: np.random.Generator, n_ms: int) -> Floats:
    """Shared fluctuations, shape (n_steps, n_shared), deviation 1: from 20 s down to 0.1 s."""
    widths = np.geomspace(100.0, 20_000.0, N_SHARED) / STEP_MS
    return np.hstack([smooth_noise(rng, (n_ms // STEP_MS, 1), width, 1.0) for width in widths])


def draw_spikes(
    rng: np.random.Generator,
    population: Population,
    unit: int,
    drive: Floats,
    plan: Floats,
    fluctuations: Floats,
) -> Floats:
    """Spikes of one unit: an inhomogeneous Poisson process with a refractory period.

    Parameters
    ----------
    drive : ndarray, shape (n_ms, 5)
        From `movement_drive`.
    plan : ndarray, shape (n_ms, 2)
        Displacement in preparation, mm.
    fluctuations : ndarray, shape (n_steps, n_shared)
        From `draw_fluctuations`.

    Returns
    -------
    ndarray, dtype float64
        Spike times in s on the grid of `CLOCK`, ascending.
    """
    n_ms = len(drive)
    starts = np.arange(0, n_ms, STEP_MS)
    ahead = np.minimum(starts + round(population.lead_ms[unit]), n_ms - 1)
    log_rate = (
        drive[ahead] @ population.movement[unit]
        + plan[starts] @ population.preparation[unit] / REFERENCE_LENGTH
        + fluctuations @ population.shared[unit]
    )
    rate = np.exp(log_rate)
    rate *= population.mean_rate[unit] / rate.mean()
    rate /= 1.0 + rate / CEILING
    expected = np.concatenate([[0.0], np.cumsum(rate * STEP_MS / 1000)])
    drawn = np.sort(rng.uniform(0.0, expected[-1], rng.poisson(expected[-1])))
    seconds = np.interp(drawn, expected, np.append(starts, n_ms) / 1000)
    ticks = np.floor(seconds * CLOCK).astype(np.int64)
    return np.asarray(ticks[np.diff(ticks, prepend=-CLOCK) >= REFRACTORY_TICKS] / CLOCK)


def draw_heldout(rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which units the benchmark would hide, shape (n_units,)."""
    return rng.permutation(N_UNITS) < N_HELDOUT
