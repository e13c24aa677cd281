"""The floors of recordings, made once each in a process of its own, beside which live scores are held."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from engine.bins.description import Recorded
from engine.calibration.floors import VERSION, Floors, order_of
from engine.errors import DeckError
from engine.making import Making, Workshop

FOLLOWED: Final = "recording"
"""The kind of source whose sessions have floors: in others targets or movement are not a recording's."""


class KeptFloors:
    """Those of a server. Its methods may be called from any thread and never wait.

    Parameters
    ----------
    folder : Path, optional
        Where they are kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._workshop = Workshop(
            "engine.calibration.floors",
            "floors of scores",
            "The floors of scores could not be found",
            Floors.from_npz,
            folder,
            VERSION,
        )
        self._making: dict[tuple[str, str, float], Making[Floors] | None] = {}
        self._lock = threading.Lock()  # guards the one above

    def of(self, recording: Recorded) -> Floors | None:
        """The floors of a recording; None if there are none, or they are still made, which this begins."""
        key = recording.name, recording.sha256, recording.bin_rate
        with self._lock:
            if key not in self._making:
                self._making[key] = None
                threading.Thread(
                    target=self._begin, args=(key, recording), name="floors", daemon=True
                ).start()
            making = self._making[key]
        return None if making is None else making.made

    def close(self) -> None:
        """End what runs, and begin no more. A second call does nothing."""
        self._workshop.close()

    def _begin(self, key: tuple[str, str, float], recording: Recorded) -> None:
        try:
            order = order_of(recording)
        except DeckError:  # it has too few trials, and so no floors
            return
        making = self._workshop.of(order)
        with self._lock:
            self._making[key] = making
