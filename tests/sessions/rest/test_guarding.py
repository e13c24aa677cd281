"""Emergency stop, limits and drift over REST."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.bins import clock
from sessions.session import Session
from tests.engine.listening import PATIENCE, Keeper
from tests.sessions.serving import Client, serving

SAFETY = "/api/sessions/deck/safety"
STOP = "/api/sessions/deck/emergency-stop"
DRIFT = "/api/sessions/deck/drift"
NAN = float("nan")


@pytest.fixture
def call() -> Iterator[Client]:
    with serving() as client:
        client.create(speed=10.0)
        yield client


@pytest.fixture
def session(call: Client) -> Session:
    return call.store.get("deck")


def answer(session: Session, keeper: Keeper, n: int) -> None:
    """Have bin `n` sent and answered with its number as a position."""
    session.replay.step()
    keeper.wait_rows(n + 1)
    session.predictions.receive("mine", n, (float(n), 0.0, NAN, NAN), clock.now())


def test_limits_are_shown_and_changed(call: Client) -> None:
    shown = call("GET", SAFETY).json
    assert shown["decoders"] == {}
    assert (shown["stopped"], shown["stopped_at"], shown["max_speed"]) == (False, None, 160.0)
    changed = call("PUT", SAFETY, {"max_speed": 200}).json
    assert changed == {**shown, "max_speed": 200.0}
    refused = call("PUT", SAFETY, {"watchdog": 0})
    assert (refused.status, refused.json["error"]["code"]) == (422, "bad_setting")
    assert call("GET", SAFETY).json == changed


def test_stop_freezes_every_cursor_until_it_is_released(call: Client, session: Session) -> None:
    keeper = Keeper(session.replay)
    for number in range(3):
        answer(session, keeper, number)
    stopped = call("POST", STOP).json
    assert stopped["stopped"] is True
    assert call("POST", STOP).json == stopped
    answer(session, keeper, 3)
    guarded = call("GET", SAFETY).json["decoders"]["mine"]
    assert guarded.items() >= {"held": True, "silent": False, "x": 2.0, "y": 0.0, "jumps": 0}.items()
    assert call("POST", f"{STOP}/release").json["stopped"] is False
    answer(session, keeper, 4)
    assert call("GET", SAFETY).json["decoders"]["mine"]["x"] == 4.0
    texts = [event["text"] for event in call("GET", "/api/sessions/deck/events").json["events"]]
    assert [text for text in texts if "emergency" in text] == ["emergency-stop", "emergency-stop released"]


def test_stop_changes_no_score(call: Client, session: Session) -> None:
    keeper = Keeper(session.replay)
    call("POST", STOP)
    session.replay.resume()
    for row in keeper.wait_rows(60):
        x, y, vx, vy = row["kinematics"].tolist()
        session.predictions.receive("mine", int(row["sequence_number"]), (x, y, vx, vy), clock.now())
    assert session.scores.settle(PATIENCE).decoders["mine"].total.r2_position == 1.0


def test_faults_and_silence_are_counted_and_noted(call: Client, session: Session) -> None:
    keeper = Keeper(session.replay)
    session.safety.change({"watchdog": 0.1})
    for number in range(2):
        answer(session, keeper, number)
    session.predictions.receive("other", 0, (0.0, 0.0, NAN, NAN), clock.now())
    session.predictions.receive("other", 1, (900.0, 0.0, NAN, NAN), clock.now())
    session.replay.step()
    due = float(keeper.wait_rows(3)["due"][-1])
    while clock.now() < due + 0.1:
        session.monitor.settle(PATIENCE)
    session.monitor.settle(PATIENCE)
    decoders = call("GET", SAFETY).json["decoders"]
    assert (decoders["other"]["jumps"], decoders["mine"]["jumps"]) == (1, 0)
    assert decoders["mine"]["silent"]
    assert decoders["mine"]["held"]
    texts = [note.text for note in session.replay.notes]
    assert {"safety other jump", "safety mine watchdog", "safety other watchdog"} <= set(texts)


def test_unknown_sessions_cannot_be_stopped(call: Client) -> None:
    assert call("POST", "/api/sessions/none/emergency-stop").status == 404
    assert call("GET", STOP).status == 405


# Drift


def test_drift_is_unknown_before_anything_was_played(call: Client) -> None:
    drift = call("GET", DRIFT).json
    assert (drift["alarm"], drift["shift"], drift["hint"], drift["reference_seconds"]) == (
        False,
        None,
        None,
        0,
    )
    unknown = dict.fromkeys(("rate", "reference", "mean", "change", "shift"))
    assert drift["units"] == [unknown] * 5


def test_alarm_offers_recalibration_and_a_new_reference(call: Client, session: Session) -> None:
    keeper = Keeper(session.replay)
    session.replay.set_speed(50.0)
    session.replay.resume()
    keeper.wait_rows(2500)
    call("PUT", "/api/sessions/deck/perturbation", {"unit_loss": {"enabled": True, "fraction": 0.2}})
    keeper.wait_more(800)
    session.replay.pause()
    assert session.monitor.settle(PATIENCE)
    drift = call("GET", DRIFT).json
    assert drift["alarm"] is True
    assert drift["shift"] > drift["alarm_at"] == 2.0
    assert drift["shifted_units"] == 1
    assert "Recalibrate" in drift["hint"]
    (lost,) = [unit for unit in drift["units"] if unit["change"] == -1.0]
    assert lost["rate"] == 0.0
    assert lost["reference"] == pytest.approx(60.0)
    assert lost["shift"] < -2.0
    assert 0.0 < lost["mean"] < 60.0
    renewed = call("POST", f"{DRIFT}/reference").json
    assert (renewed["alarm"], renewed["reference_seconds"], renewed["hint"]) == (False, 0, None)
    texts = [event["text"] for event in call("GET", "/api/sessions/deck/events").json["events"]]
    assert [" ".join(text.split()[:2]) for text in texts if text.startswith("drift")] == [
        "drift alarm",
        "drift reference",
    ]
