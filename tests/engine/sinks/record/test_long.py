"""A long record is finished block by block: memory does not grow with it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from engine.sinks.record.reading import read_record
from engine.sinks.record.recorder import Recorder
from tests.builders import replay_of, small_recording
from tests.engine.listening import Keeper
from tests.engine.sinks.record.recording import header

ROOT = Path(__file__).parents[4]
FINISH = """
import sys
from pathlib import Path
from engine.sinks.record.finish import finish
for name in sys.argv[1:]:
    finish(Path(name))
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print(int(peak.split()[1]) // 1024)
"""


def journal(path: Path, n_bins: int) -> None:
    """Of a session at speed max."""
    replay = replay_of(small_recording(n_units=142, n_bins=4000), speed="max")
    recorder = Recorder(path, header(replay.description), replay, settings=dict)
    keeper = Keeper(replay)
    replay.resume()
    while replay.ring.head < n_bins:
        keeper.read()
        time.sleep(0.001)
    recorder.stop()
    replay.close()


def test_memory_does_not_grow_with_the_record(tmp_path: Path) -> None:
    small, large = tmp_path / "small.journal", tmp_path / "large.journal"
    journal(small, 5_000)
    journal(large, 200_000)
    grown = large.stat().st_size / 2**20
    done = subprocess.run(
        [sys.executable, "-c", FINISH, str(small), str(large)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = map(int, done.stdout.split())

    assert grown > 40
    assert second - first < 30
    rows = read_record(tmp_path / "large.nwb").rows
    np.testing.assert_array_equal(rows["sequence_number"], np.arange(len(rows)))
