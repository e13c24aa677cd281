"""PyTorch's modules: a file of TorchScript, or a class whose state stands in a file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from engine.decoders.base import Floats
from engine.decoders.own.windowed import Windowed
from engine.errors import BadModel

MODULE = "torch.nn.modules.module.Module"
ENDINGS = (".pt", ".pth", ".ts")


class Module(Windowed):
    """Asks a module, in the mode of evaluation and on one thread; see `Windowed` for what it gets."""

    @classmethod
    def suits(cls, kind: type) -> bool:
        return any(f"{each.__module__}.{each.__name__}" == MODULE for each in kind.__mro__)

    def _make(self) -> Any:
        import torch

        torch.set_num_threads(1)  # a bin is too little for more, and streams want a core
        return super()._make().eval()

    def _ask(self, newest_first: Floats) -> np.ndarray[Any, Any]:
        import torch

        window = np.ascontiguousarray(newest_first[None, ::-1], np.float32)
        with torch.inference_mode():
            said: np.ndarray[Any, Any] = self._own(torch.from_numpy(window)).numpy()
        return said


def script(path: Path) -> Any:
    """A module of TorchScript.

    Raises
    ------
    BadModel
        If the file is none.
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # files that there are still run
            return torch.jit.load(path, map_location="cpu")
    except (RuntimeError, ValueError, OSError) as error:
        raise BadModel(
            f"{path.name} is no TorchScript ({str(error).splitlines()[0][:80]}). If it is a state_dict, "
            f"name its class, too: FILE.py:CLASS:{path.name}."
        ) from None


def with_state(module: Any, path: Path) -> Any:
    """A module that has taken its state from a file: tensors alone, nothing else is read from it.

    Raises
    ------
    BadModel
        If the file is none, or another module's.
    """
    import pickle

    import torch

    try:
        module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, TypeError) as error:
        raise BadModel(
            f"{path.name} is no state_dict of {type(module).__name__} ({str(error).splitlines()[0][:80]}). "
            "Save one with torch.save(module.state_dict(), FILE)."
        ) from None
    return module
