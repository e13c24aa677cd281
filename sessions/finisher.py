"""Makes files of journals, and exports of files, in processes of their own: both take long."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Literal

from engine import scheduling
from engine.files.sealed import KEY, SEALED
from engine.sinks.record.journal import unfinished
from sessions.refusals import RecordFailed

log = logging.getLogger(__name__)

ROOT = Path(__file__).parent.parent
NICENESS = 10
"""On a busy machine a tenth of what others get: sessions come first, and a record is finished too."""
CHUNK = 256 * 1024
FINISHED = (".nwb", ".nwb" + SEALED)
"""Endings of a finished record."""
GOING_DOWN = "The server went down. The next start finishes this record."

Export = Literal["csv", "npz"]


class Finisher:
    """Finishes one journal at a time. May be used from any thread.

    Attributes
    ----------
    niceness : int
        Of the processes: sessions come first, as long as there are any.
    """

    def __init__(self) -> None:
        self.niceness = NICENESS
        self._queue = ThreadPoolExecutor(1, thread_name_prefix="finish records")
        self._pending: dict[Future[Path], Path] = {}  # journals
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()  # guards the three above

    def finish(self, journal: Path, passphrase: str | None = None) -> Future[Path]:
        """Have the file of a journal made.

        The future fails with `RecordFailed`, whose message is one line, and is cancelled if the
        server goes down first.
        """
        with self._lock:
            if self._closed:
                never: Future[Path] = Future()
                never.cancel()
                return never
            future = self._queue.submit(self._finish, journal, passphrase)
            self._pending[future] = journal
        future.add_done_callback(lambda done: self._pending.pop(done, None))
        return future

    def close(self, within: float = 0.0) -> None:
        """Give those that wait so many seconds, then leave their journals to the next start."""
        with self._lock:
            pending = dict(self._pending)
        left = wait(pending, within).not_done
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()
        self._queue.shutdown(cancel_futures=True)
        for future, journal in pending.items():
            if future in left and journal.exists():  # else it was finished in the meantime
                told = "The record %s is not finished yet: the next start does it, or serve.py finish %s"
                log.warning(told, journal.stem, journal)

    def _finish(self, journal: Path, passphrase: str | None) -> Path:
        with self._lock:
            if self._closed:
                raise RecordFailed(GOING_DOWN)
            process = self._process = _start(
                "finish", journal, passphrase=passphrase, niceness=self.niceness
            )
        try:
            name, fault = process.communicate()
        finally:
            self._process = None
        if process.returncode < 0:  # it was killed, and cleans nothing up itself
            for ending in FINISHED:
                unfinished(journal.with_suffix(ending)).unlink(missing_ok=True)
        if process.returncode < 0 and self._closed:
            raise RecordFailed(GOING_DOWN)
        if process.returncode != 0:
            raise RecordFailed(_last_line(fault))
        log.info("The record %s is finished", journal.stem)
        return journal.with_name(name.decode().strip())


def export(path: Path, kind: Export, *options: str, passphrase: str | None = None) -> Generator[bytes]:
    """A record in another format, piece by piece; nothing of it touches the disk.

    Raises
    ------
    RecordFailed
        With the first piece, if it cannot be read.
    """
    process = _start(kind, path, *options, passphrase=passphrase, niceness=NICENESS)
    assert process.stdout is not None
    try:
        while chunk := process.stdout.read(CHUNK):
            yield chunk
        _, fault = process.communicate()
        if process.returncode:
            raise RecordFailed(_last_line(fault))
    finally:
        process.kill()
        process.communicate()


def _start(
    task: str, path: Path, *options: str, passphrase: str | None, niceness: int
) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != KEY}
    if passphrase is not None:
        environment[KEY] = passphrase
    command = [sys.executable, "-m", "engine.sinks.record", f"--nice={niceness}", task]
    with scheduling.ordinary():
        return subprocess.Popen(
            [*command, str(path.absolute()), *options],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a terminal's interrupt is for the server, which decides
        )


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "The process that makes it has died. Start the server again."
