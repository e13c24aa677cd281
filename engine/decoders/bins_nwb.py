"""Bins as an NWB file that the tools of two benchmarks read: Neural Latents, and FALCON."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pynwb import TimeSeries
from pynwb.behavior import BehavioralTimeSeries

from engine.decoders.bins import Bins
from engine.files.nwb_writer import Column, Series, Session, write_nwb

FALCON_RATE: Final = 50.0
"""Bins per second that FALCON's tools take, whatever a file says."""
SCREEN: Final = "as the recording has it"

Floats = npt.NDArray[np.float64]


def to_nwb(bins: Bins) -> bytes:
    """Write bins in the schema of MC_Maze, as `nlb_tools.nwb_interface.NWBDataset` reads it.

    Units, trials, ``cursor_pos`` and ``cursor_vel``. Spikes are spaced evenly within their bins, so that
    bins of the same width have the same counts. At 50 bins per second there are ``finger_vel`` and
    ``eval_mask``, too, as `falcon_challenge.dataloaders.load_nwb` wants them of its task M2: bins by their
    beginnings, and whether they are scored.

    Returns
    -------
    bytes
        Of the file.
    """
    starts = float(bins.start_time) + bins.packet_id / float(bins.bin_rate)
    centres = starts + 0.5 * float(bins.bin_width)
    unit = str(bins.length_unit)
    session = Session(
        identifier=f"{bins.recording} {bins.sha256}",
        description=f"{bins.recording} in bins of {1e3 * float(bins.bin_width):g} ms, by PhantomDeck"
        + ("; synthetic" if bins.synthetic else ""),
        start=datetime.fromtimestamp(0, UTC),
        spike_times=_spike_times(bins, starts),
        obs_intervals=_observed(bins, starts),
        series=(
            Series("cursor_pos", bins.kinematics[:, :2], centres, unit, SCREEN),
            Series("cursor_vel", bins.kinematics[:, 2:], centres, f"{unit}/s"),
        ),
        trials=_trials(bins),
        units={"heldout": np.zeros(len(bins.channel_names), np.bool_), "unit_name": bins.channel_names},
        acquisition=_falcon(bins, starts) if bins.bin_rate == FALCON_RATE else (),
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bins.nwb"
        write_nwb(path, session)
        return path.read_bytes()


def _spike_times(bins: Bins, starts: Floats) -> list[Floats]:
    """Of c spikes in a bin, the j-th lies (j + 1/2) / c of it after its start."""
    times = []
    for column in bins.counts.T:
        (fired,) = np.nonzero(column)
        each = column[fired].astype(np.int64)
        place = np.arange(int(each.sum())) - np.repeat(np.cumsum(each) - each, each)
        within = (place + 0.5) / np.repeat(each, each)
        times.append(np.repeat(starts[fired], each) + within * float(bins.bin_width))
    return times


def _observed(bins: Bins, starts: Floats) -> Floats:
    """From the first to the last bin of each stretch that was observed, s, shape (n, 2)."""
    there = np.flatnonzero(bins.observed)
    first = bins.start[there]
    last = np.append(first[1:], True)
    return np.column_stack([starts[there[first]], starts[there[last]] + float(bins.bin_width)])


def _trials(bins: Bins) -> dict[str, Column]:
    table = bins.trial_table
    plain = [name for name in table.dtype.names or () if table[name].ndim == 1 and name != "trial_id"]
    columns: dict[str, Column] = {
        "source_trial": table["trial_id"],
        **{name: table[name] for name in plain},
    }
    columns.setdefault("split", np.array(["train"] * len(table)))  # nlb_tools asks for it
    return columns


def _falcon(bins: Bins, starts: Floats) -> tuple[Any, ...]:
    velocity = BehavioralTimeSeries(name="finger_vel")
    scored = bins.observed & np.isfinite(bins.kinematics[:, 2:]).all(axis=1)
    shown = np.where(scored[:, None], bins.kinematics[:, 2:], math.nan)
    for i, axis in enumerate("xy"):
        velocity.create_timeseries(
            name=f"cursor_{axis}", data=shown[:, i], timestamps=starts, unit=f"{bins.length_unit}/s"
        )
    return velocity, TimeSeries(name="eval_mask", data=scored, timestamps=starts, unit="bool")
