"""Calibration runs: one at a time, each in a process of its own, so that no tick waits for them."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Literal

from engine import scheduling
from engine.calibration.floors import Floors, floors
from engine.calibration.frozen import LEVELS, Example, Scores
from engine.calibration.run import Fitted, Measured, Outcome, Plan, Step, calibrate
from engine.decoders.bins import Bins
from engine.errors import DeckError, DecoderFault, NotNow
from sessions.refusals import Busy, UnknownCalibration

KEPT = 10
"""Runs; the oldest one is forgotten for a new one."""
NICENESS = 10
"""Of the process: sessions come first, and on a busy machine it gets on all the same."""
DIED = "The process that calibrates has died. Start the calibration again."

State = Literal["fitting", "testing", "done", "failed"]


class Run:
    """One calibration, under way since it was made; only its own thread changes it.

    Parameters
    ----------
    number : int
    plan : Plan
    train, test : Bins

    Attributes
    ----------
    created : float
        Unix time.
    state : str
    error : str, optional
        Why it has failed.
    step : Step, optional
        How far the fit is, if it goes by epochs.
    fitted : Fitted, optional
        None before it has learned.
    scores : tuple of Scores
        By level, as they come.
    floors : Floors, optional
        Of its trials, once the scores are there; None where no kinematics are known.
    """

    def __init__(self, number: int, plan: Plan, train: Bins, test: Bins) -> None:
        self.number = number
        self.plan = plan
        self.created = time.time()
        self.state: State = "fitting"
        self.error: str | None = None
        self.step: Step | None = None
        self.fitted: Fitted | None = None
        self.scores: tuple[Scores, ...] = ()
        self.floors: Floors | None = None
        self._examples: tuple[Example, ...] = ()
        context = multiprocessing.get_context("spawn")
        connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), name="calibration", daemon=True)
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the process's numpy: sessions want a core
        with scheduling.ordinary():
            self._process.start()
        theirs.close()
        self._thread = threading.Thread(
            target=self._follow, args=(connection, train, test), name="calibration", daemon=True
        )
        self._thread.start()

    @property
    def ended(self) -> bool:
        return self.state in ("done", "failed")

    @property
    def model_name(self) -> str:
        """Of the file of its model."""
        return f"{self.plan.recording}-{self.plan.decoder}-{self.number}.npz"

    @property
    def model(self) -> bytes:
        """The trained decoder, as `engine.decoders.store.load` reads it.

        Raises
        ------
        NotNow
            If it is not done, or there is none.
        """
        if self.state != "done":
            raise NotNow(
                f"Calibration {self.number} is {self.state}. Its results are there once it is done."
            )
        assert self.fitted is not None
        if self.fitted.model is None:
            raise NotNow(self.fitted.unkept)
        return self.fitted.model

    @property
    def outcome(self) -> Outcome:
        """What there is to draw, once it is done."""
        return Outcome(self.plan, self.scores, self._examples)

    def wait(self, timeout: float | None = None) -> bool:
        """Until it has ended; False if that takes longer than `timeout` seconds."""
        self._thread.join(timeout)
        return self.ended

    def cancel(self) -> None:
        """End it, if it has not ended; returns once its process is gone."""
        self._process.kill()
        self.wait()

    def _follow(self, connection: Connection, train: Bins, test: Bins) -> None:
        error: str | None = DIED
        try:
            connection.send((self.plan, train, test))
            while (step := connection.recv()) is not None:
                self._take(step)
            error = connection.recv()
        except (EOFError, OSError):
            pass
        self._process.kill()
        self._process.join()
        connection.close()
        self.error = error
        self.state = "done" if error is None else "failed"

    @property
    def progress(self) -> float:
        """From 0 to 1: fitting counts as one step, each level as one."""
        epochs = self.step.done / self.step.most if self.step is not None else 0.0
        return ((epochs if self.fitted is None else 1.0) + len(self.scores)) / (1 + len(LEVELS))

    def _take(self, step: Step | Fitted | Measured | Floors) -> None:
        if isinstance(step, Step):
            self.step = step
        elif isinstance(step, Floors):
            self.floors = step
        elif isinstance(step, Fitted):
            self.fitted, self.state = step, "testing"
        else:
            self.scores += (step.scores,)
            self._examples += step.examples


class Calibrations:
    """The runs of a server, kept while it lives. May be used from any thread."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._closed = False
        self._runs: dict[int, Run] = {}
        self._lock = threading.Lock()  # guards the two above; held while a process is spawned

    def start(self, plan: Plan, train: Bins, test: Bins) -> Run:
        """Begin a run.

        Raises
        ------
        Busy
            If another one is under way, or the server is going down.
        """
        with self._lock:
            if self._closed:
                raise Busy("The server is going down.")
            for run in self._runs.values():
                if not run.ended:
                    raise Busy(
                        f"Calibration {run.number} ({run.plan.decoder}) is under way, and there is one at "
                        "a time. Wait for it, or cancel it."
                    )
            if len(self._runs) >= KEPT:
                del self._runs[min(self._runs)]  # it has ended, as all have
            run = Run(next(self._numbers), plan, train, test)
            self._runs[run.number] = run
        return run

    def __iter__(self) -> Iterator[Run]:
        with self._lock:
            return iter(list(self._runs.values()))

    def get(self, number: int) -> Run:
        """A run.

        Raises
        ------
        UnknownCalibration
        """
        with self._lock:
            return self._found(number)

    def forget(self, number: int) -> Run:
        """Cancel a run if it has not ended, and forget it.

        Raises
        ------
        UnknownCalibration
        """
        with self._lock:
            run = self._found(number)
            del self._runs[number]
        run.cancel()
        return run

    def outcome(self, number: int) -> Outcome:
        """What there is to draw of a run that is done, with others that had the same trials.

        Of several runs of one decoder with the same settings the newest counts.

        Raises
        ------
        UnknownCalibration
        """
        with self._lock:
            run = self._found(number)
            done = [each for each in self._runs.values() if each.state == "done"]
        plan, others = run.plan, {}
        for each in done:
            what = each.plan.decoder, tuple(sorted(each.plan.settings.items()))
            alike = (each.plan.recording, each.plan.split) == (plan.recording, plan.split)
            if alike and what != (plan.decoder, tuple(sorted(plan.settings.items()))):
                others[what] = each.outcome
        return replace(run.outcome, others=tuple(others.values()))

    def close(self) -> None:
        """End what is under way. A second call does nothing."""
        with self._lock:
            self._closed = True
            runs = list(self._runs.values())
        for run in runs:
            run.cancel()

    def _found(self, number: int) -> Run:
        try:
            return self._runs[number]
        except KeyError:
            raise UnknownCalibration(
                f"There is no calibration {number}. It may be forgotten: a server keeps the last {KEPT}, "
                "as long as it runs. Start another."
            ) from None


def _work(connection: Connection) -> None:
    """Do what is ordered, in a process of its own: the steps, None, and what has gone wrong or None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the server decides
    os.nice(NICENESS)
    threading.Thread(target=_end_with_server, daemon=True).start()
    error: str | None = None
    try:
        plan, train, test = connection.recv()
        for step in calibrate(plan, train, test, connection.send):
            connection.send(step)
        if (found := floors(train, test)) is not None:
            connection.send(found)
    except DeckError as refusal:
        error = str(refusal)
        if isinstance(refusal, DecoderFault) and refusal.__cause__ is not None:
            traceback.print_exception(refusal.__cause__)
    except Exception as fault:  # whatever it is, it ends this run alone, and visibly
        traceback.print_exc()
        error = f"The calibration has failed ({type(fault).__name__}); the server's log says why."
    connection.send(None)
    connection.send(error)


def _end_with_server() -> None:
    """A server that was killed takes no answer: do not work on."""
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
    os._exit(1)
