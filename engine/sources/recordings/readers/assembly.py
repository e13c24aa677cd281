"""What was found in a file, binned: the end that all formats have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from engine.bins.trials import Trial
from engine.errors import RecordingError
from engine.sources.recordings.binning import FARTHEST, Grid, fill_bins, grid_over
from engine.sources.recordings.kinematics import Floats, interpolate
from engine.sources.recordings.readers.choice import Chosen
from engine.sources.recordings.readers.clock import Span, doubts, too_late
from engine.sources.recordings.readers.contents import Contents, Spikes
from engine.sources.recordings.readers.spike_trains import SpikeTrains
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.spike_times import SpikeTimes

LONGEST_DAYS = 7
"""A recording that seems to last longer has times that are not in seconds."""
TRIALS = "The trials"
"""What the span of all trials is called beside those of the series."""
NOT_SECONDS = (
    "Check that its times are in seconds; --spike-times-in ms, us or samples:RATE reads those of spikes "
    "that are not."
)
MOST_COUNTS = 2**31
"""Of all units in all bins, each a byte or two."""
MOST_BINS = 10_000_000
"""Bins that can be replayed: nearly three days at 40 Hz, three hours at 1 kHz."""


def make_recording(path: Path, bin_rate: float, contents: Contents) -> Recording:
    """Bin what a reader found.

    Parameters
    ----------
    path : Path
        Of the file.
    bin_rate : float
        Bins per second.
    contents : Contents

    Raises
    ------
    RecordingError
        In one line, with the file's name, if its times or its size are not to be replayed.
    """
    spikes, chosen, of_trials = contents.spikes, contents.kinematics, contents.trials
    spans, doubtful, trials = chosen.spans, contents.warnings, of_trials.trials
    if trials:
        spans = {**spans, TRIALS: (trials[0].start_time, max(trial.stop_time for trial in trials))}
    if isinstance(spikes, SpikeTrains) and not contents.clock_is_given:
        doubtful = (*doubtful, *doubts(spikes, spans))
    grid = _grid(path.name, bin_rate, spikes, spans)
    if len(spikes.names) * grid.n_bins > MOST_COUNTS:
        raise RecordingError(
            f"{path.name} has {len(spikes.names)} units in {grid.n_bins} bins; at most {MOST_COUNTS} "
            "counts can be replayed. Choose a lower --rate, or fewer units."
        )
    trials = trials or (Trial(0, grid.start_time, grid.stop_time),)
    position, velocity = _kinematics(chosen, grid)
    counts = spikes.count(grid)
    if counts.max(initial=0) > np.iinfo(np.uint16).max:
        raise RecordingError(
            f"{path.name} has {counts.max()} spikes of one unit in one bin; at most 65535 can be sent. "
            "Choose a higher --rate, or repair spike_times."
        )
    bins = fill_bins(
        grid,
        counts,
        spikes.observed_bins(grid),
        spikes.covered_bins(grid),
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
        synthetic=contents.synthetic,
        series=MappingProxyType(dict(contents.series)),
        sha256=sha256,
        spike_times=_times(spikes, grid),
        answers=contents.answers,
        voltages=contents.voltages,
        detection=contents.detection,
        warnings=(*doubtful, *chosen.warnings, *of_trials.warnings),
        trial_tables=MappingProxyType(of_trials.report),
    )


def _times(spikes: Spikes, grid: Grid) -> SpikeTimes | None:
    if not isinstance(spikes, SpikeTrains):
        return None
    return SpikeTimes.of(spikes.spike_times, spikes.bounds, grid)


def _grid(file_name: str, bin_rate: float, spikes: Spikes, spans: Mapping[str, Span]) -> Grid:
    if not isinstance(spikes, SpikeTrains):
        times = [*spikes.span]
        _refuse_times(file_name, times, "")
        return _of_bearable_size(file_name, spikes.grid(bin_rate), times, "")
    instants = [spikes.spike_times.min(), spikes.spike_times.max()]
    half_open = [span for what, span in spans.items() if what == TRIALS]
    instants += [time for what, span in spans.items() if what != TRIALS for time in span]
    if len(spikes.observed):
        half_open.append((spikes.observed[:, 0].min(), spikes.observed[:, 1].max()))
    times = [*instants, *(time for span in half_open for time in span)]
    late = too_late(spikes, spans)
    _refuse_times(file_name, times, late)
    return _of_bearable_size(file_name, grid_over(bin_rate, instants, half_open), times, late)


def _refuse_times(file_name: str, times: Sequence[float], late: str) -> None:
    days = (max(times) - min(times)) / 86400
    if days > LONGEST_DAYS:
        raise RecordingError(
            f"{file_name} spans {days:.3g} days, from {min(times):.6g} s to {max(times):.6g} s; "
            f"at most {LONGEST_DAYS} can be replayed. {late or NOT_SECONDS}"
        )
    if max(map(abs, times)) > FARTHEST:
        raise RecordingError(
            f"{file_name} has times of {max(map(abs, times)):.3g} s, beyond {FARTHEST:.3g} s. "
            f"{late or NOT_SECONDS}"
        )


def _of_bearable_size(file_name: str, grid: Grid, times: Sequence[float], late: str) -> Grid:
    if grid.n_bins > MOST_BINS:
        raise RecordingError(
            f"{file_name} has {grid.n_bins} bins, from {min(times):.6g} s to {max(times):.6g} s; at most "
            f"{MOST_BINS} can be replayed. {late or 'Choose a lower --rate, or a shorter file.'}"
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
