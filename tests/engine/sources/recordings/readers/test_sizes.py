"""What claims more than a file can hold is refused in time and in one line, or passed over; never read."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from tests.forking import Forks
from tests.nwb_builders import small_nwb

HUGE = 10**9
PADDING = 8 * 1024 * 1024
"""Bytes at the end of the file: enough to hide what a billion numbers would take."""

PROGRAM = """
import resource, sys
from pathlib import Path
from engine.errors import RecordingError
from engine.sources.recordings.readers import read_inspected
try:
    recording = read_inspected(Path(sys.argv[1]), 40.0)
    print(len(recording.trials), recording.n_units, *recording.warnings)
except RecordingError as error:
    print(error)
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
print(int(peak.split()[1]) // 1024)  # getrusage tells that of the process that forked this one
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(each.ru_utime + each.ru_stime for each in used))
"""
MOST_MB = 600
MOST_SECONDS = 5.0
"""Of the processor, which is what it takes where nobody else wants that."""


def enlarge(file: h5py.File, place: str, shape: tuple[int, ...]) -> None:
    """Give a dataset a shape of which no chunk was ever written."""
    reference, dtype = dict(file[place].attrs), file[place].dtype
    del file[place]
    made = file.create_dataset(place, shape=shape, dtype=dtype, chunks=(2**14, *shape[1:]))
    made.attrs.update(reference)
    if f"{place}_index" in file:
        file[f"{place}_index"].attrs["target"] = made.ref


FACTS = ("target_on_time", "go_cue_time", "move_onset_time", "num_targets", "active_target", "trial_type")
TRIALS = [
    f"intervals/trials/{name}"
    for name in ("id", "start_time", "stop_time", "split", "success", "maze_id", "target_pos_index", *FACTS)
]
UNITS = ["units/id", "units/spike_times_index", "units/obs_intervals_index"]
CURSOR = "processing/behavior/cursor_pos"


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(
    ("places", "shape", "when_padded"),
    [
        (TRIALS, (HUGE,), "it has 1000000000 rows, and at most 100000 can be played"),
        (UNITS, (HUGE,), "has 1000000000 units, and at most 65536 can be replayed"),
        (["units/spike_times"], (HUGE,), "spike_times claims 1000000000 values"),
        (["units/obs_intervals"], (HUGE, 2), "obs_intervals claims 2000000000 values"),
        ([f"{CURSOR}/data", f"{CURSOR}/timestamps"], (HUGE,), "cursor_pos cannot be used: it claims 1000"),
        (["processing/behavior/hand_pos/data"], (HUGE, 2), "2 3"),
        (["intervals/trials/maze_id"], (HUGE,), ""),
    ],
)
def test_a_billion_that_nobody_wrote_is_not_read(
    places: list[str], shape: tuple[int, ...], when_padded: str, padded: bool, forks: Forks, tmp_path: Path
) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        for place in places:
            enlarge(file, place, shape)
    if padded:
        with path.open("ab") as raw:
            raw.write(bytes(PADDING))

    *said, own, inspecting, took = forks(PROGRAM, path).splitlines()
    assert len(said) == 1
    assert (when_padded if padded else "more than fits into this file") in said[0]
    assert max(int(own), int(inspecting)) < MOST_MB
    assert float(took) < MOST_SECONDS
