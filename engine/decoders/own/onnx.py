"""Files of ONNX, run by onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.decoders.base import Floats
from engine.decoders.own.windowed import Windowed
from engine.errors import BadModel

ENDING = ".onnx"
KINDS = {"tensor(float)": np.float32, "tensor(double)": np.float64}
FLAT = 2
"""Dimensions of an input without time."""


class Onnx(Windowed):
    """Asks a model whose one input is (1, lags, n_units), in the order of time, or flat.

    A flat one, (1, lags * n_units), has the newest bin first, as `engine.decoders.own.sklearn` has it: so a
    converted estimator is used as it was trained, on counts. Where the model fixes how long its input
    is, `lags` follows from that.
    """

    @classmethod
    def suits(cls, kind: type) -> bool:
        return kind.__module__.startswith("onnxruntime.") and kind.__name__ == "InferenceSession"

    def _n_lags(self, n_units: int) -> int:
        (shape,) = (each.shape for each in self._own.get_inputs())
        if len(shape) == FLAT and isinstance(shape[1], int):
            lags, rest = divmod(shape[1], n_units)
            if rest or not lags:
                raise BadModel(
                    f"{self.key} takes {shape[1]} numbers, no multiple of {n_units} units. Take "
                    "another model."
                )
            return lags
        if len(shape) > FLAT and isinstance(shape[2], int) and shape[2] != n_units:
            raise BadModel(
                f"{self.key} takes {shape[2]} units, and there are {n_units}. Take another model."
            )
        fixed = shape[1] if len(shape) > FLAT and isinstance(shape[1], int) else None
        return fixed or super()._n_lags(n_units)

    def _ask(self, newest_first: Floats) -> np.ndarray[Any, Any]:
        (taken,) = self._own.get_inputs()
        kind = KINDS[taken.type]
        window = newest_first.reshape(1, -1) if len(taken.shape) == FLAT else newest_first[None, ::-1]
        said = self._own.run(None, {taken.name: np.ascontiguousarray(window, kind)})[0]
        return np.asarray(said)


def session(path: Path) -> Any:
    """A model, ready to run on one thread.

    Raises
    ------
    BadModel
        If the file is no model, or has more than one input, or one of another kind.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # streams want a core
    try:
        made = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class for each fault, and no common one
        raise BadModel(f"{path.name} is no model of ONNX: {str(error).splitlines()[0][:120]}.") from None
    taken = [(each.type, len(each.shape)) for each in made.get_inputs()]
    if len(taken) != 1 or taken[0][0] not in KINDS or taken[0][1] not in (FLAT, FLAT + 1):
        raise BadModel(
            f"{path.name} does not take one input of {' or '.join(KINDS)} with 2 or 3 dimensions. "
            "Export it so."
        )
    return made
