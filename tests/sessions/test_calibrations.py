"""Calibrations over REST: a real server, and a real process that fits and tests."""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dashboard.theme import roles
from engine.calibration.frozen import LEVELS, answers, score
from engine.decoders.bins import Bins
from engine.decoders.store import load
from engine.sources.recordings.recording import Recording
from plotters.pictures.calibration import draw
from sessions.calibrations import NICENESS, Calibrations
from sessions.store import Store
from sessions.studio import Studio
from tests.builders import small_recording
from tests.engine.calibration.refit import refit
from tests.engine.decoders.population import TRIAL_BINS, population
from tests.sessions.serving import Client, Reply, serving

N_TRIALS = 60
WITHIN = 60.0
"""Seconds for a process to start and do its work, on a busy machine."""


def tuned_recording(name: str = "tuned") -> Recording:
    """Units that fire with the cursor, so that there is something to learn."""
    made = population(N_TRIALS)
    n, n_units = made.counts.shape
    recording = small_recording(n_units, n, n_trials=N_TRIALS, name=name)
    bins = recording.bins.copy()
    bins["counts"], bins["kinematics"] = made.counts, made.targets
    bins["intention"][:, 1:3] = made.goals
    places = made.goals[::TRIAL_BINS].round().tolist()
    trials = (
        replace(trial, target_x=x, target_y=y)
        for trial, (x, y) in zip(recording.trials, places, strict=True)
    )
    return replace(recording, bins=bins, trials=tuple(trials))


@pytest.fixture(scope="module")
def calibrations() -> Iterator[Calibrations]:
    made = Calibrations()
    yield made
    made.close()


class Desk(Studio):
    """Draws here: how a process does it is told by the tests of the studio."""

    def draw(self, *order: Any) -> bytes:
        outcome, plots, kind, theme, width = pickle.loads(pickle.dumps(order))
        return draw(outcome, plots, kind, self.themes()[theme], width)


@pytest.fixture(scope="module")
def call(calibrations: Calibrations) -> Iterator[Client]:
    store = Store({"tuned": tuned_recording()})
    with serving(store, Desk(draw, roles), calibrations=calibrations) as client:
        yield client


def done(call: Client, calibrations: Calibrations, **asked: Any) -> Any:
    """What the API says of a run that has ended."""
    reply = call("POST", "/api/calibrations", asked)
    assert reply.status == 200, reply.content
    assert calibrations.get(reply.json["id"]).wait(WITHIN)
    return call("GET", f"/api/calibrations/{reply.json['id']}").json


@pytest.fixture(scope="module")
def run(call: Client, calibrations: Calibrations) -> Any:
    """A Wiener filter, trained on 45 trials and tested on 15."""
    return done(call, calibrations, decoder="wiener", settings={"lags": 4, "ridge": 10.0}, seed=5)


def bins(call: Client, trials: list[int]) -> Bins:
    """As anybody downloads them."""
    reply = call("GET", f"/api/recording/bins.npz?trial_ids={','.join(map(str, trials))}")
    return Bins.from_npz(reply.content)


def refused(reply: Reply, status: int, code: str) -> str:
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    return str(reply.json["detail"])


def test_the_table_equals_a_refit_from_downloaded_bins(call, run):
    train, test = (bins(call, run["split"][f"{part}_trials"]) for part in ("train", "test"))
    expected = refit(train, test, lags=4, ridge=10.0, seed=5)
    assert [level["level"] for level in run["table"]] == list(LEVELS)
    for level, (x, y, vx, vy) in zip(run["table"], expected.tolist(), strict=True):
        position, velocity = level["r2_position"], level["r2_velocity"]
        assert [position[k] for k in ("x", "y", "mean")] == pytest.approx([x, y, (x + y) / 2], abs=1e-9)
        assert [velocity[k] for k in ("x", "y", "mean")] == pytest.approx([vx, vy, (vx + vy) / 2], abs=1e-9)
        assert level["n_bins"] == len(test.counts)
    assert run["table"][0]["r2_velocity"]["mean"] > 0.8
    assert run["table"][-1]["r2_velocity"]["mean"] < run["table"][0]["r2_velocity"]["mean"] - 0.1


def test_the_downloaded_model_scores_as_the_table_says(call, run, tmp_path):
    path = tmp_path / run["model_file"]
    path.write_bytes(call("GET", f"/api/calibrations/{run['id']}/model.npz").content)
    decoder, trained = load(path)
    assert list(trained.trials) == run["split"]["train_trials"]
    test = bins(call, run["split"]["test_trials"])
    for level in run["table"]:
        again = score(test, answers(decoder, test, level["level"], run["seed"]), level["level"])
        assert again.r2_position.mean == pytest.approx(level["r2_position"]["mean"], abs=1e-9)


def test_a_run_tells_how_its_trials_are_split(run):
    split = run["split"]
    assert (run["state"], run["progress"], run["error"]) == ("done", 1.0, None)
    assert len(split["train_trials"]) == 45
    assert sorted(split["train_trials"] + split["test_trials"]) == [*range(N_TRIALS)]
    assert sum(target["train"] for target in split["targets"]) == 45
    assert all(target["test"] >= 1 for target in split["targets"])
    assert (split["shared_trials"], split["shared_bins"], split["bins_reaching_out"]) == (0, 0, 0)
    assert run["settings"] == {"lags": 4, "ridge": 10.0}
    assert run["choices"] == []


def test_a_run_tells_how_what_was_not_set_was_chosen(call, calibrations):
    told = done(call, calibrations, settings={"lags": 2})
    (choice,) = told["choices"]
    best = max(zip(choice["scores"], choice["tried"], strict=True))[1]
    assert choice["value"] == best == told["settings"]["ridge"]
    call("DELETE", f"/api/calibrations/{told['id']}")


def test_trials_can_be_named(call, calibrations):
    told = done(
        call, calibrations, decoder="population_vector", train_trials=[*range(40)], test_trials=[50, 51]
    )
    assert told["split"]["test_trials"] == [50, 51]
    assert told["table"][0]["n_bins"] == 2 * TRIAL_BINS


def test_floors_of_the_same_trials_stand_beside_the_scores(run):
    assert list(run["floors"]) == ["no_spikes", "delayed_truth", "shuffled_units"]
    low, high = run["floors"]["no_spikes"]["r2_velocity_interval"]
    assert low <= run["floors"]["no_spikes"]["r2_velocity"] <= high


def test_the_table_as_a_file(call, run):
    reply = call("GET", f"/api/calibrations/{run['id']}/table.csv")
    assert reply.headers["Content-Type"].startswith("text/csv")
    lines = [*csv.DictReader(io.StringIO(reply.content.decode()))]
    assert [line["level"] for line in lines] == list(LEVELS)
    assert float(lines[2]["r2_position_x"]) == run["table"][2]["r2_position"]["x"]
    assert float(lines[2]["rmse_velocity"]) == run["table"][2]["rmse_velocity"]["mean"]


@pytest.mark.parametrize("width", [320, 1000])
def test_the_figure_has_the_width_that_is_asked_for(call, run, width):
    png = call("GET", f"/api/calibrations/{run['id']}/figure.png?theme=dark&width={width}").content
    assert Image.open(io.BytesIO(png)).width == width


def test_the_figure_has_all_decoders_that_had_the_same_trials(call, calibrations, run):
    others = [
        done(call, calibrations, decoder="kalman", seed=5),
        done(call, calibrations, decoder="wiener", settings={"lags": 1}, seed=5),
        done(call, calibrations, decoder="wiener", settings={"lags": 1}, seed=6),  # other trials
    ]
    path = f"/api/calibrations/{run['id']}/figure.svg"
    svg = call("GET", path).content.decode()
    assert "wiener, kalman, wiener on tuned: 45 trials to learn from, 15 to test on" in svg
    for text in (
        "R² of velocity, trials never seen",
        "R² of position, trials never seen",
        "wiener (lags 1)",
    ):
        assert text in svg
    assert "Undisturbed paths" not in svg
    assert "Undisturbed paths" in call("GET", f"{path}?alone=true").content.decode()
    for each in others:
        call("DELETE", f"/api/calibrations/{each['id']}")


def test_the_figure_says_what_it_shows(call, run):
    svg = call("GET", f"/api/calibrations/{run['id']}/figure.svg").content.decode()
    assert "wiener on tuned: 45 trials to learn from, 15 to test on" in svg
    for level in run["table"]:
        assert level["level"] in svg
        assert f"{level['r2_position']['mean']:.2f}" in svg


def test_the_figure_says_which_bars_are_cut(call, calibrations, run):
    outcome = calibrations.get(run["id"]).outcome
    for mean, cut in ((-0.4, False), (-3.0, True)):
        scores = [
            replace(each, r2_velocity=replace(each.r2_velocity, mean=mean), r2_position=each.r2_velocity)
            for each in outcome.scores[:1]
        ]
        shown = replace(outcome, scores=tuple(scores))
        svg = draw(shown, (), "svg", roles()["dark"], 800).decode()
        assert ("below -0.5: not to scale" in svg) == cut


@pytest.mark.parametrize(
    ("asked", "status", "code", "told"),
    [
        ({"decoder": "magic"}, 422, "bad_setting", "Unknown decoder 'magic'"),
        ({"decoder": "passthrough"}, 422, "bad_setting", "learns nothing"),
        ({"settings": {"lags": 0}}, 422, "bad_setting", "lags"),
        ({"settings": {"legs": 4}}, 422, "bad_setting", "It has lags, ridge"),
        ({"train_trials": [1, 2], "test_trials": [2]}, 422, "bad_setting", "both name trials 2"),
        ({"train_trials": [99]}, 404, "unknown_trial", "Unknown trial 99"),
        ({"recording": "none"}, 404, "unknown_recording", "none"),
        ({"train_share": 1.0}, 422, "invalid", "train_share"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(call, asked, status, code, told):
    assert told in refused(call("POST", "/api/calibrations", asked), status, code)


def test_too_little_to_learn_from_ends_the_run_with_one_line(calibrations):
    recording = small_recording()
    bins = recording.bins.copy()
    bins["kinematics"][:50] = np.nan
    with serving(Store({"small": replace(recording, bins=bins)}), calibrations=calibrations) as call:
        told = done(call, calibrations, train_trials=[0], test_trials=[1])
        assert told["state"] == "failed"
        assert "0 bins with known kinematics" in told["error"]
        assert "is failed" in refused(
            call("GET", f"/api/calibrations/{told['id']}/table.csv"), 409, "not_now"
        )


def children() -> list[Any]:
    return [each for each in multiprocessing.active_children() if each.name == "calibration"]


def test_one_run_is_under_way_at_low_priority_and_can_be_cancelled(call, calibrations):
    first = call("POST", "/api/calibrations", {"decoder": "kalman"}).json["id"]
    (child,) = children()
    while os.getpriority(os.PRIO_PROCESS, child.pid) == 0:  # until it has begun
        threading.Event().wait(0.001)
    assert os.getpriority(os.PRIO_PROCESS, child.pid) == NICENESS
    os.kill(child.pid, signal.SIGSTOP)
    told = refused(call("POST", "/api/calibrations", {}), 503, "busy")
    assert f"Calibration {first} (kalman) is under way" in told
    assert call("DELETE", f"/api/calibrations/{first}").status == 200
    assert children() == []
    refused(call("GET", f"/api/calibrations/{first}"), 404, "unknown_calibration")


def test_a_process_that_dies_fails_its_run_alone(call, calibrations):
    number = call("POST", "/api/calibrations", {"decoder": "kalman"}).json["id"]
    children()[0].kill()
    assert calibrations.get(number).wait(WITHIN)
    assert "has died" in call("GET", f"/api/calibrations/{number}").json["error"]
    assert done(call, calibrations)["state"] == "done"


def test_without_calibrations_that_is_said():
    with serving() as call:
        assert "serve.py" in refused(call("POST", "/api/calibrations", {}), 409, "not_now")
