"""A thread that listens to one stream, and finds it again when it has gone."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pylsl
from pylsl.util import LostError
from pylsl.util import TimeoutError as LslTimeout

from engine.bins import clock
from engine.bins.source import SourceState
from engine.lsl import LOOK_FOR, clock_offset, quoted
from engine.sources.live_lsl.header import StreamHeader, header_of

log = logging.getLogger(__name__)

WAIT: Final = 0.2
"""Seconds for which it waits for a sample."""
OPENED_WITHIN: Final = 5.0
LOOK_EVERY: Final = 0.05
FORGOTTEN_AFTER: Final = 3.0
"""Seconds after which a stream that answers no more is found no more."""
CHUNK: Final = 1024
"""Samples at once, at most."""
CORRECTED_EVERY: Final = 5.0
"""Seconds between two looks at how the sender's clock differs from ours."""
CLOSED_WITHIN: Final = 1.0
"""Seconds for which a session that ends waits for its threads."""
BUFFERED_SECONDS: Final = 60

SAME_CLOCK: Final = 0.1
"""Seconds: a stream of this host that seems to be nearer has our own clock, measured on a busy machine."""

Take = Callable[[Sequence[float], Sequence[Sequence[Any]]], None]


@dataclass(frozen=True)
class Listener:
    """What becomes of a stream, told by its thread: it has come; samples, with their times; it has gone."""

    come: Callable[[StreamHeader], None]
    take: Take
    go: Callable[[], None]


class LiveStream:
    """Listens to a stream by its name until it is closed.

    Parameters
    ----------
    name : str
    listener : Listener
        Times are seconds of the engine's clock.
    before : StreamHeader, optional
        As it was when it was first found: another kind of stream is refused, and it is looked for by its
        source id before its name.

    Attributes
    ----------
    status : SourceState
    """

    def __init__(self, name: str, listener: Listener, before: StreamHeader | None = None) -> None:
        self.name = name
        self.status = SourceState(name, "gone", time.time(), None)
        self._listener = listener
        self._before = before
        self._offset = clock_offset()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"source {name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no more, soon."""
        self._closing.set()

    def close(self, within: float = CLOSED_WITHIN) -> None:
        """Listen no more, and wait so many seconds for that: liblsl may take its time."""
        self.stop()
        self._thread.join(within)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._look()
            except (LostError, LslTimeout):
                pass  # it may come again
            except Exception as error:  # whatever it is, it ends this attempt alone, and visibly
                log.exception("The %s has failed; it is tried again", self._thread.name)
                self._enter("gone", f"{type(error).__name__}: {error}")
                self._closing.wait(LOOK_FOR)

    def _look(self) -> None:
        """Search until the stream is there, by the id of its source before its name, and listen to it."""
        search, source_id = f"name={quoted(self.name)}", self._before.source_id if self._before else ""
        if source_id:
            search += f" or source_id={quoted(source_id)}"
        # In the background, as a single search takes 5 s longer than it should at times.
        resolver = pylsl.ContinuousResolver(pred=search, forget_after=FORGOTTEN_AFTER)
        until = clock.now() + FORGOTTEN_AFTER
        while not (infos := resolver.results()):
            if self._closing.wait(LOOK_EVERY):
                return
            if clock.now() > until:  # nor is it there as it was not to be
                self._enter("gone", None)
        del resolver
        for info in sorted(infos, key=lambda info: info.source_id() != source_id)[:1]:
            inlet, header = _opened(info)
            try:
                self._listen(inlet, header)
            finally:
                if self.status.state == "running":
                    self._enter("gone", None)
                    self._listener.go()
                inlet.close_stream()

    def _listen(self, inlet: pylsl.StreamInlet, header: StreamHeader) -> None:
        """Hand on what comes until the stream has gone or this is closed."""
        if self._before is not None and header.kind != self._before.kind:
            before = self._before.told()
            self._enter("changed", f"It has {header.told()}, and had {before}. Let it be as it was.")
            self._closing.wait(LOOK_FOR)
            return
        here = inlet.info(OPENED_WITHIN).hostname() == socket.gethostname()
        correction, corrected = _correction(inlet, here), pylsl.local_clock()
        inlet.open_stream(
            OPENED_WITHIN
        )  # after that: samples are not to lie there while clocks are compared
        self._before = header
        self._enter("running", None)
        self._listener.come(header)
        while not self._closing.is_set():
            sample, stamp = inlet.pull_sample(WAIT)
            if sample is None:
                continue
            samples, stamps = inlet.pull_chunk(0.0, CHUNK)
            if pylsl.local_clock() > corrected + CORRECTED_EVERY:
                correction, corrected = _correction(inlet, here), pylsl.local_clock()
            shift = correction - self._offset
            self._listener.take([each + shift for each in (stamp, *stamps)], [sample, *samples])

    def _enter(self, state: Any, error: str | None) -> None:
        if (self.status.state, self.status.error) != (state, error):
            self.status = SourceState(self.name, state, time.time(), error)
            log.info("LSL stream %s is %s%s", self.name, state, f": {error}" if error else "")


def _opened(info: pylsl.StreamInfo) -> tuple[pylsl.StreamInlet, StreamHeader]:
    """An inlet, and what the stream says of itself, which only an inlet can ask: what was found knows less.

    The time stamps of a regular stream are smoothed, unless it says that samples may be missing.
    """
    options = {"max_buflen": BUFFERED_SECONDS, "recover": False}
    inlet = pylsl.StreamInlet(info, **options)
    header = header_of(inlet.info(OPENED_WITHIN))
    if header.rate and not header.can_drop:
        inlet = pylsl.StreamInlet(info, **options, processing_flags=pylsl.proc_dejitter)
    return inlet, header


def _correction(inlet: pylsl.StreamInlet, here: bool) -> float:
    """What to add to a stream's time stamps for them to be of our liblsl's clock, s."""
    measured = float(inlet.time_correction(OPENED_WITHIN))
    return 0.0 if here and abs(measured) < SAME_CLOCK else measured
