"""A concealed file is as any other to who has made it, and noise to others."""

from __future__ import annotations

import io
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from engine.files import concealed
from engine.files.concealed import PAGE, Concealed


def test_it_reads_and_writes_as_a_file_in_memory_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    with Concealed(tmp_path) as one, io.BytesIO() as other:
        for _ in range(100):
            at, content = int(rng.integers(3 * PAGE)), rng.bytes(rng.integers(2 * PAGE))
            for file in (one, other):
                file.seek(at)
                assert file.write(content) == len(content)
            at, n = rng.integers(5 * PAGE, size=2).tolist()
            assert one.seek(at) == other.seek(at)
            assert one.read(n) == other.read(n)
            assert one.tell() == other.tell()
        size = len(other.getvalue())
        for file in (one, other):
            file.truncate(size // 2)
            file.seek(size)
            file.write(b"after zeros")
            file.seek(-11, os.SEEK_END)
            assert file.read() == b"after zeros"
            file.seek(0)
        assert one.read() == other.read()


def test_what_is_in_it_is_not_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "seen"
    monkeypatch.setattr(concealed, "TemporaryFile", lambda **_: path.open("w+b", buffering=0))
    ramp = np.arange(100_000, dtype=np.int16)
    with Concealed(tmp_path) as file:
        with h5py.File(file, "w") as written:
            written["ramp"] = ramp
        with h5py.File(file, "r") as read:
            np.testing.assert_array_equal(read["ramp"][:], ramp)
        content = path.read_bytes()
    assert len(content) >= ramp.nbytes
    assert b"HDF" not in content
    assert ramp[5000:5010].tobytes() not in content
