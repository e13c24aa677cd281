"""A closed loop as a session plays it: in lockstep, at a pace, with a driver that is late, gone or lost."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from engine.answers.predictions import Predictions
from engine.answers.safety import Safety
from engine.bins.schema import Rows
from engine.deck import transport
from engine.errors import BadSetting, NotNow
from engine.sources.user.fitting import Fit
from engine.sources.user.workspace import Workspace
from tests.engine.listening import Keeper, wait_until
from tests.engine.sources.user.closed_loop import Ready, a_loop, fits_of, perfect, recording, run


def told(rows: Rows) -> list[bytes]:
    """What follows from seed and answers alone."""
    return [rows[name].tobytes() for name in ("counts", "kinematics", "intention", "intended", "trial")]


def test_same_seed_and_decoder_in_lockstep_are_the_same_run_bit_for_bit() -> None:
    runs = []
    for seed in (3, 3, 4):
        replay = a_loop(seed=seed)
        runs.append(told(run(replay, 400)))
        replay.close()
    assert runs[0] == runs[1]
    assert [one == other for one, other in zip(runs[0], runs[2], strict=True)][:4] == [False] * 4


def test_a_perfect_decoder_acquires_every_target() -> None:
    replay = a_loop()
    rows = run(replay, 3000)
    trials = replay.description.trials[:-1]
    replay.close()
    assert len(trials) > 10
    assert all(trial.success for trial in trials)
    for trial, following in zip(trials, replay.description.trials[1:], strict=True):
        own = rows[rows["trial"] == trial.trial_id]
        assert (own["intention"][-20:, 3] <= replay.description.goal.radius).all()
        assert trial.stop_time == following.start_time == pytest.approx(trial.start_time + len(own) / 40)
        assert own["kinematics"][0, :2] == pytest.approx(Workspace.of(recording()).centre)


def test_a_decoder_of_noise_acquires_next_to_nothing() -> None:
    draws = np.random.default_rng(0)
    replay = a_loop()
    speed = replay.source.user.full_push

    def noise(_: np.void) -> tuple[float, float, float, float]:
        vx, vy = (speed * draws.standard_normal(2)).tolist()
        return math.nan, math.nan, vx, vy

    run(replay, 6400, noise)
    trials = replay.description.trials[:-1]
    replay.close()
    assert len(trials) >= 20
    assert np.mean([trial.success for trial in trials]) <= 0.1


def test_bins_say_what_was_intended_and_the_cursor_follows_the_answers() -> None:
    replay = a_loop(steering={"smoothing": 0.5, "gain": 0.4})
    rows = run(replay, 30)
    replay.close()
    intended, velocity = rows["intended"].astype(float), rows["kinematics"][:, 2:].astype(float)
    assert (intended[:8] == 0).all()
    assert (np.hypot(*intended[9:].T) > 0).all()
    assert velocity[10:] == pytest.approx(0.5 * velocity[9:-1] + 0.5 * 0.4 * intended[9:-1], rel=1e-5)


def test_units_fire_for_the_intention() -> None:
    replay = a_loop()
    rows = run(replay, 2000)
    replay.close()
    counts, intended = rows["counts"][:, 0].astype(float), rows["intended"][:, 0]
    assert counts[intended > 50].mean() > 1.3 * counts[intended < -50].mean()  # it prefers the right


def test_the_first_bin_waits_for_a_decoder_and_each_other_one_for_its_answer() -> None:
    replay = a_loop()
    keeper, predictions = Keeper(replay), Predictions(replay)
    replay.resume()
    assert (replay.state, replay.ring.head) == ("playing", 0)
    replay.source.attend("mine")
    rows = keeper.wait_rows(1)
    assert replay.source.driver == "mine"
    predictions.receive("another", 0, (math.nan, math.nan, 1.0, 1.0), 0.0)
    predictions.receive("mine", 0, (math.nan, math.nan, 1.0, 1.0), 0.0)
    rows = keeper.wait_rows(2)
    assert replay.ring.head == len(rows) == 2
    replay.close()


def test_a_named_driver_is_the_one_that_is_waited_for() -> None:
    replay = a_loop(driver="mine")
    keeper = Keeper(replay)
    replay.resume()
    replay.source.attend("another")
    replay.source.attend(None)
    assert replay.ring.head == 0
    replay.source.attend("mine")
    keeper.wait_rows(1)
    replay.close()


def test_an_answer_that_does_not_come_pauses_the_session_and_says_whose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "PATIENCE", 0.2)
    replay = a_loop()
    keeper = Keeper(replay)
    replay.resume()
    replay.source.attend("mine")
    keeper.wait_state("paused")
    assert replay.notes[-1].text == "pause after 0.2 s without the answer of mine to bin 0"
    replay.resume()
    Predictions(replay).receive("mine", 0, (math.nan, math.nan, 1.0, 1.0), 0.0)
    keeper.wait_rows(2)
    replay.close()


def test_a_driver_that_comes_back_goes_on_with_the_bin_after_the_one_that_it_never_answered() -> None:
    replay = a_loop(driver="mine")
    keeper = Keeper(replay)
    replay.resume()
    replay.source.attend("mine")
    keeper.wait_rows(1)
    replay.source.attend("another")
    assert replay.ring.head == 1
    replay.source.attend("mine")  # which has left with bin 0
    keeper.wait_rows(2)
    Predictions(replay).receive("mine", 1, (math.nan, math.nan, 1.0, 1.0), 0.0)
    keeper.wait_rows(3)
    replay.close()


def test_a_lost_bin_is_not_awaited() -> None:
    replay = a_loop()
    replay.set_perturbation({"lost_packets": {"enabled": True, "probability": 0.3}})
    rows = run(replay, 300)
    replay.close()
    assert 50 < rows["lost"].sum() < 150
    assert (np.diff(rows["sequence_number"]) == 1).all()


def test_lockstep_belongs_to_speed_max() -> None:
    replay = a_loop()
    with pytest.raises(BadSetting, match="lockstep and speed max belong together"):
        replay.set_speed(1.0)
    replay.close()
    paced = a_loop(lockstep=False)
    with pytest.raises(BadSetting, match="lockstep and speed max belong together"):
        paced.set_speed("max")
    with pytest.raises(NotNow, match="source is user has no seek"):
        paced.seek(0)
    paced.close()


def test_at_a_pace_nobody_is_waited_for_and_a_driver_that_goes_leaves_the_cursor_standing() -> None:
    replay = a_loop(lockstep=False)
    replay.set_speed(10.0)
    keeper, predictions = Keeper(replay), Predictions(replay)
    replay.resume()
    keeper.wait_rows(10)
    number = int(keeper.rows["sequence_number"][-1])
    predictions.receive("mine", number, (math.nan, math.nan, 2000.0, 0.0), 0.0)
    assert replay.source.driver == "mine"
    rows = keeper.wait_rows(number + 30)
    replay.close()
    moving = np.flatnonzero(rows["kinematics"][:, 2])
    assert len(moving) == 1 + 8  # 0.2 s without an answer
    assert np.ptp(rows["kinematics"][moving, 2]) == 0.0


def test_a_stop_and_limits_hold_the_cursor() -> None:
    replay = a_loop()
    safety = Safety(replay)
    replay.source.guard(safety.allow)
    safety.change({"max_speed": 20.0})
    rows = run(replay, 60)
    assert np.hypot(*rows["kinematics"][:, 2:].T).max() == pytest.approx(20.0, rel=1e-4)
    replay.close()
    stopped = a_loop()
    safety = Safety(stopped)
    stopped.source.guard(safety.allow)
    safety.stop()
    assert not run(stopped, 60)["kinematics"][:, 2:].any()
    stopped.close()


@pytest.mark.parametrize("lockstep", [True, False])
def test_the_first_bins_wait_for_the_neurons(lockstep: bool) -> None:
    fit = Fit()
    replay = a_loop(Ready(fit), lockstep=lockstep)
    keeper = Keeper(replay)
    replay.source.attend("mine")
    replay.resume()
    assert not threading.Event().wait(0.1)
    assert (replay.state, replay.ring.head) == ("playing", 0)
    fit.end(fits_of(recording()).made.made)
    rows = keeper.wait_rows(1)
    assert rows["sequence_number"][0] == 0
    assert replay.lost_time == 0.0
    replay.close()


def test_neurons_that_cannot_be_fitted_fail_the_session_in_words() -> None:
    fit = Fit()
    replay = a_loop(Ready(fit))
    replay.resume()
    fit.end(None, "There are too few bins.")
    wait_until(lambda: replay.state == "failed")
    assert replay.error == "CannotFit: There are too few bins."
    replay.close()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"preset": "tired"}, "Unknown user 'tired'. There are skilled, naive, noisy"),
        ({"user": {"speed": 1}}, "Unknown setting 'speed'"),
        ({"task": {"radius": -1.0}}, "radius"),
        ({"steering": {"smoothing": 1.0}}, "smoothing"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], why: str) -> None:
    with pytest.raises(BadSetting, match=why):
        a_loop(**settings)


def test_a_trial_whose_time_is_over_has_failed_and_events_tell_of_all() -> None:
    replay = a_loop(task={"time_limit": 0.5}, lockstep=False)
    replay.set_speed(20.0)
    keeper = Keeper(replay)
    replay.resume()
    keeper.wait_rows(60)
    replay.pause()
    assert [trial.success for trial in replay.description.trials[:2]] == [False, False]
    texts = [each.text for each in replay.happenings.since(0)[0]]
    assert [text for text in texts if text.endswith((" 0", " 1"))] == [
        f"{event} {trial}"
        for trial in (0, 1)
        for event in ("trial_start", "target_on", "go_cue", "trial_end")
    ]
    replay.close()


def test_the_autopilot_needs_no_decoder() -> None:
    replay = a_loop(lockstep=False, task={"autopilot": 1.0, "autopilot_trials": 2})
    replay.set_speed(50.0)
    keeper = Keeper(replay)
    replay.resume()
    keeper.wait(lambda: len(replay.description.trials) > 3)
    replay.close()
    assert [trial.success for trial in replay.description.trials[:3]] == [True, True, False]


def test_positions_put_the_cursor_where_they_say() -> None:
    replay = a_loop()

    def at_target(row: np.void) -> tuple[float, float, float, float]:
        return (*row["intention"][1:3].tolist(), math.nan, math.nan)

    rows = run(replay, 100, at_target)
    replay.close()
    assert rows["intention"][1:20, 3] == pytest.approx(np.zeros(19), abs=1e-4)
    assert perfect(rows[0])[2] == 0.0
