"""The least of an XDF file: what a recorder writes of one stream, at https://github.com/sccn/xdf/wiki."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

FILE_HEADER, STREAM_HEADER, SAMPLES, CLOCK_OFFSET, STREAM_FOOTER = 1, 2, 3, 4, 6


def chunk(tag: int, content: bytes) -> bytes:
    return _length(len(content) + 2) + struct.pack("<H", tag) + content


def write_xdf(
    path: Path,
    header: str,
    samples: npt.NDArray[np.float32],
    stamps: Sequence[float],
    offsets: Sequence[tuple[float, float]],
) -> None:
    """Write one stream of float32.

    Parameters
    ----------
    header : str
        Of the stream, as LSL has it: XML.
    samples : ndarray of float32, shape (n, n_channels)
    stamps : sequence of float
        Of the samples, s of the sender's clock.
    offsets : sequence of (time, offset)
        Of the sender's clock to the recorder's, both in s.
    """
    stream = struct.pack("<I", 1)
    footer = f"<?xml version='1.0'?><info><sample_count>{len(samples)}</sample_count></info>"
    with path.open("wb") as file:
        file.write(b"XDF:")
        file.write(chunk(FILE_HEADER, b"<?xml version='1.0'?><info><version>1.0</version></info>"))
        file.write(chunk(STREAM_HEADER, stream + header.encode()))
        data = b"".join(
            struct.pack("<Bd", 8, stamp) + sample.astype("<f4").tobytes()
            for stamp, sample in zip(stamps, samples, strict=True)
        )
        file.write(chunk(SAMPLES, stream + _length(len(samples)) + data))
        for at, offset in offsets:
            file.write(chunk(CLOCK_OFFSET, stream + struct.pack("<dd", at, offset)))
        file.write(chunk(STREAM_FOOTER, stream + footer.encode()))


def _length(n: int) -> bytes:
    return b"\x04" + struct.pack("<I", n)
