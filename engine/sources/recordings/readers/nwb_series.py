"""Where an NWB file has series that may be behaviour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hdmf.common import DynamicTable
from hdmf.container import AbstractContainer
from pynwb import NWBFile, TimeSeries
from pynwb.behavior import SpatialSeries

from engine.sources.recordings.readers.series import PLACES, Candidate


def find_series(nwb: NWBFile) -> list[Candidate]:
    """Every time series that may be behaviour, wherever it is, the likeliest first."""
    seen: set[int] = set()
    found = [c for place in PLACES for c in _below(getattr(nwb, place), place, seen)]
    return sorted(found, key=lambda candidate: candidate.rank)


def _below(holder: Any, path: str, seen: set[int]) -> Iterator[Candidate]:
    for name, item in _items(holder):
        if id(item) in seen:  # a link to what was already found
            continue
        seen.add(id(item))
        if isinstance(item, TimeSeries):
            spatial, kind = isinstance(item, SpatialSeries), type(item)
            other = kind not in (TimeSeries, SpatialSeries)
            misfit = f"neither position nor velocity, but of type {kind.__name__}" if other else ""
            yield Candidate(item, f"{path}/{name}", type(holder).__name__, spatial, misfit)
        else:
            yield from _below(item, f"{path}/{name}", seen)


def _items(holder: Any) -> Iterator[tuple[str, Any]]:
    """Containers that a container or a mapping of containers holds, with their names."""
    if isinstance(holder, dict):
        yield from ((name, item) for name, item in holder.items() if isinstance(item, AbstractContainer))
    elif not isinstance(holder, DynamicTable):
        for item in holder.fields.values():
            if isinstance(item, dict):
                yield from _items(item)
            elif isinstance(item, TimeSeries):
                yield item.name, item
