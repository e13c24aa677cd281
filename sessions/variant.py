"""What a decoder may ask to get otherwise than its session sends it: clean, or without the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.delivery import arriving
from engine.recording import Recording
from engine.ring import Rows


@dataclass(frozen=True)
class Variant:
    """One way in which the packets of a session are delivered.

    Attributes
    ----------
    clean : bool
        The unperturbed twin: counts as recorded, nothing lost or delayed.
    truth : bool
        Whether kinematics and intention are told.
    """

    clean: bool = False
    truth: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """How it differs from the plain one."""
        return ("clean",) * self.clean + ("no truth",) * (not self.truth)

    def of(self, rows: Rows, recording: Recording) -> Rows:
        """What is encoded of rows, shape (n,), dtype `engine.ring.row_dtype`; they may be changed.

        Returns
        -------
        ndarray, shape (m,), m at most n
        """
        if not self.clean:
            rows = arriving(rows)
        elif rows["perturbation"].any():
            rows["counts"] = recording.counts[rows["packet_id"]]
            rows["perturbation"] = 0
        if not self.truth:
            rows["kinematics"] = rows["intention"] = np.nan
        return rows


PLAIN = Variant()
