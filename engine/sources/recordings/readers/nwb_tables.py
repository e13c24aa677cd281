"""Tables of an NWB file: those of trials and those of units, wherever they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hdmf.common import DynamicTable, VectorIndex
from hdmf.container import AbstractContainer
from pynwb import NWBFile
from pynwb.misc import Units

from engine.sources.recordings.readers.hdf5 import MOST_CELLS, values
from engine.sources.recordings.readers.tables import Table

PLACES = ("processing", "acquisition", "analysis", "scratch")


@dataclass(frozen=True, eq=False)
class NwbTable(Table):
    """A `DynamicTable`, whose columns are read when they are asked for."""

    table: DynamicTable

    def __len__(self) -> int:
        return len(self.table)

    @property
    def colnames(self) -> Sequence[str]:
        names: Sequence[str] = self.table.colnames
        return names

    @property
    def ids(self) -> list[int]:
        return [int(i) for i in self.table.id[:]]

    def column(self, name: str) -> list[Any]:
        return _values(self.table[name])


def _values(column: Any) -> list[Any]:
    """One Python value a trial; ragged columns are cut once per level of their index."""
    if not isinstance(column, VectorIndex):
        data = values(column.data, most=MOST_CELLS)
        return list(data) if data.ndim > 1 else [_plain(value) for value in data.tolist()]
    inner = column.target
    cells: Any = _values(inner) if isinstance(inner, VectorIndex) else values(inner.data, most=MOST_CELLS)
    ends = [int(end) for end in values(column.data, most=MOST_CELLS)]
    return [cells[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def find_tables(nwb: NWBFile) -> list[NwbTable]:
    """Every table outside of the description of the experiment."""
    own = [(nwb.units, "units"), (nwb.trials, "intervals/trials"), (nwb.epochs, "intervals/epochs")]
    found = [NwbTable(path, table) for table, path in own if table is not None]
    found += [NwbTable(f"intervals/{name}", table) for name, table in nwb.intervals.items()]
    for place in PLACES:
        found += [NwbTable(path, table) for table, path in _below(getattr(nwb, place), place)]
    return list({id(each.table): each for each in reversed(found)}.values())[::-1]


def _below(holder: Any, path: str) -> Iterator[tuple[DynamicTable, str]]:
    for name, item in holder.items() if isinstance(holder, dict) else _children(holder):
        if isinstance(item, DynamicTable):
            yield item, f"{path}/{name}"
        elif isinstance(item, AbstractContainer):
            yield from _below(item, f"{path}/{name}")


def _children(holder: AbstractContainer) -> Iterator[tuple[str, Any]]:
    for value in holder.fields.values():
        if isinstance(value, dict):
            yield from value.items()


def units_of(tables: Sequence[NwbTable]) -> tuple[Units | None, list[NwbTable]]:
    """The table of units that has spike times, and those that are passed over for it."""
    found = [each for each in tables if isinstance(each.table, Units)]
    if not found:
        return None, []
    best = next((each for each in found if "spike_times" in each.table.colnames), found[0])
    return best.table, [each for each in found if each is not best]
