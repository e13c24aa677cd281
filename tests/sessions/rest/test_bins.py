"""``GET /api/recording/bins.npz``: what a user trains on elsewhere."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Iterator

import numpy as np
import pytest

from sessions.rest import handler
from sessions.rest.context import DOWNLOADS
from sessions.store import Store
from tests.benchmarks.dashboard import wait_until
from tests.builders import small_recording
from tests.sessions.serving import Client, serving

PATH = "/api/recording/bins.npz"


@pytest.fixture
def call() -> Iterator[Client]:
    recordings = {"small": small_recording(gaps=True), "wide": small_recording(n_units=9, name="wide")}
    with serving(Store(recordings)) as client:
        yield client


def arrays(call: Client, query: str = "") -> dict[str, np.ndarray]:
    reply = call("GET", PATH + query)
    assert reply.status == 200, reply.content
    assert reply.headers["Content-Type"] == "application/octet-stream"
    with np.load(io.BytesIO(reply.content), allow_pickle=False) as file:
        return dict(file)


def test_every_bin_of_the_first_recording_comes_without_being_asked_for(call):
    bins, recording = arrays(call), call.store.recording
    np.testing.assert_array_equal(bins["counts"], recording.counts)
    np.testing.assert_array_equal(bins["kinematics"], recording.kinematics)
    np.testing.assert_array_equal(bins["observed"], recording.observed)
    assert bins["bin_width"] == 0.025
    assert bins["sha256"] == recording.sha256
    assert bins["channel_names"].tolist() == list(recording.channel_names)
    assert set(bins["trial_id"][~recording.observed]) == {-1}


@pytest.mark.parametrize("query", ["?trial_ids=1,3", "?trial_ids=1&trial_ids=3", "?trial_ids=3,1,3"])
def test_trials_are_named_with_commas_or_a_parameter_each(call, query):
    bins = arrays(call, query)
    assert set(bins["trial_id"]) == {1, 3}
    assert bins["packet_id"].tolist() == [*range(50, 90), *range(150, 190)]
    assert np.flatnonzero(bins["start"]).tolist() == [0, 40]


def test_another_recording_is_named(call):
    assert arrays(call, "?recording=wide&trial_ids=0")["counts"].shape == (50, 9)


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("?trial_ids=1,9", 404, "Unknown trial 9. This recording has trials 0 to 3."),
        ("?recording=none", 404, "none"),
        ("?trial_ids=first", 422, "trial_ids"),
        ("?trials=1", 422, "Unknown field 'trials'. There are recording, trial_ids."),
    ],
)
def test_what_there_is_not_is_refused(call, query, status, message):
    reply = call("GET", PATH + query)
    assert reply.status == status
    assert message in reply.json["detail"]


def test_readers_that_never_read_are_bounded_and_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "WRITE_TIMEOUT", 0.5)
    large = small_recording(n_units=250, n_bins=60_000)  # more than sockets hold
    with serving(Store({"large": large})) as call, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(("127.0.0.1", call.port))) for _ in range(12)]
        for connection in idle:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        starts = [connection.recv(12) for connection in idle]

        assert starts.count(b"HTTP/1.1 200") >= DOWNLOADS
        assert b"HTTP/1.1 503" in starts
        wait_until(lambda: call("GET", f"{PATH}?trial_ids=0").status == 200, 20.0)
        for _ in range(DOWNLOADS + 1):  # all room is free again, as soon as each has its file
            assert len(arrays(call, "?trial_ids=0")["counts"]) == 15_000
