"""Timings as JSON lines: medians and p99, each beside the machine's floor from the same run."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

ROOT = Path(__file__).parents[2]
REACH98 = ROOT.parent / "shared" / "data" / "reach98.nwb"


def emit(what: str, **figures: object) -> None:
    """Print one JSON line."""
    rounded = {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps({"what": what, **rounded}), flush=True)


def spread(seconds: Sequence[float] | np.ndarray, unit: float = 1e3) -> dict[str, float]:
    """Median, p99 and maximum, in milliseconds unless `unit` says otherwise."""
    values = np.asarray(seconds) * unit
    p50, p99 = np.percentile(values, [50, 99])
    return {"p50": float(f"{p50:.4g}"), "p99": float(f"{p99:.4g}"), "max": float(f"{values.max():.4g}")}


def sleep_floor(period: float = 0.025, seconds: float = 3.0) -> dict[str, float]:
    """Lateness of a bare loop that sleeps to absolute deadlines, in ms: what the machine can do."""
    lateness, start = [], time.perf_counter()
    for k in range(1, round(seconds / period) + 1):
        due = start + k * period
        time.sleep(max(due - time.perf_counter(), 0))
        lateness.append(time.perf_counter() - due)
    return spread(lateness)


@contextlib.contextmanager
def floors(seconds: float) -> Iterator[dict[str, dict[str, float]]]:
    """Floors beside what runs in the block, of which it takes `seconds`: filled in when it ends."""
    found: dict[str, dict[str, float]] = {}
    command = [sys.executable, "-m", "tests.benchmarks.floor", str(seconds)]
    kinds = ("ordinary", "real_time")
    with contextlib.ExitStack() as stack:
        running = {
            kind: stack.enter_context(
                subprocess.Popen([*command, kind], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            )
            for kind in kinds
        }
        yield found
        for kind, process in running.items():
            found[kind] = json.loads(process.communicate(timeout=60)[0])


@dataclass(frozen=True)
class Server:
    """A server in a process of its own."""

    port: int
    dashboard_port: int
    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def ended(self, within: float) -> int:
        """The exit status, once it has ended."""
        return self.process.wait(within)

    def get(self, path: str) -> dict:
        return json.loads(self.content(path))

    def content(self, path: str) -> bytes:
        """What a REST call answers, as it is."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return answer.read()

    def ask(self, method: str, path: str, body: object = None) -> None:
        """Make a REST call."""
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.port}{path}"
        urllib.request.urlopen(urllib.request.Request(url, data, method=method), timeout=60).close()


@contextlib.contextmanager
def server(*arguments: str, log: IO[str] | None = None) -> Iterator[Server]:
    """The real command line on free ports, until the block ends; its standard error may go to a file."""
    port, dashboard_port = free_port(), free_port()
    command = [sys.executable, str(ROOT / "serve.py"), "--port", str(port)]
    command += ["--dashboard-port", str(dashboard_port), "--log-level", "WARNING", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Streams"):
                break
        else:
            raise RuntimeError(f"The server has not started: exit status {process.wait()}")
        yield Server(port, dashboard_port, process)
    finally:
        process.terminate()
        process.wait(15)
        if process.stdout is not None:
            process.stdout.close()


def free_port() -> int:
    """A port that nobody has, below those that systems give to outgoing connections: so it stays free."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
