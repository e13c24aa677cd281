"""What the page's controls are made from and stand at, without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import param
import pytest

from dashboard.perturbation import control, panel
from dashboard.settings import events_of, preset_of, selected_spans, settings, tape
from engine.bins.selection import EVERYTHING, Selection
from engine.deck.replay import Replay
from engine.stages.perturb import MODELS, PRESETS
from engine.stages.perturb.base import Model
from tests.builders import replay_of, small_recording


@pytest.fixture
def replay() -> Iterator[Replay]:
    made = replay_of(small_recording(), seed=7)
    yield made
    made.close()


def test_spans_are_the_stretches_of_selected_bins() -> None:
    recording = small_recording(n_bins=200, n_trials=4)
    assert selected_spans(EVERYTHING, recording) == [[0, 200]]
    assert selected_spans(Selection(trial_ids=(0, 1, 3)), recording) == [[0, 100], [150, 200]]


def test_the_tape_has_every_trial_with_its_bins_and_target() -> None:
    drawn = tape(small_recording(n_bins=200, n_trials=4, gaps=True))
    assert drawn == {
        "n_bins": 200,
        "bin_rate": 40.0,
        "trials": [[0, 0, 40, 0], [1, 50, 90, 1], [2, 100, 140, 2], [3, 150, 190, 0]],
    }


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_known_by_its_settings(replay: Replay, name: str) -> None:
    replay.set_perturbation({"preset": name})
    assert preset_of(replay.perturbation) == name
    replay.set_perturbation({"noise": {"enabled": True, "sd": 0.123}})
    assert preset_of(replay.perturbation) is None


def test_settings_are_those_of_the_replay(replay: Replay) -> None:
    before = replay.changes
    replay.set_speed("max")
    replay.set_loop(False)
    replay.set_selection(Selection(target_ids=(1,)))
    told = settings(replay)
    assert (told["speed"], told["loop"], told["seed"]) == ("max", False, 7)
    assert (told["selection"]["target_ids"], told["selected"]) == ((1,), replay.position().n_selected)
    assert told["perturbation"] == replay.perturbation
    assert replay.changes == before + 3


def test_events_that_no_trial_has_are_marked() -> None:
    assert all(there for _, _, there in events_of(small_recording()))


class Loss(Model):
    """Units go: ``count * 0``."""

    key = "unit_loss"
    n_units = param.Integer(default=1, bounds=(0, 10))
    share = param.Number(default=0.5, bounds=(0.0, 1.0), doc="Of the time.")
    width = param.Number(default=1.0, bounds=(0.001, 1000.0), softbounds=(0.1, 100.0))
    kind = param.Selector(default="all", objects=["all", "some"])
    at_random = param.Boolean(default=True)


def test_a_panel_follows_from_the_declaration_of_a_model() -> None:
    made = panel(Loss)
    assert (made.key, made.label, made.doc) == ("unit_loss", "Unit loss", ["Units go: ", "count * 0", "."])
    by_name = {each.name: each for each in made.controls}
    assert by_name["n_units"].step == 1
    assert (by_name["share"].slider_low, by_name["share"].slider_high, by_name["share"].doc) == (
        0,
        1,
        "Of the time.",
    )
    assert by_name["width"].logarithmic
    assert (by_name["width"].low, by_name["width"].slider_low, by_name["width"].slider_high) == (
        0.001,
        -1,
        2,
    )
    assert by_name["kind"].options == ("all", "some")
    assert by_name["at_random"].kind == "switch"
    assert all(panel(model).controls for model in MODELS)


def test_a_parameter_without_a_control_is_refused() -> None:
    with pytest.raises(TypeError, match="There is no control for size"):
        control(type("Odd", (param.Parameterized,), {"size": param.Number(default=1.0)}).param["size"])
