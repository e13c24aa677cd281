"""A closed loop as clients have it: made over REST, moved by a decoder on its socket."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import msgpack
import numpy as np
import pytest

from engine.comparison.lockstep import answering, bins
from engine.comparison.runs import Bench, Condition, run
from engine.comparison.table import CLOSED
from engine.decoders.store import load
from engine.sources.user.workspace import Basis
from sessions.commands.answering import Answerer
from sessions.commands.compare import trained
from sessions.options import Options
from sessions.sources import Sources
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import wait_until
from tests.engine.sources.user.closed_loop import fits_of, recording
from tests.sessions.serving import Client, serving
from tests.sessions.streaming import Decoder, Packet, Served, streaming

LOCKSTEP = {"source": "user", "speed": "max", "lockstep": True}


def deck(**sources: Any) -> Store:
    return Store({"known": recording()}, sources=Sources(fits=fits_of(recording()), **sources))


@pytest.fixture
def served() -> Iterator[Served]:
    with streaming(deck()) as running:
        yield running


@contextmanager
def client(store: Store) -> Iterator[Client]:
    with serving(store) as made:
        yield made


@contextmanager
def driving(ask: Client, asked: str = "layout=flat") -> Iterator[Decoder]:
    """A decoder of the session `deck`, whose socket a failed test closes, too."""
    decoder = Decoder(f"ws://127.0.0.1:{ask.port}/stream/binary/deck?{asked}&decoder=mine")
    try:
        yield decoder
    finally:
        decoder.close()


def answer(decoder: Decoder, number: int, vx: float, vy: float) -> None:
    message = {"type": "prediction", "sequence_number": number, "vx": vx, "vy": vy}
    decoder.socket.send_binary(msgpack.packb(message))


def drive(decoder: Decoder, n: int) -> list[Packet]:
    """The next packets, each answered with what was intended."""
    packets = []
    for _ in range(n):
        packet = decoder.read()
        packets.append(packet)
        answer(decoder, packet["sequence_number"], **packet["intended"])
    return packets


def test_a_loop_over_sockets_in_lockstep_is_the_same_run_twice(served: Served) -> None:
    runs = []
    for code in ("one", "two"):
        served.store.create(code, Options(source="user", speed="max", lockstep=True, seed=5))
        decoder = served.decoder(f"/stream/binary/{code}?layout=flat&decoder=mine")
        assert decoder.metadata["sha256"] is None
        assert decoder.metadata["dataset"] == "known"
        packets = drive(decoder, 500)
        runs.append([{**packet, "timestamp": 0} for packet in packets])
        assert [packet["sequence_number"] for packet in packets] == list(range(500))
    assert runs[0] == runs[1]
    assert len({packet["trial_id"] for packet in runs[0]}) > 1


def test_without_truth_nothing_of_cursor_target_and_intention_is_told(served: Served) -> None:
    served.store.create("deck", Options(source="user"))
    packet = served.decoder(truth=0).data(1)[0]
    for name in ("kinematics", "intention", "intended"):
        assert set(packet[name].values()) == {None}
    assert sum(packet["spikes"]["spike_counts"]) >= 0


def test_packets_of_a_recording_know_nothing_of_intention(served: Served) -> None:
    assert "intended" not in served.decoder().data(1)[0]


def test_a_server_whose_source_is_a_user_makes_such_sessions_of_unknown_codes() -> None:
    with streaming(deck(default="user:naive")) as running:
        decoder = running.decoder("/stream/new")
        assert decoder.data(1)[0]["kinematics"]["vx"] == 0.0
        source = running.store.get("new").replay.source
        assert not source.user.forward_model


def test_a_session_is_there_at_once_and_tells_how_far_its_neurons_are() -> None:
    store = Store({"known": recording()})
    with client(store) as ask:
        began = time.monotonic()
        ask.create("deck", source="user", closed_loop={"task": {"radius": 20.0}, "user": {"noise": 0.3}})
        assert time.monotonic() - began < 2.0
        loop = ask("GET", "/api/sessions/deck").json["closed_loop"]
        assert (loop["driver"], loop["lockstep"], loop["waits_for"]) == (None, False, None)
        assert (loop["task"]["radius"], loop["user"]["noise"], loop["task"]["kind"]) == (
            20.0,
            0.3,
            "center_out",
        )
        ask("POST", "/api/control/deck/resume")
        until = time.monotonic() + 60.0
        while not ask("GET", "/api/sessions/deck").json["packets_sent"]:
            assert time.monotonic() < until
        view = ask("GET", "/api/sessions/deck").json
        assert view["source"] == "user"
        assert view["can"] == ["pause", "step", "speed", "perturbation", "drive"]
        assert view["total_packets"] is None
        assert view["closed_loop"]["fitted"] == 1.0
        assert view["closed_loop"]["encoding_units"] >= 5
        assert len(view["closed_loop"]["bits_per_spike"]) == 8


@pytest.mark.parametrize(
    ("options", "status", "why"),
    [
        ({"source": "user", "lockstep": True}, 422, "belong together"),
        ({"source": "user", "speed": "max"}, 422, "belong together"),
        ({"source": "user:tired"}, 422, "Unknown source"),
        ({"lockstep": True, "speed": "max"}, 422, "is no closed loop"),
        ({"driver": "mine"}, 422, "is no closed loop"),
        ({"source": "user", "closed_loop": {"user": {"noise": -1.0}}}, 422, "closed_loop.user.noise"),
        ({"source": "user", "closed_loop": {"task": {"kind": "maze"}}}, 422, "closed_loop.task.kind"),
        ({"source": "user", "driver": "a\nb"}, 422, "Decoder name 'a\\nb' is not allowed"),
        ({"source": "user", "driver": ""}, 422, "Decoder name '' is not allowed"),
        ({"source": "user", "closed_loop": {"task": {"radius": 1e308}}}, 422, "closed_loop.task.radius"),
        ({"source": "user", "closed_loop": {"task": {"distance": 1e-300}}}, 422, "task.distance"),
        ({"source": "user", "closed_loop": {"user": {"full_push": 1e308}}}, 422, "user.full_push"),
        ({"source": "user", "closed_loop": {"task": {"autopilot_trials": 10**30}}}, 422, "autopilot"),
        ({"source": "user", "trial_ids": [1]}, 409, "has no selection"),
    ],
)
def test_what_a_loop_cannot_be_is_refused(options: dict[str, Any], status: int, why: str) -> None:
    with client(deck()) as ask:
        reply = ask("POST", "/api/sessions", {"custom_code": "deck", **options})
        assert (reply.status, ask("GET", "/api/sessions/deck").status) == (status, 404)
        assert why in reply.json["error"]["message"]


def test_what_a_loop_cannot_do_answers_with_the_reason() -> None:
    with client(deck()) as ask:
        ask.create("deck", **LOCKSTEP)
        assert ask("POST", "/api/control/deck/seek", {"trial_id": 0}).status == 409
        assert ask("PUT", "/api/sessions/deck/speed", {"speed": 1.0}).status == 422
        assert ask("PUT", "/api/sessions/deck/loop", {"loop": True}).status == 409


def test_a_recording_without_movement_has_no_user() -> None:
    still = small_recording()
    still.bins.flags.writeable = True
    still.bins["kinematics"] = float("nan")
    with client(Store({"small": still})) as ask:
        reply = ask("POST", "/api/sessions", {"source": "user"})
        assert reply.status == 409
        assert "no user can steer by it" in reply.json["error"]["message"]


def test_scores_tell_what_the_driver_has_acquired() -> None:
    with client(deck()) as ask:
        ask.create("deck", **LOCKSTEP)
        with driving(ask) as decoder:
            packets = drive(decoder, 1000)
            until = time.monotonic() + 30.0
            scores: dict[str, Any] = {}
            while scores.get("n_bins") != 1000:
                assert time.monotonic() < until
                scores = ask("GET", "/api/sessions/deck/scores").json["decoders"].get("mine", {})
        assert ask("GET", "/api/sessions/deck").json["closed_loop"]["driver"] == "mine"
    assert scores["success"] == 1.0
    assert scores["n_trials"] == packets[-1]["trial_id"]
    assert 0.5 < scores["acquisition_time"] < 4.0
    assert scores["dial_in_time"] >= 0.0
    assert scores["bit_rate_achieved"] > 0.5
    assert scores["r2_velocity"] > 0.999
    assert scores["r2_position"] is None
    assert scores["trial"]["hit"]


def test_a_run_of_a_comparison_is_that_of_a_session_bin_for_bin_with_the_same_scores() -> None:
    known = recording()
    content = trained("wiener", known)
    perturbation = {"preset": "moderate"}
    with client(deck()) as ask:
        ask.create("deck", **LOCKSTEP, seed=5, perturbation=perturbation)
        with driving(ask, "layout=compact&truth=0") as decoder:
            answerer = Answerer(load(io.BytesIO(content))[0], "mine")
            answerer.start(decoder.metadata)
            for _ in range(600):
                decoder.socket.send_binary(answerer.answer(decoder.read()))
            scores: dict[str, Any] = {}
            until = time.monotonic() + 30.0
            while scores.get("n_bins") != 600:
                assert time.monotonic() < until, scores
                scores = ask("GET", "/api/sessions/deck/scores").json["decoders"].get("mine", {})
            played, _ = ask.store.get("deck").ring.since(0, 600)
    neurons = fits_of(known).of(known).made
    bench = Bench(Basis.of(known), neurons, {"wiener": content}, n_trials=scores["n_trials"])
    source = bench.source("skilled", 5)
    loop = bins(source, answering(load(io.BytesIO(content))[0]), 5, perturbation)
    rows = np.concatenate([row.copy() for row in islice(loop, 600)])
    for name in ("sequence_number", "packet_id", "trial", "counts", "kinematics", "intention", "intended"):
        assert np.array_equal(rows[name], played[name]), name
    own = run(bench, Condition("wiener", "skilled", "moderate"), 5)
    for name in CLOSED:
        assert scores[name] == pytest.approx(getattr(own, name), abs=1e-9, nan_ok=True) or (
            scores[name] is None and np.isnan(getattr(own, name))
        )


def test_a_decoder_that_ships_is_started_for_a_loop_and_learns_from_its_recording() -> None:
    with client(deck()) as call:
        call.create("loop", source="user")
        reply = call("POST", "/api/sessions/loop/decoders", {"decoder": "wiener"})
        assert [each["name"] for each in reply.json["decoders"]] == ["wiener"]
        started = call.store.get("loop").launched.decoders["wiener"]
        wait_until(lambda: "Decoding session loop" in started.line or started.state == "failed")
        assert started.state == "running", started.line
        wait_until(lambda: call.store.get("loop").predictions.names == ["wiener"])


def test_a_hit_is_as_near_as_the_task_has_it() -> None:
    with client(deck()) as call:
        call.create("loop", source="user", closed_loop={"task": {"radius": 7.0}})
        assert call("GET", "/api/sessions/loop/view").json["hit_radius"] == 7.0


def test_driver_and_steering_change_while_it_runs_and_scores_begin_anew() -> None:
    with client(deck()) as ask:
        ask.create("deck", **LOCKSTEP)
        with driving(ask) as decoder:
            drive(decoder, 400)
            ring = ask.store.get("deck").ring
            wait_until(lambda: ring.head == 401)  # the last answer has arrived, and made a bin
            assert ask("GET", "/api/sessions/deck/driver").json == {"driver": "mine"}
            reply = ask("PUT", "/api/sessions/deck/steering", {"gain": 0.6})
            assert reply.json == {"smoothing": 0.9, "delay": 0.0, "gain": 0.6}
            first = ask("GET", "/api/sessions/deck").json["packets_sent"]
            said = [event["text"] for event in ask("GET", "/api/sessions/deck/events").json["events"]]
            assert f"steering delay 0 gain 0.6 smoothing 0.9, scores from bin {first}" in said
            ask("PUT", "/api/sessions/deck/steering", {"gain": 0.6})  # as it is: nothing begins anew
            drive(decoder, 600)
            until = time.monotonic() + 30.0
            scores: dict[str, Any] = {}
            while scores.get("n_bins") != 1000 - first:
                assert time.monotonic() < until, scores
                scores = ask("GET", "/api/sessions/deck/scores").json["decoders"].get("mine", {})
            wait_until(lambda: ring.head == 1001)
            begun = len(ask.store.get("deck").description.trials)
            assert ask("POST", "/api/control/deck/restart").status == 200
            drive(decoder, 2)
            assert len(ask.store.get("deck").description.trials) == begun + 1
            assert ask("PUT", "/api/sessions/deck/driver", {"driver": "other"}).json == {"driver": "other"}
            assert ask("GET", "/api/sessions/deck/scores").json["decoders"] == {}


@pytest.mark.parametrize("name", ["driver", "steering"])
def test_a_session_that_is_no_closed_loop_has_no_driver_and_no_steering(name: str) -> None:
    with client(deck()) as ask:
        ask.create("deck")
        body = {"driver": "mine"} if name == "driver" else {"gain": 1.0}
        for reply in (
            ask("GET", f"/api/sessions/deck/{name}"),
            ask("PUT", f"/api/sessions/deck/{name}", body),
        ):
            assert (reply.status, reply.json["error"]["code"]) == (409, "not_now")
            assert "make a session with source user for the rest" in reply.json["error"]["message"]


def test_two_decoder_processes_swap_and_leave_no_bin_unanswered() -> None:
    with client(deck()) as call:
        call.create("loop", source="user")
        for decoder in ("wiener", "kalman"):
            call("POST", "/api/sessions/loop/decoders", {"decoder": decoder})
        session = call.store.get("loop")
        call("POST", "/api/control/loop/resume")
        wait_until(lambda: set(session.predictions.names) == {"wiener", "kalman"})
        moved = []
        for driver in ("kalman", "wiener", "kalman"):
            call("PUT", "/api/sessions/loop/driver", {"driver": driver})
            head = session.ring.head
            wait_until(lambda head=head: session.ring.head > head + 40)
            moved.append(session.replay.source.driver)
        assert moved == ["kalman", "wiener", "kalman"]
        lines, _ = session.predictions.ring.since(0)
        for index in (0, 1):
            numbers = lines["sequence_number"][lines["decoder"] == index]
            assert (np.diff(numbers) == 1).all()
