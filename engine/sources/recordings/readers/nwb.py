"""NWB 2 files: opened, read once through pynwb, and closed."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pynwb import NWBFile

from engine.errors import RecordingError
from engine.files.hdf5 import opened
from engine.files.voltages import VoltageSeries
from engine.sources.recordings.readers.contents import Contents, Spikes
from engine.sources.recordings.readers.faults import broken_links
from engine.sources.recordings.readers.hdf5 import MOST_CELLS, Unreadable, refusal, values
from engine.sources.recordings.readers.no_spikes import NoSpikes
from engine.sources.recordings.readers.nwb_answers import is_record, read_answers, read_detection
from engine.sources.recordings.readers.nwb_counts import find_counts, read_counts
from engine.sources.recordings.readers.nwb_series import find_series
from engine.sources.recordings.readers.nwb_tables import NwbTable, find_tables, units_of
from engine.sources.recordings.readers.nwb_units import has_spike_times, read_units
from engine.sources.recordings.readers.nwb_voltages import find_voltages
from engine.sources.recordings.readers.passing import read_around
from engine.sources.recordings.readers.series import Candidate
from engine.sources.recordings.readers.wanted import Wanted


def read_nwb(path: Path, wanted: Wanted, content: io.BytesIO | None = None) -> Contents:
    """Read one file.

    Parameters
    ----------
    path : Path
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
        voltages = find_voltages(path, nwb, series, units_of(tables)[0], sealed=content is not None)
        if voltages is not None:
            series = [each for each in series if each.name != voltages.name]
        spikes, passed_over = _read_spikes(path.name, nwb, series, tables, broken, voltages)
        return Contents.chosen(
            path.name,
            wanted,
            spikes,
            series,
            tables,
            broken=broken,
            passed_over=passed_over,
            synthetic=_says_synthetic(nwb),
            answers=read_answers(nwb),
            voltages=voltages,
            detection=read_detection(nwb),
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
    tables: Sequence[NwbTable],
    broken: Mapping[str, str],
    voltages: VoltageSeries | None,
) -> tuple[Spikes, list[dict[str, str]]]:
    """Spike times; or spike counts, where there are none or it is a record, whose series leaves the list.

    There need not be any where there are voltages.

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
    if voltages is not None and (units is None or not len(units)):
        if voltages.misfit:
            raise RecordingError(f"{file_name} has no units, and its voltages {voltages.misfit}.")
        return NoSpikes(voltages.stretches.spans), passed_over
    return read_units(file_name, units), passed_over


def _says_synthetic(nwb: NWBFile) -> bool:
    try:
        keywords = [] if nwb.keywords is None else list(values(nwb.keywords, most=MOST_CELLS))
    except Unreadable:
        keywords = []
    text = " ".join(map(str, (nwb.session_description, nwb.notes, *keywords)))
    return re.search(r"\bsynthetic\b", text, re.IGNORECASE) is not None
