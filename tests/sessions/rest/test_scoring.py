"""Scores and sources of predictions over REST."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.answers.lsl import LslInlet
from engine.answers.scores.sums import Measures
from engine.bins import clock
from engine.lsl import LOOK_FOR
from sessions.listening import MAX_INLETS
from sessions.rest.models.scores import MeasuresAnswer
from sessions.rest.scoring import latency_parts
from sessions.session import Session
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import PATIENCE, Keeper
from tests.sessions.serving import Client, Silence, serving

SCORES = "/api/sessions/deck/scores"
SOURCES = "/api/sessions/deck/predictions"


@pytest.fixture
def call() -> Iterator[Client]:
    with serving() as client:
        client.create(speed=10.0)
        yield client


@pytest.fixture
def scored(call: Client) -> Session:
    """A session in which two decoders have answered 120 bins, three trials' worth of two."""
    session = call.store.get("deck")
    keeper = Keeper(session.replay)
    session.replay.resume()
    rows = keeper.wait_rows(120)
    session.replay.pause()
    for row in rows:
        x, y, vx, vy = row["kinematics"].tolist()
        number = int(row["sequence_number"])
        session.predictions.receive("exact", number, (x, y, vx, vy), clock.now())
        session.predictions.receive("off", number, (x + 50.0, y, float("nan"), float("nan")), clock.now())
    session.scores.settle(PATIENCE)
    return session


def test_session_without_predictions_has_no_scores(call: Client) -> None:
    assert call("GET", SCORES).json["decoders"] == {}


def test_scores_of_window_trial_and_run(call: Client, scored: Session) -> None:
    decoders = call("GET", SCORES).json["decoders"]
    assert list(decoders) == ["exact", "off"]
    exact, off = decoders["exact"], decoders["off"]
    assert (exact["rank"], off["rank"]) == (1, 2)
    assert (exact["r2_position"], exact["r2_velocity"], exact["rmse_position"]) == (1.0, 1.0, 0.0)
    assert off["rmse_position"] == pytest.approx(50.0)
    assert off["r2_velocity"] is None
    assert exact["window"]["n_bins"] == exact["n_bins"] == 120
    assert [trial["trial_id"] for trial in exact["trials"]] == [0, 1]
    assert exact["trial"]["hit"] is True
    assert off["trial"]["hit"] is False
    assert exact["n_trials"] == exact["n_hits"] == 2


def test_a_restart_plays_and_scores_from_the_first_packet_on(call: Client, scored: Session) -> None:
    keeper = Keeper(scored.replay)
    assert call("POST", "/api/control/deck/restart").json == {"status": "restarted", "session_code": "deck"}
    assert call("GET", SCORES).json["decoders"] == {}
    row = keeper.wait_rows(1)[0]
    assert (row["packet_id"], row["sequence_number"] >= 120) == (0, True)
    scored.predictions.receive("off", 5, (0.0, 0.0, 0.0, 0.0), clock.now())  # of before
    scored.predictions.receive("exact", int(row["sequence_number"]), tuple(row["kinematics"]), clock.now())
    scored.scores.settle(PATIENCE)
    decoders = call("GET", SCORES).json["decoders"]
    assert {name: each["n_bins"] for name, each in decoders.items()} == {"exact": 1}


def test_two_decoders_are_compared_over_trials(call: Client, scored: Session) -> None:
    found = call("GET", "/api/sessions/deck/comparison?measure=rmse_position").json
    assert found["measure"] == "rmse_position"
    assert found["decoders"]["exact"] == {"mean": 0.0, "low": None, "high": None, "n_trials": 2}
    (pair,) = found["pairs"]
    assert (pair["one"], pair["other"], pair["p_value"]) == ("exact", "off", None)
    assert pair["difference"]["mean"] == pytest.approx(-50.0)
    assert call("GET", "/api/sessions/deck/comparison?measure=n_bins").status == 422


def test_answer_has_every_measure() -> None:
    assert list(MeasuresAnswer.model_fields) == list(Measures.__dataclass_fields__)


def test_scores_go_to_prometheus(call: Client, scored: Session) -> None:
    text = call("GET", "/metrics?format=prometheus").content.decode()
    samples = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["phantom_decoder_r2", "exact", "r2_position", "deck"] == 1.0
    assert ("phantom_decoder_r2", "off", "r2_velocity", "deck") not in samples
    assert samples["phantom_decoder_hits_total", "exact", "deck"] == 2
    received = [
        samples["phantom_decoder_predictions_total", "exact", "deck", verdict]
        for verdict in ("on_time", "late", "stale", "duplicate", "refused")
    ]
    assert sum(received) == 120
    assert received[2:] == [0, 0, 0]


def test_decoder_that_joined_later_is_marked(call: Client, scored: Session) -> None:
    keeper = Keeper(scored.replay)
    scored.replay.resume()
    rows = keeper.wait_rows(50)
    scored.replay.pause()
    for row in rows[-5:]:
        scored.predictions.receive("late", int(row["sequence_number"]), (0.0, 0.0, 0.0, 0.0), clock.now())
    scored.scores.settle(PATIENCE)
    decoders = call("GET", SCORES).json["decoders"]

    assert (decoders["exact"]["first_sequence_number"], decoders["exact"]["joined_later"]) == (0, 0.0)
    first = int(rows["sequence_number"][-5])
    assert decoders["late"]["first_sequence_number"] == first
    assert decoders["late"]["joined_later"] == pytest.approx(first / 40.0)
    page = call("GET", "/api/sessions/deck/report.html").content.decode()
    assert f"{first / 40.0:.0f} s later than the first decoder" in page


def test_scores_stand_in_the_report(call: Client, scored: Session) -> None:
    page = call("GET", "/api/sessions/deck/report.html").content.decode()
    assert "<h2>Decoder exact</h2>" in page
    assert "<dt>R² of velocity</dt><dd>none</dd>" in page
    assert "score exact trial" not in page


def test_trial_scores_are_events(call: Client, scored: Session) -> None:
    texts = [event["text"] for event in call("GET", "/api/sessions/deck/events").json["events"]]
    assert [text for text in texts if text.startswith("score exact")] == [
        "score exact trial 0 hit 0.775 s r2 1.00",
        "score exact trial 1 hit 0.775 s r2 1.00",
    ]


def test_radius_in_force_decides_hits(call: Client) -> None:
    session = call.store.get("deck")
    call("PUT", "/api/sessions/deck/view", {"hit_radius": 80.0})
    keeper = Keeper(session.replay)
    session.replay.resume()
    for row in keeper.wait_rows(60):
        x, y, vx, vy = row["kinematics"].tolist()
        session.predictions.receive("a", int(row["sequence_number"]), (x + 50, y, vx, vy), clock.now())
    assert session.scores.settle(PATIENCE).decoders["a"].trials[0].hit
    assert "hit_radius 80" in [note.text for note in session.replay.notes]


def test_parts_of_the_latency(call: Client, scored: Session) -> None:
    parts = latency_parts(scored)
    assert 0 <= parts.ticked < parts.received["exact"]
    assert set(parts.received) == {"exact", "off"}


def test_sources_are_added_listed_and_removed(call: Client) -> None:
    first = {"decoder": "kalman", "lsl": "stream-1", "connected": False, "error": None}
    assert call("POST", SOURCES, {"lsl": "stream-1", "decoder": "kalman"}).json["sources"] == [first]
    assert call("POST", SOURCES, {"lsl": "stream-1", "decoder": "kalman"}).json["count"] == 1
    assert call("POST", SOURCES, {"lsl": "stream-2"}).json["count"] == 2
    taken = call("POST", SOURCES, {"lsl": "stream-3", "decoder": "kalman"})
    assert (taken.status, taken.json["error"]["code"]) == (409, "conflict")
    assert call("DELETE", f"{SOURCES}?decoder=stream-2").json["sources"] == [first]
    assert call("DELETE", SOURCES).json == {"sources": [], "count": 0}


def test_sources_are_bounded(call: Client) -> None:
    for i in range(MAX_INLETS):
        assert call("POST", SOURCES, {"lsl": f"stream-{i}"}).json["count"] == i + 1
    assert call("POST", SOURCES, {"lsl": "stream-0"}).json["count"] == MAX_INLETS
    full = call("POST", SOURCES, {"lsl": "one-more"})
    assert (full.status, full.json["error"]["code"]) == (409, "conflict")
    assert f"listens to {MAX_INLETS} LSL streams, which is the limit" in full.json["detail"]
    call("DELETE", f"{SOURCES}?decoder=stream-3")
    assert call("POST", SOURCES, {"lsl": "one-more"}).json["count"] == MAX_INLETS


def test_all_sources_of_a_session_are_closed_together() -> None:
    with serving(Store({"small": small_recording()}, make_inlet=LslInlet)) as call:
        call.create()
        for i in range(MAX_INLETS):
            call("POST", SOURCES, {"lsl": f"nobody-{i}"})
        began = time.perf_counter()
        assert call("DELETE", "/api/sessions/deck").status == 200
        assert time.perf_counter() - began < 4 * LOOK_FOR  # one after the other it would be twice as long


def test_sources_with_bad_names_are_refused(call: Client) -> None:
    assert (
        call("POST", SOURCES, {"lsl": "s", "decoder": "x" * 65}).json["error"]["code"] == "bad_prediction"
    )
    assert call("POST", SOURCES, {"lsl": ""}).status == 422
    assert call("POST", SOURCES, {}).status == 422


def test_sources_need_lsl() -> None:
    with serving(Store({"small": small_recording()})) as call:
        call.create()
        refused = call("POST", SOURCES, {"lsl": "s"})
        assert (refused.status, refused.json["error"]["code"]) == (409, "not_now")


def test_sources_end_with_the_session() -> None:
    closed: list[str] = []

    class Told(Silence):
        def close(self, within: float = 0.0) -> None:  # noqa: ARG002
            closed.append(self.stream)

    with serving(Store({"small": small_recording()}, make_inlet=Told)) as call:
        call.create()
        call("POST", SOURCES, {"lsl": "s"})
        call("DELETE", "/api/sessions/deck")
        assert closed == ["s"]


def test_an_lsl_source_of_a_taken_name_gets_another_and_is_told(call: Client) -> None:
    call.create("named")
    path = "/api/sessions/named/predictions"
    holds = call.store.get("named").predictions.holds
    hold = holds.take("mine")
    for _ in range(2):  # the second call changes nothing
        (source,) = call("POST", path, {"lsl": "stream", "decoder": "mine"}).json["sources"]
        assert (source["decoder"], source["lsl"]) == ("mine-2", "stream")
    assert holds.take("mine").name == "mine-3"
    assert call("DELETE", f"{path}?decoder=mine-2").json["count"] == 0
    assert holds.take("mine").name == "mine-2"
    holds.free(hold)
