"""The process that draws pictures: spawned when first needed, and again when it has died."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Literal

from engine import scheduling
from engine.calibration.run import Outcome
from engine.moment import Moment
from sessions.errors import Busy, NotDrawn

log = logging.getLogger(__name__)

Kind = Literal["png", "svg", "pdf"]
Colours = Mapping[str, Any]
"""By role, of one theme."""

TIME_LIMIT = 30.0
"""Seconds that a picture may take, the start of the process included."""
ROOM = 4
"""Pictures at most that are drawn or wait: each holds one of the event loop's six or more threads."""
NICENESS = 19
"""Of the process: sessions come first."""


Subject = Moment | Outcome
"""Of a picture."""
Draw = Callable[[Any, Sequence[str], Kind, Colours, int], bytes]
"""Draws a subject: which plots, as which kind of file, in which colours, how many pixels wide."""


class Studio:
    """Draws one picture at a time, in a process that inherits nothing. May be called from any thread.

    Parameters
    ----------
    draw : function
        Can be pickled; what it imports is loaded in the process alone.
    themes : function
        Answers with colours by the theme's name.
    time_limit : float
        Seconds.
    room : int
        Pictures that may be drawn or wait.
    """

    def __init__(
        self,
        draw: Draw,
        themes: Callable[[], Mapping[str, Colours]],
        *,
        time_limit: float = TIME_LIMIT,
        room: int = ROOM,
    ) -> None:
        self.themes = themes
        self._draw = draw
        self._time_limit = time_limit
        self._room = threading.BoundedSemaphore(room)
        self._turn = threading.Lock()  # guards the two below; held while a picture is drawn
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._closed = threading.Event()

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def draw(self, subject: Subject, plots: Sequence[str], kind: Kind, theme: str, width: int) -> bytes:
        """Draw a picture; blocks until it is done.

        Raises
        ------
        Busy
            If too many pictures wait, or the studio is closed.
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
        limit.start()
        try:
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
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(
                target=_work, args=(theirs, self._draw), name="pictures", daemon=True
            )
            with scheduling.ordinary():
                self._process.start()
            theirs.close()
            log.debug("Pictures are drawn in process %d", self._process.pid)
        if self._closed.is_set():  # only now, so that `close` sees every process or this sees that
            self._end()
            raise Busy("The server is going down.")
        return self._process, self._connection

    def _end(self) -> None:
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if process is not None and connection is not None:
            process.kill()
            process.join()
            connection.close()


def _work(connection: Connection, draw: Draw) -> None:
    """Draw what is asked for until the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the server decides
    os.nice(NICENESS)
    while True:
        try:
            order = connection.recv()
        except EOFError:
            return
        answer: tuple[bytes | None, str | None]
        try:
            answer = (draw(*order), None)
        except Exception:  # the server logs it, as it does what fails in a call
            answer = (None, traceback.format_exc())
        connection.send(answer)
