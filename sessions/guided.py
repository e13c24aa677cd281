"""Calibration in closed loop: a decoder learns from a block of trials, and drives in the next one."""

from __future__ import annotations

import itertools
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.bins.schema import Rows
from engine.calibration.block import Reached, block_bins, reached
from engine.errors import DeckError, NotNow
from engine.sources.user.source import SimulatedUser
from sessions.launcher import Launcher, Started

if TYPE_CHECKING:
    from sessions.session import Session

State = Literal["collecting", "fitting", "done", "failed", "cancelled"]
AUTOPILOT = "autopilot"


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes
    ----------
    decoder : str
        Of `engine.decoders.DECODERS`; one that learns.
    settings : mapping
        Hyperparameters that differ from the defaults.
    n_blocks, n_trials : int
        Blocks, and trials of each.
    """

    decoder: str
    settings: Mapping[str, Any]
    n_blocks: int
    n_trials: int


@dataclass(frozen=True)
class Block:
    """A block that has ended, and who drove in it."""

    driver: str
    reached: Reached


class Guided:
    """One run. It begins when it is made; its attributes may be read from any thread.

    The first block is under autopilot, or with the decoder that drives already. After each block a decoder
    learns from it in a process of its own, while the session goes on as it is; when it answers it is made
    the driver, and the one before is ended. The last one goes on driving.

    Parameters
    ----------
    session : Session
        In closed loop, at a pace.
    order : Order
    launcher : Launcher

    Attributes
    ----------
    state : str
    error : str, optional
        Why it has failed.
    driver : str
        Who drives in the present block: a decoder, or `AUTOPILOT`.
    blocks : tuple of Block
    """

    def __init__(self, session: Session, order: Order, launcher: Launcher) -> None:
        source = session.replay.source
        assert isinstance(source, SimulatedUser)
        self.order = order
        self.state: State = "collecting"
        self.error: str | None = None
        self.driver = source.driver or AUTOPILOT
        self.blocks: tuple[Block, ...] = ()
        self._first = 0  # trial of the present block
        self._session = weakref.proxy(session)
        self._launched, self._replay, self._source = session.launched, session.replay, source
        self._launcher, self._code = launcher, session.code
        self._news = threading.Event()
        self._cancelled = False
        self._lock = threading.Lock()  # guards the two below
        self._rows: list[Rows] = []
        self._cursor = session.ring.head
        self._thread = threading.Thread(target=self._run, name=f"guided {session.code}", daemon=True)
        self._replay.add_listener(self)
        self._thread.start()

    @property
    def ended(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    @property
    def n_done(self) -> int:
        """Trials of the present block that have ended."""
        return min(max(len(self._source.description.trials) - 1 - self._first, 0), self.order.n_trials)

    def wait(self, timeout: float | None = None) -> bool:
        """Until it has ended; False if that takes longer than `timeout` seconds."""
        self._thread.join(timeout)
        return self.ended

    def cancel(self) -> None:
        """End it, and leave whoever drives at the wheel; returns once it has ended."""
        self._cancelled = True
        self._news.set()
        self.wait()

    # A listener of the replay

    def wake(self) -> None:
        with self._lock:
            rows, lost = self._replay.ring.since(self._cursor)
            self._cursor += lost + len(rows)
            self._rows.append(rows)
        self._news.set()

    def floor(self) -> int:
        return self._cursor

    # Its own thread

    def _run(self) -> None:
        state: State = "done"
        try:
            if self.driver == AUTOPILOT:
                self._source.assist(1.0)
            for number in range(1, self.order.n_blocks + 1):
                trials = self._collect()
                self.blocks += (self._block(trials),)
                if number < self.order.n_blocks:
                    self._swap()
        except (Ended, ReferenceError):  # the latter once the session has gone
            state = "cancelled"
        except DeckError as error:
            state, self.error = "failed", str(error)
        finally:
            self._source.assist(None)
            self._replay.remove_listener(self)
            self._rows = []
        self.state = state

    def _collect(self) -> range:
        """Wait for the trials of a block; the one that is under way is not among them."""
        self.state = "collecting"
        with self._lock:
            self._rows = []
        self._first = len(self._source.description.trials)
        last = self._first + self.order.n_trials
        self._wait(lambda: len(self._source.description.trials) > last)
        return range(self._first, last)

    def _block(self, trials: range) -> Block:
        description = self._source.description
        ended = description.trials[trials.start : trials.stop]
        return Block(self.driver, reached(ended, description.bin_width))

    def _swap(self) -> None:
        """Have a decoder learn from the block, and drive."""
        self.state = "fitting"
        with self._lock:
            rows = np.concatenate(self._rows)
        bins = block_bins(rows, self._source.description, float(self._source.steering.gain))
        name = self._new_name()
        with tempfile.TemporaryDirectory(prefix="phantomdeck-") as folder:
            path = Path(folder) / "block.npz"
            path.write_bytes(bins.to_npz())
            options = ["--name", name, "--bins", str(path)]
            for key, value in self.order.settings.items():
                if value is not None:  # else it is chosen in training
                    options += ["--set", f"{key}={value}"]
            started = self._launcher.start(self._launched, self._code, self.order.decoder, name, options)
            try:
                self._wait(lambda: self._answers(name, started))
            except Ended:
                self._end(name)
                raise
        self._source.assist(None)
        self._session.drive(name)
        before, self.driver = self.driver, name
        self._end(before)

    def _end(self, name: str) -> None:
        """End a decoder's process, if the server has started it."""
        if name in self._launched.decoders:
            self._launched.stop(name)

    def _new_name(self) -> str:
        """One that nobody has had in this session: whoever has answered under it would drive at once."""
        had = {*self._session.predictions.names, *self._launched.decoders}
        names = (f"{self.order.decoder}-{number}" for number in itertools.count(1))
        return next(name for name in names if name not in had)

    def _answers(self, name: str, started: Started) -> bool:
        if not started.alive:
            raise NotNow(f"{name} has ended before it drove: {started.line}")
        return name in self._session.predictions.names

    def _wait(self, met: Callable[[], bool]) -> None:
        while not met():
            if self._cancelled or self._replay.state in ("failed", "closed"):
                raise Ended
            self._news.wait(1.0)
            self._news.clear()


class Ended(Exception):
    """Nobody wants it any more."""
