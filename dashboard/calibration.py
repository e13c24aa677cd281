"""What the Calibrate page offers: decoders that learn, and their hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import param

from engine.decoders import DECODERS, Decoder


@dataclass(frozen=True)
class Hyperparameter:
    """A number to choose; bounds are None where there are none."""

    name: str
    doc: str
    default: float
    low: float | None
    high: float | None
    whole: bool


@dataclass(frozen=True)
class Choice:
    """A decoder as the page offers it."""

    key: str
    label: str
    hyperparameters: Sequence[Hyperparameter]


def choices() -> list[Choice]:
    """Every decoder that learns."""
    return [_choice(decoder) for decoder in DECODERS.values() if decoder.learned]


def _choice(decoder: type[Decoder]) -> Choice:
    declared = decoder.param.objects("existing").values()
    return Choice(
        key=decoder.key,
        label=decoder.key.replace("_", " "),
        hyperparameters=[_hyperparameter(each) for each in declared if isinstance(each, param.Number)],
    )


def _hyperparameter(number: Any) -> Hyperparameter:
    low, high = number.bounds
    return Hyperparameter(
        number.name, number.doc, number.default, low, high, isinstance(number, param.Integer)
    )
