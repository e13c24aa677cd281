from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.tuning import preferred_directions
from engine.errors import BadSetting
from engine.sources.growing import GrowingDescription
from engine.view import PLAIN, changed, shown_units, unit_order, waveform_channel
from tests.builders import small_recording


def test_a_change_leaves_the_rest_and_the_view_before_as_they_were() -> None:
    recording = small_recording()
    once = changed(PLAIN, {"order": "rate"}, recording)
    twice = changed(once, {"hidden_units": [4, 1, 4], "bookmarks": [30, 5, 30]}, recording)
    assert twice.settings == PLAIN.settings | {
        "order": "rate",
        "hidden_units": [1, 4],
        "bookmarks": [5, 30],
    }
    assert (once.hidden_units, PLAIN.order) == ([], "index")
    with pytest.raises(TypeError, match="Constant"):
        PLAIN.order = "rate"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"order": "size"}, "index, rate, direction"),
        ({"hit_radius": 0.0}, "greater than 0"),
        ({"hit_radius": 1001}, "at most 1000"),
        ({"hidden_units": ["a"]}, "hidden_units"),
        ({"hidden_units": [-1]}, "Unknown unit -1. There are units 0 to 4."),
        ({"bookmarks": [-1]}, "no bin -1 to bookmark. There are 0 to"),
        ({"bookmarks": [10**9]}, "no bin 1000000000"),
        ({"bookmarks": [0] * 1001}, "1001 bookmarks are too many. Send 1000 at most."),
        ({"zoom": 2}, "There are .*order"),
    ],
)
def test_a_setting_out_of_bounds_is_refused_with_the_way_out(settings: dict, said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        changed(PLAIN, settings, small_recording())


def test_units_are_ordered_by_mean_rate_over_observed_time() -> None:
    recording = small_recording(gaps=True)
    recording.bins.flags.writeable = True
    recording.bins["counts"] = [3, 1, 4, 1, 5]
    recording.bins["counts"][~recording.observed, 1] = 200
    assert unit_order(recording, "rate").tolist() == [1, 3, 0, 2, 4]


def test_untuned_units_come_last_by_direction() -> None:
    recording = small_recording(n_units=4, n_bins=2000, n_trials=20)
    recording.bins.flags.writeable = True
    direction = np.arctan2(recording.bins["intention"][:, 2], recording.bins["intention"][:, 1])
    rng = np.random.default_rng(0)
    for unit, preferred in ((0, 2.0), (2, -2.0), (3, 0.5)):
        recording.bins["counts"][:, unit] = rng.poisson(3 + 2 * np.cos(direction - preferred))
    recording.bins["counts"][:, 1] = 2
    assert np.isnan(preferred_directions(recording)[1])
    assert unit_order(recording, "direction").tolist() == [2, 3, 0, 1]


def test_hidden_units_are_not_shown() -> None:
    recording = small_recording()
    view = changed(PLAIN, {"hidden_units": [0, 3]}, recording)
    assert shown_units(recording, view).tolist() == [1, 2, 4]


def test_waveforms_are_of_an_electrode_that_there_is() -> None:
    wires = GrowingDescription("wires", ("electrode 0", "electrode 1", "electrode 2"), 40.0)
    wires.sampled = True
    view = changed(PLAIN, {"scope_channels": [2, 0]}, wires)
    assert waveform_channel(wires, view) == 2
    assert waveform_channel(wires, changed(view, {"waveform_channel": 1}, wires)) == 1
    with pytest.raises(BadSetting, match=r"Unknown electrode 3\. There are electrodes 0 to 2\."):
        changed(PLAIN, {"waveform_channel": 3}, wires)
    with pytest.raises(BadSetting, match=r"no voltages to show\. Leave waveform_channel out\."):
        changed(PLAIN, {"waveform_channel": 0}, small_recording())
