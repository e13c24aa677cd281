"""The behaviour: delayed reaches in nine mazes, in trials that abut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.sources.recordings.synthetic.smooth import Floats, smooth, smooth_noise

N_TRIALS = 100
N_MAZES = 9
N_FAILED = 5
DURATION_MS = 294_000
STOPS_SHORT = 0.6  # of the way to the target, in a failed trial


@dataclass(frozen=True)
class Maze:
    """Three targets around barriers.

    Attributes
    ----------
    targets : ndarray, shape (3, 2)
        Positions in mm; the centre of the screen is (0, 0).
    reachable : int
        Row of the one target that the barriers leave open.
    bow : float
        How far the barriers bend the path there to one side, as a share of its length.
    """

    targets: Floats
    reachable: int
    bow: float


@dataclass(frozen=True)
class Stroke:
    """One minimum-jerk movement. Times in ms, lengths in mm; the plan ends where it starts."""

    plan_from: int
    onset: int
    duration: int
    displacement: Floats
    bow: float = 0.0


@dataclass(frozen=True)
class Reaches:
    """What the animal saw and did.

    Attributes
    ----------
    trials : mapping
        Columns of the trial table under MC_Maze's names; times in s, ``target_pos`` in mm.
    cursor : ndarray, shape (n_ms, 2)
        Position in mm, one row a millisecond.
    plan : ndarray, shape (n_ms, 2)
        Displacement of the movement in preparation, in mm; 0 when there is none.
    """

    trials: Mapping[str, Sequence[Any] | npt.NDArray[Any]]
    cursor: Floats
    plan: Floats


def simulate_reaches(rng: np.random.Generator) -> Reaches:
    """Draw a session: from the centre to a target, hold, and back, a hundred times.

    A trial starts and ends at rest near the centre, so that the cursor hardly jumps where a
    selection of trials is played back to back.
    """
    mazes = draw_mazes(rng)
    rounds = [rng.permutation(3 * N_MAZES) for _ in range(-(-N_TRIALS // (3 * N_MAZES)))]
    maze_id, trial_type = np.divmod(np.concatenate(rounds)[:N_TRIALS], 3)
    bow = np.array([mazes[m].bow for m in maze_id]) * (trial_type > 0)
    target = np.array([mazes[m].targets[mazes[m].reachable] for m in maze_id])
    three = trial_type == 2
    shown = [mazes[m].targets if three[i] else target[i : i + 1] for i, m in enumerate(maze_id)]
    active = np.where(three, [mazes[m].reachable for m in maze_id], 0)
    success = rng.permutation(N_TRIALS) >= N_FAILED

    distance = np.hypot(*target.T)
    start, target_on, go_cue, onset, reached, leave, back, stop = draw_events(rng, distance, bow)
    rest = rng.normal(0.0, 1.5, (N_TRIALS + 1, 2))
    end = target + np.clip(rng.normal(0.0, 1.5, (N_TRIALS, 2)), -4.0, 4.0)
    end[~success] *= STOPS_SHORT
    first = end + rng.normal(0.0, 0.05, (N_TRIALS, 2)) * distance[:, np.newaxis]
    correction = reached - (reached - onset) // 4
    strokes: list[Stroke] = []
    for i in range(N_TRIALS):
        strokes += [
            Stroke(target_on[i], onset[i], reached[i] - onset[i], first[i] - rest[i], bow[i]),
            Stroke(correction[i], correction[i], 220, end[i] - first[i]),
            Stroke(leave[i] - 250, leave[i], back[i] - leave[i], rest[i + 1] - end[i]),
        ]
    return Reaches(
        trials={
            "start_time": start / 1000,
            "stop_time": stop / 1000,
            "target_on_time": target_on / 1000,
            "go_cue_time": go_cue / 1000,
            "move_onset_time": onset / 1000,
            "success": success,
            "num_targets": np.where(three, 3, 1),
            "target_pos": shown,
            "active_target": active,
            "trial_type": trial_type,
            "maze_id": maze_id,
            "split": np.where(rng.permutation(N_TRIALS) < 75, "train", "val").tolist(),
        },
        cursor=rest[0] + trace(strokes) + smooth_noise(rng, (DURATION_MS, 2), 150.0, 0.4),
        plan=planned(strokes),
    )


def draw_mazes(rng: np.random.Generator) -> list[Maze]:
    """Nine mazes whose reachable targets lie all around the centre, 60 to 118 mm from it."""
    mazes = []
    for number, sector in enumerate(rng.permutation(N_MAZES)):
        reachable = number % 3
        turn = rng.uniform(80.0, 140.0, 2) * (1, -1)
        angle = np.radians(40.0 * sector + rng.uniform(-10.0, 10.0) + np.insert(turn, reachable, 0.0))
        radius = rng.uniform(60.0, 118.0, 3)
        targets = np.round(radius[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)]))
        mazes.append(Maze(targets, reachable, rng.choice((-1.0, 1.0)) * rng.uniform(0.2, 0.4)))
    return mazes


def draw_events(rng: np.random.Generator, distance: Floats, bow: Floats) -> npt.NDArray[np.int64]:
    """When everything happens.

    Parameters
    ----------
    distance, bow : ndarray, shape (n_trials,)
        Of the reaches; mm and share of the distance.

    Returns
    -------
    ndarray, shape (8, n_trials), dtype int64
        Milliseconds of start, target on, go cue, movement onset, target reached, return, centre
        reached, stop. Each trial stops where the next one starts, the last one at `DURATION_MS`.
    """
    n = len(distance)
    delay = rng.uniform(300.0, 800.0, n)
    reaction = np.clip(rng.normal(310.0 - 0.08 * delay, 35.0), 170.0, 450.0)  # ready sooner
    duration = (250.0 + 2.0 * distance * (1.0 + np.abs(bow))) * rng.lognormal(0.0, 0.08, n)
    phases = np.array(
        [
            rng.uniform(200.0, 350.0, n),
            delay,
            reaction,
            duration,
            rng.uniform(350.0, 500.0, n),
            1.15 * (250.0 + 2.0 * distance) * rng.lognormal(0.0, 0.08, n),
        ]
    ).astype(np.int64)
    rest = rng.multinomial(DURATION_MS - phases.sum(), rng.dirichlet(np.full(n, 6.0)))
    lengths = np.vstack([phases, rest])
    start = np.cumsum(lengths.sum(axis=0)) - lengths.sum(axis=0)
    return np.vstack([start, start + np.cumsum(lengths, axis=0)])


def minimum_jerk(n: int) -> Floats:
    """Share of the way covered, shape (n + 1,), from 0 to 1 (Flash and Hogan 1985)."""
    tau = np.arange(n + 1) / n
    return np.asarray(tau**3 * (10.0 - 15.0 * tau + 6.0 * tau**2))


def trace(strokes: Sequence[Stroke]) -> Floats:
    """Displacement since the start, shape (n_ms, 2), mm: the sum of all strokes."""
    steps = np.zeros((DURATION_MS, 2))
    for stroke in strokes:
        share = minimum_jerk(stroke.duration)[:, np.newaxis]
        sideways = stroke.displacement[::-1] * (-1.0, 1.0) * stroke.bow
        path = share * stroke.displacement + 4.0 * share * (1.0 - share) * sideways
        steps[stroke.onset + 1 : stroke.onset + 1 + stroke.duration] += np.diff(path, axis=0)
    return np.cumsum(steps, axis=0)


def planned(strokes: Sequence[Stroke]) -> Floats:
    """Displacement in preparation, shape (n_ms, 2), mm: it comes and goes within about 0.1 s."""
    plan = np.zeros((DURATION_MS, 2))
    for stroke in strokes:
        plan[stroke.plan_from + 80 : stroke.onset] = stroke.displacement
    return smooth(plan, 40.0)
