"""What a bin costs and how punctual it is: ``python -m tests.benchmarks.replay [--short]``."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import msgpack
import numpy as np
from pynwb import NWBHDF5IO

from engine.bins.ring import Ring
from engine.bins.schema import STAMP, row_dtype
from engine.files.nwb_writer import write_nwb
from engine.sources.recordings.playhead import Playhead
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.synthetic import default_recording, simulate
from sessions.streams.packets import Encoder
from tests.benchmarks import REACH98, ROOT, emit, server, sleep_floor, spread

LAYOUTS = (
    ("json", "enveloped"),
    ("msgpack", "full"),
    ("msgpack", "flat"),
    ("msgpack", "enveloped"),
    ("msgpack", "compact"),
)
REPEATS = 5


def pynwb_alone(path: Path) -> float:
    """Seconds that pynwb takes to read what a replay needs, without any use of it."""
    start = time.perf_counter()
    with NWBHDF5IO(path, "r") as io:
        file = io.read()
        file.units["spike_times"].target.data[:]
        file.units["spike_times"].data[:]
        file.trials.to_dataframe()
        for series in file.processing["behavior"].data_interfaces.values():
            series.data[:]
            series.timestamps[:]
    return time.perf_counter() - start


def thrice(folder: Path) -> Path:
    """The default recording three times in a row, as one file of more than 30 MB."""
    session = simulate()
    duration = float(session.trials["stop_time"][-1])

    def in_turn(times: np.ndarray) -> np.ndarray:
        return np.concatenate([np.asarray(times) + k * duration for k in range(3)])

    longer = replace(
        session,
        spike_times=[in_turn(times) for times in session.spike_times],
        obs_intervals=in_turn(session.obs_intervals),
        series=[
            replace(s, data=np.tile(s.data, (3, 1)), timestamps=in_turn(s.timestamps))
            for s in session.series
        ],
        trials={
            name: in_turn(column) if name.endswith("_time") else [*column] * 3
            for name, column in session.trials.items()
        },
    )
    path = folder / "three-times-synthetic.nwb"
    write_nwb(path, longer)
    return path


def loading(path: Path) -> None:
    """Time to load and bin a file, and pynwb's own part of it."""
    read(path, 40.0)  # imports, and the file into the page cache
    ours, floor = [], []
    for _ in range(REPEATS):
        floor.append(pynwb_alone(path))
        start = time.perf_counter()
        read(path, 40.0)
        ours.append(time.perf_counter() - start)
    emit(
        "load and bin",
        file=path.name,
        megabytes=path.stat().st_size / 1e6,
        seconds=float(np.median(ours)),
        floor_pynwb_seconds=float(np.median(floor)),
        beyond_seconds=float(np.median(np.subtract(ours, floor))),
    )


def encoding(recording: Recording) -> None:
    """Time from the next index to a whole message, per layout, and the bytes of it."""
    dtype = row_dtype(recording.n_units, recording.counts.dtype)
    sizes = {}
    for wire_format, layout in LAYOUTS:
        ring = Ring(dtype, recording.bin_rate)
        playhead = Playhead(np.arange(recording.n_bins))
        encoder = Encoder(recording, wire_format, layout)
        scratch = np.zeros(1, dtype)
        raw_scratch, body = scratch.view(np.uint8).data, dtype.itemsize - recording.bins.itemsize
        source, width = recording.bins.view(np.uint8).data, recording.bins.itemsize
        took, floor, lengths = [], [], []
        for k in range(4000):
            start = time.perf_counter()
            (index,) = playhead.take(1).tolist()
            raw_scratch[body:] = source[index * width : (index + 1) * width]
            STAMP.pack_into(raw_scratch, 0, k, 1.7e9 + k / 40, 0.0, 0.0, 0.0, 0, False)
            ring.publish_raw(raw_scratch)
            raw, _ = ring.raw_since(k)
            packet = encoder.encode(raw)[0].message(0)
            took.append(time.perf_counter() - start)
            rows = np.frombuffer(raw, dtype)
            lengths.append(len(packet))
            plain = as_dict(rows)
            start = time.perf_counter()
            json.dumps(plain) if wire_format == "json" else msgpack.packb(plain)
            floor.append(time.perf_counter() - start)
        sizes[wire_format, layout] = float(np.mean(lengths))
        emit(
            "build and encode",
            format=wire_format,
            layout=layout,
            units=recording.n_units,
            microseconds=spread(took, 1e6),
            floor_library_encoder_microseconds=spread(floor, 1e6),
            bytes=sizes[wire_format, layout],
            share_of_json=sizes[wire_format, layout] / sizes["json", "enveloped"],
        )


def as_dict(rows: np.ndarray) -> dict:
    """One packet as a plain object, for the encoder of a library."""
    row = rows[0]
    return {
        "timestamp": float(row["timestamp"]),
        "sequence_number": int(row["sequence_number"]),
        "packet_id": int(row["packet_id"]),
        "spikes": {
            "channel_ids": list(range(len(row["counts"]))),
            "spike_counts": row["counts"].tolist(),
            "bin_size_ms": 25.0,
        },
        "kinematics": dict(zip(("x", "y", "vx", "vy"), row["kinematics"].tolist(), strict=True)),
        "intention": dict(
            zip(("target_id", "target_x", "target_y", "d"), row["intention"].tolist(), strict=True)
        ),
        "trial_id": int(row["trial"]),
        "trial_time_ms": float(row["trial_time_ms"]),
        "observed": bool(row["observed"]),
        "perturbation": [],
        "dropped": 0,
    }


def punctuality(n_sessions: int, seconds: float) -> None:
    """Tick lateness and arrival with one client a session, clients in another process."""
    floor = sleep_floor()
    with server() as ours:
        urls = [
            f"ws://127.0.0.1:{ours.port}/stream/binary/bench-{i}?layout=compact" for i in range(n_sessions)
        ]
        command = [sys.executable, "-m", "tests.benchmarks.clients", str(seconds), *urls]
        heard = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
        sessions = ours.get("/metrics")["metrics"]["sessions"].values()
        delays = np.array(heard["delays"])
        emit(
            "punctuality",
            sessions=n_sessions,
            seconds=seconds,
            packets=len(delays),
            rate_hz=[min(heard["rates"]), max(heard["rates"])],
            gaps=heard["gaps"],
            late_ticks=sum(s["late_ticks"] for s in sessions),
            tick_lateness_p99_ms=max(s["timing_error_ms"]["p99"] for s in sessions),
            tick_lateness_max_ms=max(s["timing_error_ms"]["max"] for s in sessions),
            arrival_after_due_ms=spread(delays),
            deviation_from_grid_ms=spread(np.abs(delays - np.median(delays))),
            floor_sleep_ms=floor,
        )


def main(short: bool) -> None:
    default = default_recording(ROOT / "data")
    with tempfile.TemporaryDirectory() as folder:
        loading(thrice(Path(folder)))
    for path in (default, REACH98):
        loading(path)
    encoding(read(default, 40.0))
    for n_sessions in (1, 10, 50):
        punctuality(n_sessions, 5.0 if short else 20.0)


if __name__ == "__main__":
    main("--short" in sys.argv[1:])
