"""The client in one file, in Python, as a program that copies it has it: over real sockets."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator

import pytest
import websocket

from engine.bins.answered import Verdict
from tests.builders import small_recording
from tests.clients.conftest import CLIENTS, Deck, playing
from tests.engine.listening import wait_until

sys.path.insert(0, str(CLIENTS))
import phantom

sys.path.remove(str(CLIENTS))


@pytest.fixture
def guarded() -> Iterator[Deck]:
    with playing(token="a secret") as deck:
        yield deck


def test_a_decoder_is_two_lines_and_is_scored(deck: Deck) -> None:
    for bin in phantom.deck("demo", url=deck.url, name="mine"):
        bin.answer(bin.kinematics.x, bin.kinematics.y)
        if bin.sequence_number == 9:
            break
    predictions = deck.store.get("demo").predictions
    wait_until(lambda: predictions.ring.head >= 10)
    assert predictions.names == ["mine"]
    rows = predictions.ring.snapshot()[:10]
    assert rows["sequence_number"].tolist() == [*range(10)]
    assert rows["values"][3, :2].tolist() == [7.0, 0.0]


def test_a_bin_is_typed(deck: Deck) -> None:
    bins = phantom.deck(url=deck.url).connect()
    assert bins.code in deck.store.sessions
    assert (bins.metadata["num_channels"], bins.name) == (5, None)
    first = next(iter(bins))
    bins.close()
    assert first.counts == [0, 1, 2, 3, 0]
    assert first.kinematics == (1.0, 0.0, 80.0, 0.0)
    assert (first.intention.target_id, first.intention.target_x) == (0, 100.0)
    assert (first.trial_id, first.missed, first.packet["packet_id"]) == (0, 0, 0)


def test_velocity_alone_may_be_answered_and_nan_is_left_out(deck: Deck) -> None:
    for bin in phantom.deck("demo", url=deck.url):
        bin.answer(float("nan"), float("nan"), vx=1, vy=2.5)
        break
    predictions = deck.store.get("demo").predictions
    wait_until(lambda: predictions.ring.head > 0)
    assert predictions.ring.snapshot()["values"][0, 2:].tolist() == [1.0, 2.5]


def test_with_credit_an_unanswered_bin_asks_for_the_next_by_itself(deck: Deck) -> None:
    bins = phantom.deck("demo", url=deck.url, credit=1, queue="latest")
    assert [bin.sequence_number for bin, _ in zip(bins, range(5), strict=False)][:2] == [0, 1]


def test_a_name_that_another_has_is_told(deck: Deck) -> None:
    with_name = [phantom.deck("demo", url=deck.url, name="mine").connect() for _ in range(2)]
    assert [each.name for each in with_name] == ["mine", "mine-2"]
    for each in with_name:
        each.close()


def test_trials_and_truth_are_asked_for(deck: Deck) -> None:
    for bin in phantom.deck("demo", url=deck.url, trials=[1, 3], truth=False):
        assert bin.packet["packet_id"] == 50
        assert set(bin.kinematics) == {None}
        break


def test_the_token_of_the_environment_or_of_the_call_is_shown(
    guarded: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(phantom.Refused, match="wants its token") as refused:
        phantom.deck("demo", url=guarded.url).connect()
    assert refused.value.status == 401
    phantom.deck("demo", url=guarded.url, token="a secret").connect().close()
    monkeypatch.setenv("PHANTOM_TOKEN", "a secret")
    assert "demo" in phantom.ask("GET", "/api/sessions", url=guarded.url)["sessions"]


def test_what_the_server_finds_wrong_is_logged(deck: Deck, caplog: pytest.LogCaptureFixture) -> None:
    for bin in phantom.deck("demo", url=deck.url):
        if any("One of x and y is missing" in record.message for record in caplog.records):
            break
        bin.answer(x=1)


def test_it_comes_back_after_a_goodbye_that_is_not_for_good_and_counts_what_it_missed(
    deck: Deck, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phantom, "SHORTEST", 0.1)
    caplog.set_level(logging.INFO, "phantom")
    witness = websocket.create_connection(f"{deck.url}/stream/demo", timeout=20)
    missed = 0
    for bin in phantom.deck("demo", url=deck.url):
        if bin.sequence_number == 2:
            (fanout,) = deck.store.get("demo").audiences
            fanout.close(1013, "Too slow.")
        missed += bin.missed
        if missed:
            break
    witness.close()
    assert "Disconnected (Too slow.)" in caplog.text
    assert caplog.text.count("Connected to session demo") == 2


def test_an_answer_after_the_connection_was_lost_is_forgotten(deck: Deck) -> None:
    bins = phantom.deck("demo", url=deck.url)
    for bin in bins:
        bins.close()
        bin.answer(1, 2)
    assert deck.store.get("demo").predictions.names == []


def test_a_deleted_session_ends_the_loop(deck: Deck) -> None:
    seen = 0
    for _ in phantom.deck("demo", url=deck.url):
        seen += 1
        if seen == 3:
            deck.store.delete("demo", force=True)
    assert seen >= 3
    assert "demo" not in deck.store.sessions


def test_who_is_patient_waits_for_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with playing() as other:
        port = other.port
    url = f"ws://127.0.0.1:{port}"
    with pytest.raises(phantom.Unreachable, match="Nobody answers at"):
        phantom.deck("demo", url=url).connect()

    started, pauses = [], []

    def start(pause: float) -> None:
        pauses.append(pause)
        if len(pauses) == 3:
            started.append(playing(small_recording(), port=port))
            started[0].__enter__()

    monkeypatch.setattr(time, "sleep", start)
    try:
        for _ in phantom.deck("demo", url=url, patient=True):
            break
    finally:
        monkeypatch.undo()
        started[0].__exit__(None, None, None)
    assert 0.125 <= pauses[0] <= 0.25 <= pauses[2] <= 1.0


def test_late_is_on_time_where_the_decoder_answers_at_once(deck: Deck) -> None:
    for bin in phantom.deck("demo", url=deck.url, name="quick"):
        bin.answer(0, 0)
        if bin.sequence_number == 5:
            break
    ring = deck.store.get("demo").predictions.ring
    wait_until(lambda: ring.head >= 6)
    assert set(ring.snapshot()["verdict"][:6]) <= {Verdict.ON_TIME, Verdict.LATE}
