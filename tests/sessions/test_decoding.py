"""`POST /decode` of a real server, with models that it calibrates itself and those of calibrations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.decoders import decode, make_decoder
from engine.decoders.bins import Bins, stretches
from engine.decoders.store import load
from engine.sources.electrodes.settings import Electrodes
from sessions import decoding
from sessions.calibrations import Calibrations
from sessions.decoding import Decoding, newest
from sessions.gate.audit import Audit
from sessions.sources import Sources
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import Keeper, wait_until
from tests.engine.sources.user.population import known_population
from tests.sessions.serving import Client, Reply, serving

CHANNELS = 12
VALUES = ("x", "y", "x_velocity", "y_velocity")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("decoding")


@pytest.fixture(scope="module")
def call(folder: Path) -> Iterator[Client]:
    recordings = {"known": known_population(1000), "small": small_recording()}
    store = Store(recordings, sources=Sources(default=f"electrodes:{CHANNELS}"))
    calibrations, audit = Calibrations(), Audit(folder / "audit.log")
    kept = Decoding(folder / "found")
    with serving(store, calibrations=calibrations, decoding=kept, audit=audit) as client:
        yield client
    calibrations.close()
    audit.close()


def ask(call: Client, **asked: Any) -> Reply:
    return call("POST", "/decode", asked)


def answered(call: Client, **asked: Any) -> Any:
    """The answer, once there is a model."""
    replies: list[Reply] = []

    def there() -> bool:
        replies.append(ask(call, **asked))
        return replies[-1].status != 503 or int(replies[-1].headers["Retry-After"]) < 1

    wait_until(there)
    assert replies[-1].status == 200, replies[-1].content
    return replies[-1].json


def refused(call: Client, status: int, **asked: Any) -> str:
    reply = ask(call, **asked)
    assert reply.status == status, reply.content
    message: str = reply.json["error"]["message"]
    assert "\n" not in message
    return message


def test_an_intention_becomes_a_velocity_of_its_direction(call: Client, folder: Path) -> None:
    first = ask(call, movement_intention=[1.0, 0.0])
    assert (first.status, first.headers["Retry-After"]) == (503, "1")
    assert f"found on {CHANNELS} electrodes" in first.json["detail"]
    answer = answered(call, movement_intention=[1.0, 0.0])
    assert answer["model"] == f"known-moving-{CHANNELS}-electrodes-wiener"
    assert answer["session_code"] is None
    assert 5 < answer["spike_rate"] < 200
    assert 0 < answer["latency_ms"] < 1e4
    for sign in (1, -1):
        said = [answered(call, movement_intention=[0.0, 0.7 * sign]) for _ in range(10)]
        assert sign * np.mean([each["y_velocity"] for each in said]) > 0
        assert all(isinstance(each["x"], float) and isinstance(each["y"], float) for each in said)
    assert call("GET", "/health").json["model_loaded"]
    again = Decoding(folder / "found")  # as the next server has it, without calibrating
    there = Electrodes(n_channels=CHANNELS)
    assert (
        again.counts([[1] * CHANNELS], known_population(1000), there, None, None).model == answer["model"]
    )
    again.close()


def test_counts_are_decoded_as_the_decoder_would(call: Client, folder: Path) -> None:
    answered(call, movement_intention=[1.0, 0.0])
    counts = np.random.default_rng(1).poisson(1.0, (6, CHANNELS))
    answer = answered(call, counts=counts.tolist())
    (model,) = (folder / "found" / "models").glob("*.npz")
    decoder, _ = load(model)
    values = decode(decoder, counts.astype(float), np.arange(6) == 0)[-1]
    assert [answer[name] for name in ("x", "y", "x_velocity", "y_velocity")] == pytest.approx(
        values.tolist()
    )
    assert answer["spike_rate"] == pytest.approx(40 * counts.mean())


def test_a_session_is_decoded_by_a_model_of_its_own_counts(call: Client) -> None:
    call.create("tape", source="recording", recording="small", speed=4.0)
    wait_until(lambda: ask(call, session="tape").status != 503)
    assert "has sent no bin yet. Let it play" in refused(call, 409, session="tape")
    replay = call.store.get("tape").replay
    keeper = Keeper(replay)
    call("POST", "/api/control/tape/resume")
    keeper.wait_rows(20)
    call("POST", "/api/control/tape/pause")
    answer = answered(call, session="tape")
    assert (answer["model"], answer["session_code"]) == ("small-wiener", "tape")
    rows = newest(call.store.get("tape"))
    assert call("GET", "/health").json["buffer_size"] >= len(rows)
    decoder, bins = make_decoder("wiener", 40.0), Bins.of(small_recording(), (0, 1, 2))
    bins.teach(decoder)
    values = decode(decoder, rows["counts"], stretches(rows["packet_id"], rows["observed"]))[-1]
    assert [answer[name] for name in VALUES] == pytest.approx(values.tolist())
    assert answer["spike_rate"] == pytest.approx(40 * rows["counts"].mean())


def test_a_calibrated_model_decodes_by_number_and_by_name(call: Client) -> None:
    run = call("POST", "/api/calibrations", {"recording": "small", "decoder": "kalman"}).json
    wait_until(lambda: call("GET", f"/api/calibrations/{run['id']}").json["state"] == "done")
    bins = small_recording().counts[:10].tolist()
    answers = [answered(call, counts=bins, model=each) for each in (run["id"], run["model_file"])]
    assert answers[0]["model"] == run["model_file"]
    assert answers[0]["x_velocity"] == answers[1]["x_velocity"]
    said = refused(call, 422, counts=[[1, 2, 3]], model=run["id"])
    assert said.startswith(
        f"Model {run['model_file']} does not fit. The model was trained on 5 units, and "
    )
    assert "has 3. Train one on" in said
    said = refused(call, 422, movement_intention=[0.0] * 5, model=run["id"])
    assert "trained on small (00000000), and this is known-moving-5-electrodes (" in said


def test_electrodes_can_be_calibrated_on(call: Client) -> None:
    answered(call, movement_intention=[1.0, 0.0])
    asked = {"recording": "small", "electrodes": 3, "decoder": "wiener"}
    wait_until(lambda: call("POST", "/api/calibrations", asked).status == 200)
    *_, run = call("GET", "/api/calibrations").json["calibrations"]
    assert run["recording"] == "small-moving-3-electrodes"
    reply = call("POST", "/api/calibrations", {"session": "tape", "electrodes": 3})
    assert reply.status == 422
    assert reply.json["detail"].endswith("of its own. Send it without these.")


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({}, 422, "Send one of counts, session and movement_intention."),
        ({"counts": [[1.0]], "session": "deck"}, 422, "Send one of counts, session and"),
        ({"counts": [[1, 2], [1]]}, 422, "as many units each, not 1 and 2. Send a row"),
        ({"counts": [[-1]]}, 422, "greater than or equal to 0"),
        ({"movement_intention": [0.0, 0.0, -1.5]}, 422, "are -1 to 1, not 1.5 in size. Scale them."),
        ({"movement_intention": [0.0] * 1025}, 422, "at most 1024"),
        ({"session": "nobody"}, 404, "nobody"),
        (
            {"counts": [[1]], "model": "best"},
            404,
            "Unknown model 'best'. Name a calibration of",
        ),
    ],
)
def test_what_cannot_be_decoded_is_refused_in_one_line(
    call: Client, asked: dict[str, Any], status: int, said: str
) -> None:
    assert said in refused(call, status, **asked)


def test_counts_of_other_units_than_the_electrodes_are_refused_by_name(call: Client) -> None:
    answered(call, movement_intention=[1.0, 0.0])
    said = refused(call, 422, counts=[[1, 2, 3]])
    assert said.startswith(f"Model known-moving-{CHANNELS}-electrodes-wiener does not fit. ")


def test_a_session_without_a_recording_needs_a_model(call: Client) -> None:
    call.create("loop", source="user")
    assert "has no recording" in refused(call, 409, session="loop")


def test_more_at_once_than_are_decoded_are_told_to_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "AT_ONCE", 0)
    with serving() as busy:
        reply = ask(busy, session=busy.create())
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
        assert reply.json["detail"].startswith(
            "0 requests are being decoded, which is the limit. Ask again"
        )


def test_every_request_stands_in_the_audit_log_with_its_session(call: Client, folder: Path) -> None:
    refused(call, 422)
    answered(call, movement_intention=[1.0, 0.0])
    call.create("noted", source="recording", recording="small", speed=4.0)
    keeper = Keeper(call.store.get("noted").replay)
    call("POST", "/api/control/noted/resume")
    keeper.wait_rows(5)
    answered(call, session="noted")

    def noted() -> set[tuple[str | None, int]]:
        lines = [json.loads(line) for line in (folder / "audit.log").read_text().splitlines()]
        return {(each["session"], each["result"]) for each in lines if each["action"] == "POST /decode"}

    wait_until(lambda: {(None, 200), (None, 422), ("noted", 200)} <= noted())
