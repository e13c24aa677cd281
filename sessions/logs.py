"""Logs of decoders that the server starts: a file each, which holds all that its process has said."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Final, TextIO
from urllib.parse import quote

from engine.errors import NotNow

log = logging.getLogger(__name__)

KEPT: Final = 100
"""Files of a folder; the oldest ones go."""
MOST: Final = 1_000_000
"""Characters of a log; what comes after is not written."""
FULL: Final = "This log is full.\n"
ENDING: Final = ".log"


class Log:
    """One decoder's log. One thread writes, any may read.

    Parameters
    ----------
    folder : Path, optional
        Made when it is needed; nothing is kept if None.
    session, decoder : str
        The next log of both names takes this one's place.
    """

    def __init__(self, folder: Path | None, session: str, decoder: str) -> None:
        self.path = folder and folder / f"{quote(f'{session}.{decoder}', safe='')}{ENDING}"
        self._file: TextIO | None = None
        self._n_written = 0

    def begin(self) -> None:
        """Make the file. If that cannot be, the server's log says so, and nothing is kept."""
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _tidy(self.path.parent)
            self.path.unlink(missing_ok=True)  # whatever it is: a link would lead elsewhere
            self._file = self.path.open("x", encoding="utf-8")
        except OSError as error:
            log.warning("The log %s cannot be written: %s", self.path, error.strerror)

    def write(self, line: str) -> None:
        """Add a line, with its end."""
        if self._file is None or self._n_written > MOST:
            return
        self._n_written += len(line)
        try:
            self._file.write(line if self._n_written <= MOST else FULL)
            self._file.flush()
        except OSError as error:
            log.warning("The log %s cannot be written: %s", self.path, error.strerror)
            self._file = None

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            self._file.close()

    def read(self) -> bytes:
        """What has been said so far, UTF-8.

        Raises
        ------
        NotNow
            If nothing is kept.
        """
        try:
            if self.path is not None:
                with open(os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                        return file.read()
        except OSError:
            pass  # it is not there yet, or another program has taken it away
        raise NotNow("There is no log of this decoder. Start it again, or run serve.py decode yourself.")


def _tidy(folder: Path) -> None:
    there = sorted(folder.glob(f"*{ENDING}"), key=lambda path: path.stat().st_mtime)
    for path in there[: max(0, len(there) - KEPT + 1)]:
        path.unlink(missing_ok=True)
