"""What a decoder may ask to get otherwise than its session sends it: clean, or without the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.bins.description import Description
from engine.bins.schema import row_dtype


@dataclass(frozen=True)
class Delivered:
    """One way in which the packets of a session are delivered.

    Attributes
    ----------
    clean : bool
        The unperturbed twin: counts as recorded, nothing lost or delayed.
    truth : bool
        Whether kinematics and intention are told, and what is intended.
    """

    clean: bool = False
    truth: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """How it differs from the plain one."""
        return ("clean",) * self.clean + ("no truth",) * (not self.truth)

    def change(self, raw: bytearray, description: Description) -> None:
        """Make rows of `engine.bins.schema.row_dtype` what is to be encoded of them."""
        if not self.clean and self.truth:
            return
        rows = np.frombuffer(raw, row_dtype(description.n_units, description.count_dtype))
        if self.clean:
            rows["counts"] = description.clean(rows["packet_id"])
            rows["perturbation"] = 0
            rows["lost"] = False
        if not self.truth:
            rows["kinematics"] = rows["intention"] = np.nan
            rows["intended"] = np.nan


PLAIN = Delivered()
