"""Fits neurons in a process of its own, and keeps what came of it by what it was made from."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from engine.bins.description import Recorded
from engine.scheduling import ordinary
from engine.sources.user.neurons import Neurons
from engine.sources.user.regression import Sample
from engine.sources.user.workspace import Workspace

log = logging.getLogger(__name__)

VERSION: Final = 1
"""Of what comes of a fit: raise it whenever that changes."""
ROOT: Final = Path(__file__).parents[3]
ONE_THREAD: Final = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
"""With more it would take the processors from the sessions."""
REFUSED: Final = 2
"""Exit status of a process that has said in one line what it lacks."""
FAILED: Final = "The neurons could not be fitted"


class Fit:
    """Neurons on their way. May be read from any thread.

    Attributes
    ----------
    progress : float
        From 0 to 1.
    neurons : Neurons or None
        When they are there.
    error : str or None
        Why they will never be.
    """

    def __init__(self, neurons: Neurons | None = None) -> None:
        self.progress = 0.0 if neurons is None else 1.0
        self.neurons = neurons
        self.error: str | None = None
        self._tell: list[Callable[[], None]] = []
        self._lock = threading.Lock()  # guards the list, and that everyone in it is told once

    @property
    def done(self) -> bool:
        return self.neurons is not None or self.error is not None

    def on_done(self, tell: Callable[[], None]) -> None:
        """Call this when it is done, from any thread; at once if it is."""
        with self._lock:
            if not self.done:
                self._tell.append(tell)
                return
        tell()

    def end(self, neurons: Neurons | None, error: str | None = None) -> None:
        with self._lock:
            self.neurons, self.error = neurons, error
            self.progress = 1.0 if neurons is not None else self.progress
            telling, self._tell = self._tell, []
        for tell in telling:
            tell()


class Fits:
    """The fits of a server, one for each recording. Its methods may be called from any thread.

    Parameters
    ----------
    folder : Path, optional
        Where they are kept; a temporary folder if that cannot be written, or there is none.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._fits: dict[str, Fit] = {}
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = False
        self._lock = threading.Lock()  # guards the three above

    def of(self, recording: Recorded, workspace: Workspace) -> Fit:
        """The neurons of a recording, which are begun if there are none."""
        sample = Sample.of(recording, workspace)
        key = _key(sample)
        with self._lock:
            fit = self._fits.get(key)
            if fit is None or fit.error is not None:
                fit = self._fits[key] = self._kept(key) or self._begin(sample, key)
            return fit

    def close(self) -> None:
        """End what runs, and begin no more. A second call does nothing."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.kill()

    def _kept(self, key: str) -> Fit | None:
        if self._folder is None:
            return None
        with suppress(OSError, ValueError, KeyError):  # there is none, or it was cut off: fitted anew
            return Fit(Neurons.from_npz((self._folder / f"{key}.npz").read_bytes()))
        return None

    def _begin(self, sample: Sample, key: str) -> Fit:
        fit = Fit()
        if self._closed:
            fit.end(None, f"{FAILED}: the server is going down.")
            return fit
        work = Path(tempfile.mkdtemp(prefix="phantomdeck-neurons-"))
        np.savez(work / "sample.npz", allow_pickle=False, **vars(sample))
        with ordinary():
            process = subprocess.Popen(
                [sys.executable, "-m", "engine.sources.user", str(work)],
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
            target=self._follow, args=(process, fit, work, key), name="neurons", daemon=True
        ).start()
        return fit

    def _follow(self, process: subprocess.Popen[str], fit: Fit, work: Path, key: str) -> None:
        said = ""
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                said = line.strip()
                with suppress(ValueError):
                    fit.progress = float(json.loads(said))
        with self._lock:
            self._running.discard(process)
        try:
            status = process.wait()
            if status != 0:
                log.warning("Neurons could not be fitted: %s", said)
                elsewhere = f"{FAILED}. The server's log says why; choose another recording."
                fit.end(None, said if status == REFUSED else elsewhere)
                return
            content = (work / "neurons.npz").read_bytes()
            self._keep(key, content)
            fit.end(Neurons.from_npz(content))
        finally:
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
            log.warning("Cannot keep fitted neurons in %s: %s", self._folder, error)


def _key(sample: Sample) -> str:
    """What distinguishes all that a fit depends on."""
    digest = hashlib.sha256(f"{VERSION} {sample.bin_rate!r} {sample.fast!r} {sample.reach!r}".encode())
    for values in (sample.counts, sample.kinematics, sample.group, sample.follows):
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()[:24]
