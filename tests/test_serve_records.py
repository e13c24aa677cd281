"""Records of a real server, which is killed, told to go, started again, and given its own record."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websocket import create_connection

from engine.sinks.record.reading import read_record
from engine.sinks.record.record import Record
from engine.sinks.record.scored import plain as plain_scores
from engine.sinks.record.scored import recompute
from tests.benchmarks import free_port
from tests.engine.sinks.record.recording import recorded
from tests.given import given
from tests.nwb_builders import small_nwb
from tests.test_serve import run

PATIENCE = 60.0
UNANSWERED = 12 * 10
"""Bins at the beginnings of the twelve trials, to which the delayed decoder knows no answer."""
BIN_RATE = 100


@dataclass
class Server:
    process: subprocess.Popen[str]
    port: int
    records: Path

    def __call__(self, method: str, path: str, body: Any = None) -> dict:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        read = json.loads(answer.read())
        assert answer.status == 200, read
        connection.close()
        return read

    def packets(self, n: int) -> list[dict]:
        """Connect as a decoder, and take the fields of so many packets."""
        decoder = create_connection(f"ws://127.0.0.1:{self.port}/stream/deck?queue=lossless", timeout=10)
        try:
            assert json.loads(decoder.recv())["type"] == "metadata"
            return [json.loads(decoder.recv())["data"] for _ in range(n)]
        finally:
            decoder.close(timeout=0)

    @contextmanager
    def decoders(self, *keys: str) -> Iterator[None]:
        """Decoders that ship, as processes of their own, from their being connected until Ctrl+C."""
        command = ("decode", "--session", "deck", "--url", f"ws://127.0.0.1:{self.port}", "--decoder")
        processes = [run(*command, key) for key in keys]
        try:
            self.until("/api/sessions/deck", active_connections=len(keys))
            yield
            for process in processes:
                process.send_signal(signal.SIGINT)
                assert process.communicate(timeout=PATIENCE)[1] == ""
                assert process.returncode == 0
        finally:
            for process in processes:
                process.kill()
                process.communicate()

    def until(self, path: str, **expected: Any) -> dict:
        """Wait for what another thread or process brings about: nothing here can be waited for."""
        deadline = time.monotonic() + PATIENCE
        while any((shown := self("GET", path))[name] != value for name, value in expected.items()):
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        return shown

    def until_answered(self, n_bins: int) -> None:
        """Wait until the answers to so many bins are scored: the last are still on their way."""
        expected = {"passthrough": n_bins, "delayed": n_bins - UNANSWERED}
        deadline = time.monotonic() + PATIENCE
        while True:
            decoders = self("GET", "/api/sessions/deck/scores")["decoders"]
            scored = {name: each["n_bins"] for name, each in decoders.items()}
            if scored == expected:
                return
            assert time.monotonic() < deadline, (expected, scored)
            time.sleep(0.05)


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
        yield Server(process, port, records)
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
        done = run("finish", str(left), **key)
        assert done.communicate(timeout=PATIENCE)[1] == ""
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


def test_a_full_disk_ends_the_record_and_not_the_stream(tmp_path: Path) -> None:
    """Full for the server's process at 40,000 bytes, which is its limit on the size of a file."""
    data, records = small_nwb(tmp_path / "small.nwb"), tmp_path / "records"
    with serve(data, records) as server:
        server("POST", "/api/sessions", {"custom_code": "deck", "speed": 5})
        server("POST", "/api/sessions/deck/record")
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (40_000, 40_000))
        server.packets(5 * BIN_RATE)
        failed = server.until("/api/sessions/deck/record", state="failed")
        assert failed["error"].startswith("File too large. What was written until then is in ")
        assert server.packets(10)[-1]["sequence_number"] > failed["bins"] > 0
        assert server("GET", "/health")["status"] == "healthy"
        assert len(read_record(next(records.iterdir())).rows) >= failed["bins"]


def play_to_the_end(server: Server) -> tuple[dict, Record]:
    """Play to the end, stop the record, and read its file; also give the live scores before it stopped."""
    server("POST", "/api/control/deck/resume")
    sent = server.until("/api/sessions/deck", state="ended")["packets_sent"]
    server.until_answered(sent)
    live = server("GET", "/api/sessions/deck/scores")["decoders"]
    server("DELETE", "/api/sessions/deck/record")
    name = server.until("/api/sessions/deck/record", state="finished")["name"]
    return live, read_record(server.records / f"{name}.nwb")


MOVING = ("r2_position_moving", "r2_velocity_moving")
"""Above a speed that is the recording's: a record's may be another one."""
TIMED = ("missing", "coverage")
"""What depends on when a record ended: a bin is missing 10 s after it was due."""


def assert_same_scores(one: dict, other: dict, but: tuple[str, ...] = ()) -> None:
    """Two records' scores, as their JSON has them, `but` for some measures."""
    assert one.keys() == other.keys() == {"passthrough", "delayed"}
    for name, scores in one.items():
        pairs = [(scores[span], other[name][span]) for span in ("total", "window")]
        for trial, again in zip(scores["trials"], other[name]["trials"], strict=True):
            for field in ("trial_id", "sequence_number", "hit"):
                assert trial[field] == again[field], (name, field)
            pairs.append((trial["measures"], again["measures"]))
        for measures, again in pairs:
            again = {**again, **{field: measures[field] for field in but}}
            assert measures == pytest.approx(again, rel=1e-9, abs=1e-9, nan_ok=True), name


def test_a_record_gives_the_live_scores_again_when_recomputed_and_when_replayed(tmp_path: Path) -> None:
    once = {"custom_code": "deck", "loop": False, "speed": 4}
    with serve(given("reach98.nwb"), tmp_path / "first") as server:
        server("POST", "/api/sessions", {**once, "trial_ids": list(range(12))})
        server("POST", "/api/control/deck/pause")  # until both decoders are there
        server("POST", "/api/sessions/deck/record")
        with server.decoders("passthrough", "delayed"):
            earlier, record = play_to_the_end(server)
            live = server("GET", "/api/sessions/deck/scores")["decoders"]
    for name, scores in record.scores["decoders"].items():
        total = scores["total"]
        for field in TIMED:
            one, other = sorted((earlier[name][field], live[name][field]))
            assert one <= total[field] <= other, (name, field)
            live[name][field] = total[field]
        told = {field: live[name][field] for field in total}
        told = {field: np.nan if value is None else value for field, value in told.items()}
        assert total == pytest.approx(told, rel=1e-9, abs=1e-9, nan_ok=True), name
    assert live["passthrough"]["r2_position"] == 1.0
    assert live["delayed"]["rmse_position"] > 1.0
    assert len(live["delayed"]["trials"]) >= 10
    assert_same_scores(record.scores["decoders"], plain_scores(recompute(record)))

    with serve(tmp_path / "first", tmp_path / "second") as server:
        server("POST", "/api/sessions", once)
        server("POST", "/api/sessions/deck/record")
        _, again = play_to_the_end(server)
    np.testing.assert_array_equal(again.rows["counts"], record.rows["counts"])
    np.testing.assert_array_equal(again.predictions["values"], record.predictions["values"])
    assert_same_scores(again.scores["decoders"], record.scores["decoders"], but=(*TIMED, *MOVING))
    assert_same_scores(again.scores["decoders"], plain_scores(recompute(again)))


def assert_same(packets: list[dict], counts: np.ndarray) -> None:
    """What the decoder had and the record kept is the same, as far as both go."""
    had = np.array([packet["spikes"]["spike_counts"] for packet in packets])
    n = min(len(had), len(counts))
    assert n > BIN_RATE
    np.testing.assert_array_equal(had[:n], counts[:n])
