"""A file is looked at by a process that may hang or die of it."""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import pytest

from engine.errors import RecordingError
from engine.sources.recordings.readers import inspection, read_inspected
from tests.nwb_builders import small_nwb


def test_a_good_file_is_read(tmp_path: Path) -> None:
    assert read_inspected(small_nwb(tmp_path / "a.nwb"), 40.0).n_units == 3


def test_a_bad_file_is_refused_as_without_the_look(tmp_path: Path) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        del file.attrs["nwb_version"]

    with pytest.raises(
        RecordingError, match=r"^a\.nwb is an HDF5 file, but not NWB: it has no nwb_version\.$"
    ):
        read_inspected(path, 40.0)


@pytest.mark.parametrize(
    "program", ["import os; os.abort()", "import time; time.sleep(60)"], ids=["dies", "hangs"]
)
def test_a_file_that_ends_the_look_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr(inspection, "COMMAND", (sys.executable, "-c", program))
    monkeypatch.setattr(inspection, "MOST_SECONDS", 1.0)

    with pytest.raises(RecordingError, match=r"^a\.nwb is damaged\. Copy or download it again\.$"):
        read_inspected(small_nwb(tmp_path / "a.nwb"), 40.0)
