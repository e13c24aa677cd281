"""Bad files are refused in one line that names the file and the fault."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from engine.errors import RecordingError
from engine.sources.recordings.readers import read, scan
from tests.engine.sources.recordings.readers.bad_files import bad_files
from tests.nwb_builders import small_nwb


def test_every_bad_file_is_refused_in_one_line_with_file_fault_and_no_path_of_the_server(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen = 0
    for name, path, expected in bad_files(tmp_path):
        with pytest.raises(RecordingError) as refusal:
            read(scan(path)[0], 40.0)
        message = str(refusal.value)
        assert "\n" not in message, name
        assert path.name in message, (name, message)
        assert str(tmp_path) not in message, name
        assert len(message) < 320, name
        for words in expected:
            assert words in message, (name, message)
        seen += 1
    assert seen >= 25
    assert capfd.readouterr().err == ""


def test_what_is_no_nwb_file_is_refused_before_pynwb_is_imported(tmp_path: Path) -> None:
    bad = tmp_path / "page.nwb"
    bad.write_text("<html>")
    program = (
        "import sys; from pathlib import Path\n"
        "from engine.errors import RecordingError; from engine.sources.recordings.readers import read\n"
        "try: read(Path(sys.argv[1]), 40.0)\n"
        "except RecordingError: print('pynwb' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(bad)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[5],
    )
    assert done.stdout == "False\n"


def test_folder_offers_its_recordings_by_name(tmp_path: Path) -> None:
    for name in ("b.nwb", "a.NWB", "._a.nwb", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "0.nwb").touch()

    assert [file.name for file in scan(tmp_path)] == ["a.NWB", "b.nwb"]


def test_folder_without_recordings_offers_those_one_level_below(tmp_path: Path) -> None:
    (tmp_path / "sub-Jenkins").mkdir()
    file = small_nwb(tmp_path / "sub-Jenkins" / "train.nwb")

    assert scan(tmp_path) == (file,)
    with pytest.raises(RecordingError, match="is a folder"):
        read(tmp_path, 40.0)


def test_link_to_missing_raw_data_is_no_reason_to_refuse(tmp_path: Path) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        file["acquisition/voltage"] = h5py.ExternalLink("raw.nwb", "/acquisition/voltage")

    assert read(path, 40.0).n_units == 3


def _values_elsewhere(file: h5py.File, secret: Path) -> None:
    file.create_dataset("scratch/leak", shape=(2,), dtype="S4", external=[(str(secret), 0, 8)])


def _view_of(file: h5py.File, secret: Path) -> None:
    layout = h5py.VirtualLayout(shape=(2,), dtype="i1")
    layout[:] = h5py.VirtualSource(secret, "x", shape=(2,), dtype="i1")
    file.create_virtual_dataset("scratch/leak", layout)


def _link_to(file: h5py.File, secret: Path) -> None:
    file["scratch/leak"] = h5py.ExternalLink(str(secret), "/x")


def _link_in_raw_data(file: h5py.File, secret: Path) -> None:
    file["acquisition/leak"] = h5py.ExternalLink(str(secret), "/x")


def _link_through_a_link(file: h5py.File, secret: Path) -> None:
    with h5py.File(Path(file.filename).parent / "beside.h5", "w") as beside:
        _values_elsewhere(beside, secret)
    file["scratch/beside"] = h5py.ExternalLink("beside.h5", "/scratch")


@pytest.mark.parametrize(
    "leak", [_values_elsewhere, _view_of, _link_to, _link_in_raw_data, _link_through_a_link]
)
def test_nothing_outside_of_the_folder_is_read(
    tmp_path: Path, leak: Callable[[h5py.File, Path], None]
) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.array([1, 2], "i1")
    (tmp_path / "recordings").mkdir()
    path = small_nwb(tmp_path / "recordings" / "a.nwb")
    with h5py.File(path, "a") as file:
        leak(file, secret)

    with pytest.raises(RecordingError, match="leak"):
        read(path, 40.0)


def test_a_file_beside_may_be_looked_into(tmp_path: Path) -> None:
    path, place = small_nwb(tmp_path / "a.nwb"), "processing/behavior/cursor_pos/timestamps"
    with h5py.File(path, "a") as file, h5py.File(tmp_path / "values.h5", "w") as values:
        times, attributes = file[place][:], dict(file[place].attrs)
        values["x"] = times
        del file[place]
        layout = h5py.VirtualLayout(times.shape, times.dtype)
        layout[:] = h5py.VirtualSource("values.h5", "x", times.shape, times.dtype)
        file.create_virtual_dataset(place, layout).attrs.update(attributes)

    assert read(path, 40.0).series["position"]["name"] == "cursor_pos"


@pytest.mark.parametrize("mark", [".zgroup", "zarr.json", ".zmetadata"])
@pytest.mark.parametrize("name", ["x.zarr", "x.nwb.zarr", "x.nwb"])
def test_a_zarr_folder_is_called_one(tmp_path: Path, name: str, mark: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / mark).write_text("{}")

    for opening in (scan, lambda path: read(path, 40.0)):
        with pytest.raises(RecordingError, match=rf"^{name} is a Zarr folder, .* Export it to one first"):
            opening(tmp_path / name)
    with pytest.raises(RecordingError, match=rf"^{name} is a Zarr folder"):
        scan(tmp_path)


def test_a_zarr_folder_beside_recordings_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "x.nwb").mkdir()
    (tmp_path / "x.nwb" / ".zgroup").write_text("{}")
    file = small_nwb(tmp_path / "y.nwb")

    assert scan(tmp_path) == (file,)
