"""Decoders written for FALCON (Karpowicz et al. 2024, NeurIPS Datasets and Benchmarks), unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.decoders.base import Counts, Flags, Floats, Ids
from engine.decoders.own.foreign import accepts, as_floats
from engine.decoders.own.plain import Plain
from engine.errors import BadSetting

INTERFACE = "BCIDecoder"
"""Of falcon_challenge.interface."""
CONFIG = "task_config"
"""The argument of whatever makes one."""


class Falcon(Plain):
    """Asks a ``BCIDecoder`` as FALCON's evaluator does, with a batch of one.

    ``reset(dataset_tags)`` gets the recording's name before each stretch of bins, ``predict`` one bin of
    shape (1, n_units), and ``on_done`` is called after each bin, with ``[True]`` after a trial's last one.
    Who wants a ``task_config``, a class or a function that makes one, gets that of FALCON's task M2, two
    velocities, with the units and the bins of what is played. Such a decoder is fitted elsewhere, unless
    it has a ``fit`` as `Plain` has it.
    """

    @classmethod
    def suits(cls, kind: type) -> bool:
        if not isinstance(kind, type):
            return accepts(kind, CONFIG)
        named = any(each.__name__ == INTERFACE for each in kind.__mro__)
        return named or (hasattr(kind, "predict") and accepts(getattr(kind, "reset", None), "dataset_tags"))

    def __init__(self, bin_rate: float, **settings: Any) -> None:
        super().__init__(bin_rate, **settings)
        self._answered = self._ended = False
        self._n_units: int | None = None

    def fit(
        self,
        counts: Counts,
        targets: Floats,
        starts: Flags | None = None,
        goals: Floats | None = None,
        trials: Ids | None = None,
    ) -> None:
        self._n_units = counts.shape[1]
        super().fit(counts, targets, starts, goals, trials)

    def predict(self, counts: Counts, truth: Floats | None = None) -> Floats:  # noqa: ARG002
        self._n_units = len(counts)
        if self._answered:
            self._call("on_done", np.array([self._ended]))
        if self._begins:
            self._begin()
        self._answered, self._ended = True, False
        return self._kinematics(self._call("predict", as_floats(counts)[None]))

    def on_done(self) -> None:
        self._ended = True

    def _make(self) -> Any:
        made = super()._make()
        if getattr(made, "batch_size", 1) != 1 and hasattr(made, "set_batch_size"):
            self._blaming("set_batch_size", lambda: made.set_batch_size(1))
        return made

    def _settings(self) -> dict[str, Any]:
        settings = super()._settings()
        if accepts(type(self).make, CONFIG):
            settings[CONFIG] = self._config()
        return settings

    def _reset(self) -> None:
        self._call("reset", [Path(self.recording)])

    def _config(self) -> Any:
        try:
            from falcon_challenge.config import FalconConfig, FalconTask
        except ImportError as error:
            raise BadSetting(
                f"{self.key} wants a task_config of FALCON, and {error.name} is not installed. Run pip "
                "install falcon-challenge."
            ) from None
        n_units, bin_size_ms = self._n_units, 1000 / self.bin_rate

        class OfDeck(FalconConfig):  # type: ignore[misc]
            """That of a recording which is not FALCON's."""

            n_channels = property(lambda _: n_units)

            def hash_dataset(self, handle: str | Path) -> str:
                try:
                    return str(super().hash_dataset(handle))
                except (LookupError, ValueError):
                    return Path(handle).stem

        return OfDeck(task=FalconTask.m2, bin_size_ms=bin_size_ms)
