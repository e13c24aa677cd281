"""A journal -> the NWB file of the record, plain or encrypted. The file appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, cast

import h5py
from pynwb import NWBHDF5IO

from engine.errors import RecordingError
from engine.files.concealed import Concealed
from engine.files.entries import END, Entries, is_sealed
from engine.files.sealed import SEALED
from engine.sinks.record.electrical import copy_chunks
from engine.sinks.record.journal import lock, read_journal, unfinished
from engine.sinks.record.nwb import to_nwb
from engine.sinks.record.record import Record
from engine.sinks.record.scored import with_scores
from engine.sinks.record.voltages import read_chunks

PIECE = 1024 * 1024
"""Bytes of an entry of an encrypted file."""


def finish(journal: Path, passphrase: str | None = None) -> Path:
    """Make the NWB file of a journal beside it, and remove the journal.

    Parameters
    ----------
    journal : Path
    passphrase : str, optional
        Of a journal that is encrypted. The file will be too: it never is on the disk in plain text.

    Returns
    -------
    Path
        Of the file, which appears whole or not at all.

    Raises
    ------
    RecordingError
        If the journal is being written, holds nothing, or the passphrase does not open it.
    OSError
        If the file cannot be written.
    """
    with journal.open("rb") as file:
        if not lock(file):
            raise RecordingError(f"{journal.name} is still being written. Stop that record first.")
        sealed = is_sealed(file, journal.name)
        file.seek(0)
        # What is encrypted never is on the disk in plain text, not even in a file without a name.
        record = with_scores(
            read_journal(file, journal.name, passphrase, None if sealed else journal.parent)
        )
        path = journal.with_suffix(".nwb" + (SEALED if sealed else ""))
        making = unfinished(path)
        try:
            with making.open("w+b") as out:
                chunks = read_chunks(file, journal.name, passphrase)
                if sealed and passphrase is not None:
                    with Concealed(journal.parent) as plain:
                        _write(cast(BinaryIO, plain), record, chunks)
                        _seal(out, plain, passphrase)
                else:
                    _write(out, record, chunks)
                out.flush()
                os.fsync(out.fileno())  # before the journal goes
            os.replace(making, path)
        finally:
            making.unlink(missing_ok=True)
        journal.unlink()
    return path


def _write(out: BinaryIO, record: Record, chunks: Iterable[tuple[int, bytes]]) -> None:
    with h5py.File(out, "w") as file, NWBHDF5IO(file=file, mode="w") as writer:
        writer.write(to_nwb(record))
        if record.voltages is not None:
            copy_chunks(file, record.voltages, chunks)


def _seal(out: BinaryIO, plain: Concealed, passphrase: str) -> None:
    entries = Entries(out, passphrase)
    plain.seek(0)
    while piece := plain.read(PIECE):
        entries.append("nwb", piece)
    entries.append(END, b"")
