"""What a lab adds, in files of a folder: sources, readers, decoders, perturbations, sinks, plots.

A file is a module; what it adds is found by its type or its name: classes of `engine.decoders.base.Decoder`
and of `engine.stages.perturb.base.Model`; functions ``make_source``, ``make_sink``, ``make_card`` and
``make_decoder``, whose source, sink, card of the page or decoder has the file's name; without the last one,
classes that have ``predict``, which are decoders, too; a function ``read_recording``, of files that end in
the module's ``ENDING``; and whatever others ask for with `classes`. A file of ONNX is a decoder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from engine.errors import BadSetting, DecoderFault
from engine.loading import OWN_DECODERS, load_file

if TYPE_CHECKING:
    from engine.bins.source import MakeSource
    from engine.decoders.base import Decoder
    from engine.sinks.base import MakeSink

OPTION: Final = "--plugins"
VARIABLE: Final = "PHANTOM_PLUGINS"
"""Environment variable with the folder; processes that a server starts find it there."""

T = TypeVar("T")
Modules = Mapping[str, ModuleType]


def asked(arguments: Sequence[str]) -> Path | None:
    """The folder that a command line or the environment names."""
    for here, following in zip(arguments, (*arguments[1:], ""), strict=False):
        if here == OPTION and following:
            return Path(following)
        if here.startswith(f"{OPTION}="):
            return Path(here.partition("=")[2])
    return Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None


def load(folder: Path | None) -> dict[str, ModuleType]:
    """Load every file of a folder, and take in its readers, decoders and perturbations.

    Decoders of one's own that the environment names are taken in, too.

    Returns
    -------
    dict of str to module
        By the file's name without its ending.

    Raises
    ------
    BadSetting
        If there is no such folder, a file cannot be loaded, or one of its keys is taken.
    """
    if os.environ.get(OWN_DECODERS):
        from engine.decoders import own

        own.again()
    if folder is None:
        return {}
    from engine import decoders  # which who has no plugins does without
    from engine.decoders.own.finding import found
    from engine.sources.recordings import readers
    from engine.stages import perturb
    from engine.stages.perturb.base import Model

    if not folder.is_dir():
        raise BadSetting(f"{OPTION} {folder} is not a folder. Name the one that holds the plugins.")
    os.environ[VARIABLE] = str(folder.resolve())
    modules = {path.stem: _load(path) for path in sorted(folder.glob("[!._]*.py"))}
    for name, module in modules.items():
        try:
            if hasattr(module, "read_recording"):
                readers.register(getattr(module, "ENDING", ""), module.read_recording)
            for decoder in _decoders(name, module):
                decoders.register(decoder)
            for model in classes(module, Model):
                perturb.register(model)
        except (BadSetting, DecoderFault) as error:
            raise BadSetting(f"Plugin {name}.py: {error}") from None
    for path in sorted(folder.glob("[!._]*.onnx")):
        decoders.register(found(str(path))[0])
    return modules


def _decoders(name: str, module: ModuleType) -> Iterator[type[Decoder]]:
    """Decoders that a module adds: ours and its own."""
    from engine.decoders.base import Decoder
    from engine.decoders.own import adapted

    yield from classes(module, Decoder)
    if hasattr(module, "make_decoder"):
        yield adapted(module.make_decoder, name)
        return
    for own in classes(module, object):
        if hasattr(own, "predict") and not issubclass(own, Decoder) and not own.__name__.startswith("_"):
            yield adapted(own, own.__name__)


def classes(module: ModuleType, base: type[T]) -> Iterator[type[T]]:
    """Classes of a kind that a module defines, in their order."""
    for found in vars(module).values():
        if isinstance(found, type) and issubclass(found, base) and found.__module__ == module.__name__:
            yield found


def sinks(modules: Modules) -> dict[str, MakeSink]:
    """What makes sinks, by name."""
    return {name: module.make_sink for name, module in modules.items() if hasattr(module, "make_sink")}


def sources(modules: Modules) -> dict[str, MakeSource]:
    """What makes sources, by name."""
    return {name: module.make_source for name, module in modules.items() if hasattr(module, "make_source")}


def cards(modules: Modules) -> dict[str, Callable[[Any], Any]]:
    """What makes cards of a session's page, by name."""
    return {name: module.make_card for name, module in modules.items() if hasattr(module, "make_card")}


def _load(path: Path) -> ModuleType:
    try:
        return load_file(path, f"phantom_plugins.{path.stem}")
    except DecoderFault as error:
        raise BadSetting(f"Plugin {str(error).removesuffix('.')}, or take it out of the folder.") from None
