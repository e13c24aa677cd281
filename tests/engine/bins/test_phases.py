"""Trial i of the small recording has 50 bins: target on at its 5th, go at 15th, movement at 20th."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from engine.bins.phases import TrialFollower, TrialState
from engine.sources.recordings.recording import Recording
from tests.builders import play, small_recording

RADIUS = 10.0
HIT = 45
"""The first bin of a trial within 10 mm of the target: the cursor has come (45 + 0.5) / 50 of 100 mm."""


def follow(recording: Recording, bins: Iterable[int], portion: int = 1) -> list[TrialState]:
    """The state after each portion."""
    follower, rows = TrialFollower(recording), play(recording, bins)
    return [
        follower.advance(rows[start : start + portion], RADIUS) for start in range(0, len(rows), portion)
    ]


def phases(states: list[TrialState]) -> list[tuple[str, int]]:
    """Runs of phases with how many bins each had."""
    runs: list[tuple[str, int]] = []
    for state in states:
        before, n = runs[-1] if runs else ("", 0)
        if state.phase == before and state.seconds > 0.025:
            runs[-1] = (before, n + 1)
        else:
            runs.append((state.phase, 1))
    return runs


def test_a_trial_goes_through_its_phases() -> None:
    runs = phases(follow(small_recording(), range(50)))
    assert runs == [("waiting", 5), ("target on", 10), ("go", 5), ("moving", 25), ("hit", 5)]


def test_the_time_in_a_phase_counts_its_bins_up_to_the_newest() -> None:
    states = follow(small_recording(), range(20))
    assert [round(state.seconds / 0.025) for state in states] == [*range(1, 6), *range(1, 11), *range(1, 6)]


def test_events_that_a_trial_lacks_are_skipped() -> None:
    runs = phases(follow(small_recording(), range(100, 150)))  # trial 2 has no movement onset
    assert runs == [("waiting", 5), ("target on", 10), ("go", HIT - 15), ("hit", 5)]


@pytest.mark.parametrize(
    ("lacking", "armed_from"),
    [((), 15), (("go_cue_time",), 5), (("go_cue_time", "target_on_time"), 0)],
)
def test_a_target_is_hit_from_the_go_cue_on_or_what_there_is_before(
    lacking: tuple[str, ...], armed_from: int
) -> None:
    recording = small_recording()
    missing = dict.fromkeys(lacking, float("nan"))
    recording = replace(recording, trials=tuple(replace(t, **missing) for t in recording.trials))
    recording.bins.flags.writeable = True
    recording.bins["intention"][:, 3] = 0.0
    assert [state.phase for state in follow(recording, range(50))].index("hit") == armed_from


def test_a_trial_without_any_event_or_target_waits() -> None:
    recording = small_recording()
    nothing = dict.fromkeys(("target_on_time", "go_cue_time", "move_onset_time"), float("nan"))
    recording = replace(recording, trials=tuple(replace(t, **nothing) for t in recording.trials))
    recording.bins.flags.writeable = True
    recording.bins["intention"] = np.nan
    assert phases(follow(recording, range(50))) == [("waiting", 50)]


def test_a_hit_lasts_to_the_end_of_the_trial_and_counts_once() -> None:
    recording = small_recording()
    recording.bins.flags.writeable = True
    recording.bins["intention"][HIT + 1 : 50, 3] = 50.0  # the cursor leaves again
    states = follow(recording, range(50))
    assert phases(states)[-1] == ("hit", 5)
    assert [state.hits for state in states] == [0] * HIT + [1] * 5


def test_cool_down_lasts_half_a_second_unless_the_next_target_is_on() -> None:
    abutting = phases(follow(small_recording(), range(40, 70)))
    assert abutting == [("moving", 5), ("hit", 5), ("cool-down", 5), ("target on", 10), ("go", 5)]
    apart = small_recording(n_bins=400, gaps=True)  # trials of 80 bins, with 20 between them
    runs = phases(follow(apart, range(70, 110)))
    assert runs == [("moving", 2), ("hit", 8), ("cool-down", 20), ("waiting", 8), ("target on", 2)]


def test_after_half_a_second_it_waits() -> None:
    recording = small_recording(n_bins=800, gaps=True)  # trials of 160 bins, with 40 between them
    runs = phases(follow(recording, range(158, 200)))
    assert runs == [("hit", 2), ("cool-down", 20), ("waiting", 20)]


@pytest.mark.parametrize("portion", [2, 7, 60, 1000])
def test_it_does_not_matter_in_which_portions_bins_come(portion: int) -> None:
    recording = small_recording(gaps=True)
    bins = [*range(200), *range(30, 90), *range(45, 60), 3]
    one_by_one = follow(recording, bins)
    in_portions = follow(recording, bins, portion)
    ends = [min(end, len(bins)) - 1 for end in range(portion, len(bins) + portion, portion)]
    assert in_portions == [one_by_one[end] for end in ends]


def test_a_jump_begins_anew_and_hits_go_on_counting() -> None:
    recording = small_recording()
    states = follow(recording, [*range(30, 48), *range(30, 48)])
    assert phases(states) == [("moving", 15), ("hit", 3), ("moving", 15), ("hit", 3)]
    assert states[-1].hits == 2
    within = follow(recording, [*range(20, 25), *range(30, 35)])
    assert phases(within) == [("moving", 5), ("moving", 5)]


def test_a_jump_out_of_a_trial_is_no_cool_down() -> None:
    assert phases(follow(small_recording(), [30, 31, 100, 101])) == [("moving", 2), ("waiting", 2)]


def test_a_radius_may_change_on_the_way() -> None:
    recording = small_recording()
    follower, rows = TrialFollower(recording), play(recording, range(50))
    assert follower.advance(rows[:30], 1.0).phase == "moving"
    assert follower.advance(rows[30:31], 60.0).phase == "hit"


def test_no_bins_change_nothing() -> None:
    recording = small_recording()
    follower, rows = TrialFollower(recording), play(recording, range(30))
    state = follower.advance(rows, RADIUS)
    assert follower.advance(rows[:0], RADIUS) == state
    assert TrialFollower(recording).advance(rows[:0], RADIUS) == TrialState("waiting", 0.0, 0)
