"""From a bin's being due to its prediction's being received: ``python -m tests.benchmarks.loop [--short]``.

Decoders answer from a process of their own, over the WebSocket. The floor is a bare loop of the same
pace, whose socket gets its bytes back from another process.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time

from tests.benchmarks import ROOT, Server, emit, server, sleep_floor, spread

RATES = (40, 200)
DECODERS = (1, 20)
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


def main(short: bool) -> None:
    for rate in RATES:
        for n_decoders in DECODERS:
            closed_loop(rate, n_decoders, 6.0 if short else WINDOW + 5.0)


if __name__ == "__main__":
    main("--short" in sys.argv[1:])
