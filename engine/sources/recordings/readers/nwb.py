"""NWB 2 files: opened, read once through pynwb, closed, and binned."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from pynwb import NWBFile

from engine.bins.ticks import TICKS
from engine.bins.trials import Trial
from engine.errors import RecordingError
from engine.sources.recordings.binning import Grid, fill_bins, grid_over
from engine.sources.recordings.kinematics import Floats, interpolate
from engine.sources.recordings.readers.faults import broken_links
from engine.sources.recordings.readers.hdf5 import MOST_CELLS, Unreadable, opened, refusal, values
from engine.sources.recordings.readers.nwb_answers import is_record, read_answers
from engine.sources.recordings.readers.nwb_choice import Chosen, choose
from engine.sources.recordings.readers.nwb_clock import Span, doubts, in_seconds, last_time, too_late
from engine.sources.recordings.readers.nwb_counts import BinnedSpikes, find_counts, read_counts
from engine.sources.recordings.readers.nwb_series import Candidate, find_series
from engine.sources.recordings.readers.nwb_tables import Table, choose_trials, find_tables, units_of
from engine.sources.recordings.readers.nwb_trials import read_trials
from engine.sources.recordings.readers.nwb_units import SpikeTrains, has_spike_times, read_units
from engine.sources.recordings.readers.passing import read_around
from engine.sources.recordings.readers.wanted import Wanted
from engine.sources.recordings.recording import Recording

LONGEST_DAYS = 7
"""A recording that seems to last longer has times that are not in seconds."""
FARTHEST = 2**53 / TICKS
"""Seconds from 0 beyond which a float64 cannot tell one microsecond from the next."""
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


def read_nwb(path: Path, bin_rate: float, wanted: Wanted, content: io.BytesIO | None = None) -> Recording:
    """Read and bin one file.

    Parameters
    ----------
    path : Path
    bin_rate : float
        Bins per second.
    wanted : Wanted
        What a person chose.
    content : BytesIO, optional
        Of the file, where that is encrypted.

    Raises
    ------
    RecordingError
        In one line, with the file's name.
    """
    with _opened(path, content) as (nwb, broken):
        series, tables = find_series(nwb), find_tables(nwb)
        spikes, passed_over = _read_spikes(path.name, nwb, series, tables, broken)
        chosen = choose(path.name, series, wanted.series, broken)
        spans = chosen.spans
        spikes, doubtful = _in_seconds(path.name, spikes, spans, wanted.spike_times_in)
        end = last_time(spikes, spans) if isinstance(spikes, SpikeTrains) else spikes.stop_time
        scaled = partial(read_trials, scale=chosen.target_scale, offset=chosen.target_offset, end=end)
        of_trials = choose_trials(path.name, tables, wanted.trials, scaled)
        synthetic = _says_synthetic(nwb)
        answers = read_answers(nwb)
    trials = of_trials.trials
    if trials:
        spans = {**spans, TRIALS: (trials[0].start_time, max(trial.stop_time for trial in trials))}
    if isinstance(spikes, SpikeTrains) and wanted.spike_times_in is None:
        doubtful += doubts(spikes, spans)
    grid = _grid(path.name, bin_rate, spikes, spans)
    if len(spikes.names) * grid.n_bins > MOST_COUNTS:
        raise RecordingError(
            f"{path.name} has {len(spikes.names)} units in {grid.n_bins} bins; at most {MOST_COUNTS} "
            "counts can be replayed. Choose a lower --rate, or fewer units."
        )
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
        synthetic=synthetic,
        series=MappingProxyType(
            {**chosen.report, "passed_over": chosen.report["passed_over"] + passed_over}
        ),
        sha256=sha256,
        answers=answers,
        warnings=(*doubtful, *chosen.warnings, *of_trials.warnings),
        trial_tables=MappingProxyType(of_trials.report),
    )


@contextmanager
def _opened(path: Path, content: io.BytesIO | None) -> Iterator[tuple[NWBFile, Mapping[str, str]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with opened(content or path) as file:
                broken = broken_links(path, file)
            with read_around(path.name, lambda: opened(content or path), broken) as read:
                yield read
        except (OSError, RuntimeError) as fault:  # h5py's
            raise refusal(path, fault) from fault


def _read_spikes(
    file_name: str,
    nwb: NWBFile,
    series: list[Candidate],
    tables: Sequence[Table],
    broken: Mapping[str, str],
) -> tuple[SpikeTrains | BinnedSpikes, list[dict[str, str]]]:
    """Spike times; or spike counts, where there are none or it is a record, whose series leaves the list.

    Also returns what other units are passed over, ready for JSON.
    """
    units, others = units_of(tables)
    passed_over = [
        {"name": each.name, "path": each.path, "reason": "units of another table come first"}
        for each in others
    ]
    counts = None if has_spike_times(units) and not is_record(nwb) else find_counts(series)
    if counts is not None:
        series.remove(counts)
        return read_counts(file_name, nwb, counts), passed_over
    for place, reason in broken.items() if not has_spike_times(units) else ():
        if place.partition("/")[0] == "units":
            raise RecordingError(f"{file_name}: {place} {reason.removeprefix('it ')}.")
    return read_units(file_name, units), passed_over


def _in_seconds(
    file_name: str, spikes: SpikeTrains | BinnedSpikes, spans: Mapping[str, Span], unit: str | None
) -> tuple[SpikeTrains | BinnedSpikes, list[str]]:
    if isinstance(spikes, SpikeTrains):
        return in_seconds(spikes, spans, unit)
    if unit is not None:
        raise RecordingError(f"{file_name} has spike counts, not times. Leave out --spike-times-in.")
    return spikes, []


def _grid(
    file_name: str, bin_rate: float, spikes: SpikeTrains | BinnedSpikes, spans: Mapping[str, Span]
) -> Grid:
    if isinstance(spikes, BinnedSpikes):
        times = (spikes.centres[[0, -1]] / TICKS).tolist()
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


def _says_synthetic(nwb: NWBFile) -> bool:
    try:
        keywords = [] if nwb.keywords is None else list(values(nwb.keywords, most=MOST_CELLS))
    except Unreadable:
        keywords = []
    text = " ".join(map(str, (nwb.session_description, nwb.notes, *keywords)))
    return re.search(r"\bsynthetic\b", text, re.IGNORECASE) is not None
