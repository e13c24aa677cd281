"""Certificates and keys that the address of a broker names."""

from __future__ import annotations

from pathlib import Path

from engine.errors import BadSetting


def check_file(option: str, path: str | None) -> None:
    """Refuse a file that is not there at once: later it would look as if the broker were away.

    Raises
    ------
    BadSetting
    """
    if path is not None and not Path(path).is_file():
        raise BadSetting(f"There is no file {path}, which {option} names. Give the path of one.")
