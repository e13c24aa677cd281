"""A journal: the entries of a record as they are written, and what a reader makes of them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from engine.answers.prediction import PREDICTION
from engine.bins.schema import Rows, row_dtype
from engine.deck.happenings import Note
from engine.errors import RecordingError
from engine.files.entries import read_entries
from engine.sinks.record.columns import Columns
from engine.sinks.record.record import Header, Record
from engine.sinks.record.voltages import CHUNK, GAP, HEAD, LAYOUT, recorded_voltages

ENDING = ".journal"


def unfinished(path: Path) -> Path:
    """Where a record is made, hidden from those who list records, before it appears as `path`."""
    return path.with_name(f".{path.name}")


def pack_array(rows: npt.NDArray[np.void]) -> bytes:
    """Rows with their dtype, in numpy's own format: a journal explains itself."""
    packed = io.BytesIO()
    np.lib.format.write_array(packed, rows, allow_pickle=False)
    return packed.getvalue()


def lock(file: BinaryIO) -> bool:
    """Claim a journal until it is closed; false if another process writes or finishes it."""
    if sys.platform == "win32":
        return True  # there an open file cannot be removed, which is what this is for
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_journal(
    file: BinaryIO, name: str, passphrase: str | None = None, folder: Path | None = None
) -> Record:
    """Everything that was written whole.

    Parameters
    ----------
    file : binary file
    name : str
        The file's, for messages.
    passphrase : str, optional
        Of a journal that is encrypted.
    folder : Path, optional
        Where its rows may lie as `engine.sinks.record.columns.Columns`; in memory if None.

    Raises
    ------
    RecordingError
        If there is no whole entry, or the passphrase does not open it.
    """
    entries: dict[str, list[bytes]] = {}
    columns: Columns | None = None
    heads: list[bytes] = []  # of voltages, which themselves are too many for the memory
    for entry, content in read_entries(file, name, passphrase):
        if entry == "bins" and folder is not None:
            rows = _array(content)
            columns = columns or Columns(rows.dtype, folder)
            columns.append(rows)
        elif entry == CHUNK:
            heads.append(content[: HEAD.size])
        else:
            entries.setdefault(entry, []).append(content)
    if "header" not in entries:
        raise RecordingError(f"{name} ends before anything was recorded. Delete it.")
    header = Header.from_json(entries["header"][0])
    for each in entries.get("trial", []):
        header = header.with_trial(**_trial_entry(each))
    parts = [_array(each) for each in entries.get("bins", [])] or [
        np.empty(0, row_dtype(len(header.channel_names)))
    ]
    predictions = [_array(each) for each in entries.get("predictions", [])] or [np.empty(0, PREDICTION)]
    return Record(
        header=header,
        rows=cast(Rows, columns) if columns else np.concatenate(parts),
        predictions=np.concatenate(predictions),
        decoders=tuple(json.loads(entries.get("decoders", [b"[]"])[-1])),
        notes=tuple(Note(**json.loads(note)) for note in entries.get("note", [])),
        settings=[json.loads(each) for each in entries.get("settings", [])],
        scores=json.loads(entries.get("scores", [b"{}"])[-1]),
        detection=json.loads(entries.get("detection", [b"{}"])[-1]),
        voltages=recorded_voltages(entries.get(LAYOUT, [None])[0], heads, entries.get(GAP, [])),
    )


def _trial_entry(content: bytes) -> dict[str, Any]:
    read = json.loads(content)
    return {"row": read.pop("row"), "go_bin": read.pop("go_bin"), "trial": read}


def _array(packed: bytes) -> npt.NDArray[np.void]:
    rows: npt.NDArray[np.void] = np.lib.format.read_array(io.BytesIO(packed), allow_pickle=False)
    return rows
