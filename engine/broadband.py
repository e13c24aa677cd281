"""What simulated electrodes and spike detection share: the sampling, the waveform, and what computes."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from engine.errors import BadSetting

SAMPLING_RATE: Final = 30_000
"""Samples per second."""
BLOCK: Final = 300
"""Samples that travel together: 10 ms."""
MOST_CHANNELS: Final = 1024
WAVEFORM: Final = 48
"""Samples of a spike's waveform: 1.6 ms."""
TROUGH: Final = 12
"""Where in a waveform its trough is."""
REFRACTORY: Final = 30
"""Samples within which a unit, or a channel's detection, does not fire again: 1 ms."""

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
    comes of it is cached on disk. ``python -m engine.broadband`` does so ahead.

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


PACKAGES: Final = ("engine.sources.electrodes", "engine.stages.detection")

if __name__ == "__main__":
    for package in PACKAGES:
        kernels(package)
