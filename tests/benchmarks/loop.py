"""From a bin's being due to its prediction's being received: ``python -m tests.benchmarks.loop [--short]``.

Decoders answer from a process of their own, over the WebSocket. The floor is a bare loop of the same
pace, whose socket gets its bytes back from another process.

``python -m tests.benchmarks.loop --sweep [DECODER ...]`` calibrates instead: what decoders are worth at
each level of perturbation, on the default recording and on the real one. The LSTM takes minutes.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from engine.calibration.run import Fitted, calibrate, prepare
from engine.calibration.split import Split, balanced_split, given_split
from engine.decoders import DECODERS
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.synthetic import default_recording
from sessions.configured import DATA
from tests.benchmarks import REACH98, ROOT, Server, emit, server, sleep_floor, spread

RATES = (40, 200)
N_DECODERS = (1, 20)
WINDOW = 10.0
"""Seconds over which a session's own figures are taken, the last ones."""
MODULE = [sys.executable, "-m", "tests.benchmarks.passthrough"]
PACKET = bytes(200)


def loopback_floor(rate: float, seconds: float = 3.0) -> dict[str, float]:
    """From a deadline to the return of bytes that were sent to another process then, in ms."""
    with subprocess.Popen([*MODULE, "echo"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, taken = int(process.stdout.readline()), []
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            start = time.perf_counter()
            for k in range(1, round(seconds * rate) + 1):
                due = start + k / rate
                time.sleep(max(due - time.perf_counter(), 0))
                connection.sendall(PACKET)
                connection.recv(4096)
                taken.append(time.perf_counter() - due)
    return spread(taken)


def closed_loop(rate: int, n_decoders: int, seconds: float) -> None:
    """One session, answered by so many decoders."""
    floor, loopback = sleep_floor(1 / rate), loopback_floor(rate)
    with server("--rate", str(rate), "--no-lsl") as ours:
        stream = f"ws://127.0.0.1:{ours.port}/stream/binary/bench"
        urls = [f"{stream}?layout=compact&decoder=passthrough-{i:02}" for i in range(n_decoders)]
        with subprocess.Popen([*MODULE, str(seconds), *urls], cwd=ROOT) as process:
            time.sleep(seconds - 1.0)  # while all are still there
            figures = measured(ours)
            assert process.wait() == 0
        emit("loop", rate_hz=rate, decoders=n_decoders, **figures, floor_ms=loopback, floor_sleep_ms=floor)


def measured(ours: Server) -> dict[str, object]:
    """What the server has measured over the last 10 s."""
    decoders = ours.get("/api/sessions/bench/scores")["decoders"].values()
    windows = [decoder["window"] for decoder in decoders]
    session = ours.get("/metrics")["metrics"]["sessions"]["bench"]
    return {
        "predictions": sum(window["n_bins"] for window in windows),
        "missing": sum(window["missing"] for window in windows),
        "late": sum(window["late"] for window in windows),
        "due_to_received_p50_ms": max(window["latency_p50_ms"] for window in windows),
        "due_to_received_p99_ms": max(window["latency_p99_ms"] for window in windows),
        "due_to_sent_p99_ms": session["network_latency_ms"]["p99"],
        "tick_lateness_p99_ms": session["timing_error_ms"]["p99"],
        "r2_position": min(window["r2_position"] for window in windows),
    }


def sweep(recording: Recording, split: Split, keys: Sequence[str]) -> None:
    """A line for each decoder and level, by the code that calibrates for the page."""
    for key in keys:
        fitted: Fitted | None = None
        for step in calibrate(*prepare(recording, split, key, {}, seed=0)):
            if isinstance(step, Fitted):
                fitted = step
                continue
            assert fitted is not None
            emit(
                "sweep",
                recording=recording.name,
                decoder=key,
                level=step.scores.level,
                r2_velocity=step.scores.r2_velocity.mean,
                r2_position=step.scores.r2_position.mean,
                rmse_velocity=step.scores.rmse_velocity.mean,
                rmse_position=step.scores.rmse_position.mean,
                bins=step.scores.n_bins,
                fit_seconds=fitted.seconds,
            )


def sweeps(keys: Sequence[str]) -> None:
    """On the default recording, three quarters of whose trials train; on the real one, 600 of its 800."""
    default = read(default_recording(DATA), 40.0)
    sweep(default, balanced_split(default, 0.75, seed=0), keys)
    if not REACH98.exists():
        emit("sweep", recording=REACH98.stem, skipped=f"{REACH98} is not there")
        return
    real = read(REACH98, 40.0)
    sweep(real, given_split(real, range(600), range(600, 800)), keys)


def main(short: bool) -> None:
    for rate in RATES:
        for n_decoders in N_DECODERS:
            closed_loop(rate, n_decoders, 6.0 if short else WINDOW + 5.0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sweep"]:
        sweeps(sys.argv[2:] or [key for key, each in DECODERS.items() if each.learned])
    else:
        main("--short" in sys.argv[1:])
