"""The embedded default recording: made up, shaped like MC_Maze, written once."""

from __future__ import annotations

import logging
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
from tqdm import tqdm

from engine.files.nwb_writer import Series, Session, write_nwb
from engine.sources.recordings.synthetic.population import (
    N_UNITS,
    draw_fluctuations,
    draw_heldout,
    draw_population,
    draw_spikes,
    movement_drive,
)
from engine.sources.recordings.synthetic.reaches import DURATION_MS, simulate_reaches
from engine.sources.recordings.synthetic.smooth import smooth_noise

VERSION = 1  # raise it whenever the generator's output changes
SEED = 140
FILE_NAME = "synthetic.nwb"
IDENTIFIER = f"phantomdeck-synthetic-{VERSION}-{SEED}"
HAND_OFFSET = np.array([-2.5, 6.0])  # mm, from the cursor

DESCRIPTIONS = {
    "target_on_time": "when the targets appeared, s",
    "go_cue_time": "when the animal was told to move, s",
    "move_onset_time": "when the cursor left the centre, s",
    "success": "whether the cursor reached the target",
    "num_targets": "number of targets shown",
    "target_pos": "position of each target, mm",
    "active_target": "row of the reachable target in the trial's target_pos",
    "trial_type": "0: one target; 1: one target and barriers; 2: three targets and barriers",
    "maze_id": "which of nine mazes",
    "split": "train or val",
    "heldout": "hidden from the decoder in the Neural Latents Benchmark",
    "spike_times": "spike times of each unit, s",
    "obs_intervals": "when each unit was observed, s",
}

_log = logging.getLogger(__name__)


def default_recording(folder: Path) -> Path:
    """The path of the default recording, which is made first where it is missing or outdated.

    Parameters
    ----------
    folder : Path
        Where it belongs. If that cannot be written, the user's cache is used, and then a
        temporary folder.
    """
    places = [folder, Path.home() / ".cache" / "phantomdeck"]
    for place in places:
        if _identifier(place / FILE_NAME) == IDENTIFIER:
            return place / FILE_NAME
    session = simulate()
    for place in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
            write_nwb(place / FILE_NAME, session)
        except OSError as error:
            _log.warning("Cannot write the default recording to %s: %s", place, error)
        else:
            return place / FILE_NAME
    path = Path(tempfile.mkdtemp(prefix="phantomdeck-")) / FILE_NAME
    write_nwb(path, session)
    return path


def simulate(seed: int = SEED) -> Session:
    """Draw the whole session: the same seed gives the same session."""
    behaviour, neurons, noise = np.random.default_rng(seed).spawn(3)
    reaches = simulate_reaches(behaviour)
    timestamps = np.arange(DURATION_MS) / 1000
    offset = HAND_OFFSET + smooth_noise(noise, (DURATION_MS, 2), 400.0, 0.5)
    hand = reaches.cursor + offset
    velocity = np.gradient(hand, 0.001, axis=0)

    population = draw_population(neurons)
    drive = movement_drive(reaches.cursor, velocity)
    fluctuations = draw_fluctuations(noise, DURATION_MS)
    units = tqdm(neurons.spawn(N_UNITS), "Making the default recording", unit="unit", disable=None)
    spike_times = [
        draw_spikes(rng, population, unit, drive, reaches.plan, fluctuations)
        for unit, rng in enumerate(units)
    ]
    trials = reaches.trials
    return Session(
        identifier=IDENTIFIER,
        description=(
            "synthetic: delayed reaches in nine mazes and 142 tuned Poisson units, made by PhantomDeck "
            "in the schema of MC_Maze. No animal was involved."
        ),
        start=datetime(2024, 1, 1, tzinfo=UTC),
        spike_times=spike_times,
        obs_intervals=np.column_stack([trials["start_time"], trials["stop_time"]]),
        series=(
            Series("cursor_pos", reaches.cursor.astype(np.float32), timestamps, "mm", "screen"),
            Series("hand_pos", hand.astype(np.float32), timestamps, "mm", "screen"),
            Series("hand_vel", velocity.astype(np.float32), timestamps, "mm/s"),
        ),
        trials=trials,
        units={"heldout": draw_heldout(noise)},
        descriptions=DESCRIPTIONS,
        keywords=("synthetic", "delayed reach", "maze", "PhantomDeck"),
    )


def _identifier(path: Path) -> str | None:
    """NWB identifier of a file; None where there is no readable one."""
    try:
        with h5py.File(path, "r") as file:
            return str(file["identifier"].asstr()[()])
    except (OSError, KeyError):
        return None
