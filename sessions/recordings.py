"""The recordings that a server offers: found at start, each read when it is first asked for."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from engine.errors import CannotFit
from engine.sources.recordings.recording import Recording


def refuse_without_spikes(recording: Recording) -> None:
    """Raise `CannotFit` for a recording that has voltages alone, where its spikes are wanted."""
    if not recording.n_units:
        raise CannotFit(
            f"{recording.name} has voltages and no spikes. A session with source electrodes finds some."
        )


class Recordings(Mapping[str, Recording]):
    """Recordings by name, in the order of their names; of files that differ only in their endings these
    belong to the name. May be used from any thread; reading blocks.

    Parameters
    ----------
    paths : sequence of Path
    read : function
        Reads one.
    """

    def __init__(self, paths: tuple[Path, ...], read: Callable[[Path], Recording]) -> None:
        shared = {stem for stem, n in Counter(path.stem for path in paths).items() if n > 1}
        self._paths = {path.name if path.stem in shared else path.stem: path for path in paths}
        self._read = read
        self._have: dict[str, Recording] = {}
        self._lock = threading.Lock()  # lets no file be read twice

    def __getitem__(self, name: str) -> Recording:
        path = self._paths[name]
        if name not in self._have:
            with self._lock:
                if name not in self._have:
                    self._have[name] = replace(self._read(path), name=name)
        return self._have[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, name: object) -> bool:
        return name in self._paths
