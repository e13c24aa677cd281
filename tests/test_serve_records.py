"""Records of a real server, which is killed, told to go, started again, and given its own record."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
from websocket import create_connection

from engine.record.reading import read_record
from tests.engine.record.recording import recorded
from tests.nwb_builders import small_nwb
from tests.test_serve import free_port, run

PATIENCE = 30.0
BIN_RATE = 100


@dataclass
class Server:
    process: subprocess.Popen[str]
    port: int

    def __call__(self, method: str, path: str) -> dict:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        read = json.loads(answer.read())
        assert answer.status == 200, read
        connection.close()
        return read

    def packets(self, n: int) -> list[dict]:
        """Connect as a decoder, and take the fields of so many packets."""
        decoder = create_connection(f"ws://127.0.0.1:{self.port}/stream/deck?queue=lossless", timeout=10)
        assert json.loads(decoder.recv())["type"] == "metadata"
        taken = [json.loads(decoder.recv())["data"] for _ in range(n)]
        decoder.close(timeout=0)
        return taken


@contextmanager
def serve(data: Path, records: Path, **environment: str) -> Iterator[Server]:
    port = free_port()
    process = run(
        "--data", str(data), "--records", str(records), "--rate", str(BIN_RATE), "--no-lsl",
        "--port", str(port), "--dashboard-port", str(free_port()), **environment,
    )  # fmt: skip
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    line = " "
    while line and not line.startswith("Streams"):
        line = process.stdout.readline()
    assert line, process.stderr.read()
    watchdog.cancel()
    try:
        yield Server(process, port)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def record_a_while(server: Server, n: int) -> list[dict]:
    """Make a session, record it, and take so many packets of it."""
    server("POST", "/api/sessions?custom_code=deck")
    assert server("POST", "/api/sessions/deck/record")["state"] == "recording"
    return server.packets(n)


def test_a_killed_server_loses_at_most_a_second_and_its_journal_can_be_finished(tmp_path: Path) -> None:
    data, records = small_nwb(tmp_path / "small.nwb"), tmp_path / "records"
    with serve(data, records) as server:
        packets = record_a_while(server, 2 * BIN_RATE)
        (journal,) = records.iterdir()
        busy = run("finish", str(journal))
        assert "still being written" in busy.communicate(timeout=PATIENCE)[1]
        assert busy.returncode == 1
        packets += server.packets(10)
        server.process.kill()
        server.process.wait(PATIENCE)
    kept = read_record(journal).rows
    assert packets[-1]["sequence_number"] - int(kept["sequence_number"][-1]) <= BIN_RATE
    assert_same(packets[: 2 * BIN_RATE], kept["counts"])
    done = run("finish", str(journal))
    said, complaints = done.communicate(timeout=PATIENCE)
    assert (said.strip(), done.returncode) == (f"{journal.stem}.nwb", 0), complaints
    assert [each.name for each in records.iterdir()] == [said.strip()]
    np.testing.assert_array_equal(read_record(records / said.strip()).rows["counts"], kept["counts"])


def test_a_server_that_is_told_to_go_ends_its_record_and_the_next_one_replays_it(tmp_path: Path) -> None:
    data, records = small_nwb(tmp_path / "small.nwb"), tmp_path / "records"
    key = {"PHANTOM_RECORD_KEY": "correct horse"}
    with serve(data, records, **key) as server:
        packets = record_a_while(server, BIN_RATE)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        assert time.monotonic() - began < 10
    (left,) = records.iterdir()
    if left.suffix == ".journal":  # on a busy machine there was no time
        assert run("finish", str(left), **key).wait(PATIENCE) == 0
    (finished,) = records.iterdir()
    assert finished.name.endswith(".nwb.enc")
    others = tmp_path / "others"
    others.mkdir()
    with recorded(others):
        pass
    with serve(finished, others, **key) as server:
        server("POST", "/api/sessions?custom_code=deck")
        again = server.packets(BIN_RATE)
        while server("GET", "/api/records")["records"][0]["state"] != "finished":
            time.sleep(0.05)  # another process makes it: nothing here can be waited for
    assert [each.name for each in others.iterdir()] == ["test.nwb"]
    for first, second in zip(packets, again, strict=True):
        for field in ("sequence_number", "spikes", "kinematics", "trial_id", "trial_time_ms", "observed"):
            assert second[field] == first[field], field


def assert_same(packets: list[dict], counts: np.ndarray) -> None:
    """What the decoder had and the record kept is the same, as far as both go."""
    had = np.array([packet["spikes"]["spike_counts"] for packet in packets])
    n = min(len(had), len(counts))
    assert n > BIN_RATE
    np.testing.assert_array_equal(had[:n], counts[:n])
