"""What all code of somebody's own has in common: it is made late, asked with care, and blamed by name."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import numpy as np
import param

from engine.decoders.base import N_KINEMATICS, VELOCITY, Counts, Decoder, Floats
from engine.errors import DeckError, DecoderFault

RATE = "bin_rate"
"""An argument of whatever makes the object, which gets bins per second."""
HERE = Path(__file__).parent
LIBRARIES = ("site-packages", "dist-packages")
"""Folders whose lines nobody can mend."""


class Foreign(Decoder):
    """Somebody's own code, which is made when it is first needed: in the process that uses it.

    Attributes
    ----------
    make : function
        Makes the code's object; takes some of the hyperparameters by name.
    made_with : tuple of str
        Which ones.
    """

    make: ClassVar[Callable[..., Any]]
    made_with: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def suits(cls, kind: type) -> bool:
        """Whether this adapter is the one for objects of a class."""
        raise NotImplementedError

    @classmethod
    def declared(cls, code: Any, made: Any) -> dict[str, Any]:
        """What a class of this adapter has beside it: hyperparameters, and what is said of them.

        Parameters
        ----------
        code : class, function or object
        made : object
            What the code is or makes; None of a class.
        """
        tuned = numbers(_defaults(code)) if made is not code else {}
        # Whatever stands in `learned` says that it learns; `arrays` says what.
        kind = code if made is None else type(made)
        learned = ("state",) if hasattr(kind, "fit") else ()
        return {"learned": learned, "made_with": tuple(tuned), **tuned}

    def __init__(self, bin_rate: float, **settings: Any) -> None:
        super().__init__(bin_rate, **settings)
        self._own: Any = None
        self._begins = True

    def reset(self) -> None:
        self._begins = True

    def _make(self) -> Any:
        """A new object, which has learned nothing."""
        return self._blaming("the making of it", lambda: type(self).make(**self._settings()))

    def _settings(self) -> dict[str, Any]:
        """What it is made with, by name."""
        settings = {name: getattr(self, name) for name in self.made_with}
        return settings | ({RATE: self.bin_rate} if accepts(type(self).make, RATE) else {})

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """What the code's object says."""
        return self._blaming(method, lambda: getattr(self._own, method)(*arguments, **named))

    def _blaming(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except DeckError:
            raise
        except Exception as error:  # whatever else it is, it is that code's
            first = (str(error).splitlines() or [""])[0][:160]
            raise DecoderFault(
                f"{self.key} has failed in {what}: {type(error).__name__}: {first}"
                f"{_place(error.__traceback__)}. Mend it, and start it again."
            ) from error

    def _kinematics(self, said: Any) -> Floats:
        """An answer as x, y, vx, vy; two numbers are a velocity.

        Raises
        ------
        DecoderFault
            If it is something else.
        """
        values: Floats = self._blaming(
            "its answer", lambda: np.asarray([] if said is None else said, np.float64).ravel()
        )
        if len(values) == N_KINEMATICS:
            return values
        if len(values) != len(VELOCITY):
            raise DecoderFault(
                f"{self.key} answers {len(values)} numbers for a bin. Let it answer x, y, vx, vy, with NaN "
                "for what it has not, or vx, vy."
            )
        return np.concatenate((np.full(N_KINEMATICS - len(values), np.nan), values))


def as_floats(counts: Counts) -> Floats:
    """A copy of counts to compute with: those of a packet cannot be written to, and wrap around at 255."""
    return counts.astype(np.float64)


def numbers(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters, of `param`, for what has a number as its default and no name that is taken."""
    kinds: dict[type, Any] = {int: param.Integer, float: param.Number}
    return {
        name: kinds[type(value)](default=value, doc="Of your own.")
        for name, value in defaults.items()
        if type(value) in kinds and name != RATE and not hasattr(Decoder, name)
    }


def _defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Arguments that may be given by name, with their defaults."""
    return {
        name: each.default
        for name, each in inspect.signature(function).parameters.items()
        if each.default is not each.empty and each.kind is not each.POSITIONAL_ONLY
    }


def accepts(function: Callable[..., Any] | None, name: str) -> bool:
    """Whether a function, if there is one, has an argument of this name."""
    return function is not None and name in inspect.signature(function).parameters


def _place(found: TracebackType | None) -> str:
    """The innermost line that is no library's and not ours, in brackets; empty if there is none."""
    theirs = [
        each
        for each in traceback.extract_tb(found)
        if Path(each.filename).parent != HERE and not any(part in each.filename for part in LIBRARIES)
    ]
    return f" ({Path(theirs[-1].filename).name}, line {theirs[-1].lineno})" if theirs else ""
