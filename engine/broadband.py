"""What simulated electrodes and spike detection share: the sampling, the waveform, and what computes."""

from __future__ import annotations

import math
import subprocess
import sys
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from engine.errors import BadSetting
from engine.scheduling import ordinary

SAMPLING_RATE: Final = 30_000
"""Samples per second."""
BLOCK: Final = 300
"""Samples that travel together: 10 ms."""
MOST_CHANNELS: Final = 1024
MICROVOLTS_PER_COUNT: Final = (0.001, 10.0)
"""Bounds of what a count of an amplifier is."""
WAVEFORM: Final = 48
"""Samples of a spike's waveform: 1.6 ms."""
TROUGH: Final = 12
"""Where in a waveform its trough is."""
REFRACTORY: Final = 30
"""Samples within which a unit, or a channel's detection, does not fire again: 1 ms."""

PACKAGES: Final = ("engine.sources.electrodes", "engine.stages.detection")
"""Those with inner loops."""
ROOT: Final = Path(__file__).parents[1]

Engine = Literal["numba", "scipy"]
Counts16 = npt.NDArray[np.int16]
"""Voltages as an amplifier gives them, in its counts, shape (n_samples, n_channels)."""
Floats32 = npt.NDArray[np.float32]
Samples = npt.NDArray[np.int64]
"""Indices of samples since the first one."""


def fastest() -> Engine:
    """What computes unless another is asked for: numba where it is installed, else scipy."""
    return "scipy" if find_spec("numba") is None else "numba"


def kernels(package: str, engine: Engine | None = None) -> Any:
    """The inner loops of a package: its module `compiled` (numba) or `plain` (scipy).

    The first import of `compiled` compiles it, which takes seconds and holds the interpreter's lock; what
    comes of it is cached on disk. `compile_ahead` does so elsewhere, and so does ``python -m
    engine.broadband``.

    Raises
    ------
    BadSetting
        If numba is asked for and not there.
    """
    engine = engine or fastest()
    if engine == "numba" and find_spec("numba") is None:
        raise BadSetting(
            "Engine 'numba' is not installed. Install phantomdeck[electrodes], or take 'scipy'."
        )
    module: ModuleType = import_module(f"{package}.{'compiled' if engine == 'numba' else 'plain'}")
    return module


def first_sample(number: int, rate: Fraction) -> int:
    """Of a bin, at so many bins per second."""
    return math.ceil(number * SAMPLING_RATE / rate)


def first_samples(n_bins: int, rate: Fraction) -> Samples:
    """Of so many bins from 0 on, and of the one after them, shape (n_bins + 1,)."""
    edges: Samples = -(-np.arange(n_bins + 1) * (SAMPLING_RATE * rate.denominator) // rate.numerator)
    return edges


def compile_ahead(engine: Engine | None = None) -> None:
    """Compile what numba has to, unless this process has it: in another process, so that others go on here.

    It takes a second or two; without a cache on disk ten.

    Raises
    ------
    BadSetting
        If it fails.
    """
    here = all(f"{package}.compiled" in sys.modules for package in PACKAGES)
    if here or (engine or fastest()) != "numba":
        return
    command = [sys.executable, "-m", "engine.broadband"]
    with ordinary():
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    _, errors = process.communicate()
    if process.returncode:
        said = errors.strip().rpartition("\n")[2]
        raise BadSetting(f"numba could not compile: {said}. Install numba again, or do without it.")


def load_ahead() -> None:
    """Compile and load what computes fastest, so that nobody has to wait for it later.

    Raises
    ------
    BadSetting
        If it cannot be compiled.
    """
    compile_ahead()
    for package in PACKAGES:
        kernels(package)


if __name__ == "__main__":
    for each in PACKAGES:
        kernels(each)
