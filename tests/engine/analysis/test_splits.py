"""Trials in groups."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np

from engine.analysis import MAX_GROUPS, split_names, split_trials
from engine.bins.trials import Scalar
from engine.sources.recordings.recording import Recording
from tests.builders import small_recording

RECORDING = small_recording(3, 400, n_trials=40)
MINUS = "\N{MINUS SIGN}"


def with_column(values: list[Scalar]) -> Recording:
    trials = tuple(
        dataclasses.replace(trial, columns=MappingProxyType({"made": value}))
        for trial, value in zip(RECORDING.trials, values, strict=True)
    )
    return dataclasses.replace(RECORDING, trials=trials)


def with_targets(places: list[tuple[float, float]]) -> Recording:
    trials = tuple(
        dataclasses.replace(trial, target_x=places[i % len(places)][0], target_y=places[i % len(places)][1])
        for i, trial in enumerate(RECORDING.trials)
    )
    return dataclasses.replace(RECORDING, trials=trials)


def test_every_column_of_the_trial_table_is_offered() -> None:
    assert list(split_names(RECORDING)) == [
        "",
        "target",
        "column:maze_id",
        "column:split",
        "column:heldout",
    ]


def test_no_split_is_one_group() -> None:
    assert split_trials(RECORDING, "").group.tolist() == [0] * 40


def test_targets_are_told_apart_by_position_and_ordered_from_the_right_anticlockwise() -> None:
    split = split_trials(with_targets([(0.0, 5.0), (-5.0, 0.0), (5.0, 0.0), (0.0, -5.0)]), "target")
    assert split.labels == ("→ 5, 0", "↑ 0, 5", f"← {MINUS}5, 0", f"↓ 0, {MINUS}5")
    assert split.group[:5].tolist() == [1, 2, 0, 3, 1]


def test_many_targets_are_joined_into_directions() -> None:
    angles = np.radians(np.arange(0, 360, 15))
    split = split_trials(with_targets([(10 * np.cos(a), 10 * np.sin(a)) for a in angles]), "target")
    assert len(split.labels) == 8
    assert split.labels[1] == "↗ 45°"
    assert split.note == "24 target positions in 8 directions"
    assert split.group[:5].tolist() == [0, 0, 1, 1, 1]  # 0, 15, 30, 45 and 60 degrees


def test_a_trial_without_target_is_in_no_group() -> None:
    first, *others = with_targets([(1.0, 0.0), (0.0, 1.0)]).trials
    lost = dataclasses.replace(first, target_x=np.nan, target_y=np.nan)
    assert split_trials(dataclasses.replace(RECORDING, trials=(lost, *others)), "target").group[0] == -1


def test_few_values_are_groups_in_their_order() -> None:
    split = split_trials(with_column([10, 2] * 20), "column:made")
    assert split.labels == ("2", "10")
    assert split.group[:2].tolist() == [1, 0]
    assert split_trials(with_column([True, False] * 20), "column:made").labels == ("no", "yes")


def test_many_numbers_are_quarters() -> None:
    split = split_trials(with_column([float(i) for i in range(40)]), "column:made")
    assert np.bincount(split.group).tolist() == [10, 10, 10, 10]
    assert len(split.labels) == 4
    assert split.note == "40 values in quarters"


def test_many_texts_are_the_most_frequent_and_the_others() -> None:
    values: list[Scalar] = ["often"] * 10 + [f"seldom {i}" for i in range(30)]
    split = split_trials(with_column(values), "column:made")
    assert len(split.labels) == MAX_GROUPS
    assert split.labels[0] == "often"
    assert split.labels[-1] == "others"
    assert split.group[:10].tolist() == [0] * 10


def test_missing_values_are_in_no_group() -> None:
    assert split_trials(with_column([np.nan, 1.0] * 20), "column:made").group[:2].tolist() == [-1, 0]
    assert (split_trials(RECORDING, "column:unheard").group == -1).all()
