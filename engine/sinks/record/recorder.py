"""The thread that records a session: a reader of its rings with cursors of its own, and a journal."""

from __future__ import annotations

import errno
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from engine.bins import clock
from engine.bins.ring import Ring
from engine.bins.trials import Trial
from engine.bins.voltages import VoltageRing
from engine.deck.happenings import Note
from engine.deck.replay import Replay
from engine.files.entries import END, Entries
from engine.sinks.record.journal import lock, pack_array
from engine.sinks.record.record import Header, Json, trial_json
from engine.sinks.record.voltages import VoltageLog

log = logging.getLogger(__name__)

EVERY: Final = 0.25
"""Seconds at most between two writes. They go to the system at once, so that a process that is killed
loses no more; the disk has them when the system writes them, within half a minute as a rule."""

Settings = Callable[[], Mapping[str, Any]]
Scores = Callable[[int], Mapping[str, Any]]


class Predictions(Protocol):
    """What decoders have answered: rows of a ring, and the decoders' names."""

    @property
    def ring(self) -> Ring: ...

    @property
    def names(self) -> Sequence[str]:
        """A row's ``decoder`` is an index into them; they only grow."""
        ...


class Recorder:
    """Records from now on until `stop`. A listener of the replay, which at speed max waits for it.

    Parameters
    ----------
    path : Path
        Of the journal, which must not exist.
    header : Header
    replay : Replay
    settings : function
        Answers with all settings in force, ready for JSON. It may be called with the replay's lock
        held, so it must take none.
    predictions : Predictions, optional
    scores : function, optional
        Answers with the scores at the end, ready for JSON, given the index of the first line of the
        predictions' ring that is recorded.
    detection : function, optional
        Answers with how spikes were found at the end, as `Record.detection` has it.
    voltages : VoltageRing, optional
        Those to record, too.
    passphrase : str, optional
        Encrypts the journal.

    Raises
    ------
    OSError
        If the journal cannot be made.

    Attributes
    ----------
    n_bins, lost : int
        Bins that were recorded, and those that were gone before they could be.
    error : str or None
        Why it ended before it was stopped.
    voltages : VoltageLog or None
        What writes voltages down, if these are recorded.
    gone : bool
        Whether the journal was removed or moved meanwhile, so that nothing is recorded here.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        replay: Replay,
        *,
        settings: Settings,
        predictions: Predictions | None = None,
        scores: Scores | None = None,
        detection: Callable[[], Json] | None = None,
        voltages: VoltageRing | None = None,
        passphrase: str | None = None,
    ) -> None:
        self.path = path
        self.n_bins = 0
        self.lost = 0
        self.error: str | None = None
        self.gone = False
        self._replay = replay
        self._settings = settings
        self._predictions = predictions
        self._scores, self._detection = scores, detection
        self._n_names = 0
        self._told: list[tuple[Trial, int]] = list(zip(header.trials, header.go_bins, strict=True))
        self._first_predicted = self._predicted = predictions.ring.head if predictions else 0
        self._noted: tuple[Note, ...] = replay.notes
        self._changes = replay.changes
        self._changed: deque[Mapping[str, Any]] = deque()  # between whoever changes them and the thread
        self.change_settings()
        self._due = threading.Event()
        self.voltages: VoltageLog | None = None
        self._file = path.open("xb")
        try:
            lock(self._file)
            self._entries = Entries(self._file, passphrase)
            self._entries.append("header", header.to_json().encode())
            if voltages is not None:
                self.voltages = VoltageLog(voltages, self._entries, self._due.set)
            self._file.flush()
        except OSError:
            self._leave_voltages()
            path.unlink()
            with suppress(OSError):  # it would write what it just could not
                self._file.close()
            raise
        self._stopping = False
        self._cursor = replay.ring.head
        self._thread = threading.Thread(target=self._run, name=f"record {header.name}", daemon=True)
        replay.add_listener(self)
        self._thread.start()

    # As a listener

    def wake(self) -> None:
        if self._replay.changes != self._changes:
            self._changes = self._replay.changes
            self.change_settings()
        ring = self._replay.ring
        if ring.head - self._cursor >= ring.capacity // 4:
            self._due.set()

    def floor(self) -> int:
        if self.voltages is not None and self.voltages.behind:
            return self._cursor - self._replay.ring.capacity  # no room, whatever the bins' ring has
        return self._cursor

    # What others do

    @property
    def n_bytes(self) -> int:
        """Of the journal."""
        return self._entries.written

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def change_settings(self) -> None:
        """Note that settings have changed, and when. The replay's own are noticed unasked."""
        self._changed.append({"due": clock.now(), "timestamp": time.time(), **self._settings()})

    def stop(self) -> None:
        """Write what is left and close the journal. A second call does nothing."""
        self._stopping = True
        self._due.set()
        self._thread.join()

    # The thread

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._write()
                self._due.wait(EVERY)
                self._due.clear()
            scores = self._scores(self._first_predicted) if self._scores is not None else None
            self._write()  # after that, so that all that was scored is recorded
            if self.voltages is not None:
                self.voltages.end()
            if scores is not None:
                self._append_json("scores", scores)
            if self._detection is not None and (detection := self._detection()):
                self._append_json("detection", detection)
            self._append_json(END, {"lost": self.lost})
            self._file.flush()
            self._check_there()
        except OSError as error:
            self.error = error.strerror or str(error)
            log.error("%s has ended: %s", self._thread.name, self.error)
        except Exception as error:  # whatever it is, it ends this record alone, and visibly
            self.error = f"{type(error).__name__}: {error}"
            log.exception("%s has failed", self._thread.name)
        finally:
            self._replay.remove_listener(self)
            self._leave_voltages()
            # They hold the session that holds this.
            self._settings, self._scores, self._detection = dict, None, None
            with suppress(OSError):  # what could not be written above cannot be now
                self._file.close()

    def _write(self) -> None:
        rows, lost = self._replay.ring.since(self._cursor)
        self.lost += lost
        if len(rows):
            self._entries.append("bins", pack_array(rows))
        self._write_trials()
        while self._changed:
            self._append_json("settings", self._changed.popleft())
        self._write_notes()
        if self._predictions is not None:
            self._write_predictions(self._predictions)
        if self.voltages is not None:
            self.voltages.write()
        self._file.flush()
        self._check_there()
        self.n_bins += len(rows)
        self._cursor += lost + len(rows)
        self._replay.more()

    def _check_there(self) -> None:
        """A file that has lost its name takes what is written, and nobody finds it."""
        try:
            there = os.path.samestat(self.path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            there = False
        if not there:
            self.gone, self.n_bins = True, 0
            raise OSError(
                errno.ENOENT, "The folder or the journal was removed or moved while it was recorded"
            )

    def _leave_voltages(self) -> None:
        if self.voltages is not None:
            self.voltages.close()

    def _write_trials(self) -> None:
        """Those of a live source that are new, or otherwise than they were."""
        description = self._replay.description
        if description.n_bins is not None:
            return
        known, go_bins = tuple(description.trials), tuple(description.go_bins)
        for row, (trial, go_bin) in enumerate(zip(known, go_bins, strict=False)):
            if row >= len(self._told) or self._told[row] != (trial, go_bin):
                self._append_json("trial", {"row": row, "go_bin": go_bin, **trial_json(trial)})
        self._told = list(zip(known, go_bins, strict=False))

    def _write_notes(self) -> None:
        notes = self._replay.notes
        if notes != self._noted:
            known = set(self._noted)
            for note in notes:
                if note not in known:
                    self._append_json("note", vars(note))
            self._noted = notes

    def _write_predictions(self, predictions: Predictions) -> None:
        rows, lost = predictions.ring.since(self._predicted)
        self._predicted += lost + len(rows)
        if len(predictions.names) > self._n_names:
            names = list(predictions.names)
            self._append_json("decoders", names)
            self._n_names = len(names)
        if len(rows):
            self._entries.append("predictions", pack_array(rows))

    def _append_json(self, name: str, value: Any) -> None:
        self._entries.append(name, json.dumps(value).encode())
