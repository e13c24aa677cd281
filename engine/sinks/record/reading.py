"""A finished record, or its journal, back to header: rows, predictions, notes, settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from engine.answers.prediction import PREDICTION
from engine.bins.schema import Rows, row_dtype
from engine.deck.happenings import Note
from engine.errors import RecordingError
from engine.files.sealed import SEALED, passphrase_here, unsealed
from engine.sinks.record.electrical import described_voltages
from engine.sinks.record.journal import ENDING, read_journal
from engine.sinks.record.record import Header, Record

COUNTS = "processing/ecephys/spike_counts/data"
POSITION = "processing/behavior/cursor_pos/data"
VELOCITY = "processing/behavior/cursor_vel/data"
TABLES = "processing/record"


def read_record(path: Path, passphrase: str | None = None) -> Record:
    """Read all of a record, exactly as it was sent.

    Parameters
    ----------
    path : Path
        Of a finished record, ``.nwb`` or ``.nwb.enc``, or of a journal.
    passphrase : str, optional
        Of an encrypted one; that of the environment if None.

    Raises
    ------
    RecordingError
        If it is not a record, or the passphrase does not open it.
    """
    passphrase = passphrase or passphrase_here()
    if path.suffix == ENDING:
        with path.open("rb") as file:
            return read_journal(file, path.name, passphrase)
    content = unsealed(path, passphrase) if path.suffix == SEALED else path
    try:
        with h5py.File(content, "r") as file:
            return _read(file)
    except (OSError, KeyError) as fault:
        raise RecordingError(f"{path.name} is not a record. Check what it is.") from fault


def _read(file: h5py.File) -> Record:
    header = Header.from_json(file["scratch/header"][()])
    tables = file[TABLES]
    predictions = np.empty(0, PREDICTION)
    decoders: tuple[str, ...] = ()
    if "predictions" in tables:
        columns = _columns(tables["predictions"])
        dtype = np.dtype([(name, each.dtype, each.shape[1:]) for name, each in columns.items()])
        predictions = np.empty(len(columns["decoder"]), dtype)
        for name, values in columns.items():
            predictions[name] = values
        decoders = tuple(_texts(tables["decoders/decoder_name"]))
    detection = _columns(tables["detection"]) if "detection" in tables else {}
    notes: tuple[Note, ...] = ()
    if "events" in tables:
        notes = tuple(_notes(tables["events"]))
    return Record(
        header=header,
        rows=_rows(file, len(header.channel_names)),
        predictions=predictions,
        decoders=decoders,
        notes=notes,
        settings=json.loads(file["scratch/settings"][()]),
        scores=json.loads(file["scratch/scores"][()]),
        detection={name: values.tolist() for name, values in detection.items()},
        voltages=described_voltages(file),
    )


def _notes(table: h5py.Group) -> Iterator[Note]:
    columns = {each.name: table[each.name] for each in fields(Note) if each.name in table}
    texts = {"text": _texts(columns.pop("text"))}
    values = {**texts, **{name: column[:].tolist() for name, column in columns.items()}}
    for cells in zip(*values.values(), strict=True):
        yield Note(**dict(zip(values, cells, strict=True)))


def _rows(file: h5py.File, n_units: int) -> Rows:
    if COUNTS not in file:
        return np.empty(0, row_dtype(n_units))
    counts = file[COUNTS][:]
    rows: Rows = np.zeros(len(counts), row_dtype(n_units, counts.dtype))
    columns = _columns(file[f"{TABLES}/bins"])
    for name in columns.keys() & set(rows.dtype.names or ()):  # other versions may have sent other header
        rows[name] = columns[name]
    rows["intended"] = columns.get("intended", np.nan)
    if "coverage" not in columns:
        rows["coverage"] = rows["observed"]
    rows["counts"] = counts
    rows["kinematics"][:, :2] = file[POSITION][:]
    rows["kinematics"][:, 2:] = file[VELOCITY][:]
    return rows[rows["packet_id"] >= 0]


def _columns(table: h5py.Group) -> dict[str, npt.NDArray[Any]]:
    return {name: table[name][:] for name in table.attrs["colnames"]}


def _texts(dataset: h5py.Dataset) -> list[str]:
    return [str(text) for text in dataset.asstr()[:]]
