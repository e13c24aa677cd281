"""A frame on the wire: what one frame of the dashboard changes, in bytes that the page need not parse.

Little-endian: the header's length (uint32), the header (JSON in UTF-8, padded with spaces), then the
numbers of all updates, each aligned to 8 bytes, so that the page wraps them as typed arrays without a
copy. ``header["updates"]`` names for each its place: ``offset`` counts bytes from the header's end.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from plotters.base import Replace, Set, Shift, Update

ALIGNMENT = 8

DTYPES = {
    np.dtype(name): (name, np.dtype(name).newbyteorder("<"))
    for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
}
"""What has a typed array in the page: its name there and its type on the wire."""


class Described(NamedTuple):
    """An update on the wire: what the header says of it, as JSON, and its numbers, padded, if any."""

    text: str
    numbers: bytes | None


def describe(plotter: str, updates: Iterable[Update]) -> list[Described]:
    """The updates of one plot.

    Parameters
    ----------
    plotter : str
        Its name.
    updates : iterable of Update

    Raises
    ------
    TypeError, ValueError
        If one of them cannot be sent.
    """
    return [_described(plotter, update) for update in updates]


def encode(header: Mapping[str, Any], updates: Iterable[Described]) -> bytes:
    """One frame.

    Parameters
    ----------
    header : mapping
        What JSON can say, without NaN.
    updates : iterable of Described
    """
    texts: list[str] = []
    buffers: list[bytes] = []
    offset = 0
    for text, numbers in updates:
        if numbers is None:
            texts.append(text)
            continue
        texts.append(f'{text[:-1]},"offset":{offset}}}')
        buffers.append(numbers)
        offset += len(numbers)
    head = _json({**header, "updates": []}).removesuffix("]}")
    text_of_all = f"{head}{','.join(texts)}]}}".encode()
    text_of_all += b" " * (-(4 + len(text_of_all)) % ALIGNMENT)
    return b"".join((struct.pack("<I", len(text_of_all)), text_of_all, *buffers))


def _described(plotter: str, update: Update) -> Described:
    if isinstance(update, Set):
        properties = {name: _with_maps(value) for name, value in update.properties.items()}
        entry = {"op": "set", "model": f"{plotter}/{update.model}", "properties": properties}
        return Described(_json(entry), None)
    entry = {
        "op": "shift" if isinstance(update, Shift) else "replace",
        "source": f"{plotter}/{update.source}",
        "column": update.column,
    }
    if isinstance(update, Replace) and isinstance(update.values, list):
        return Described(_json({**entry, "values": update.values}), None)
    values = np.ascontiguousarray(update.values)
    if values.dtype not in DTYPES:
        allowed = ", ".join(name for name, _ in DTYPES.values())
        raise TypeError(f"Column {update.column} of {plotter} is {values.dtype}. Use one of {allowed}.")
    name, wire = DTYPES[values.dtype]
    raw = values.astype(wire, copy=False).tobytes()
    text = _json({**entry, "dtype": name, "shape": values.shape})
    return Described(text, raw + bytes(-len(raw) % ALIGNMENT))


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _with_maps(value: Any) -> Any:
    """A mapping in Bokeh's own notation, as the keys of JSON objects can only be strings."""
    return {"type": "map", "entries": list(value.items())} if isinstance(value, Mapping) else value
