"""Units against a reference, and the alarm."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from engine.bins.selection import EVERYTHING, Selection
from engine.monitors.drift import ALARM, REFERENCE, WINDOW, Detector, DriftMonitor, natural_sd
from engine.monitors.monitor import Monitor, MonitorThread
from engine.sources.recordings.recording import Recording
from tests.builders import replay_of, small_recording
from tests.engine.listening import PATIENCE, Keeper

N_UNITS, BIN_RATE, SECONDS = 20, 40, 200


def firing(slow: float = 0.0, gaps: bool = False) -> Recording:
    """Units that fire at random, at 8 Hz; `slow` is the depth of a fluctuation that all share."""
    n_bins = SECONDS * BIN_RATE
    recording = small_recording(N_UNITS, n_bins, n_trials=20, gaps=gaps)
    wave = np.sin(2 * np.pi * np.arange(n_bins) / (90 * BIN_RATE))
    bins = recording.bins.copy()
    rates = 0.2 * np.exp(slow * wave)[:, None]
    bins["counts"] = np.random.default_rng(1).poisson(rates, (n_bins, N_UNITS))
    bins.flags.writeable = False
    return dataclasses.replace(recording, bins=bins)


def detector_of(recording: Recording) -> Detector:
    return Detector(recording.bin_rate, natural_sd(recording, EVERYTHING))


def seconds(recording: Recording, first: float, last: float) -> np.ndarray:
    """Counts of a stretch, in a loop."""
    return recording.counts[np.arange(round(first * BIN_RATE), round(last * BIN_RATE)) % recording.n_bins]


def without(counts: np.ndarray, n_units: int) -> np.ndarray:
    return np.where(np.arange(N_UNITS) < n_units, 0, counts)


@pytest.mark.parametrize("slow", [0.0, 0.4])
def test_clean_recording_raises_no_alarm(slow: float) -> None:
    recording = firing(slow)
    detector, highest = detector_of(recording), 0.0
    for at in range(1200):
        assert detector.advance(seconds(recording, at, at + 1)) == []
        highest = max(highest, np.nan_to_num(detector.state.shift))
    assert 0.5 < highest < ALARM


@pytest.mark.parametrize("slow", [0.0, 0.4])
def test_loss_of_a_fifth_of_the_units_is_found_once_within_30_s(slow: float) -> None:
    recording = firing(slow)
    detector = detector_of(recording)
    detector.advance(seconds(recording, 0, 80))
    (state,) = detector.advance(without(seconds(recording, 80, 110), N_UNITS // 5))
    assert state.alarm
    assert state.shift > ALARM
    assert (np.abs(detector.state.unit_shift[:4]) > ALARM).all()
    np.testing.assert_array_equal(detector.state.change[:4], -1.0)
    (over,) = detector.advance(seconds(recording, 110, 110 + WINDOW))
    assert not over.alarm


def test_where_no_recording_is_known_the_reference_itself_tells_how_much_units_vary() -> None:
    recording = firing(0.2)
    detector, highest = Detector(BIN_RATE, N_UNITS), 0.0
    for at in range(180):
        assert detector.advance(seconds(recording, at, at + 1)) == []
        highest = max(highest, np.nan_to_num(detector.state.shift))
    assert 0.5 < highest < ALARM
    (state,) = detector.advance(without(seconds(recording, 180, 210), N_UNITS // 5))
    assert state.alarm
    assert (np.abs(detector.state.unit_shift[:4]) > ALARM).all()


def test_shift_is_the_log_ratio_in_standard_deviations() -> None:
    detector = Detector(BIN_RATE, np.array([0.5, 0.25]))
    detector.advance(np.ones((REFERENCE * BIN_RATE, 2), np.uint8))
    detector.advance(np.tile(np.array([2, 1], np.uint8), (WINDOW * BIN_RATE, 1)))
    state = detector.state
    half = 0.5 / WINDOW  # a spike a window
    expected = np.log((np.array([80, 40]) + half) / (40 + half)) / [0.5, 0.25]
    np.testing.assert_allclose(state.unit_shift, expected)
    assert state.shift == pytest.approx(np.sqrt(np.mean(expected**2)))
    np.testing.assert_array_equal(state.rate, [80.0, 40.0])
    np.testing.assert_array_equal(state.reference, [40.0, 40.0])
    np.testing.assert_array_equal(state.change, [1.0, 0.0])


def test_sd_is_that_of_windows_and_references() -> None:
    recording = firing(slow=0.8)
    counts = seconds(recording, 0, SECONDS + REFERENCE).reshape(-1, BIN_RATE, N_UNITS).sum(axis=1)
    expected = 0.0
    for length in (WINDOW, REFERENCE):
        sums = [counts[i : i + length].sum(axis=0) for i in range(len(counts) - length + 1)]
        expected = expected + np.log(np.array(sums) / length + 0.5 / WINDOW).var(axis=0)
    np.testing.assert_allclose(natural_sd(recording, EVERYTHING), np.sqrt(expected))


def test_sd_of_what_is_always_the_same_is_that_of_chance() -> None:
    trial = natural_sd(small_recording(), Selection(trial_ids=(0,)))  # 1.5 spikes a bin, in every second
    np.testing.assert_allclose(trial, np.sqrt(1 / 900.5 + 1 / 3602), rtol=0.02)


def test_bins_that_were_not_observed_do_not_count() -> None:
    gaps, whole = firing(gaps=True), firing()
    kept = dataclasses.replace(whole, bins=whole.bins[gaps.observed])
    np.testing.assert_array_equal(natural_sd(gaps, EVERYTHING), natural_sd(kept, EVERYTHING))


@pytest.mark.parametrize("portion", [1, 7, 40, 977])
def test_portions_do_not_matter(portion: int) -> None:
    recording = firing()
    whole, parts = detector_of(recording), detector_of(recording)
    counts = seconds(recording, 0, 90.5)
    whole.advance(counts)
    for first in range(0, len(counts), portion):
        parts.advance(counts[first : first + portion])
    assert parts.state.shift == whole.state.shift
    np.testing.assert_array_equal(parts.state.rate, whole.state.rate)


def test_nothing_is_said_before_the_reference_is_complete() -> None:
    recording = firing()
    detector = detector_of(recording)
    assert np.isnan(detector.state.rate).all()
    assert np.isnan(detector.state.change).all()
    detector.advance(seconds(recording, 0, REFERENCE - 0.1))
    assert detector.state.reference_seconds == REFERENCE - 1
    assert np.isnan(detector.state.shift)
    detector.advance(seconds(recording, REFERENCE - 0.1, REFERENCE))
    assert detector.state.shift < 1


def test_new_reference_ends_the_alarm_for_good() -> None:
    recording = firing()
    detector = detector_of(recording)
    detector.advance(seconds(recording, 0, 80))
    detector.advance(without(seconds(recording, 80, 100), 4))
    assert detector.state.alarm
    detector.set_reference()
    assert not detector.state.alarm
    assert detector.state.reference_seconds == 0
    assert detector.advance(without(seconds(recording, 100, 200), 4)) == []
    assert detector.state.shift < ALARM


# On a session


class Watched:
    """A replay of a firing recording, with its drift monitor."""

    def __init__(self) -> None:
        self.replay = replay_of(firing(), speed=50.0)
        self.keeper = Keeper(self.replay)
        self.drift = DriftMonitor(self.replay)
        self.monitor = Monitor(MonitorThread(), "monitor", self.drift.look)
        assert self.monitor.settle(PATIENCE)

    def play(self, seconds: int) -> None:
        """Play so much more, and have it seen."""
        self.replay.resume()
        self.keeper.wait_more(seconds * BIN_RATE)
        self.replay.pause()
        assert self.monitor.settle(PATIENCE)

    @property
    def told(self) -> list[str]:
        return [note.text for note in self.replay.notes if note.text.startswith("drift")]


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.monitor.close()
    made.replay.close()


def test_alarm_is_a_note_and_a_new_reference_too(watched: Watched) -> None:
    watched.play(65)
    assert watched.told == []
    watched.replay.set_perturbation({"unit_loss": {"enabled": True, "fraction": 0.2}})
    watched.play(20)
    (alarm,) = watched.told
    assert alarm.startswith("drift alarm ")
    assert alarm.endswith(" units")
    watched.drift.set_reference()
    assert not watched.drift.latest().alarm
    watched.play(65)
    assert watched.told == [alarm, "drift reference"]


def test_mean_rates_are_those_of_all_that_was_received(watched: Watched) -> None:
    assert np.isnan(watched.drift.mean_rates()).all()
    watched.replay.set_perturbation({"lost_packets": {"enabled": True, "probability": 0.3}})
    watched.play(10)
    rows = watched.keeper.rows
    assert rows["lost"].any()
    expected = rows["counts"][~rows["lost"]].mean(axis=0) * BIN_RATE
    np.testing.assert_allclose(watched.drift.mean_rates(), expected)


def test_new_selection_begins_a_new_reference(watched: Watched) -> None:
    watched.play(10)
    assert watched.drift.latest().reference_seconds > 5
    watched.replay.set_selection(Selection(trial_ids=(3,)))
    assert watched.monitor.settle(PATIENCE)
    assert watched.drift.latest().reference_seconds == 0
    assert watched.told == ["drift reference for the new selection"]
    watched.play(5)
    assert 0 < watched.drift.latest().reference_seconds < 10
