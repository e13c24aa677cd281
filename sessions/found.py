"""What is found at electrodes, for whoever learns from it: made once, in processes, and kept."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np

from engine.errors import NotNow
from engine.found.orders import Counts, as_found, electrodes_of, of_movement, of_spikes, of_voltages
from engine.making import Arrays, Workshop
from engine.sources.electrodes.implant import implant_of
from engine.sources.electrodes.settings import Electrodes
from engine.sources.recordings.recording import Recording
from sessions.refusals import Soon
from sessions.session import Session

VERSION: Final = 1
"""Of what is found: raise it whenever that changes."""
KEPT: Final = 4
"""Recordings' counts in memory."""


class Found:
    """Those of a server. Its methods may be called from any thread, and may take a tenth of a second.

    Parameters
    ----------
    folder : Path, optional
        Where counts are kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._workshop = Workshop(
            "engine.found",
            "counts of electrodes",
            "The spikes at the electrodes could not be found",
            _counts,
            folder,
            VERSION,
            most=1,
            kept=KEPT,
        )

    def learned_from(self, session: Session, recording: Recording) -> Recording:
        """What decoders of a session learn from: its recording, or what is found at its electrodes.

        Raises
        ------
        NotNow
            If the session plays no recording, or nothing can be found.
        Soon, Occupied
            If it is being made, or others are.
        """
        implant = implant_of(session.replay.source)
        if implant is not None:
            made_with = implant.settings, implant.detection
            if implant.recorded is not None:
                return self._of(recording, of_voltages(recording, implant.recorded, *made_with))
            return self._of(recording, of_spikes(recording, *made_with))
        _ = session.recording
        return recording

    def moved(self, recording: Recording, electrodes: Electrodes) -> Recording:
        """What is found at electrodes whose units fire for a recording's movement.

        Raises
        ------
        CannotFit
            If there is no movement.
        NotNow, Soon, Occupied
            As above.
        """
        return self._of(recording, of_movement(recording, electrodes))

    def close(self) -> None:
        """End what runs, and begin no more. A second call does nothing."""
        self._workshop.close()

    def _of(self, recording: Recording, order: Arrays) -> Recording:
        making = self._workshop.of(order)
        if making.error is not None:
            raise NotNow(making.error)
        if making.made is None:
            raise Soon(
                f"The spikes of {recording.name} are being found on {electrodes_of(order).n_channels} "
                f"electrodes: {making.progress:.0%} done. Ask again in a second."
            )
        return as_found(recording, order, making.made)


def _counts(content: bytes) -> Counts:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        counts: Counts = file["counts"]
    return counts
