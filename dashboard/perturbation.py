"""The perturbation panel, made from the models' `param` declarations."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import param

from engine.stages.perturb.base import Model

SWITCH: Final = "enabled"
"""The parameter that every model has."""
STEPS: Final = 300
"""Of a slider."""
WIDE: Final = 100
"""A slider whose upper end is so many times the lower one is logarithmic."""


@dataclass(frozen=True)
class Control:
    """One parameter: a slider and a number, a switch, or a choice.

    Attributes
    ----------
    low, high : float
        What is allowed.
    slider_low, slider_high, step : float
        Of the slider, which may be narrower; decades if it is logarithmic.
    """

    name: str
    label: str
    doc: str
    kind: Literal["number", "switch", "choice"]
    value: Any
    options: Sequence[Any] = ()
    low: float = 0.0
    high: float = 0.0
    slider_low: float = 0.0
    slider_high: float = 0.0
    step: float = 1.0
    logarithmic: bool = False


@dataclass(frozen=True)
class Panel:
    """One model."""

    key: str
    label: str
    doc: Sequence[str]
    """Texts, of which every second one is a formula."""
    controls: Sequence[Control]


def panel(model: type[Model]) -> Panel:
    """What a model's part of the panel shows."""
    parameters = model.param.objects("existing").items()
    return Panel(
        key=model.key,
        label=model.key.replace("_", " ").capitalize(),
        doc=(inspect.getdoc(model) or "").split("``"),
        controls=[control(each) for name, each in parameters if name not in ("name", SWITCH)],
    )


def control(parameter: Any) -> Control:
    """What a person sets a parameter with.

    Raises
    ------
    TypeError
        If there is no control for its kind, or it is a number without bounds.
    """
    said = (parameter.name, parameter.label, parameter.doc or "")
    match parameter:
        case param.Boolean():
            return Control(*said, "switch", parameter.default)
        case param.Selector():
            return Control(*said, "choice", parameter.default, tuple(parameter.objects))
        case param.Number() if parameter.bounds and None not in parameter.bounds:
            return _number(parameter)
    raise TypeError(f"There is no control for {parameter.name}. Declare a switch, a choice or bounds.")


def _number(parameter: Any) -> Control:
    low, high = parameter.bounds
    first, last = parameter.softbounds or parameter.bounds
    logarithmic = first > 0 and last > WIDE * first
    if logarithmic:
        first, last = math.log10(first), math.log10(last)
    step = 1 if isinstance(parameter, param.Integer) and not logarithmic else (last - first) / STEPS
    return Control(
        parameter.name,
        parameter.label,
        parameter.doc or "",
        "number",
        parameter.default,
        low=low,
        high=high,
        slider_low=first,
        slider_high=last,
        step=step,
        logarithmic=logarithmic,
    )
