"""What loading a recording takes: ``python -m tests.benchmarks.loading FILE`` prints one JSON line.

The floor is pynwb's own time for the same data, of the same run; memory is what stays after loading.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from engine.sources.recordings.readers import read
from tests.benchmarks.dashboard import held
from tests.benchmarks.replay import pynwb_alone
from tests.nwb_builders import small_nwb


def main(path: Path) -> None:
    read(small_nwb(path.with_name("small.nwb")), 40.0)  # imports
    floor = pynwb_alone(path)
    before = held(os.getpid())["megabytes"]
    start, busy = time.perf_counter(), time.process_time()
    recording = read(path, 40.0)
    seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    figures = {
        "units": recording.n_units,
        "bins": recording.n_bins,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "floor_pynwb_seconds": floor,
        "beyond_seconds": seconds - floor,
        "added_megabytes": held(os.getpid())["megabytes"] - before,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
