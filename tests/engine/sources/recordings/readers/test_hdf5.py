"""Files that cannot be locked, that are being written, or that are compressed by what is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from engine.errors import RecordingError
from engine.sources.recordings.readers import read, read_inspected
from tests.forking import Forks
from tests.given import given
from tests.nwb_builders import small_nwb

ROOT = Path(__file__).parents[5]

READ = """
import sys
from pathlib import Path
from engine.errors import RecordingError
from engine.sources.recordings.readers import read_inspected
try:
    print(read_inspected(Path(sys.argv[1]), 40.0).counts.sum())
except RecordingError as error:
    print(error)
"""

OPEN = """
import sys
from pathlib import Path
from engine.files.hdf5 import opened
with opened(Path(sys.argv[1])) as file:
    print("units" in file)
"""

NO_LOCKS = """
import ctypes, os, sys

class Step(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("to", ctypes.c_byte * 2), ("k", ctypes.c_uint)]

class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.POINTER(Step))]

flock = {"x86_64": 73, "aarch64": 32}[os.uname().machine]
fails, passes = 0x0005_0000 | int(sys.argv[2]), 0x7FFF_0000
load, compare = Step(0x20, (0, 0), 0), Step(0x15, (0, 1), flock)
steps = (Step * 4)(load, compare, Step(6, (0, 0), fails), Step(6, (0, 0), passes))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())
assert libc.prctl(22, 2, ctypes.byref(Program(4, steps)), 0, 0) == 0, os.strerror(ctypes.get_errno())
"""
"""From here on the kernel (seccomp) answers flock with an error number, here and in child processes."""

WITHOUT_FILTERS = "import sys; sys.modules['hdf5plugin'] = None\n"


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
@pytest.mark.parametrize("number", [5, 30, 37, 95], ids=["EIO", "EROFS", "ENOLCK", "EOPNOTSUPP"])
def test_a_file_that_the_disk_cannot_lock_is_opened_without_a_lock(
    forks: Forks, tmp_path: Path, number: int
) -> None:
    assert forks(NO_LOCKS + OPEN, small_nwb(tmp_path / "a.nwb"), number) == "True"


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_a_file_that_the_disk_cannot_lock_is_read(forks: Forks, tmp_path: Path) -> None:
    assert forks(NO_LOCKS + READ, small_nwb(tmp_path / "a.nwb"), 37) == "4"


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_a_file_that_another_program_has_locked_is_being_written(forks: Forks, tmp_path: Path) -> None:
    said = forks(NO_LOCKS + READ, small_nwb(tmp_path / "a.nwb"), 11)
    assert said == "a.nwb is being written by another program. Close it first."


def test_a_file_that_this_program_writes_is_being_written(tmp_path: Path) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    holder = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import h5py, sys; f = h5py.File(sys.argv[1], 'a'); print(1, flush=True); sys.stdin.read()",
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(RecordingError, match=r"^a\.nwb is being written by another program\. Close"):
            read_inspected(path, 40.0)
        holder.communicate()
    assert read_inspected(path, 40.0).n_units == 3


def test_a_file_whose_writer_died_says_so_and_how_to_mend_it(forks: Forks, tmp_path: Path) -> None:
    path = tmp_path / "a.nwb"
    program = (
        "import h5py, os, sys\n"
        "file = h5py.File(sys.argv[1], 'w', libver='latest'); file.attrs['nwb_version'] = '2.6.0'\n"
        "file.flush(); os._exit(0)"
    )
    forks(program, path)

    with pytest.raises(RecordingError, match=r"when that died\. Close it first, or mend it with 'h5clear"):
        read(path, 40.0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("zstd_spike_times", "spike_times is compressed by Zstandard (HDF5 filter 32015)"),
        ("blosc_data", "cursor_pos cannot be used: it is compressed by Blosc (HDF5 filter 32001)"),
    ],
)
def test_a_missing_filter_is_named_with_the_command_that_installs_it(
    forks: Forks, name: str, words: str
) -> None:
    said = forks(WITHOUT_FILTERS + READ, given(f"cases/{name}.nwb"))

    assert said.startswith(f"{name}.nwb: ")
    assert words in said
    assert "Run pip install -e '.[filters]'" in said
    assert "\n" not in said


@pytest.mark.parametrize("name", ["zstd_spike_times", "blosc_data"])
def test_a_file_plays_once_its_filter_is_installed(forks: Forks, name: str) -> None:
    assert forks(READ, given(f"cases/{name}.nwb")) == "7200"
    recording = read(given(f"cases/{name}.nwb"), 40.0)
    assert (recording.n_units, len(recording.trials), recording.duration) == (12, 20, 60.0)
    assert recording.series["position"]["name"] == "cursor_pos"


def test_a_filter_that_nobody_needs_refuses_nothing(forks: Forks, tmp_path: Path) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    with h5py.File(given("cases/blosc_data.nwb")) as source, h5py.File(path, "a") as file:
        place = "processing/behavior/Position/cursor_pos"
        source.copy(place, file["processing/behavior"], "pupil")

    said = forks(WITHOUT_FILTERS + READ, path)
    assert said == "4"


def test_damage_is_neither_a_lock_nor_a_filter(tmp_path: Path) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    path.write_bytes(path.read_bytes()[:900] + bytes(4000) + path.read_bytes()[4900:])

    with pytest.raises(RecordingError, match=r"^a\.nwb is damaged\. Copy or download it again\.$"):
        read(path, 40.0)
