"""The folder of records: starts them, finishes what an earlier server left, lists and gives them out."""

from __future__ import annotations

import dataclasses
import logging
import platform
import re
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from engine.bins.source import Source, refuse
from engine.errors import BadSetting, NotNow
from engine.files.sealed import KEY, SEALED
from engine.sinks.record.journal import ENDING
from engine.sinks.record.record import header_of
from engine.sinks.record.recorder import Recorder
from engine.sinks.record.scored import scores_of
from engine.sources.electrodes.implant import implant_of
from engine.sources.user.source import SimulatedUser
from sessions.electrodes import detected
from sessions.finisher import CHUNK, FINISHED, Export, Finisher, export
from sessions.refusals import Busy, Conflict, NoRecords, UnknownRecord
from sessions.session import Session
from sessions.tape import Tape
from sessions.version import version

log = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
EXPORTS = 4
"""At once at most: each is a process, and lasts as long as its client takes."""

EntryState = Literal["finished", "unfinished"]


@dataclass(frozen=True)
class Entry:
    """A record in the folder. One that is unfinished is being written, or waits to be finished."""

    name: str
    path: Path
    state: EntryState
    encrypted: bool
    n_bytes: int
    modified: float
    """Unix seconds."""


class Archive:
    """Records in one folder. Its methods may be called from any thread, and may block.

    Parameters
    ----------
    folder : Path
        Made when the first record starts.
    passphrase : str, optional
        Encrypts records for which no other is given.
    """

    def __init__(self, folder: Path, passphrase: str | None = None) -> None:
        self.folder = folder
        self._passphrase = passphrase
        self._finisher = Finisher()
        self._room = threading.BoundedSemaphore(EXPORTS)

    def start(
        self,
        session: Session,
        name: str | None = None,
        encrypt: bool | None = None,
        passphrase: str | None = None,
        voltages: bool = False,
    ) -> Tape:
        """Record a session from now on.

        Parameters
        ----------
        session : Session
        name : str, optional
            The record's name begins with it; with the session's code if None. The time follows.
        encrypt : bool, optional
            If None, the record is encrypted if there is a passphrase, here or in the environment.
        passphrase : str, optional
        voltages : bool
            Whether to record those below the bins, too.

        Raises
        ------
        NotNow
            If there are none.
        BadSetting
            If the name is not one, or it is to be encrypted and there is no passphrase.
        Conflict
            If the session is being recorded.
        UnknownSession
            If it has just been deleted.
        NoRecords
            If the folder cannot be written.
        """
        passphrase = self._checked(encrypt, passphrase)
        if name is not None and not NAME.fullmatch(name):
            raise BadSetting(f"Bad name {name[:80]!r}. Use 1 to 64 letters, digits, '_' or '-'.")
        ring = session.replay.voltages
        if voltages and ring is None:
            refuse(session.replay.source, "voltages", "electrodes")
        started = time.time()
        at = datetime.fromtimestamp(started, UTC)
        full = f"{name or session.code}-{at:%Y%m%d-%H%M%S}-{at.microsecond // 1000:03d}"
        header = header_of(session.description, full, session.code, started, _versions())
        make = partial(
            Recorder,
            self.folder / (full + ENDING),
            header,
            session.replay,
            settings=partial(settings_of, session),
            predictions=session.predictions,
            scores=lambda first: scores_of(session.scores, session.view.hit_radius, first),
            detection=partial(detection_of, session.replay.source),
            voltages=ring if voltages else None,
            passphrase=passphrase,
        )

        def tape() -> Tape:
            return Tape(full, make(), self._finisher, passphrase)

        try:
            self._make_folder()
            return session.record(tape)
        except FileExistsError:
            raise Conflict(f"There is a record {full}. Choose another name.") from None
        except OSError as error:
            raise _unwritable(error) from None

    def finish_left(self) -> None:
        """Finish the journals that a server left which was killed."""
        for entry in self.entries().values():
            if entry.state == "unfinished":
                self._finisher.finish(entry.path, self._passphrase).add_done_callback(
                    partial(_tell, entry.name)
                )

    def entries(self) -> dict[str, Entry]:
        """The records of the folder by name, the newest first."""
        found = []
        for ending in (ENDING, *FINISHED):
            for path in self.folder.glob(f"[!.]*{ending}"):
                with suppress(OSError):  # it has just been renamed or removed, or leads nowhere
                    if self._is_ours(path):
                        found.append(_entry(path, ending))
        found.sort(key=lambda entry: entry.modified, reverse=True)
        return {entry.name: entry for entry in found}

    def entry(self, name: str) -> Entry:
        """A finished record.

        Raises
        ------
        UnknownRecord
            If there is none of this name.
        NotNow
            If it is not finished.
        """
        entry = self.entries().get(name)
        if entry is None:
            raise UnknownRecord(f"Unknown record {name[:80]!r}. GET /api/records lists those that exist.")
        if entry.state != "finished":
            raise NotNow(
                f"The record {name} is still recorded or being finished. "
                "Ask again when GET /api/sessions/CODE/record says finished."
            )
        return entry

    def content(self, entry: Entry) -> Generator[bytes]:
        """The file, as it is, piece by piece."""
        with entry.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def export(self, entry: Entry, kind: Export, *options: str) -> Generator[bytes]:
        """A record in another format, piece by piece.

        Raises
        ------
        NotNow
            If it is encrypted and there is no passphrase.
        Busy
            If as many are made as may be.
        """
        if entry.encrypted and self._passphrase is None:
            raise NotNow(f"{entry.path.name} is encrypted. Start the server with {KEY} to export it.")
        if not self._room.acquire(blocking=False):
            raise Busy(f"{EXPORTS} records are exported already. Try again when one of them is done.")
        return self._in_its_room(export(entry.path, kind, *options, passphrase=self._passphrase))

    def hurry(self) -> None:
        """The sessions are about to end: what is finished from now on need not stand back."""
        self._finisher.niceness = 0

    def close(self, within: float = 0.0) -> None:
        """Finish what can be in so many seconds, and leave the rest to the next start.

        Close the sessions first: that stops their records.
        """
        self._finisher.close(within)

    def _in_its_room(self, pieces: Generator[bytes]) -> Generator[bytes]:
        try:
            yield from pieces
        finally:
            self._room.release()

    def _is_ours(self, path: Path) -> bool:
        """Whether it is a file of this folder that can be named in an answer, whatever else lies there."""
        if not path.is_file() or not path.name.isprintable():
            return False
        return path.resolve().is_relative_to(self.folder.resolve())

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(error) from None

    def _checked(self, encrypt: bool | None, passphrase: str | None) -> str | None:
        if encrypt is False:
            if passphrase is not None:
                raise BadSetting("A passphrase was sent with encrypt false. Send one or the other.")
            return None
        passphrase = passphrase or self._passphrase
        if encrypt and passphrase is None:
            raise BadSetting(f"There is no passphrase. Send one, or start the server with {KEY}.")
        return passphrase


def settings_of(session: Session) -> Mapping[str, Any]:
    """Every setting of a session, ready for JSON. Takes no lock: a recorder asks with one held."""
    replay = session.replay
    return {
        "seed": replay.seed,
        "speed": replay.speed,
        "loop": replay.loop,
        "selection": dataclasses.asdict(replay.selection),
        "perturbation": replay.perturbation,
        "timetable": [dataclasses.asdict(step) for step in replay.timetable],
        "view": session.view.settings,
        **closed_loop_of(replay.source),
        **electrodes_of(replay.source),
    }


def closed_loop_of(source: Source) -> Mapping[str, Any]:
    """What a simulated user was made with; nothing of all else."""
    if not isinstance(source, SimulatedUser):
        return {}
    loop = {**dataclasses.asdict(source.loop), "driver": source.driver}
    tuned = {
        "user": source.user.settings,
        "task": source.task.settings,
        "steering": source.steering.settings,
    }
    return {"closed_loop": {**loop, **tuned}}


def electrodes_of(source: Source) -> Mapping[str, Any]:
    """What electrodes and the detection of spikes are set to; nothing of all else."""
    implant = implant_of(source)
    if implant is None:
        return {}
    return {"electrodes": implant.tuning.array.settings, "detection": implant.tuning.detection.settings}


def detection_of(source: Source) -> Mapping[str, Any]:
    """How spikes are found on each channel, ready for JSON; nothing of all else."""
    found = detected(source)
    return {name: values.tolist() for name, values in found.by_channel.items()} if found else {}


def _entry(path: Path, ending: str) -> Entry:
    facts = path.stat()
    return Entry(
        name=path.name.removesuffix(ending),
        path=path,
        state="unfinished" if ending == ENDING else "finished",
        encrypted=ending.endswith(SEALED),
        n_bytes=facts.st_size,
        modified=facts.st_mtime,
    )


def _unwritable(error: OSError) -> NoRecords:
    return NoRecords(
        f"The folder of records cannot be written: {error.strerror}. Choose another with --records."
    )


def _versions() -> dict[str, str]:
    return {"phantomdeck": version(), "python": platform.python_version(), "numpy": np.__version__}


def _tell(name: str, future: Any) -> None:
    if not future.cancelled() and future.exception() is not None:
        log.warning("The record %s is not finished: %s", name, future.exception())
