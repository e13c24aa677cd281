"""NWB 2 files: opened, read once through pynwb, closed, and binned."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import h5py
import numpy as np
from pynwb import NWBHDF5IO, NWBFile

from engine.binning import TICKS, Grid, fill_bins, grid_over
from engine.errors import RecordingError
from engine.kinematics import Floats, interpolate
from engine.readers.nwb_answers import read_answers
from engine.readers.nwb_choice import Chosen, choose
from engine.readers.nwb_counts import BinnedSpikes, find_counts, read_counts
from engine.readers.nwb_series import Candidate, find_series
from engine.readers.nwb_trials import read_trials
from engine.readers.nwb_units import SpikeTrains, has_spike_times, read_units
from engine.recording import Recording, Trial

LONGEST_DAYS = 7
"""A recording that seems to last longer has times that are not in seconds."""
FARTHEST = 2**53 / TICKS
"""Seconds from 0 beyond which a float64 cannot tell one microsecond from the next."""
MOST_BINS = 10_000_000
"""Bins that can be replayed: nearly three days at 40 Hz, three hours at 1 kHz."""


def read_nwb(
    path: Path, bin_rate: float, wanted: Mapping[str, str], content: io.BytesIO | None = None
) -> Recording:
    """Read and bin one file.

    Parameters
    ----------
    path : Path
    bin_rate : float
        Bins per second.
    wanted : mapping
        ``"position"`` and ``"velocity"`` to the name or path of a series, where a person chose it.
    content : BytesIO, optional
        Of the file, where that is encrypted.

    Raises
    ------
    RecordingError
        In one line, with the file's name.
    """
    with _opened(path, content) as nwb:
        series = find_series(nwb)
        spikes = _read_spikes(path.name, nwb, series)
        chosen = choose(path.name, series, wanted)
        trials = read_trials(nwb.trials, chosen.target_scale, chosen.target_offset)
        synthetic = _says_synthetic(nwb)
        answers = read_answers(nwb)
    grid = _grid(path.name, bin_rate, spikes, chosen, trials)
    trials = trials or (Trial(0, grid.start_time, grid.stop_time),)
    position, velocity = _kinematics(chosen, grid)
    counts = spikes.count(grid)
    if counts.max() > np.iinfo(np.uint16).max:
        raise RecordingError(
            f"{path.name} has {counts.max()} spikes of one unit in one bin; at most 65535 can be sent. "
            "Choose a higher --rate, or repair spike_times."
        )
    bins = fill_bins(
        grid,
        counts,
        spikes.observed_bins(grid),
        trials,
        position,
        velocity,
    )
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Recording(
        name=path.stem,
        bin_rate=float(grid.rate),
        start_time=grid.start_time,
        bins=bins,
        trials=trials,
        channel_names=spikes.names,
        length_unit=chosen.length_unit,
        synthetic=synthetic,
        series=MappingProxyType(chosen.report),
        sha256=sha256,
        answers=answers,
    )


@contextmanager
def _opened(path: Path, content: io.BytesIO | None) -> Iterator[NWBFile]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with h5py.File(content or path, "r") as file, NWBHDF5IO(file=file, mode="r") as reader:
                try:
                    nwb = reader.read()
                except Exception as fault:  # pynwb raises any kind for what it does not expect in a file
                    reason = str(fault.args[-1] if fault.args else fault).partition("\n")[0][:200]
                    reason = reason.replace(f"{path.parent}/", "")
                    raise RecordingError(
                        f"{path.name} is not valid NWB: {reason}. Write it again."
                    ) from fault
                yield nwb
        except (OSError, RuntimeError) as fault:  # h5py, where the data of a dataset are damaged
            raise RecordingError(f"{path.name} is damaged. Copy or download it again.") from fault


def _read_spikes(file_name: str, nwb: NWBFile, series: list[Candidate]) -> SpikeTrains | BinnedSpikes:
    """Spike times; or spike counts, where there are none. The latter's series is taken from the list."""
    counts = None if has_spike_times(nwb.units) else find_counts(series)
    if counts is None:
        return read_units(file_name, nwb.units)
    series.remove(counts)
    return read_counts(file_name, nwb, counts)


def _grid(
    file_name: str,
    bin_rate: float,
    spikes: SpikeTrains | BinnedSpikes,
    chosen: Chosen,
    trials: tuple[Trial, ...],
) -> Grid:
    if isinstance(spikes, BinnedSpikes):
        times = (spikes.centres[[0, -1]] / TICKS).tolist()
        _refuse_times(file_name, times)
        return _of_bearable_size(file_name, spikes.grid(bin_rate), times)
    instants = [spikes.spike_times.min(), spikes.spike_times.max()]
    for track in (chosen.position, chosen.velocity):
        if track:
            instants += [track.times[0], track.times[-1]]
    spans = [(trial.start_time, trial.stop_time) for trial in trials]
    if len(spikes.observed):
        spans.append((spikes.observed[:, 0].min(), spikes.observed[:, 1].max()))
    times = [*instants, *(time for span in spans for time in span)]
    _refuse_times(file_name, times)
    return _of_bearable_size(file_name, grid_over(bin_rate, instants, spans), times)


def _refuse_times(file_name: str, times: Sequence[float]) -> None:
    days = (max(times) - min(times)) / 86400
    if days > LONGEST_DAYS:
        raise RecordingError(
            f"{file_name} spans {days:.3g} days, from {min(times):.6g} s to {max(times):.6g} s; "
            f"at most {LONGEST_DAYS} can be replayed. Check that its times are in seconds."
        )
    if max(map(abs, times)) > FARTHEST:
        raise RecordingError(
            f"{file_name} has times of {max(map(abs, times)):.3g} s, beyond {FARTHEST:.3g} s. "
            "Check that its times are in seconds."
        )


def _of_bearable_size(file_name: str, grid: Grid, times: Sequence[float]) -> Grid:
    if grid.n_bins > MOST_BINS:
        raise RecordingError(
            f"{file_name} has {grid.n_bins} bins, from {min(times):.6g} s to {max(times):.6g} s; at most "
            f"{MOST_BINS} can be replayed. Choose a lower --rate, or a shorter file."
        )
    return grid


def _kinematics(chosen: Chosen, grid: Grid) -> tuple[Floats, Floats]:
    """Position and velocity at the bins' centres, each of shape (n_bins, 2)."""
    centres = grid.centres / 1e6
    missing = np.full((grid.n_bins, 2), np.nan)
    position, velocity = chosen.position, chosen.velocity
    at = interpolate(position, centres, position.values) if position else missing
    if velocity:
        return at, interpolate(velocity, centres, velocity.values)
    return at, interpolate(position, centres, position.gradient) if position else missing


def _says_synthetic(nwb: NWBFile) -> bool:
    keywords = [] if nwb.keywords is None else list(nwb.keywords[:])
    text = " ".join(map(str, (nwb.session_description, nwb.notes, *keywords)))
    return re.search(r"\bsynthetic\b", text, re.IGNORECASE) is not None
