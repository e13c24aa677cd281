"""What a session listens to for predictions beside its WebSockets: LSL streams, each for one decoder."""

from __future__ import annotations

import threading
import time
from typing import Final

from engine.answers.holds import Hold
from engine.answers.inlet import Inlet, MakeInlet
from engine.answers.predictions import Predictions
from engine.errors import NotNow
from sessions.refusals import Conflict

CLOSED_WITHIN: Final = 1.5
"""Seconds, for all inlets of a session together."""
MAX_INLETS: Final = 8
"""LSL streams that a session listens to: each costs a thread and searches the network."""


class Inlets:
    """The inlets of one session, by the decoder's name. May be used from any thread.

    Parameters
    ----------
    predictions : Predictions
        Where they hand on what they hear.
    make : function, optional
        Makes one; None if LSL is off.
    """

    def __init__(self, predictions: Predictions, make: MakeInlet | None) -> None:
        self._predictions = predictions
        self._make = make
        self._inlets: dict[str, tuple[Inlet, Hold]] = {}
        self._closed = False
        self._lock = threading.Lock()  # guards the two above

    @property
    def present(self) -> dict[str, Inlet]:
        """Those that there are."""
        with self._lock:
            return {name: inlet for name, (inlet, _) in self._inlets.items()}

    def add(self, stream: str, decoder: str) -> None:
        """Take a decoder's predictions from an LSL stream, as soon as there is one of this name.

        They count under another name if somebody else answers under the decoder's: see `present`.

        Raises
        ------
        NotNow
            If the server runs without LSL, or the session has ended.
        Conflict
            If another stream has that decoder's name, or there are too many.
        """
        if self._make is None:
            raise NotNow("This server runs without LSL. Start it without --no-lsl.")
        with self._lock:
            if self._closed:
                raise NotNow("The session has just been deleted. Make a new one.")
            asked = (inlet for inlet, hold in self._inlets.values() if hold.asked == decoder)
            there = next(asked, None)
            if there is None:
                if len(self._inlets) >= MAX_INLETS:
                    raise Conflict(
                        f"This session listens to {MAX_INLETS} LSL streams, which is the limit. Stop one "
                        "of them, or use another session."
                    )
                hold = self._predictions.holds.take(decoder)
                self._inlets[hold.name] = self._make(stream, hold.name, self._predictions), hold
            elif there.stream != stream:
                raise Conflict(
                    f"Decoder {decoder!r} listens to the LSL stream {there.stream!r}. "
                    "Stop that first, or choose another name."
                )

    def remove(self, decoder: str | None = None) -> None:
        """Close the inlet of a decoder, or all of them."""
        with self._lock:
            names = list(self._inlets) if decoder is None else [decoder]
            closing = [self._inlets.pop(name) for name in names if name in self._inlets]
        for inlet, _ in closing:
            inlet.stop()
        until = time.monotonic() + CLOSED_WITHIN
        for inlet, hold in closing:
            inlet.close(max(until - time.monotonic(), 0.0))
            self._predictions.holds.free(hold)

    def close(self) -> None:
        """Close all of them, and take no more."""
        with self._lock:
            self._closed = True
        self.remove()
