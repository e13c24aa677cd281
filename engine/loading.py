"""A file of somebody's own as a module."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from engine.errors import DecoderFault

OWN_DECODERS: Final = "PHANTOM_DECODERS"
"""Environment variable with decoders of one's own, a line each, as `engine.decoders.own` spells them."""


def load_file(path: Path, name: str) -> ModuleType:
    """Load a file as the module of this name.

    Raises
    ------
    DecoderFault
        If it cannot be loaded; the cause is what it has raised.
    """
    spec: Any = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever it is, it is that file's
        line = getattr(error, "lineno", None) or traceback.extract_tb(error.__traceback__)[-1].lineno
        raise DecoderFault(
            f"{path.name} cannot be loaded: {type(error).__name__}: {error} (line {line}). Mend it."
        ) from error
    return module
