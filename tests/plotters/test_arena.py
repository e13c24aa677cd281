from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.bins.trials import Barrier
from engine.view import PLAIN, changed
from plotters.arena import CURSORS, Arena, corners
from plotters.base import Scene
from tests.builders import TARGETS, play, small_recording
from tests.plotters.playing import columns, news_of


def test_the_cursor_is_at_the_newest_bin_and_its_trail_leads_there() -> None:
    recording = small_recording()
    made = columns(Arena(Scene(recording)).update(news_of(recording, play(recording, range(30)), n_new=2)))
    path = recording.kinematics[:, :2]
    for axis, name in enumerate("xy"):
        assert made["cursor 0", name].tolist() == [path[29, axis]]
        np.testing.assert_array_equal(made["trail 0", f"{name}0"], path[27:29, axis])
        np.testing.assert_array_equal(made["trail 0", f"{name}1"], path[28:30, axis])


def test_the_very_first_bin_has_no_trail() -> None:
    recording = small_recording()
    made = columns(Arena(Scene(recording)).update(news_of(recording, play(recording, range(1)))))
    assert len(made["trail 0", "x0"]) == 1
    assert np.isnan(made["trail 0", "x0"]).all()


def test_the_trail_is_broken_by_gaps_and_jumps() -> None:
    recording = small_recording(gaps=True)
    rows = play(recording, [*range(38, 52), *range(110, 113)])
    made = columns(Arena(Scene(recording)).update(news_of(recording, rows, n_new=16)))
    ends = np.isfinite(made["trail 0", "x0"]) & np.isfinite(made["trail 0", "x1"])
    assert np.flatnonzero(ends).tolist() == [0, 12, 14, 15]  # to bins 39, 51, 111 and 112


def test_all_targets_of_the_trial_are_shown_and_the_current_one_stands_out() -> None:
    recording = small_recording()
    view = changed(PLAIN, {"hit_radius": 12.5}, recording)
    news = news_of(recording, play(recording, range(51)), n_new=1, view=view)  # the first bin of trial 1
    made = columns(Arena(Scene(recording)).update(news))
    assert [*zip(made["targets", "x"], made["targets", "y"], strict=True)] == list(TARGETS)
    assert (*made["target", "x"], *made["target", "y"]) == TARGETS[1]
    assert made["target", "radius"].tolist() == [12.5]
    assert made["targets", "radius"].tolist() == [12.5] * 3


def test_barriers_of_the_trial_are_shown_in_their_size() -> None:
    walled = small_recording()
    walls = (Barrier(10.0, -5.0, 2.0, 8.0), Barrier(0.0, 30.0, 9.0, 1.0))
    trials = (replace(walled.trials[0], barriers=walls), *walled.trials[1:])
    recording = replace(walled, trials=trials)
    made = columns(Arena(Scene(recording)).update(news_of(recording, play(recording, range(1)), n_new=1)))
    sides = [made["barriers", side].tolist() for side in ("x", "y", "width", "height")]
    assert sides == [[10.0, 0.0], [-5.0, 30.0], [4.0, 18.0], [16.0, 2.0]]
    after = columns(Arena(Scene(recording)).update(news_of(recording, play(recording, range(51)), n_new=1)))
    assert not len(after["barriers", "x"])


def test_targets_are_told_when_the_trial_changes_and_at_the_start() -> None:
    recording = small_recording()
    arena, rows = Arena(Scene(recording)), play(recording, range(60))
    assert ("target", "x") in columns(arena.update(news_of(recording, rows[:1], n_new=1)))
    assert ("target", "x") not in columns(arena.update(news_of(recording, rows[:50], n_new=1)))
    assert ("target", "x") in columns(arena.update(news_of(recording, rows[:51], n_new=1)))
    assert ("target", "x") in columns(arena.start(news_of(recording, rows)))


def test_between_trials_the_targets_stay_and_none_is_the_current_one() -> None:
    recording = small_recording(gaps=True)
    made = columns(Arena(Scene(recording)).update(news_of(recording, play(recording, range(41)), n_new=1)))
    assert np.isnan(made["target", "x"]).all()
    assert len(made["targets", "x"]) == len(TARGETS)


def test_the_target_is_fuller_the_further_the_trial_is() -> None:
    recording = small_recording()
    arena = Arena(Scene(recording))
    fills = [
        columns(arena.update(news_of(recording, play(recording, range(n)), n_new=1)))["target", "fill"][0]
        for n in (1, 10, 18, 49)  # waiting, target on, go, hit
    ]
    assert fills == sorted(set(fills))


def test_decoders_have_cursors_and_trails_of_their_own() -> None:
    recording = small_recording()
    rows = play(recording, range(30))
    path = recording.kinematics[:30, :2] + np.float32([5, -5])
    path[27] = np.nan
    news = news_of(recording, rows, n_new=4, decoded={"ridge": path, "kalman": np.full_like(path, np.nan)})
    made = columns(Arena(Scene(recording)).update(news))
    assert made["cursor 1", "who"] == ["ridge"]
    assert made["cursor 1", "x"].tolist() == [path[29, 0]]
    assert made["cursor 1", "sign"] == ["\N{BLACK SQUARE} ridge"]
    np.testing.assert_array_equal(made["trail 1", "y1"][-30:], [*path[:1, 1] * np.nan, *path[1:, 1]])
    assert made["cursor 2", "who"] == ["kalman"]
    assert made["cursor 2", "sign"] == ["\N{BLACK UP-POINTING TRIANGLE} kalman"]
    assert np.isnan(made["cursor 2", "x"]).all()


def test_decoders_stay_within_the_arena_and_more_than_fit_are_left_out() -> None:
    recording = small_recording()
    rows = play(recording, range(3))
    far = {f"decoder {i}": np.full((3, 2), 1e6, np.float32) for i in range(len(CURSORS) + 2)}
    made = columns(Arena(Scene(recording)).update(news_of(recording, rows, decoded=far)))
    assert made["cursor 1", "x"].tolist() == [corners(recording)[1, 0]]
    named = {source for source, _ in made if source.startswith("cursor")}
    assert named == {f"cursor {i}" for i in range(len(CURSORS))}


def test_every_update_has_a_source_of_its_length() -> None:
    recording = small_recording()
    arena = Arena(Scene(recording))
    sources = {r.data_source.name: r.data_source for r in arena.build().renderers}
    decoded = {f"{i}": np.zeros((30, 2), np.float32) for i in range(4)}
    for source, column in columns(
        arena.start(news_of(recording, play(recording, range(30)), decoded=decoded))
    ):
        assert column in sources[f"arena/{source}"].data


@pytest.mark.parametrize("without", ["position", "all"])
def test_the_arena_has_an_extent_whatever_is_missing(without: str) -> None:
    recording = small_recording(n_trials=4)
    recording.bins.flags.writeable = True
    recording.bins["kinematics"] = np.nan
    if without == "all":
        object.__setattr__(recording, "trials", ())
        recording.bins["trial"] = -1
    (low_x, low_y), (high_x, high_y) = corners(recording)
    assert low_x < high_x
    assert low_y < high_y
