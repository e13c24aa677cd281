"""What a small archive or MATLAB file claims is not read: memory stays what it was."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np

from tests.engine.sources.recordings.readers.test_mat import FAULTS as OF_MAT
from tests.engine.sources.recordings.readers.test_npz import FAULTS as OF_NPZ

ROOT = Path(__file__).parents[5]
MOST_MB = 300

PROGRAM = """
import sys
from pathlib import Path
from engine.errors import RecordingError
from engine.sources.recordings.readers import read
for name in sys.argv[1:]:
    try:
        read(Path(name), 40.0)
    except RecordingError as error:
        print(error)
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
print(int(peak.split()[1]) // 1024)
"""


def compressed_mat(path: Path) -> None:
    """A variable of 1.1 GB, which is 1 MB in the file."""
    deflater = zlib.compressobj(9)
    tag = deflater.compress(np.array([14, 1100 * 2**20], "<u4").tobytes()) + deflater.flush(
        zlib.Z_FULL_FLUSH
    )
    block = deflater.compress(bytes(2**20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    content = tag + block * 1100
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    path.write_bytes(header + np.array([15, len(content)], "<u4").tobytes() + content)


def test_claims_take_no_memory(tmp_path: Path) -> None:
    made = []
    for name, ending, write in (
        ("bomb", "npz", OF_NPZ["bomb"][0]),
        ("huge", "npz", OF_NPZ["huge"][0]),
        ("text", "mat", OF_MAT["huge text"][0]),
        ("cells", "mat", OF_MAT["huge cells"][0]),
        ("hdf5", "mat", OF_MAT["huge 7.3"][0]),
        ("packed", "mat", compressed_mat),
    ):
        made.append(tmp_path / f"{name}.{ending}")
        write(made[-1])
        assert made[-1].stat().st_size < 3 * 2**20

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, made)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )

    *said, peak = done.stdout.splitlines()
    assert len(said) == len(made), done.stderr
    assert all("claims" in line for line in said), said
    assert int(peak) < MOST_MB
