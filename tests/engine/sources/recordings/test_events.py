"""Events of trials are found by the bin in which they happen, and every trial played tells its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.sources.recordings.events import trial_events
from engine.sources.recordings.recording import Recording
from tests.builders import small_recording


def test_events_name_what_happened_and_the_trial() -> None:
    events = trial_events(small_recording())

    assert {b: e for b, e in events.items() if b < 100} == {
        0: ("trial_start 0",),
        5: ("target_on 0",),
        15: ("go_cue 0",),
        20: ("move_onset 0",),
        49: ("trial_end 0",),
        50: ("trial_start 1",),
        55: ("target_on 1",),
        65: ("go_cue 1",),
        70: ("move_onset 1",),
        99: ("trial_end 1",),
    }


def test_event_that_a_trial_lacks_is_not_told() -> None:
    told = [event for events in trial_events(small_recording()).values() for event in events]

    assert "go_cue 2" in told
    assert "move_onset 2" not in told


def test_trial_ends_in_its_own_last_bin_where_trials_abut_and_where_they_do_not() -> None:
    for recording, last in ((small_recording(), 49), (small_recording(gaps=True), 39)):
        assert trial_events(recording)[last] == ("trial_end 0",)


def test_event_outside_of_its_trial_is_told_in_the_nearest_bin_of_it() -> None:
    recording = small_recording()
    early = replace(recording.trials[1], target_on_time=0.0, go_cue_time=100.0)
    moved = replace(recording, trials=(recording.trials[0], early, *recording.trials[2:]))

    assert trial_events(moved)[50] == ("trial_start 1", "target_on 1")
    assert trial_events(moved)[99] == ("go_cue 1", "trial_end 1")


def test_events_follow_a_recording_that_does_not_start_at_zero() -> None:
    assert trial_events(small_recording(start_time=-3.0)) == trial_events(small_recording())


def test_trial_without_a_bin_tells_nothing() -> None:
    recording = small_recording()
    bins = np.array(recording.bins)
    bins["trial"][bins["trial"] == 2] = -1
    thinned: Recording = replace(recording, bins=bins)
    told = [event for events in trial_events(thinned).values() for event in events]

    assert not any(event.endswith(" 2") for event in told)
    assert "trial_end 3" in told


def test_recording_without_trials_has_no_events() -> None:
    recording = small_recording()
    bins = np.array(recording.bins)
    bins["trial"] = -1

    assert trial_events(replace(recording, bins=bins, trials=())) == {}
