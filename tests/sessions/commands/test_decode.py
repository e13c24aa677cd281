"""``serve.py decode``: what it answers, how it ends, and what it refuses."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from tornado.netutil import bind_sockets
from tornado.websocket import WebSocketHandler

from engine.decoders import decode as decode_bins
from engine.decoders import make_decoder
from engine.decoders.bins import Bins
from engine.decoders.store import Trained, load, save
from engine.sources.recordings.recording import Recording
from sessions.commands.answering import Answerer
from sessions.commands.decode import main
from sessions.gate import Rules
from sessions.metadata import metadata
from sessions.options import Options
from sessions.rest.context import Context
from sessions.rest.handler import rest_rules
from sessions.server import StreamServer, stream_rules
from sessions.session import Session
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import Keeper, wait_until

SERVE = Path(__file__).parents[3] / "serve.py"
PATIENCE = 30.0


def packet_of(recording: Recording, index: int, sequence_number: int | None = None) -> dict[str, Any]:
    """A bin in the compact layout."""
    row = recording.bins[index]
    return {
        "s": index if sequence_number is None else sequence_number,
        "p": index,
        "t": 0.0,
        "c": row["counts"].astype(row["counts"].dtype.newbyteorder("<")).tobytes(),
        "k": row["kinematics"].astype("<f4").tobytes(),
        "f": int(row["observed"]),
    }


@dataclass
class Peer:
    """A stream that plays the whole recording to whoever connects, and keeps what comes back.

    Parameters
    ----------
    endings : list
        One for each connection: a close code, None to cut it off, or "stay". It comes when the last
        observed bin is answered.
    """

    recording: Recording
    endings: list[Any]
    asked: list[str] = field(default_factory=list)
    predictions: list[dict[str, Any]] = field(default_factory=list)
    answered: threading.Event = field(default_factory=threading.Event)

    @property
    def last(self) -> int:
        return int(np.flatnonzero(self.recording.observed)[-1])


class PeerHandler(WebSocketHandler):
    def initialize(self, peer: Peer) -> None:
        self._peer = peer

    def open(self) -> None:
        peer = self._peer
        peer.asked.append(self.request.uri)
        for message in ({"type": "metadata", **metadata(peer.recording)}, *self.packets()):
            self.write_message(msgpack.packb(message), binary=True)

    def packets(self) -> Iterator[dict[str, Any]]:
        return (packet_of(self._peer.recording, i) for i in range(self._peer.recording.n_bins))

    def on_message(self, message: str | bytes) -> None:
        prediction = msgpack.unpackb(message)
        self._peer.predictions.append(prediction)
        if prediction["sequence_number"] == self._peer.last:
            ending = self._peer.endings.pop(0)
            if ending is None:
                self.ws_connection.stream.close()
            elif ending != "stay":
                self.close(ending)
            self._peer.answered.set()


@contextmanager
def serving(store: Store, *more: Any) -> Iterator[str]:
    """A stream port with REST, and its address; `more` comes first."""
    sockets = bind_sockets(0, "127.0.0.1")
    port = sockets[0].getsockname()[1]
    context = Context(store, port, port)
    rules = [*more, *stream_rules(store), *rest_rules(context, home=True)]
    server = StreamServer(store, rules, sockets, Rules())
    server.start()
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        store.close()
        context.decoding.close()
        server.stop()


@contextmanager
def peering(recording: Recording, *endings: Any) -> Iterator[tuple[Peer, str]]:
    peer = Peer(recording, list(endings))
    store = Store({recording.name: recording})
    with serving(store, (r"/stream/binary/deck", PeerHandler, {"peer": peer})) as url:
        yield peer, url


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The command sets what signals do."""
    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


def run(url: str, *arguments: str) -> int:
    return main(["--session", "deck", "--url", url, *arguments])


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of a refusal."""
    complaint = capsys.readouterr().err
    assert complaint.startswith("serve.py decode: ")
    assert complaint.count("\n") == 1
    return complaint


# On the stream


def test_every_observed_bin_is_answered_as_the_saved_decoder_says(tmp_path: Path) -> None:
    recording = small_recording(gaps=True)
    model = tmp_path / "model.npz"
    with peering(recording, 1000) as (peer, url):
        command = [
            sys.executable,
            SERVE,
            "decode",
            "--session",
            "deck",
            "--url",
            url,
            "--decoder",
            "wiener",
        ]
        command += ["--set", "lags=3", "--train", "0-1,3", "--save", model, "--name", "mine"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (
        "wiener learns from 3 trials (120 bins)\nwiener has learned from 3 trials of small in "
        in ended.stdout
    )
    assert "The session has ended\nAnswered 160 of 200 packets; a prediction took " in ended.stdout
    assert peer.asked == ["/stream/binary/deck?layout=compact&truth=0&decoder=mine"]

    decoder, trained = load(model)
    assert (trained.recording, trained.trials, decoder.settings["lags"]) == ("small", [0, 1, 3], 3)
    observed = np.flatnonzero(recording.observed)
    expected = decode_bins(decoder, recording.counts[observed], observed == observed[0])
    assert [each["sequence_number"] for each in peer.predictions] == observed.tolist()
    assert {(each["type"], each["decoder"]) for each in peer.predictions} == {("prediction", "mine")}
    values = [[each[name] for name in ("x", "y", "vx", "vy")] for each in peer.predictions]
    np.testing.assert_allclose(values, expected)


def test_a_decoder_that_uses_the_truth_asks_for_it_and_echoes_it() -> None:
    recording = small_recording()
    with peering(recording, 1001) as (peer, url):
        assert run(url, "--decoder", "passthrough") == 0
    assert peer.asked == ["/stream/binary/deck?layout=compact&decoder=passthrough"]
    values = [[each[name] for name in ("x", "y", "vx", "vy")] for each in peer.predictions]
    np.testing.assert_array_equal(values, recording.kinematics)


def test_a_lost_connection_is_made_again(capsys: pytest.CaptureFixture[str]) -> None:
    with peering(small_recording(), None, 1000) as (peer, url):
        assert run(url, "--decoder", "passthrough") == 0
    assert len(peer.asked) == 2
    printed = capsys.readouterr()
    assert printed.err == "serve.py decode: the connection is lost; connecting again\n"
    assert "Answered 400 of 400 packets" in printed.out


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_status_0(name: signal.Signals) -> None:
    """Also as a shell's background job, which starts with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with peering(small_recording(), "stay") as (peer, url):
        command = [sys.executable, SERVE, "decode", "--session", "deck", "--url", url]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [*command, "--decoder", "passthrough"], stdout=pipe, stderr=pipe, text=True
        ) as process:
            assert peer.answered.wait(PATIENCE)
            process.send_signal(name)
            printed, complaints = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaints) == (0, "")
    assert "Answered 200 of 200 packets" in printed


def test_a_real_session_is_played_until_it_is_deleted() -> None:
    store = Store({"small": small_recording()})
    with serving(store) as url:
        command = [sys.executable, SERVE, "decode", "--session", "deck", "--url", url]
        with subprocess.Popen(
            [*command, "--decoder", "kalman"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout.readline().startswith("kalman learns from 3 trials ")
            assert process.stdout.readline().startswith("kalman has learned from 3 trials of small ")
            assert process.stdout.readline() == "Decoding session deck with kalman.\n"
            Keeper(store.get("deck").replay).wait_rows(40)
            store.delete("deck", force=True)
            printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert int(re.search(r"Answered (\d+) of ", printed)[1]) > 0


# Packets


def test_a_session_of_electrodes_takes_what_has_learned_from_what_is_found_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = small_recording(n_units=3)
    found = tmp_path / "found.npz"
    found.write_bytes(Bins.of(replace(recording, sha256="of a record")).to_npz())
    with serving(store := Store({"small": recording})) as url:
        for name, *more in (
            ("wiener", "--bins", str(found)),
            ("delayed",),
            ("kalman", "--save", str(tmp_path / "model.npz"), "--source", "electrodes:3"),
        ):
            session = store.create(name, Options(source="electrodes:3"))
            ending = threading.Thread(target=end_when_answered, args=(store, session, name))
            ending.start()
            assert run(url, "--session", name, "--decoder", name, *more) == 0
            ending.join()
            said = capsys.readouterr().out
            assert f"Decoding session {name} with " in said
    assert said.startswith("The spikes of small are being found on 3 electrodes: ")
    assert "done. Ask again in a second.\nkalman learns from 3 trials (150 bins)\n" in said
    _, trained = load(tmp_path / "model.npz")
    assert (trained.recording, trained.n_units) == ("small-on-3-electrodes", 3)
    assert trained.sha256 not in (recording.sha256, "of a record")


def test_a_session_of_another_source_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(store := Store({"small": small_recording()})) as url:
        assert run(url, "--decoder", "delayed", "--source", "sparks") == 2
        assert "Unknown source 'sparks'. There are recording, " in refused(capsys)
        store.create("deck")
        assert run(url, "--decoder", "delayed", "--source", "electrodes:3") == 2
        assert "Session deck was made with another source." in refused(capsys)


def end_when_answered(store: Store, session: Session, name: str) -> None:
    """Delete a session once a decoder has answered there."""
    wait_until(lambda: name in session.predictions.names)
    store.delete(session.code, force=True)


def test_a_taken_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    answerer = Answerer(make_decoder("passthrough", 40.0, {}), "mine")
    answerer.start({"count_dtype": "uint8", "session": {"decoder": "mine-2"}})
    assert "mine is taken, its answers count as mine-2" in capsys.readouterr().out


def answers(
    recording: Recording, packets: list[dict[str, Any]], key: str = "delayed", **settings: float
) -> list[Any]:
    """What an answerer says, unpacked."""
    answerer = Answerer(make_decoder(key, recording.bin_rate, settings), "mine")
    answerer.start(metadata(recording))
    said = [answerer.answer(packet) for packet in packets]
    return [None if each is None else msgpack.unpackb(each) for each in said]


def test_a_bin_that_is_lost_on_its_way_does_not_end_a_stretch() -> None:
    recording = small_recording()
    packets = [packet_of(recording, i) for i in (0, 1, 4, 5)]
    said = answers(recording, packets, delay_ms=25)
    assert [each is None for each in said] == [True, False, False, False]
    assert said[2]["sequence_number"] == 4


def test_a_jump_in_the_recording_ends_a_stretch() -> None:
    recording = small_recording()
    packets = [packet_of(recording, p, s) for s, p in enumerate((10, 11, 40, 41, 0, 1))]
    said = answers(recording, packets, delay_ms=25)
    assert [each is None for each in said] == [True, False, True, False, True, False]


def test_a_bin_that_is_not_observed_is_not_answered_and_ends_no_stretch() -> None:
    recording = small_recording(gaps=True)
    packets = [packet_of(recording, i) for i in range(38, 53)]
    said = answers(recording, packets, delay_ms=25)
    assert [i for i, each in zip(range(38, 53), said, strict=True) if each] == [39, 50, 51, 52]


def test_what_is_not_known_is_left_out() -> None:
    recording = small_recording()
    packet = packet_of(recording, 3)
    packet["k"] = np.array([1, np.nan, 2, 3], "<f4").tobytes()
    (said,) = answers(recording, [packet], "passthrough")
    assert said == {
        "type": "prediction", "sequence_number": 3, "x": 1.0, "vx": 2.0, "vy": 3.0, "decoder": "mine",
    }  # fmt: skip


# Refusals


def test_a_model_of_another_recording_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = small_recording()
    decoder = make_decoder("passthrough", 40.0)
    for n_units, sha256, said in ((5, "ab" * 32, "trained on mine"), (7, recording.sha256, "7 units")):
        save(tmp_path / "model.npz", decoder, Trained("mine", sha256, n_units, 40.0, ()))
        with serving(Store({"small": recording})) as url:
            assert run(url, "--model", str(tmp_path / "model.npz")) == 2
        assert said in refused(capsys)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--decoder", "wiener", "--train", "0,99"), "says: Unknown trial 99."),
        (("--decoder", "wiener", "--set", "lag=3"), "Unknown hyperparameter 'lag' of wiener"),
        (("--decoder", "wiener", "--set", "lags=0"), "lags"),
        (("--decoder", "wiener", "--save", "/nowhere/model.npz"), "Cannot write /nowhere/model.npz"),
        (("--model", "nowhere.npz"), "Cannot read nowhere.npz"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_2(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(Store({"small": small_recording()})) as url:
        assert run(url, *arguments) == 2
    assert said in refused(capsys)


def test_no_server_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert run(f"ws://127.0.0.1:{port}", "--decoder", "passthrough") == 2
    assert f"Nobody answers at ws://127.0.0.1:{port} (" in refused(capsys)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give either --decoder or --model"),
        (("--decoder", "kalman", "--model", "m.npz"), "give either --decoder or --model"),
        (("--model", "m.npz", "--train", "1"), "takes no --train, --bins, --set or --save"),
        (("--decoder", "kalman", "--bins", "b.npz", "--train", "1"), "leave --train out"),
        (("--decoder", "oracle"), "Unknown decoder 'oracle'. There are passthrough, "),
        (("--decoder", "kalman", "--train", "9-3"), "'9-3' is no list of trials such as 0-599 or 1,4,9"),
        (("--decoder", "kalman", "--train", ""), "is no list of trials"),
        (("--decoder", "kalman", "--set", "lags"), "'lags' is not NAME=NUMBER"),
        (("--decoder", "kalman", "--url", "http://localhost"), "is not an address such as ws://"),
    ],
)
def test_a_wrong_argument_is_one_line_and_status_2(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--session", "deck", *arguments])
    assert ended.value.code == 2
    assert said in refused(capsys)
