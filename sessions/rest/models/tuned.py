"""Models of what a person can tune, made from the `param` declarations of the engine.

A parameter's bounds, choices and documentation are said once, where it acts. From there come the model of
a request, in which nothing is required, and that of an answer, in which everything is there.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal, TypeVar

import param
from pydantic import BaseModel, BeforeValidator, Field, create_model

from engine.tuned import Levels, Pairs

M = TypeVar("M", bound=BaseModel)

_ARRAY = BeforeValidator(lambda given: tuple(given) if isinstance(given, list) else given)
Range = Annotated[tuple[float, float], _ARRAY]
Pair = Annotated[tuple[int, int], _ARRAY]
Level = Annotated[tuple[int, float], _ARRAY]
"""Arrays in JSON."""


def answer_model(tuned: type[param.Parameterized], base: type[M], without: Collection[str] = ()) -> type[M]:
    """A model with a field for every parameter but those `without`, all of them required.

    Raises
    ------
    TypeError
        If a parameter is of a kind that JSON has no type for.
    """
    fields: dict[str, Any] = {
        each.name: (_kind(each), Field(description=each.doc)) for each in _own(tuned, without)
    }
    return create_model(tuned.__name__, __base__=base, __doc__=inspect.getdoc(tuned), **fields)


def ask_model(tuned: type[param.Parameterized], base: type[M], without: Collection[str] = ()) -> type[M]:
    """A model that may have a field for every parameter but those `without`, within its bounds; null is no
    value of any.

    Raises
    ------
    TypeError
        If a parameter is of a kind that JSON has no type for.
    """
    fields: dict[str, Any] = {each.name: (_kind(each), _asked(each)) for each in _own(tuned, without)}
    return create_model(f"{tuned.__name__}Ask", __base__=base, __doc__=inspect.getdoc(tuned), **fields)


def _own(tuned: type[param.Parameterized], without: Collection[str]) -> Iterator[Any]:
    left_out = {"name", *without}
    return (each for name, each in tuned.param.objects("existing").items() if name not in left_out)


def _kind(parameter: Any) -> Any:
    match parameter:
        case param.Boolean():
            return bool
        case param.Integer():
            return int
        case param.Number():
            return float
        case param.Selector():
            return Literal[tuple(parameter.objects)]
        case param.Range():
            return Range
        case Levels():
            return list[Level]
        case Pairs():
            return list[Pair]
        case param.List():
            return list[parameter.item_type]
    raise TypeError(f"{parameter.name} is of a kind that JSON has no type for: {type(parameter).__name__}.")


def _asked(parameter: Any) -> Any:
    """A field with the parameter's bounds, without a default: what is left out stays as it is."""
    limits: dict[str, Any] = {}
    if isinstance(parameter, param.Number) and parameter.bounds:
        low, high = zip(parameter.bounds, parameter.inclusive_bounds, strict=True)
        limits = {"ge" if low[1] else "gt": low[0], "le" if high[1] else "lt": high[0]}
    return Field(default_factory=lambda: None, description=parameter.doc, **limits)
