"""The process that draws pictures: warm before it is asked, and spawned again when it has died."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Literal

from engine import scheduling
from engine.calibration.run import Outcome
from engine.moment import Moment
from sessions.refusals import Busy, NotDrawn

log = logging.getLogger(__name__)

Kind = Literal["png", "svg", "pdf"]
Colours = Mapping[str, Any]
"""By role, of one theme."""

TIME_LIMIT = 30.0
"""Seconds that drawing may take, when the process has loaded what it needs."""
STARTING = 5.0
"""Seconds for which a picture waits for that; then it is to be asked for again."""
ROOM = 4
"""Pictures at most that are drawn or wait: each holds one of the event loop's six or more threads."""

Subject = Moment | Outcome
"""Of a picture."""
Draw = Callable[[Any, Sequence[str], Kind, Colours, int], bytes]
"""Draws a subject: which plots, as which kind of file, in which colours, how many pixels wide."""


def nothing() -> None:
    """Load nothing."""


class Studio:
    """Draws one picture at a time, in a process that inherits nothing. May be called from any thread.

    The process is scheduled as other programs are, neither in real time as sessions nor behind all others:
    on a busy machine a picture would never come.

    Parameters
    ----------
    draw : function
        Can be pickled; what it imports is loaded in the process alone.
    themes : function
        Answers with colours by the theme's name.
    load : function
        Can be pickled; imports what drawing needs, in the process.
    time_limit : float
        Seconds.
    starting : float
        Seconds for which a picture waits until all is loaded.
    room : int
        Pictures that may be drawn or wait.
    """

    def __init__(
        self,
        draw: Draw,
        themes: Callable[[], Mapping[str, Colours]],
        *,
        load: Callable[[], None] = nothing,
        time_limit: float = TIME_LIMIT,
        starting: float = STARTING,
        room: int = ROOM,
    ) -> None:
        self.themes = themes
        self._draw = draw
        self._load = load
        self._time_limit = time_limit
        self._starting = starting
        self._room = threading.BoundedSemaphore(room)
        self._turn = threading.Lock()  # guards the three below; held while a picture is drawn
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._loaded = False
        self._closed = threading.Event()

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def warm(self) -> None:
        """Start the process if that goes now, and return before it has loaded what it needs."""
        with self._turn, suppress(Busy, NotDrawn):
            self._running()

    def draw(self, subject: Subject, plots: Sequence[str], kind: Kind, theme: str, width: int) -> bytes:
        """Draw a picture; blocks until it is done.

        Raises
        ------
        Busy
            If too many pictures wait, the process is still starting, or the studio is closed.
        NotDrawn
            If it took too long, or the process died.
        """
        if not self._room.acquire(blocking=False):
            raise Busy("Too many pictures are being drawn. Ask again in a few seconds.")
        try:
            with self._turn:
                return self._ask((subject, tuple(plots), kind, self.themes()[theme], width))
        finally:
            self._room.release()

    def close(self) -> None:
        """End the process, even while it draws. A second call does nothing."""
        self._closed.set()
        process = self._process
        if process is not None:
            process.kill()
        with self._turn:
            self._end()

    def _ask(self, order: tuple[Any, ...]) -> bytes:
        process, connection = self._running()
        limit = threading.Timer(self._time_limit, process.kill)
        try:
            if not self._loaded:
                if not connection.poll(self._starting):
                    raise Busy("The process that draws is still starting. Ask again in a few seconds.")
                self._loaded = bool(connection.recv())
            limit.start()
            connection.send(order)
            drawn, fault = connection.recv()
        except (EOFError, OSError):
            self._end()
            if limit.finished.is_set():
                raise NotDrawn(
                    f"The picture took over {self._time_limit:g} s. Ask for less of it."
                ) from None
            raise NotDrawn("The process that draws has died. Ask again: there will be another.") from None
        finally:
            limit.cancel()
        if fault is not None:
            raise RuntimeError(f"The picture cannot be drawn.\n{fault}")
        return bytes(drawn)

    def _running(self) -> tuple[SpawnProcess, Connection]:
        """A living process, and the way to it."""
        if self._process is None or self._connection is None or not self._process.is_alive():
            self._end()
            try:
                self._process, self._connection = self._start()
            except OSError as error:  # no descriptor or no memory is left
                raise NotDrawn(
                    f"The process that draws cannot be started ({error.strerror}). Ask again later."
                ) from None
        if self._closed.is_set():  # only now, so that `close` sees every process or this sees that
            self._end()
            raise Busy("The server is going down.")
        return self._process, self._connection

    def _start(self) -> tuple[SpawnProcess, Connection[Any, Any]]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(theirs, self._load, self._draw), name="pictures", daemon=True
        )
        with theirs, scheduling.ordinary():
            process.start()
        log.debug("Pictures are drawn in process %d", process.pid)
        return process, ours

    def _end(self) -> None:
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        self._loaded = False
        if process is not None and connection is not None:
            process.kill()
            process.join()
            connection.close()


def _work(connection: Connection, load: Callable[[], None], draw: Draw) -> None:
    """Draw what is asked for until the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the server decides
    load()
    with suppress(EOFError, OSError):  # either way, the server has gone
        connection.send(True)
        while True:
            order = connection.recv()
            answer: tuple[bytes | None, str | None]
            try:
                answer = (draw(*order), None)
            except Exception:  # the server logs it, as it does what fails in a call
                answer = (None, traceback.format_exc())
            connection.send(answer)
