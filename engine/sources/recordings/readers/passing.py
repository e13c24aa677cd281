"""An NWB file read although something in it is broken: what nobody needs is passed over, by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import h5py
from pynwb import NWBHDF5IO, NWBFile

from engine.errors import RecordingError
from engine.sources.recordings.readers.part import SPECIFICATIONS, Part

log = logging.getLogger(__name__)

Open = Callable[[], h5py.File]

KEPT = {
    "units": ("id", "spike_times", "spike_times_index", "obs_intervals", "obs_intervals_index"),
    "intervals": ("id", "start_time", "stop_time"),
}
"""Columns without which a table says nothing."""
NEEDED = ("intervals/trials", "units")
REQUIRED = ("identifier", "session_description", "session_start_time", "timestamps_reference_time")
HOLDERS = ("processing", "acquisition", "analysis", "scratch", "stimulus")
MOST_BROKEN = 20
"""Objects that are passed over; beyond that the file is not what it claims to be."""
BROKEN = "it is not valid NWB"


@contextmanager
def read_around(
    name: str, open_file: Open, broken: Mapping[str, str]
) -> Iterator[tuple[NWBFile, Mapping[str, str]]]:
    """Read a file with pynwb, around what is broken.

    Parameters
    ----------
    name : str
        Of the file, for messages.
    open_file : callable
        Opens it anew: pynwb closes what it has read.
    broken : mapping
        Places that are known to be broken, and why.

    Yields
    ------
    nwb : NWBFile
    passed_over : mapping
        Place to reason.

    Raises
    ------
    RecordingError
        If what is needed is broken.
    """
    passed = dict(broken)
    reader = _read(open_file, passed or None)
    if not reader:
        reader = _read(open_file, passed)
    while not reader:
        if len(passed) > MOST_BROKEN:
            raise RecordingError(f"{name} is not valid NWB: much of it cannot be read. Write it again.")
        passed[_culprit(name, open_file, passed)] = BROKEN
        reader = _read(open_file, passed)
    with reader:
        yield reader.read(), passed


def _read(open_file: Open, hidden: Mapping[str, str] | None) -> NWBHDF5IO | None:
    """What has read a file, or a part of it; None where that does not go. To be closed."""
    file = open_file()
    try:
        reader = NWBHDF5IO(file=file if hidden is None else Part(file, frozenset(hidden)), mode="r")
        reader.read()
    except Exception as fault:  # pynwb raises any kind for what it does not expect in a file
        log.debug("What pynwb says", exc_info=fault)
        file.close()
        return None
    return reader


def _reads(open_file: Open, hidden: Mapping[str, str]) -> bool:
    reader = _read(open_file, hidden)
    if reader:
        reader.close()
    return reader is not None


def _culprit(name: str, open_file: Open, passed: Mapping[str, str]) -> str:
    """The place that hinders pynwb: the last of the fewest that must be hidden, in an order in which what
    refers to others comes before them."""
    with open_file() as file:
        _refuse_incomplete(name, file)
        spare = [place for place in _spare(file) if place not in passed]

    def reads_without(places: list[str]) -> bool:
        return _reads(open_file, {**passed, **dict.fromkeys(places, "")})

    if not reads_without(spare):
        for i, place in enumerate(NEEDED, start=1):
            if reads_without([*spare, *NEEDED[:i]]):
                raise RecordingError(f"{name} is not valid NWB: {place} cannot be read. Write it again.")
        raise RecordingError(
            f"{name} is not valid NWB: its identifier, description, start time or version is not as it "
            "must be. Write it again."
        )
    low, high = 0, len(spare)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reads_without(spare[:middle]) else (middle, high)
    return spare[low]


def _refuse_incomplete(name: str, file: h5py.File) -> None:
    for required in REQUIRED:
        if required not in file:
            raise RecordingError(f"{name} is not valid NWB: it has no {required}. Write it again.")


def _spare(file: h5py.File) -> list[str]:
    """Places that a recording can do without, those that refer to others first."""
    tables = {place: file[place] for place in ("units",) if place in file}
    intervals = file.get("intervals")
    if intervals is not None:
        tables |= {f"intervals/{name}": intervals[name] for name in intervals if intervals.get(name)}
    columns = [
        f"{place}/{name}"
        for place, table in tables.items()
        for name in table
        if name not in KEPT[place.partition("/")[0]]
    ]
    inner: list[str] = []
    outer: list[str] = []
    for holder in HOLDERS:
        for name, child in _groups(file.get(holder)):
            place = f"{holder}/{name}"
            outer.append(place)
            for below, grandchild in _groups(child):
                inner.append(f"{place}/{below}")
                inner[-1:-1] = [f"{place}/{below}/{last}" for last, _ in _groups(grandchild)]
    others = [place for place in tables if place not in ("units", "intervals/trials")]
    general = [f"general/{name}" for name in file.get("general", ())]
    return [*columns, *inner, *outer, *others, *general, SPECIFICATIONS]


def _groups(holder: h5py.Group | None) -> Iterator[tuple[str, h5py.Group]]:
    if isinstance(holder, h5py.Group):
        for name in holder:
            child = holder.get(name)
            if isinstance(child, h5py.Group):
                yield name, child
