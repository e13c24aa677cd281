"""The recordings that a server offers: found at start, each read when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from engine.sources.recordings.recording import Recording


class Recordings(Mapping[str, Recording]):
    """Recordings by name, in the order of their names. May be used from any thread; reading blocks.

    Parameters
    ----------
    paths : sequence of Path
    read : function
        Reads one.
    """

    def __init__(self, paths: tuple[Path, ...], read: Callable[[Path], Recording]) -> None:
        self._paths = {path.stem: path for path in paths}
        self._read = read
        self._have: dict[str, Recording] = {}
        self._lock = threading.Lock()  # lets no file be read twice

    def __getitem__(self, name: str) -> Recording:
        path = self._paths[name]
        if name not in self._have:
            with self._lock:
                if name not in self._have:
                    self._have[name] = self._read(path)
        return self._have[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, name: object) -> bool:
        return name in self._paths
