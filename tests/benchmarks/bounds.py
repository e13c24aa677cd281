"""What a server keeps within bounds: memory, time and descriptors where somebody asks for too much.

``python -m tests.benchmarks.bounds`` prints JSON lines.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import msgpack
import numpy as np
from websocket import create_connection

from engine.sinks.record.record import header_of
from engine.sinks.record.recorder import Recorder
from engine.sources.recordings.readers import read
from engine.sources.recordings.synthetic import default_recording
from tests.benchmarks import ROOT, emit, server
from tests.benchmarks.dashboard import held
from tests.builders import replay_of

CREATIONS = 3000
HALF_OPEN = 1100
DESCRIPTORS = 1024
BUSY = 13
"""Programs that do nothing but compute."""
JOURNAL_MB = 500


def creations() -> None:
    """Sessions made one after the other, of which 50 at most are alive."""
    with server("--no-lsl") as ours:
        time.sleep(6.0)  # all is loaded
        before = held(ours.pid)["megabytes"]
        for _ in range(CREATIONS):
            ours.ask("POST", "/api/sessions/create", {})
        emit("creations", n=CREATIONS, megabytes_before=before, megabytes_after=held(ours.pid)["megabytes"])


def half_open() -> None:
    """Connections that send nothing, where there are fewer descriptors than they are."""
    with server("--no-lsl") as ours, contextlib.ExitStack() as stack:
        resource.prlimit(ours.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        stream = create_connection(f"ws://127.0.0.1:{ours.port}/stream/binary/deck?layout=compact")
        stream.recv()
        for _ in range(HALF_OPEN):
            connection = stack.enter_context(socket.socket())
            connection.connect(("127.0.0.1", ours.port))
        began = time.perf_counter()
        ours.get("/health")
        answered = time.perf_counter() - began
        numbers = [msgpack.unpackb(stream.recv())["s"] for _ in range(400)]
        stream.close()
        emit(
            "half open connections",
            n=HALF_OPEN,
            health_ms=1e3 * answered,
            gaps=int(np.count_nonzero(np.diff(numbers) != 1)),
            descriptors=held(ours.pid)["descriptors"],
        )


def pictures() -> None:
    """A picture of all plots, alone and beside programs that compute."""
    with server("--no-lsl") as ours, contextlib.ExitStack() as stack:
        ours.ask("POST", "/api/sessions", {"custom_code": "deck"})
        ours.ask("POST", "/api/control/deck/resume")
        time.sleep(10.0)
        for busy in (0, BUSY):
            for _ in range(busy):
                loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
                stack.callback(loop.kill)
            seconds = []
            for _ in range(4):
                began = time.perf_counter()
                picture = f"http://127.0.0.1:{ours.port}/api/sessions/deck/snapshot.png?width=1600"
                urllib.request.urlopen(picture, timeout=60).close()
                seconds.append(time.perf_counter() - began)
            emit("picture", busy_programs=busy, least_s=min(seconds), most_s=max(seconds))


def finishing() -> None:
    """The file of a long record, made of its journal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.journal"
        recording = read(default_recording(ROOT / "data"), bin_rate=40.0)
        replay = replay_of(recording, speed="max")
        recorder = Recorder(
            path, header_of(recording, "long", "deck", time.time(), {}), replay, settings=dict
        )
        replay.resume()
        while recorder.n_bytes < JOURNAL_MB * 1e6:
            time.sleep(0.05)
        recorder.stop()
        replay.close()
        n_bins = recorder.n_bins
        command = [sys.executable, "-m", "engine.sinks.record", "finish", str(path)]
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        peak = 0.0
        while process.poll() is None:
            with contextlib.suppress(FileNotFoundError, StopIteration):
                status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
                peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024
            time.sleep(0.2)
        emit("finishing a record", bins=n_bins, seconds=time.perf_counter() - began, peak_megabytes=peak)


if __name__ == "__main__":
    creations()
    half_open()
    pictures()
    finishing()
