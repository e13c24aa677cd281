"""A selection is a list of bins: OR within a field, AND across fields."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.bins.selection import EVERYTHING, Selection
from engine.errors import EmptySelection, UnknownTarget, UnknownTrial
from engine.sources.recordings.recording import Recording
from tests.builders import small_recording

TRIAL = 50
"""Bins of a trial."""


@pytest.fixture
def recording() -> Recording:
    """Trials 0 to 3 of 50 bins at 40 Hz, aiming at targets 0, 1, 2 and 0; trial 2 has failed."""
    return small_recording()


def trial_bins(*trials: int, start: int = 0, stop: int = TRIAL) -> list[int]:
    return [trial * TRIAL + bin_index for trial in trials for bin_index in range(start, stop)]


def chosen(recording: Recording, selection: Selection) -> list[int]:
    return [int(b) for b in selection.bins(recording)]


def test_no_selection_means_every_bin_gaps_included() -> None:
    recording = small_recording(gaps=True)

    assert EVERYTHING.is_everything
    assert chosen(recording, EVERYTHING) == list(range(200))


def test_any_selection_leaves_the_gaps_out() -> None:
    recording = small_recording(gaps=True)

    assert chosen(recording, Selection(trial_ids=(0, 1, 2, 3))) == trial_bins(0, 1, 2, 3, stop=40)


@pytest.mark.parametrize(
    ("selection", "trials"),
    [
        (Selection(trial_ids=(1,)), (1,)),
        (Selection(trial_ids=(3, 1, 3)), (1, 3)),
        (Selection(target_ids=(0,)), (0, 3)),
        (Selection(target_ids=(1, 2)), (1, 2)),
        (Selection(success=True), (0, 1, 3)),
        (Selection(success=False), (2,)),
        (Selection(trial_ids=(1, 3), target_ids=(0, 2)), (3,)),
        (Selection(target_ids=(1, 2), success=True), (1,)),
    ],
)
def test_fields_are_ored_within_and_anded_across(
    recording: Recording, selection: Selection, trials: tuple[int, ...]
) -> None:
    assert chosen(recording, selection) == trial_bins(*trials)


def test_part_of_the_trial_runs_from_one_event_to_another(recording: Recording) -> None:
    part = Selection(trial_ids=(0, 1), begin="target_on", end="go_cue")

    assert chosen(recording, part) == trial_bins(0, 1, start=5, stop=15)


def test_offsets_move_the_ends_of_the_part(recording: Recording) -> None:
    part = Selection(trial_ids=(1,), begin="go_cue", begin_offset=-0.1, end="move_onset", end_offset=0.05)

    assert chosen(recording, part) == trial_bins(1, start=11, stop=22)


def test_part_never_leaves_its_trial(recording: Recording) -> None:
    part = Selection(trial_ids=(1,), begin_offset=-10.0, end_offset=10.0)

    assert chosen(recording, part) == trial_bins(1)


def test_trials_that_lack_a_named_event_are_skipped(recording: Recording) -> None:
    part = Selection(trial_ids=(1, 2), begin="move_onset")

    assert chosen(recording, part) == trial_bins(1, start=20)


def test_event_at_the_centre_of_a_bin_takes_that_bin_in_despite_rounding_errors() -> None:
    recording = small_recording(start_time=0.1)
    for offset in np.arange(-40, 40) * 0.025:
        cue = replace(recording.trials[0], go_cue_time=float(recording.centres[30] - offset))
        moved = replace(recording, trials=(cue, *recording.trials[1:]))
        part = Selection(trial_ids=(0,), begin="go_cue", begin_offset=float(offset))
        assert chosen(moved, part)[0] == 30


@pytest.mark.parametrize(
    ("selection", "bins"),
    [
        (Selection(first_packet=30, last_packet=69), range(30, 70)),
        (Selection(first_packet=190), range(190, 200)),
        (Selection(last_packet=0), range(1)),
        (Selection(trial_ids=(0,), last_packet=9), range(10)),
        (Selection(first_packet=0, last_packet=10**9), range(200)),
    ],
)
def test_a_stretch_is_played_from_packet_to_packet(
    recording: Recording, selection: Selection, bins: range
) -> None:
    assert selection.bins(recording).tolist() == list(bins)


def test_a_stretch_without_a_bin_is_refused_with_what_there_is(recording: Recording) -> None:
    with pytest.raises(EmptySelection, match="packets 0 to 199"):
        Selection(first_packet=9, last_packet=3).bins(recording)


def test_bins_are_ascending_indices(recording: Recording) -> None:
    bins = Selection(target_ids=(0, 2)).bins(recording)

    assert np.issubdtype(bins.dtype, np.integer)
    assert (np.diff(bins) > 0).all()


def test_unknown_trial_and_target_are_refused_with_what_there_is(recording: Recording) -> None:
    with pytest.raises(UnknownTrial) as trial:
        Selection(trial_ids=(0, 9)).bins(recording)
    with pytest.raises(UnknownTarget) as target:
        Selection(target_ids=(9,)).bins(recording)

    assert str(trial.value) == "Unknown trial 9. This recording has trials 0 to 3."
    assert str(target.value) == "Unknown target 9. This recording has targets 0 to 2."


@pytest.mark.parametrize(
    "selection",
    [
        Selection(trial_ids=(0,), target_ids=(1,)),
        Selection(trial_ids=(0,), success=False),
        Selection(trial_ids=(0,), begin="go_cue", end="target_on"),
        Selection(trial_ids=(2,), begin="move_onset"),
    ],
)
def test_selection_without_a_bin_is_refused(recording: Recording, selection: Selection) -> None:
    with pytest.raises(EmptySelection, match="The selection holds no bin"):
        selection.bins(recording)
