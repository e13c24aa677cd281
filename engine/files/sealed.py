"""Encrypted files: opened in memory, never on the disk."""

from __future__ import annotations

import io
import os
from pathlib import Path

from engine.errors import RecordingError
from engine.files.entries import END, read_entries

SEALED = ".enc"
"""Ending of an encrypted file, after that of its content."""
KEY = "PHANTOM_RECORD_KEY"
"""Environment variable with the passphrase."""


def passphrase_here() -> str | None:
    """The passphrase in the environment."""
    return os.environ.get(KEY) or None


def unsealed(path: Path, passphrase: str | None = None) -> io.BytesIO:
    """The content of an encrypted file.

    Parameters
    ----------
    path : Path
    passphrase : str, optional
        That of the environment if None.

    Raises
    ------
    RecordingError
        If there is no passphrase, it does not open the file, or the file is not whole.
    """
    content, whole = io.BytesIO(), False
    with path.open("rb") as file:
        for name, piece in read_entries(file, path.name, passphrase or passphrase_here()):
            whole = name == END
            content.write(piece)
    if not whole:
        raise RecordingError(f"{path.name} is truncated or damaged. Copy it again.")
    content.seek(0)
    return content
