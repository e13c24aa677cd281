"""``python -m engine.sources.user FOLDER``: fits neurons to the folder's sample, and tells how far."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import CannotFit
from engine.sources.user.regression import Sample, fit

NICENESS = 10


def main(folder: Path) -> int:
    """Write ``neurons.npz`` beside ``sample.npz``; returns the exit status."""
    os.nice(NICENESS)
    with np.load(folder / "sample.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    read: dict[str, Any] = {name: each[()] if each.ndim == 0 else each for name, each in arrays.items()}
    sample = Sample(**read)
    try:
        neurons = fit(sample, lambda done: _say(f"{done:.3f}"))
    except CannotFit as error:
        _say(str(error))
        return 2
    (folder / "neurons.npz").write_bytes(neurons.to_npz())
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
