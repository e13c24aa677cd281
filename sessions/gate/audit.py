"""The audit log: who did what, as JSON lines."""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import BadSetting

log = logging.getLogger(__name__)

WAITING = 10_000
"""Lines that may wait for the disk; further ones are counted, and the count is written."""


class Audit:
    """Writes from a thread of its own, so that a slow disk holds up no loop; notes come from any thread.

    Parameters
    ----------
    path : Path
        Appended to; made for its owner's eyes alone.

    Raises
    ------
    BadSetting
        If it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise BadSetting(
                f"--audit-log {path}: {error.strerror}. Name a file that can be written."
            ) from None
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue(WAITING)
        self._lost = 0
        self._lock = threading.Lock()  # guards the count of lost lines
        self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
        self._thread.start()

    def note(self, address: str, token: str | None, action: str, session: str | None, result: int) -> None:
        """Add a line.

        Parameters
        ----------
        address : str
        token : str, optional
            The mark of the token that was shown.
        action : str
            Method and path.
        session : str, optional
            Its code.
        result : int
            HTTP status.
        """
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "address": address, "token": token, "action": action}
        try:
            self._lines.put_nowait({**line, "session": session, "result": result})
        except queue.Full:
            with self._lock:
                self._lost += 1

    def close(self) -> None:
        """Write what waits, and end. A second call does nothing."""
        if self._thread.is_alive():
            self._lines.put(None)
            self._thread.join()

    def _write(self) -> None:
        failing = False
        with self._file as file:
            while (line := self._lines.get()) is not None:
                with self._lock:
                    lost, self._lost = self._lost, 0
                lines = [{"time": line["time"], "lost": lost}, line] if lost else [line]
                try:
                    file.write("".join(json.dumps(each) + "\n" for each in lines).encode())
                    failing = False
                except OSError as error:
                    if not failing:
                        log.error("The audit log cannot be written: %s", error.strerror)
                    failing = True
