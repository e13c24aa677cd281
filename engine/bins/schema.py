"""The one declaration of a bin: from it follow the rows of rings and records, and how they are packed."""

from __future__ import annotations

import struct
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.void]
Raw = bytes | bytearray | memoryview
"""Rows as bytes."""


class Field(NamedTuple):
    """One field of a bin: all that rings, records, packets and brokers make of it follows from here.

    Attributes
    ----------
    name : str
    kind : str
        Its type as `struct` and numpy both spell it.
    doc : str
        What it is, as records say it.
    n : int
        How many values it has.
    parts : tuple of str
        Their names, one each if there are several. Before that of a whole number stands a ``#``.
    wire : str
        Its name in packets, "" if they do not have it.
    letter : str
        Its name in entries of Redis, "" if they do not have it.
    only : str
        Attribute of a description that says whether its packets have it, "" if all do. Where they do not,
        all its values are NaN, and records leave it out.
    """

    name: str
    kind: str
    doc: str = ""
    n: int = 1
    parts: tuple[str, ...] = ()
    wire: str = ""
    letter: str = ""
    only: str = ""


SENT: Final = (
    Field(
        "sequence_number",
        "q",
        "index of the bin among all that the session sent",
        wire="sequence_number",
        letter="n",
    ),
    Field("timestamp", "d", "when the bin was due, Unix s", wire="timestamp", letter="t"),
    Field("due", "d", "the same instant on the clock of the engine and of LSL, s"),
    Field("lateness", "f", "from due to sent by the replay, s"),
    Field("delay", "f", "by which jitter held the packet back, s"),
    Field("perturbation", "I", "bit i: model i of those that disturb was on", wire="perturbation"),
    Field("lost", "?", "whether the packet was withheld, so that no decoder had it"),
)
"""What sending adds to a bin."""
BIN: Final = (
    Field("trial_time_ms", "d", "start of the bin within its trial, ms", wire="trial_time_ms"),
    Field("coverage", "d", "share of this bin that was recorded, 0 to 1", wire="coverage"),
    Field("packet_id", "i", "index of the bin in the recording", wire="packet_id", letter="p"),
    Field(
        "trial",
        "i",
        "row of the trial among those of the recording, -1 outside",
        wire="trial_id",
        letter="r",
    ),
    Field(
        "kinematics",
        "f",
        "position in length units, velocity per second",
        4,
        ("x", "y", "vx", "vy"),
        wire="kinematics",
        letter="k",
    ),
    Field(
        "intention",
        "f",
        "target_id, target_x, target_y, distance to the target",
        4,
        ("#target_id", "target_x", "target_y", "distance_to_target"),
        wire="intention",
        letter="g",
    ),
    Field(
        "intended",
        "f",
        "velocity that the user wanted, per second",
        2,
        ("vx", "vy"),
        wire="intended",
        only="goal",
    ),
    Field("observed", "?", "whether the middle of this bin was recorded", wire="observed"),
)
"""What a bin is before its counts."""
COUNTS: Final = Field("counts", "", "spikes of each unit", letter="c")
"""What follows; its type and number are the source's."""

STAMP: Final = struct.Struct("=" + "".join(field.kind for field in SENT))
"""Packs and unpacks what sending adds, in that order."""


def bin_dtype(n_units: int, count_dtype: npt.DTypeLike = np.uint8) -> np.dtype[np.void]:
    """The schema of one bin, as its source makes it.

    Parameters
    ----------
    n_units : int
        Number of units.
    count_dtype : dtype
        ``uint8``, or ``uint16`` for sources with more than 255 spikes in a bin.

    Returns
    -------
    numpy.dtype
        ``packet_id`` (index of the bin in the recording), ``trial_time_ms`` (ms, the bin's start
        within its trial, NaN outside), ``coverage`` (0 to 1, the share of the bin that was recorded),
        ``kinematics`` (x, y in length units; vx, vy per second; NaN
        where missing), ``intention`` (target_id, target_x, target_y, distance; NaN where missing),
        ``intended`` (vx, vy that a user wanted, per second; NaN but in closed loop),
        ``trial`` (index of its trial, -1 outside), ``observed`` and ``counts`` (n_units).
    """
    fields: list[Any] = [(field.name, field.kind, *(((field.n,),) if field.n > 1 else ())) for field in BIN]
    return np.dtype([*fields, ("counts", count_dtype, (n_units,))], align=True)


def row_dtype(n_units: int, count_dtype: npt.DTypeLike = np.uint8) -> np.dtype[np.void]:
    """The schema of one sent bin: `bin_dtype` and what sending adds, packed without gaps as `STAMP` is.

    Returns
    -------
    numpy.dtype
        ``sequence_number``; ``timestamp`` (Unix seconds at which the bin was due); ``due`` (the same
        instant on the engine's clock, which is LSL's ``local_clock``); ``lateness`` (s, tick minus
        due); ``delay`` (s, by which jitter holds back its delivery to decoders; 0 without);
        ``perturbation`` (bit i: model i of `engine.stages.perturb.MODELS` is on); ``lost`` (whether
        decoders never get it, but in a clean stream); then the bin.
    """
    body = bin_dtype(n_units, count_dtype)
    names, formats, offsets = [], [], []
    at = 0
    for field in SENT:
        names.append(field.name)
        formats.append(np.dtype(field.kind))
        offsets.append(at)
        at += np.dtype(field.kind).itemsize
    at += -at % body.alignment
    for name in body.names or ():
        names.append(name)
        formats.append(body[name])
        offsets.append(at + body.fields[name][1])  # type: ignore[index]
    return np.dtype(
        {"names": names, "formats": formats, "offsets": offsets, "itemsize": at + body.itemsize}
    )


def kept_names(rows: Any) -> list[str]:
    """Names of the fields of rows that a record keeps: without those that only other sources have.

    Parameters
    ----------
    rows : ndarray or the like, shape (n,)
        With a ``dtype`` that has names.
    """
    rare = {field.name for field in BIN if field.only}
    names: tuple[str, ...] = rows.dtype.names or ()
    return [name for name in names if name not in rare or bool(np.isfinite(rows[name]).any())]


def unpacker(*without: str) -> tuple[struct.Struct, tuple[str, ...]]:
    """What unpacks a row of `row_dtype` up to its counts, and the names of the values that come of it.

    Parameters
    ----------
    without : str
        Fields to skip.

    Returns
    -------
    struct : struct.Struct
    names : tuple of str
        One a value: a field of four values stands there four times.
    """
    dtype = row_dtype(0)
    code, names, at = "<", [], 0
    for field in (*SENT, *BIN):
        if field.name in without:
            continue
        offset = dtype.fields[field.name][1]  # type: ignore[index]
        code += f"{offset - at}x" if offset > at else ""
        code += f"{field.n if field.n > 1 else ''}{field.kind}"
        names += [field.name] * field.n
        at = offset + dtype[field.name].itemsize
    return struct.Struct(code), tuple(names)
