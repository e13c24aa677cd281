"""Fits neurons in a process of its own, and keeps what came of it by what it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from engine.bins.description import Recorded
from engine.making import Making, Workshop
from engine.sources.user.neurons import Neurons
from engine.sources.user.regression import Sample
from engine.sources.user.workspace import Workspace

VERSION: Final = 1
"""Of what comes of a fit: raise it whenever that changes."""

Fit = Making[Neurons]


class Fits:
    """The fits of a server, one for each recording. Its methods may be called from any thread.

    Parameters
    ----------
    folder : Path, optional
        Where they are kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._workshop = Workshop(
            "engine.sources.user",
            "fitted neurons",
            "The neurons could not be fitted",
            Neurons.from_npz,
            folder,
            VERSION,
        )

    def of(self, recording: Recorded, workspace: Workspace) -> Fit:
        """The neurons of a recording, which are begun if there are none."""
        sample = Sample.of(recording, workspace)
        return self._workshop.of({name: np.asarray(value) for name, value in vars(sample).items()})

    def close(self) -> None:
        """End what runs, and begin no more. A second call does nothing."""
        self._workshop.close()
