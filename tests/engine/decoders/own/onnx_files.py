"""Models of ONNX without its library: the bytes of one matrix product, as its protocol buffers have them.

Field numbers are those of onnx.proto (IR version 8).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FLOAT = 1


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(_field(1, _field(1 if isinstance(n, int) else 2, n)) for n in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, FLOAT) + _field(2, dims)))


def product(weights: np.ndarray, shape: Sequence[int | str], said: Sequence[int | str]) -> bytes:
    """A model of ``y = x @ weights``.

    Parameters
    ----------
    weights : ndarray, shape (n, m)
    shape, said : sequence of int or str
        Of x and of y; a text is a size that is free.
    """
    dims = b"".join(_field(1, n) for n in weights.shape)
    tensor = dims + _field(2, FLOAT) + _field(8, "w") + _field(9, weights.astype("<f4").tobytes())
    node = _field(1, "x") + _field(1, "w") + _field(2, "y") + _field(4, "MatMul")
    graph = _field(1, node) + _field(2, "product") + _field(5, tensor)
    graph += _field(11, _value("x", shape)) + _field(12, _value("y", said))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 17))
