"""What the name of somebody's own decoder means: a class in a file or module, or a file with a network."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import traceback
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from engine.decoders.base import Decoder
from engine.decoders.own import onnx, torch
from engine.decoders.own.adapting import adapted
from engine.errors import BadSetting, DecoderFault
from engine.loading import load_file

OF_FILE: Final = re.compile(r"(?P<path>.+\.py):(?P<name>\w+)(:(?P<state>.+))?")
OF_MODULE: Final = re.compile(r"(?P<module>\w+(\.\w+)*):(?P<name>\w+)(:(?P<state>.+))?")
NETWORKS: Final = {
    **dict.fromkeys(torch.ENDINGS, (torch.Module, torch.script, "torch", "lstm")),
    onnx.ENDING: (onnx.Onnx, onnx.session, "onnxruntime", "onnx"),
}
"""By a file's ending: adapter, what reads it, the library that it needs, and the extra that brings that."""
SPELLED: Final = "FILE.py:CLASS, MODULE:CLASS, FILE.onnx or FILE.pt"


def found(text: str) -> tuple[type[Decoder], str]:
    """A decoder of one's own, and its name as other processes find it, wherever they work.

    Parameters
    ----------
    text : str
        As `SPELLED` says. The class may also be a function that makes a decoder, or an object; a file with
        the state of a module of PyTorch may follow it, after another colon.

    Raises
    ------
    BadSetting
        If there is no such thing, or a library that it needs.
    DecoderFault
        If its code cannot be loaded.
    """
    if Path(text).suffix in NETWORKS and not OF_FILE.fullmatch(text) and not OF_MODULE.fullmatch(text):
        return _network(_file(text)), str(Path(text).resolve())
    if match := OF_FILE.fullmatch(text):
        path = _file(match["path"])
        sys.path.append(str(path.parent))  # for what it imports from its folder
        module, spelled = load_file(path, f"own_decoders.{path.stem}"), f"{path}:{match['name']}"
    elif match := OF_MODULE.fullmatch(text):
        sys.path.append(str(Path.cwd()))
        module, spelled = _imported(match["module"]), f"{match['module']}:{match['name']}"
    else:
        raise BadSetting(f"{text[:80]!r} names no decoder of your own. Spell it {SPELLED}.")
    code = getattr(module, match["name"], None)
    if code is None:
        raise BadSetting(f"{text.partition(':')[0]} has no {match['name']}. Name something that it has.")
    decoder = adapted(code, match["name"])
    if isinstance(code, type) and issubclass(decoder, torch.Module) and not match["state"]:
        raise BadSetting(
            f"{decoder.key} is a class of networks, which has learned nothing. Name its state, too: "
            f"{text}:state.pt."
        )
    if match["state"]:
        path = _file(match["state"])
        return _with_state(decoder, path), f"{spelled}:{path}"
    return decoder, spelled


def _network(path: Path) -> type[Decoder]:
    adapter, read, library, extra = NETWORKS[path.suffix]
    if importlib.util.find_spec(library) is None:
        raise BadSetting(
            f"{path.name} is run by {library}, which is not installed. Run pip install -e '.[{extra}]'."
        )
    return type(path.stem, (adapter,), {"key": path.stem, "make": staticmethod(partial(read, path))})


def _with_state(decoder: type[Decoder], path: Path) -> type[Decoder]:
    if not issubclass(decoder, torch.Module):
        raise BadSetting(
            f"{decoder.key} is no module of PyTorch, so {path.name} is not its state. Leave it out."
        )
    make = decoder.make

    def with_state(**settings: Any) -> Any:
        return torch.with_state(make(**settings), path)

    return type(decoder.key, (decoder,), {"make": staticmethod(with_state)})


def _file(text: str) -> Path:
    path = Path(text).resolve()
    if not path.is_file():
        raise BadSetting(f"There is no file {text[:200]}. Name one: {SPELLED}.")
    return path


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # whatever it is, it is that module's
        line = traceback.extract_tb(error.__traceback__)[-1].lineno
        raise DecoderFault(
            f"{name} cannot be imported: {type(error).__name__}: {error} (line {line}). Mend it, or "
            "install what is missing."
        ) from error
