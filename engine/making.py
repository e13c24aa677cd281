"""What takes long to make: made once, in a process of its own, and kept by what it is made from."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from engine.errors import CannotFit, Occupied
from engine.scheduling import ordinary

log = logging.getLogger(__name__)

ROOT: Final = Path(__file__).parents[1]
ONE_THREAD: Final = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
"""With more it would take the processors from the sessions."""
REFUSED: Final = 2
"""Exit status of a process that has said in one line what it lacks."""
NICENESS: Final = 10
REMEMBERED: Final = 10.0
"""Seconds in which whoever asks for what has failed is told why; who asks later has it begun anew."""
ORDER, MADE = "order.npz", "made.npz"

T = TypeVar("T")
Arrays = Mapping[str, npt.NDArray[Any]]


class Making(Generic[T]):
    """Something on its way. May be read from any thread.

    Attributes
    ----------
    progress : float
        From 0 to 1.
    made : T or None
        When it is there.
    error : str or None
        Why it will never be.
    """

    def __init__(self, made: T | None = None) -> None:
        self.progress = 0.0 if made is None else 1.0
        self.made = made
        self.error: str | None = None
        self._ended = 0.0
        self._tell: list[Callable[[], None]] = []
        self._lock = threading.Lock()  # guards the list, and that everyone in it is told once

    @property
    def failed_lately(self) -> bool:
        """Whether it has failed, so short a time ago that it would again."""
        return self.error is not None and time.monotonic() < self._ended + REMEMBERED

    @property
    def done(self) -> bool:
        return self.made is not None or self.error is not None

    def on_done(self, tell: Callable[[], None]) -> None:
        """Call this when it is done, from any thread; at once if it is."""
        with self._lock:
            if not self.done:
                self._tell.append(tell)
                return
        tell()

    def end(self, made: T | None, error: str | None = None) -> None:
        with self._lock:
            self._ended = time.monotonic()
            self.made, self.error = made, error
            self.progress = 1.0 if made is not None else self.progress
            telling, self._tell = self._tell, []
        for tell in telling:
            tell()


class Workshop(Generic[T]):
    """Makes things of one kind, each in a process. Its methods may be called from any thread.

    Parameters
    ----------
    module : str
        What is run, ``python -m MODULE FOLDER``; it calls `work`.
    what : str
        What is made, such as "neurons", and how that failed in words, such as "The neurons could not be
        fitted".
    failed : str
    read : function
        Makes the thing of the bytes that the process leaves.
    folder : Path, optional
        Where these are kept; only here if it cannot be written, or there is none.
    version : int
        Of what is made: raise it whenever that changes.
    most : int, optional
        How many may be under way.
    kept : int
        How many of those that are done stay in memory, the newest ones.
    """

    def __init__(
        self,
        module: str,
        what: str,
        failed: str,
        read: Callable[[bytes], T],
        folder: Path | None = None,
        version: int = 1,
        most: int | None = None,
        kept: int = 32,
    ) -> None:
        self._module, self._what, self._failed, self._read = module, what, failed, read
        self._folder, self._version, self._most, self._n_kept = folder, version, most, kept
        self._making: dict[str, Making[T]] = {}
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = False
        self._lock = threading.Lock()  # guards the three above

    def of(self, order: Arrays) -> Making[T]:
        """What is made from arrays, which is begun if there is none, and anew a while after it has failed.

        Raises
        ------
        Occupied
            If as many as there may be are under way.
        """
        key = key_of(order, self._version)
        with self._lock:
            making = self._making.get(key)
            if making is None or (making.error is not None and not making.failed_lately):
                making = self._making[key] = self._kept(key) or self._begin(order, key)
                done = [each for each, other in self._making.items() if other.done and each != key]
                for each in done[: -self._n_kept]:
                    del self._making[each]
            return making

    def close(self) -> None:
        """End what runs, and begin no more. A second call does nothing."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.kill()

    def _kept(self, key: str) -> Making[T] | None:
        if self._folder is None:
            return None
        with suppress(OSError, ValueError, KeyError):  # there is none, or it was cut off: made anew
            return Making(self._read((self._folder / f"{key}.npz").read_bytes()))
        return None

    def _begin(self, order: Arrays, key: str) -> Making[T]:
        making: Making[T] = Making()
        if self._closed:
            making.end(None, f"{self._failed}: the server is going down.")
            return making
        if self._most is not None and len(self._running) >= self._most:
            raise Occupied(
                f"{len(self._running)} processes make {self._what}, which is the limit. "
                "Ask again when one has ended."
            )
        work = Path(tempfile.mkdtemp(prefix="phantomdeck-"))
        np.savez(work / ORDER, allow_pickle=False, **order)
        with ordinary():
            process = subprocess.Popen(
                [sys.executable, "-m", self._module, str(work)],
                cwd=ROOT,
                env={**os.environ, **ONE_THREAD},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # a terminal's interrupt is for the server, which decides
            )
        self._running.add(process)
        threading.Thread(
            target=self._follow, args=(process, making, work, key), name=self._what, daemon=True
        ).start()
        return making

    def _follow(self, process: subprocess.Popen[str], making: Making[T], work: Path, key: str) -> None:
        error = f"{self._failed}. The server's log says why; choose another recording."
        said = ""
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                said = line.strip()
                with suppress(ValueError):
                    making.progress = float(json.loads(said))
        try:
            status = process.wait()
            with self._lock:
                self._running.discard(process)
            if status != 0:
                log.warning("%s: %s", self._failed, said)
                making.end(None, said if status == REFUSED else error)
                return
            content = (work / MADE).read_bytes()
            self._keep(key, content)
            making.end(self._read(content))
        finally:
            if not making.done:  # the log has the traceback
                making.end(None, error)
            for path in work.glob("*"):
                path.unlink()
            work.rmdir()

    def _keep(self, key: str, content: bytes) -> None:
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = self._folder / f".writing-{key}-{os.getpid()}"
            fresh.write_bytes(content)
            fresh.replace(self._folder / f"{key}.npz")
        except OSError as error:
            log.warning("Cannot keep %s in %s: %s", self._what, self._folder, error)


def key_of(order: Arrays, version: int = 1) -> str:
    """What distinguishes all that something is made from."""
    digest = hashlib.sha256(str(version).encode())
    for name, values in order.items():
        values = np.ascontiguousarray(values)
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()[:24]


def work(folder: Path, make: Callable[[dict[str, Any], Callable[[float], None]], bytes]) -> int:
    """Do what a `Workshop` has ordered, in the process; returns the exit status.

    Parameters
    ----------
    folder : Path
    make : function
        Takes the order's arrays, scalars as such, and what to tell progress to, from 0 to 1; gives the
        bytes of what is made. Its `CannotFit` is a refusal.
    """
    os.nice(NICENESS)
    with np.load(folder / ORDER, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    order = {name: each[()] if each.ndim == 0 else each for name, each in arrays.items()}
    try:
        content = make(order, lambda done: _say(f"{done:.3f}"))
    except CannotFit as error:
        _say(str(error))
        return REFUSED
    (folder / MADE).write_bytes(content)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
