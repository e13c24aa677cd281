"""A frame on the wire: what one frame of the dashboard changes, in bytes that the page need not parse.

Little-endian: the header's length (uint32), the header (JSON in UTF-8, padded with spaces), then the
numbers of all updates, each aligned to 8 bytes, so that the page wraps them as typed arrays without a
copy. ``header["updates"]`` names for each its place: ``offset`` counts bytes from the header's end.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from plotters.base import Replace, Set, Shift, Update

ALIGNMENT = 8

DTYPES = {
    np.dtype(name): (name, np.dtype(name).newbyteorder("<"))
    for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
}
"""What has a typed array in the page: its name there and its type on the wire."""


def encode(header: Mapping[str, Any], updates: Iterable[tuple[str, Update]]) -> bytes:
    """One frame.

    Parameters
    ----------
    header : mapping
        What JSON can say, without NaN.
    updates : iterable of (str, Update)
        With the name of the plotter each is from.
    """
    described: list[dict[str, Any]] = []
    buffers: list[bytes] = []
    offset = 0
    for plotter, update in updates:
        if isinstance(update, Set):
            properties = {name: _with_maps(value) for name, value in update.properties.items()}
            described.append({"op": "set", "model": f"{plotter}/{update.model}", "properties": properties})
            continue
        entry: dict[str, Any] = {
            "op": "shift" if isinstance(update, Shift) else "replace",
            "source": f"{plotter}/{update.source}",
            "column": update.column,
        }
        described.append(entry)
        if isinstance(update, Replace) and isinstance(update.values, list):
            entry["values"] = update.values
            continue
        values = np.ascontiguousarray(update.values)
        if values.dtype not in DTYPES:
            allowed = ", ".join(name for name, _ in DTYPES.values())
            raise TypeError(f"Column {update.column} of {plotter} is {values.dtype}. Use one of {allowed}.")
        name, wire = DTYPES[values.dtype]
        raw = values.astype(wire, copy=False).tobytes()
        entry |= {"dtype": name, "shape": values.shape, "offset": offset}
        padding = -len(raw) % ALIGNMENT
        buffers += (raw, bytes(padding))
        offset += len(raw) + padding
    text = json.dumps({**header, "updates": described}, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-(4 + len(text)) % ALIGNMENT)
    return b"".join((struct.pack("<I", len(text)), text, *buffers))


def _with_maps(value: Any) -> Any:
    """A mapping in Bokeh's own notation, as the keys of JSON objects can only be strings."""
    return {"type": "map", "entries": list(value.items())} if isinstance(value, Mapping) else value
