"""Decoders of one's own: what a name on the command line or a plugin's class means.

Each kind of code has its adapter, one a file, which makes of it a `Decoder` like ours. Only who starts a
program may name code, on its command line, in its environment or by its folder of plugins; never a client.
"""

from __future__ import annotations

import copy
import importlib
import os
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from engine.decoders import DECODERS, Decoder, register
from engine.decoders.own.falcon import Falcon
from engine.decoders.own.foreign import Foreign
from engine.decoders.own.plain import Plain
from engine.decoders.own.sklearn import Estimator
from engine.errors import BadSetting, DecoderFault
from engine.loading import OWN_DECODERS, load_file

OF_FILE: Final = re.compile(r"(?P<path>.+\.py):(?P<name>\w+)")
OF_MODULE: Final = re.compile(r"(?P<module>\w+(\.\w+)*):(?P<name>\w+)")
ADAPTERS: Final[tuple[type[Foreign], ...]] = (Falcon, Estimator, Plain)
"""The first that suits is taken."""
SPELLED: Final = "FILE.py:CLASS or MODULE:CLASS"


def named(text: str) -> str:
    """The key of a decoder that is known, or of one's own, which is known from now on.

    Processes that this one starts find it in their environment.

    Parameters
    ----------
    text : str
        A key, or what `SPELLED` says; the class may also be a function that makes a decoder, or an object.

    Raises
    ------
    BadSetting
        If there is no such decoder, or one of its key already.
    DecoderFault
        If its code cannot be loaded.
    """
    if text in DECODERS:
        return text
    decoder, spelled = _found(text)
    register(decoder)
    os.environ[OWN_DECODERS] = "\n".join([*os.environ.get(OWN_DECODERS, "").splitlines(), spelled])
    return decoder.key


def again() -> None:
    """Make known what the process that has started this one has named.

    Raises
    ------
    BadSetting, DecoderFault
        As `named` has it.
    """
    for text in os.environ.get(OWN_DECODERS, "").splitlines():
        register(_found(text)[0])


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
    is_class, is_object = isinstance(code, type), not callable(code) or hasattr(code, "predict")
    made = None if is_class else code if is_object else _made(code, key)
    kind = code if is_class else type(made)
    adapter = next((each for each in ADAPTERS if each.suits(kind)), None)
    if adapter is None:
        raise BadSetting(f"{key} has no predict(counts). Name a class or an object that has.")
    key = getattr(code, "key", key)
    body = {
        "__doc__": kind.__doc__,
        "key": key,
        "make": staticmethod(code if is_class or not is_object else lambda: copy.deepcopy(code)),
        **adapter.declared(code, made),
    }
    return type(key, (adapter,), body)


def _made(function: Any, key: str) -> Any:
    try:
        return function()
    except Exception as error:  # whatever it is, it is that code's
        raise DecoderFault(f"{key} cannot be made: {type(error).__name__}: {error}. Mend it.") from error


def _found(text: str) -> tuple[type[Decoder], str]:
    """A decoder of one's own, and its name as other processes find it, wherever they work."""
    if match := OF_FILE.fullmatch(text):
        path = Path(match["path"]).resolve()
        if not path.is_file():
            raise BadSetting(f"There is no file {match['path']}. Name one: {SPELLED}.")
        sys.path.append(str(path.parent))  # for what it imports from its folder
        module, spelled = load_file(path, f"own_decoders.{path.stem}"), f"{path}:{match['name']}"
    elif match := OF_MODULE.fullmatch(text):
        sys.path.append(str(Path.cwd()))
        module, spelled = _imported(match["module"]), text
    else:
        raise BadSetting(
            f"Unknown decoder {text[:80]!r}. There are {', '.join(DECODERS)}, and {SPELLED} of your own."
        )
    code = getattr(module, match["name"], None)
    if code is None:
        raise BadSetting(f"{text.rpartition(':')[0]} has no {match['name']}. Name what it has: {SPELLED}.")
    return adapted(code, match["name"]), spelled


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # whatever it is, it is that module's
        line = traceback.extract_tb(error.__traceback__)[-1].lineno
        raise DecoderFault(
            f"{name} cannot be imported: {type(error).__name__}: {error} (line {line}). Mend it, or "
            "install what is missing."
        ) from error
