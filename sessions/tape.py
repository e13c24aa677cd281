"""One record of a session: written by a recorder while it runs, then made into a file by a process."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Literal

from engine.sinks.record.recorder import Recorder
from sessions.finisher import GOING_DOWN, Finisher

TapeState = Literal["recording", "finishing", "finished", "failed"]


class Tape:
    """A record from its start to its file. May be used from any thread.

    Parameters
    ----------
    name : str
        Of the record.
    recorder : Recorder
        Running.
    finisher : Finisher
    passphrase : str, optional
        Of an encrypted record.
    """

    def __init__(
        self, name: str, recorder: Recorder, finisher: Finisher, passphrase: str | None = None
    ) -> None:
        self.name = name
        self.encrypted = passphrase is not None
        self._recorder = recorder
        self._finisher = finisher
        self._passphrase = passphrase
        self._file: Future[Path] | None = None
        self._lock = threading.Lock()  # lets it be finished once

    @property
    def state(self) -> TapeState:
        if self._recorder.error is not None:
            return "failed"
        if self._recorder.running:
            return "recording"
        if self._file is None or not self._file.done():
            return "finishing"
        return "finished" if self.error is None else "failed"

    @property
    def recording(self) -> bool:
        """Whether it listens to the session."""
        return self._recorder.running

    @property
    def error(self) -> str | None:
        """Why it has failed."""
        if self._recorder.gone:
            return f"{self._recorder.error}. Nothing of it is here: record again."
        if self._recorder.error is not None:
            return (
                f"{self._recorder.error}. What was written until then is in {self._recorder.path.name}. "
                "Make room and start the server again, which finishes it."
            )
        if self._file is None or not self._file.done():
            return None
        if self._file.cancelled():
            return GOING_DOWN
        fault = self._file.exception()
        return None if fault is None else str(fault)

    @property
    def file(self) -> Path | None:
        """The finished file."""
        finished = self._file is not None and self.state == "finished"
        return self._file.result() if finished and self._file else None

    @property
    def n_bins(self) -> int:
        return self._recorder.n_bins

    @property
    def lost(self) -> int:
        """Bins that were gone before they could be recorded."""
        return self._recorder.lost

    @property
    def voltages(self) -> bool:
        """Whether voltages are recorded, too."""
        return self._recorder.voltages is not None

    @property
    def voltage_blocks(self) -> int:
        """Blocks of voltages that are recorded."""
        log = self._recorder.voltages
        return 0 if log is None or self._recorder.gone else log.n_blocks

    @property
    def voltage_blocks_lost(self) -> int:
        """Those that were gone before they could be recorded."""
        log = self._recorder.voltages
        return 0 if log is None else log.lost

    @property
    def n_bytes(self) -> int:
        """Of the finished file, 0 if somebody has removed it; or of the journal."""
        if self.file is None:
            return 0 if self._recorder.gone else self._recorder.n_bytes
        try:
            return self.file.stat().st_size
        except FileNotFoundError:
            return 0

    def change_settings(self) -> None:
        """Note that settings of the session have changed that its replay knows nothing of."""
        self._recorder.change_settings()

    def stop(self) -> None:
        """Record no more, and have the file made. A second call does nothing."""
        self._recorder.stop()
        with self._lock:
            if self._file is None and self._recorder.error is None:
                self._file = self._finisher.finish(self._recorder.path, self._passphrase)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until a record that was stopped is finished or has failed."""
        if self._file is not None:
            self._file.exception(timeout)
