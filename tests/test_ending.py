"""SIGTERM and SIGINT end the server well and in time, whatever it is doing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

import h5py
import numpy as np
import pytest

from tests.benchmarks import free_port
from tests.given import given
from tests.nwb_builders import add_behavior, nwb_file, ramp, samples, save, small_nwb

ROOT = Path(__file__).parent.parent
PATIENCE = 20.0
ENDS_WITHIN = 10.0
READING = "What pynwb says"
"""In the log while a file is read around what is broken in it."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")


def slow_nwb(path: Path) -> Path:
    """A small file that takes many seconds: what is broken in it must be found, one after another."""
    nwb = add_behavior(nwb_file(), *(samples(f"odd{i}", ramp()) for i in range(18)))
    save(nwb, path)
    with h5py.File(path, "a") as file:
        for series in file["processing/behavior"].values():
            series.attrs["neurodata_type"] = np.array([b"a", b"b"])
    return path


class Server:
    """A server in a process of its own, and what it has logged."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.ports = free_port(), free_port()
        options = ["--data", str(data), "--records", str(folder / "records"), "--no-lsl"]
        command = [sys.executable, str(ROOT / "serve.py"), *options, "--log-level", "DEBUG"]
        ports = {"PHANTOM_PORT": str(self.ports[0]), "PHANTOM_DASHBOARD_PORT": str(self.ports[1])}
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | ports)

    def ask(self, path: str, body: object = None, port: int = 0) -> bytes:
        request = Request(
            f"http://127.0.0.1:{self.ports[port]}{path}",
            None if body is None else json.dumps(body).encode(),
        )
        with urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()

    def said(self, words: str) -> bool:
        return words in self.log.read_text()

    def until(self, seen: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE
        while not seen():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < limit, self.log.read_text()
            threading.Event().wait(0.02)

    def ends(self, by: signal.Signals) -> None:
        self.process.send_signal(by)
        assert self.process.wait(ENDS_WITHIN) == 0, self.log.read_text()


@contextmanager
def started(folder: Path, data: Path) -> Iterator[Server]:
    server = Server(folder, data)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_while_it_is_loading_its_libraries(tmp_path: Path, by: signal.Signals) -> None:
    with started(tmp_path, small_nwb(tmp_path / "a.nwb")) as server:
        maps = Path(f"/proc/{server.process.pid}/maps")
        server.until(lambda: "_multiarray_umath" in maps.read_text())
        server.ends(by)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_while_it_reads_its_recording(tmp_path: Path, by: signal.Signals) -> None:
    with started(tmp_path, slow_nwb(tmp_path / "slow.nwb")) as server:
        server.until(lambda: server.said(READING))
        server.ends(by)
        assert not server.said("Going down")  # it had not begun to serve


def test_while_sessions_wait_for_a_recording_and_others_are_calibrated_drawn_and_recorded(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "a.nwb").symlink_to(given("reach98.nwb"))
    slow_nwb(folder / "slow.nwb")

    def wait_for_slow(port: int) -> None:
        with suppress(OSError, HTTPException):
            server.ask("/api/metadata?recording=slow", port=port)

    def picture() -> None:
        with suppress(OSError, HTTPException):
            server.ask("/api/sessions/deck/snapshot.pdf")

    with started(tmp_path, folder) as server, ThreadPoolExecutor(20) as asking:
        server.until(lambda: server.said("Streams    ws://"))
        server.ask("/api/sessions", {"custom_code": "deck", "speed": "max"})
        server.ask("/api/sessions/deck/record", {})
        server.ask("/api/calibrations", {"decoder": "lstm"})
        server.until(lambda: server.said("Pictures are drawn in process"))
        asking.submit(picture)
        for port in (0, 1):  # more than there are threads for what blocks
            for _ in range(8):
                asking.submit(wait_for_slow, port)
        server.until(lambda: server.said(READING))
        server.ask("/api/sessions/deck/perturbation")  # it answers, too
        server.ends(signal.SIGTERM)
        assert server.said("Going down")


def test_an_end_that_takes_too_long_says_what_was_at_work() -> None:
    program = (
        "import logging, threading, time\n"
        "from sessions.ending import Ending\n"
        "logging.basicConfig(format='%(message)s')\n"
        "threading.Thread(target=threading.Event().wait, name='reading big.nwb').start()\n"
        "Ending().within(0.2)\n"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 0
    assert ended.stderr == (
        "Ended after 0.2 s, before all was done: reading big.nwb. The next start finishes records.\n"
    )
