"""A record of the same bins is the same NWB file as when `record_kept.json` was written.

``python -m tests.engine.sinks.record.test_record_kept`` writes it anew, where records are meant to change.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import h5py
import numpy as np
import pytest

from engine.answers.prediction import PREDICTION
from engine.sinks.record.nwb import to_nwb
from engine.sinks.record.record import Record
from engine.sources.recordings.readers import read
from tests.builders import replay_of
from tests.engine.listening import Keeper
from tests.engine.sinks.record.recording import header
from tests.given import given
from tests.nwb_builders import save

KEPT: Final = Path(__file__).with_name("record_kept.json")
N_BINS: Final = 2000
OF_THE_DAY: Final = ("file_create_date", "timestamps_reference_time", "session_start_time")


def described(folder: Path) -> dict[str, Any]:
    """Every dataset of the record by its path: a digest, or for floats their shape and sum."""
    recording = read(given("reach98.nwb"), 40.0)
    replay = replay_of(recording, seed=7, speed="max", perturbation={"preset": "extreme"})
    keeper = Keeper(replay)
    replay.resume()
    rows = keeper.wait_rows(N_BINS)[:N_BINS].copy()
    replay.close()
    rows["due"] = np.arange(N_BINS) * recording.bin_width
    rows["timestamp"] = 1700000000.0 + rows["due"]
    rows["lateness"] = 0.0
    record = Record(
        header=header(recording), rows=rows, predictions=np.empty(0, PREDICTION), decoders=(),
        notes=(), settings=[], scores={},
    )  # fmt: skip
    found: dict[str, Any] = {}

    def describe(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if not isinstance(item, h5py.Dataset) or name.startswith("specifications") or name in OF_THE_DAY:
            return
        values = np.asarray(item[()])
        if values.dtype.kind == "f":
            found[name] = [list(values.shape), float(np.nansum(values, dtype=np.float64))]
        elif values.dtype.kind in "iub":
            text = f"{values.dtype} {values.shape}".encode() + values.tobytes()
            found[name] = hashlib.sha256(text).hexdigest()
        elif values.dtype.kind == "O" and all(isinstance(each, bytes) for each in values.flat):
            found[name] = hashlib.sha256(b"\n".join(values.flat)).hexdigest()

    with h5py.File(save(to_nwb(record), folder / "record.nwb")) as file:
        file.visititems(describe)
    return found


def test_record_is_what_it_was(tmp_path: Path) -> None:
    kept, found = json.loads(KEPT.read_text()), described(tmp_path)
    assert found.keys() == kept.keys()
    for name, value in kept.items():
        if isinstance(value, str):
            assert found[name] == value, name
        else:
            assert found[name][0] == value[0], name
            assert found[name][1] == pytest.approx(value[1], rel=1e-6, abs=1e-3), name


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        KEPT.write_text(json.dumps(described(Path(folder)), indent=1, sort_keys=True) + "\n")
