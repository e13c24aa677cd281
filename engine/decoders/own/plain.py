"""A class of one's own with ``predict(counts)``, and ``fit``, ``reset``, ``on_done`` if it likes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.decoders.base import MIN_BINS, Arrays, Counts, Flags, Floats, Ids
from engine.decoders.own.foreign import Foreign, accepts, as_floats
from engine.errors import BadModel, CannotFit

STATE = "state:"
"""Before the names of arrays in a file, which may be any."""


class Plain(Foreign):
    """Asks an object; whatever method it has not is not called.

    ``predict(counts)`` gets one bin, float64 of shape (n_units,). ``fit(counts, targets)`` gets the bins
    whose kinematics are known, shapes (n_bins, n_units) and (n_bins, 4), and ``starts`` or ``goals`` if it
    has arguments of these names: `Decoder.fit` says what they are. ``state()`` gives arrays by name, which
    ``load(state)`` takes.
    """

    def __init__(self, bin_rate: float, **settings: Any) -> None:
        super().__init__(bin_rate, **settings)
        self._kept: Arrays = {}

    @classmethod
    def suits(cls, kind: type) -> bool:
        return hasattr(kind, "predict")

    def fit(
        self,
        counts: Counts,
        targets: Floats,
        starts: Flags | None = None,
        goals: Floats | None = None,
        trials: Ids | None = None,  # noqa: ARG002
    ) -> None:
        known = np.isfinite(targets)
        columns = known.any(axis=0)
        rows = np.asarray(known[:, columns].all(axis=1) & columns.any())
        if rows.sum() < MIN_BINS:
            raise CannotFit(
                f"There are {rows.sum()} bins with known kinematics to learn from, of {len(rows)}. "
                f"Choose trials that have at least {MIN_BINS}."
            )
        begun = np.arange(len(rows)) == 0 if starts is None else starts
        stretches = np.cumsum(begun | ~np.append(True, rows[:-1]))[rows]
        more = {
            "starts": np.append(True, np.diff(stretches) != 0),
            "goals": np.full((rows.sum(), 2), np.nan) if goals is None else goals[rows].astype(np.float64),
        }
        self._own = self._make()
        wanted = {name: value for name, value in more.items() if accepts(self._own.fit, name)}
        self._call("fit", as_floats(counts[rows]), targets[rows].astype(np.float64), **wanted)
        self.reset()

    def predict(self, counts: Counts, truth: Floats | None = None) -> Floats:  # noqa: ARG002
        if self._begins:
            self._begin()
        return self._kinematics(self._call("predict", as_floats(counts)))

    def on_done(self) -> None:
        if hasattr(self._own, "on_done"):
            self._call("on_done")

    def arrays(self) -> Arrays:
        if not self.learned:
            return {}
        if not (hasattr(self._own, "state") and hasattr(self._own, "load")):
            raise BadModel(
                f"What {self.key} has learned lives in its process alone. Give it state(), which returns "
                "arrays by name, and load(state), to keep it."
            )
        state = self._blaming("state", lambda: {k: np.asarray(v) for k, v in self._own.state().items()})
        for name, value in state.items():
            if value.dtype.hasobject:
                raise BadModel(
                    f"{name!r} of {self.key}'s state() is no array of numbers or text. Leave it."
                )
        return {f"{STATE}{name}": value for name, value in state.items()}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._own = None
        self._kept = {name.removeprefix(STATE): each for name, each in arrays.items()}

    def _begin(self) -> None:
        self._begins = False
        if self._own is None:
            self._own = self._make()
            if self._kept:
                self._call("load", self._kept)
        self._reset()

    def _reset(self) -> None:
        if hasattr(self._own, "reset"):
            self._call("reset")
