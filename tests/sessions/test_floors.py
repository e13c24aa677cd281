"""Floors beside the scores of sessions, and which decoders may know the truth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.status import floors
from engine.bins import clock
from sessions.floors import KeptFloors
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import PATIENCE, Keeper
from tests.sessions.serving import Client, serving

SCORES = "/api/sessions/deck/scores"


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Client]:
    recording = small_recording(n_bins=1200, n_trials=40)
    with serving(Store({"small": recording}, floors=KeptFloors(tmp_path))) as client:
        client.create(speed=10.0)
        yield client


def answered(call: Client, *names: str) -> None:
    session = call.store.get("deck")
    keeper = Keeper(session.replay)
    session.replay.resume()
    rows = keeper.wait_rows(20)
    session.replay.pause()
    for row in rows:
        for name in names:
            number, values = int(row["sequence_number"]), tuple(row["kinematics"].tolist())
            session.predictions.receive(name, number, values, clock.now())
    session.scores.settle(PATIENCE)


def test_floors_come_with_the_first_scores_and_stand_on_the_page(call: Client) -> None:
    session = call.store.get("deck")
    assert call("GET", SCORES).json["floors"] is None
    assert floors(session) == ""
    answered(call, "mine")
    until = time.monotonic() + PATIENCE
    while session.floors is None and time.monotonic() < until:
        time.sleep(0.02)  # another process finds them
    found = call("GET", SCORES).json["floors"]
    assert list(found) == ["no_spikes", "delayed_truth", "shuffled_units"]
    assert found["no_spikes"]["r2_position"] > 0.9  # every trial to a target is the same
    assert found["no_spikes"]["r2_position_interval"][0] > 0.9
    assert floors(session).startswith("Floor (whole recording): no spikes 1.00 / 1.00, delayed ")


def test_who_may_know_the_truth_is_told(call: Client) -> None:
    holds = call.store.get("deck").predictions.holds
    hold = holds.take("blind", truth=False)
    holds.take("seeing")
    answered(call, "blind", "seeing")
    told = {name: each["truth"] for name, each in call("GET", SCORES).json["decoders"].items()}
    assert told == {"blind": False, "seeing": True}
    holds.free(hold)
    holds.take("blind")  # by one that sees
    assert "blind" in holds.told


def test_a_caller_knows_the_truth_if_a_call_told_it_or_its_bins_came_from_elsewhere(call: Client) -> None:
    session = call.store.get("deck")
    session.callers.called("blind", "::1", truth=False)
    session.callers.called("blind", "::1", answers=True)
    session.callers.called("seeing", "::1", truth=False)
    session.callers.called("seeing", "::1", truth=True)
    session.callers.called("from elsewhere", "::1", answers=True)
    assert session.predictions.holds.told == {"seeing", "from elsewhere"}


def test_a_name_that_never_answered_is_forgotten(call: Client) -> None:
    holds = call.store.get("deck").predictions.holds
    holds.free(holds.take("passing"))
    assert holds.told == frozenset()
