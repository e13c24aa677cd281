"""A record for other programs: CSV for spreadsheets, npz for numpy."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

import numpy as np
import numpy.typing as npt

from engine.bins.schema import BIN, kept_names
from engine.sinks.record.record import Record

PARTS = {
    field.name: tuple(f"{field.name}_{part}" if field.only else part.lstrip("#") for part in field.parts)
    for field in BIN
    if field.parts
}
PARTS["values"] = PARTS["kinematics"]
"""Columns of the fields that hold several numbers; ``values`` are those of a prediction."""

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate."""

Rows = npt.NDArray[np.void]


def write_csv(record: Record, table: str, out: TextIO) -> None:
    """Write one table: a line a row, numbers in as many digits as it takes to read them back equal.

    Parameters
    ----------
    record : Record
    table : str
        ``bins``, ``predictions`` or ``events``.
    out : text file
        Opened with ``newline=""``. A missing number is an empty cell.
    """
    writer = csv.writer(out)
    if table == "events":
        writer.writerow(("timestamp", "due", "text"))
        writer.writerows((note.timestamp, note.due, plain(note.text)) for note in record.notes)
        return
    rows = record.rows if table == "bins" else record.predictions
    columns = dict(_columns(rows, record.header.channel_names))
    if "decoder" in columns:
        columns["decoder_name"] = [plain(record.decoders[decoder]) for decoder in columns["decoder"]]
    writer.writerow(map(plain, columns))
    writer.writerows(
        ["" if value != value else value for value in line] for line in zip(*columns.values(), strict=True)
    )


def plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that begins like one has an apostrophe before it.

    As OWASP has it (CSV injection); numbers are not touched.
    """
    return f"'{text}" if text.startswith(FORMULAS) else text


def _columns(rows: Rows, units: tuple[str, ...]) -> Iterator[tuple[str, list[Any]]]:
    for name in kept_names(rows):
        values = rows[name]
        if values.dtype.kind == "b":
            values = values.astype(np.uint8)
        if values.ndim == 1:
            yield name, values.tolist()
        else:
            parts = units if name == "counts" else PARTS[name]
            yield from zip(parts, values.T.tolist(), strict=True)


def write_npz(record: Record, out: BinaryIO) -> None:
    """Write all of a record, compressed, without pickle.

    Fields of bins have their own names, such as ``counts`` (n_bins, n_units); those of predictions
    begin with ``prediction_``. ``decoders`` has names, ``events``, ``event_timestamps`` and
    ``event_due`` what was asked of the session; ``header``, ``settings`` and ``scores`` are JSON.
    """
    arrays: dict[str, Any] = {name: record.rows[name] for name in kept_names(record.rows)}
    predictions = record.predictions
    arrays |= {f"prediction_{name}": predictions[name] for name in predictions.dtype.names or ()}
    np.savez_compressed(
        out,
        allow_pickle=False,
        **arrays,
        decoders=np.array(record.decoders, np.str_),
        events=np.array([note.text for note in record.notes], np.str_),
        event_timestamps=np.array([note.timestamp for note in record.notes], np.float64),
        event_due=np.array([note.due for note in record.notes], np.float64),
        header=np.array(record.header.to_json()),
        settings=np.array([json.dumps(each) for each in record.settings], np.str_),
        scores=np.array(json.dumps(record.scores)),
    )
