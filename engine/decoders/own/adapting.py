"""Which adapter makes a decoder like ours of somebody's code."""

from __future__ import annotations

import copy
import inspect
from typing import Any, Final

from engine.decoders.base import Decoder
from engine.decoders.own.falcon import CONFIG, Falcon
from engine.decoders.own.foreign import Foreign, accepts
from engine.decoders.own.onnx import Onnx
from engine.decoders.own.plain import Plain
from engine.decoders.own.sklearn import Estimator
from engine.decoders.own.torch import Module
from engine.errors import BadSetting, DecoderFault

ADAPTERS: Final[tuple[type[Foreign], ...]] = (Falcon, Estimator, Plain, Module, Onnx)
"""The first that suits is taken."""


def adapted(code: Any, key: str) -> type[Decoder]:
    """A class of decoders that asks somebody's code.

    Parameters
    ----------
    code : class, function or object
        A function makes an object, and is called here to see of which kind.
    key : str
        Unless the code has a ``key`` itself.

    Raises
    ------
    BadSetting
        If it is nothing that decodes.
    DecoderFault
        If it fails.
    """
    if isinstance(code, type) and issubclass(code, Decoder):
        return code
    made = None if _comes_later(code) else _made(code, key) if inspect.isroutine(code) else code
    kind = code if made is None else type(made)
    adapter = next((each for each in ADAPTERS if each.suits(kind)), None)
    if adapter is None:
        raise BadSetting(f"{key} has no predict(counts). Name a class or an object that has.")
    key = getattr(code, "key", key)
    body = {
        "__doc__": kind.__doc__,
        "key": key,
        "make": staticmethod((lambda: _again(code)) if made is code else code),
        **adapter.declared(code, made),
    }
    return type(key, (adapter,), body)


def _comes_later(code: Any) -> bool:
    """Whether it makes its object of what is not known yet."""
    return isinstance(code, type) or (inspect.isroutine(code) and accepts(code, CONFIG))


def _made(function: Any, key: str) -> Any:
    try:
        return function()
    except Exception as error:  # whatever it is, it is that code's
        raise DecoderFault(f"{key} cannot be made: {type(error).__name__}: {error}. Mend it.") from error


def _again(code: Any) -> Any:
    """An object that may learn without the first one's learning."""
    return copy.deepcopy(code) if hasattr(code, "fit") else code
