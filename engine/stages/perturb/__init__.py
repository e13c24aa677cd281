"""Perturbations: one model a file, one line each here, and the set of them that a session has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded
from engine.bins.schema import Rows
from engine.errors import BadSetting
from engine.stages.perturb.base import CountModel, DeliveryModel, Draws, Instability, Model
from engine.stages.perturb.baseline import Baseline
from engine.stages.perturb.days import DAYS_APART
from engine.stages.perturb.drift import Drift
from engine.stages.perturb.encoding import Encoding, PacketIds, encoding_of
from engine.stages.perturb.gain import Gain
from engine.stages.perturb.gain_walk import GainWalk
from engine.stages.perturb.jitter import Jitter
from engine.stages.perturb.lost_packets import LostPackets
from engine.stages.perturb.noise import Noise
from engine.stages.perturb.rotation import Rotation
from engine.stages.perturb.saturation import Saturation
from engine.stages.perturb.tuning_rotation import TuningRotation
from engine.stages.perturb.turnover import Turnover
from engine.stages.perturb.unit_loss import UnitLoss

MODELS: list[type[Model]] = [
    Noise,
    Drift,
    Gain,
    Rotation,
    UnitLoss,
    Saturation,
    LostPackets,
    Jitter,
    TuningRotation,
    Turnover,
    Baseline,
    GainWalk,
]
"""Bit i of a row's ``perturbation`` is model i. They act in this order, instabilities before the others."""

MAX_MODELS: Final = 32
"""Bits of a row's ``perturbation``."""
_OFF: dict[str, dict[str, Any]] = {model.key: {"enabled": False} for model in MODELS}

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "none": _OFF,
    **{
        level: {
            **_OFF,
            "noise": {"enabled": True, "sd": sd},
            "drift": {"enabled": True, "amplitude": amplitude, "period": 60.0},
        }
        for level, sd, amplitude in (
            ("light", 0.2, 0.1),
            ("moderate", 0.5, 0.3),
            ("intense", 1.0, 0.5),
            ("extreme", 2.0, 0.8),
        )
    },
}
"""Levels of noise and drift. Each switches all other models off, so that a level always means the same."""

DAYS: dict[str, dict[str, dict[str, Any]]] = {
    name: {**_OFF, **models} for name, models in DAYS_APART.items()
}
"""What a decoder that was trained on the recording meets so many days later; all else is off, too."""

ALL_PRESETS: dict[str, dict[str, dict[str, Any]]] = {**PRESETS, **DAYS}


def register(model: type[Model]) -> None:
    """Take in another model, such as a plugin's, which acts after the others; presets switch it off.

    Raises
    ------
    BadSetting
        If there is one of its key, or no bit is left for it.
    """
    if any(each.key == model.key for each in MODELS):
        raise BadSetting(f"There is a perturbation {model.key!r} already. Give yours another key.")
    if len(MODELS) == MAX_MODELS:
        raise BadSetting(f"There are {MAX_MODELS} perturbations, which is the limit. Take one out.")
    MODELS.append(model)
    for preset in ALL_PRESETS.values():
        preset[model.key] = {"enabled": False}


def model_names(mask: int) -> list[str]:
    """The models whose bits are set."""
    return [model.key for i, model in enumerate(MODELS) if mask >> i & 1]


class Perturbations:
    """The models of one session, seeded; counts stay whole, and at most what their type holds.

    What is between two whole numbers becomes one of them by a seeded draw: 1.3 is sent as 2 in 3 of 10
    bins, as 1 in the others. So in expectation the formula of a model is what is sent, of sparse units too.

    Parameters
    ----------
    seed : int
    n_units : int
    bin_rate : float
        Bins per second.
    recording : Recorded, optional
        That the bins are of. Without one it is not known what units fire for.
    encoding : Encoding, optional
        Of its units, where that is known already.
    """

    def __init__(
        self,
        seed: int,
        n_units: int,
        bin_rate: float,
        recording: Recorded | None = None,
        encoding: Encoding | None = None,
    ) -> None:
        self._recording, self._known = recording, encoding
        self._make = lambda model, values: model(seed, n_units, bin_rate, **values)
        self._models: dict[str, Model] = {model.key: self._make(model, {}) for model in MODELS}
        self._acting: list[Model] = []
        self._rounding = Draws(seed, "rounding", n_units)
        self.mask = 0

    @cached_property
    def _encoding(self) -> Encoding | None:
        if self._known is not None or self._recording is None:
            return self._known
        return encoding_of(self._recording)

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """Each model's parameters, as `change` takes them."""
        return {key: model.settings for key, model in self._models.items()}

    def change(self, settings: Mapping[str, Any]) -> None:
        """Set models by name, or all of them by ``{"preset": NAME}``; the others stay as they are.

        Raises
        ------
        BadSetting
            If a name is unknown or a value out of bounds; then nothing has changed.
        """
        changed = dict(self._models)
        for key, values in _spelled_out(settings).items():
            current = self._models[key].settings
            for name in values:
                if name not in current:
                    raise BadSetting(f"Unknown parameter {name!r} of {key}. It has {', '.join(current)}.")
            try:
                changed[key] = self._make(type(self._models[key]), {**current, **values})
            except ValueError as error:
                raise BadSetting(str(error)) from None
            self._inform(changed[key])
        self._models = changed
        acting = [model for model in changed.values() if model.enabled]
        self._acting = sorted(acting, key=lambda model: not isinstance(model, Instability))
        self.mask = sum(1 << i for i, model in enumerate(changed.values()) if model.enabled)

    def prepare(self, *changes: Mapping[str, Any]) -> None:
        """Find out what changes will need to know, so that `change` takes no time; in any thread.

        Raises
        ------
        BadSetting
            If a name is unknown.
        """
        for settings in changes:
            for key, values in _spelled_out(settings).items():
                model = self._models[key]
                if isinstance(model, Instability) and model.uses_encoding and values.get("enabled"):
                    self._encoding  # noqa: B018  # which is kept

    def _inform(self, model: Model) -> None:
        """Tell a model that acts what units fire for, if it asks."""
        if not isinstance(model, Instability) or not (model.enabled and model.uses_encoding):
            return
        model.encoding = self._encoding
        if model.encoding is None and model.needs_encoding:
            raise BadSetting(
                f"{model.key} needs a recording with velocities, to know what units are tuned to. Leave it "
                "off here."
            )

    def disturb(self, rows: Rows, first: int) -> None:
        """`apply` to the counts of rows, then `deliver` them."""
        self.apply(rows["counts"], first, rows["packet_id"])
        self.deliver(rows, first)

    def apply(
        self,
        counts: npt.NDArray[np.unsignedinteger[Any]],
        first: int,
        packet_ids: PacketIds | None = None,
    ) -> None:
        """Disturb counts in place, by the models that change counts.

        Parameters
        ----------
        counts : ndarray of uint8 or uint16, shape (n, n_units)
        first : int
            Sequence number of the first row.
        packet_ids : ndarray of int, shape (n,), optional
            Places of the bins in the recording; `first` and what follows, if not given.
        """
        models = [model for model in self._acting if isinstance(model, CountModel)]
        if not models:
            return
        disturbed = counts.astype(np.float32)
        if packet_ids is None:
            packet_ids = np.arange(first, first + len(counts))
        for model in models:
            if isinstance(model, Instability):
                disturbed = model.apply(disturbed, first, packet_ids)
            else:
                disturbed = model.apply(disturbed, first)
        whole = np.floor(disturbed)
        whole += self._rounding.uniform(first, len(counts)) < disturbed - whole
        counts[:] = np.minimum(whole, np.iinfo(counts.dtype).max)

    def deliver(self, rows: Rows, first: int) -> None:
        """Say of rows which are lost and by how much they are delayed, in place.

        Parameters
        ----------
        rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
            None of them lost or delayed so far.
        first : int
            Sequence number of the first row.
        """
        for model in self._acting:
            if isinstance(model, DeliveryModel):
                model.apply(rows, first)


def _spelled_out(settings: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    if "preset" in settings:
        preset = settings["preset"]
        if len(settings) > 1 or not isinstance(preset, str) or preset not in ALL_PRESETS:
            raise BadSetting(
                f"Unknown preset {preset!r}. Send one of {', '.join(ALL_PRESETS)}, and nothing beside it."
            )
        return ALL_PRESETS[preset]
    known = [model.key for model in MODELS]
    for key, values in settings.items():
        if key not in known:
            raise BadSetting(f"Unknown perturbation {key!r}. There are {', '.join(known)}.")
        if not isinstance(values, Mapping):
            raise BadSetting(f"Perturbation {key!r} takes an object of its parameters.")
    return settings
