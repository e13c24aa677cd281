"""REST calls that record sessions and give records out."""

from __future__ import annotations

from datetime import UTC, datetime

from sessions.archive import Archive
from sessions.refusals import NoRecords
from sessions.rest.context import Context, Stream
from sessions.rest.models.records import RecordAnswer, RecordEntry, RecordList
from sessions.rest.requests import RecordAsk, TableQuery
from sessions.session import Session


def start_record(context: Context, code: str, asked: RecordAsk) -> RecordAnswer:
    """Record a session from now on: packets as sent, predictions, events, settings, and voltages on demand.

    What is recorded is on the disk within a second. A record keeps its session from expiring.
    """
    session = context.session(code)
    archive_of(context).start(session, **asked.model_dump())
    return record_answer(session)


def show_record(context: Context, code: str) -> RecordAnswer:
    """The newest record of a session; its state is `off` if there is none."""
    return record_answer(context.session(code))


def stop_record(context: Context, code: str) -> RecordAnswer:
    """Stop recording; the NWB file is made then. Stopping what is not running does nothing."""
    session = context.session(code)
    if session.tape is not None:
        session.tape.stop()
    return record_answer(session)


def list_records(context: Context) -> RecordList:
    """All records of the server's folder, the newest first."""
    found = [
        RecordEntry(
            name=entry.name,
            state=entry.state,
            encrypted=entry.encrypted,
            bytes=entry.n_bytes,
            modified=datetime.fromtimestamp(entry.modified, UTC),
        )
        for entry in archive_of(context).entries().values()
    ]
    return RecordList(records=found, count=len(found))


def get_nwb(context: Context, name: str) -> Stream:
    """The record itself, an NWB file that can be replayed; encrypted if the record is."""
    archive = archive_of(context)
    entry = archive.entry(name)
    return Stream.of(archive.content(entry), "application/x-hdf5", entry.path.name)


def get_csv(context: Context, name: str, asked: TableQuery) -> Stream:
    """One table of a record, for spreadsheets: one line a packet, prediction or event."""
    archive = archive_of(context)
    pieces = archive.export(archive.entry(name), "csv", asked.table)
    return Stream.of(pieces, "text/csv", f"{name}-{asked.table}.csv")


def get_npz(context: Context, name: str) -> Stream:
    """All of a record for numpy; `numpy.load` reads it without pickle."""
    archive = archive_of(context)
    pieces = archive.export(archive.entry(name), "npz")
    return Stream.of(pieces, "application/zip", f"{name}.npz")


def archive_of(context: Context) -> Archive:
    """Where records are.

    Raises
    ------
    NoRecords
        If there is no such place.
    """
    if context.archive is None:
        raise NoRecords("This server keeps no records. Start it with serve.py.")
    return context.archive


def record_answer(session: Session) -> RecordAnswer:
    """The newest record of a session as clients see it."""
    tape = session.tape
    return RecordAnswer(
        session_code=session.code,
        state=tape.state if tape else "off",
        name=tape.name if tape else None,
        encrypted=tape is not None and tape.encrypted,
        bins=tape.n_bins if tape else 0,
        seconds=tape.n_bins / session.description.bin_rate if tape else 0.0,
        bytes=tape.n_bytes if tape else 0,
        lost=tape.lost if tape else 0,
        voltages=tape is not None and tape.voltages,
        voltage_blocks=tape.voltage_blocks if tape else 0,
        voltage_blocks_lost=tape.voltage_blocks_lost if tape else 0,
        error=tape.error if tape else None,
    )
