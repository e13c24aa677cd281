"""A recording as electrodes show it: its behaviour, and counts of what is found in the voltages."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from engine.bins.schema import Rows
from engine.bins.source import Block, Prepared
from engine.bins.voltages import VoltageRing, Voltages
from engine.broadband import BLOCK, SAMPLING_RATE
from engine.deck.replay import Replay
from engine.errors import BadSetting, CannotFit
from engine.sources.electrodes.implant import Implant
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.source import ElectrodeSource
from engine.sources.electrodes.trains import Fed, scattered
from engine.sources.recordings.events import trial_events
from engine.sources.recordings.recording import Recording
from engine.stages.detection.detector import Detector
from engine.stages.detection.settings import Detection
from tests.builders import small_recording
from tests.engine.listening import Keeper

QUIET = {"pink": 14.0, "thermal": 4.0, "amplitude": (110.0, 120.0), "amplitude_jitter": 0.0}
PATIENCE = 60.0


@contextmanager
def electrodes(
    recording: Recording, n_channels: int = 5, detect: Any = None, within: Any = None, **settings: Any
) -> Iterator[ElectrodeSource]:
    made = Electrodes(n_channels=n_channels, **{**QUIET, **settings})

    def detector(chosen: Any) -> Detector:
        return Detector(n_channels, made.microvolts_per_count, chosen, recording.bin_rate, engine="scipy")

    implant = Implant(recording, within, made, Detection(), detect or detector, engine="scipy")
    source = ElectrodeSource(implant, trial_events(recording))
    try:
        yield source
    finally:
        source.close()


def bins(source: ElectrodeSource, n: int) -> tuple[Rows, list[tuple[float, str]]]:
    """The next bins, and what was told in them, due at their numbers."""
    ready = threading.Event()
    source.on_ready(ready.set)
    rows, told = [], []
    while len(rows) < n:
        ready.clear()
        if source.ready(1):
            block = Block(source.description, 1)
            told += source.fill(block, [(float(len(rows)), 0.0)])
            rows.append(block.rows.copy())
        else:
            assert ready.wait(PATIENCE)
    return np.concatenate(rows), told


def ahead(source: ElectrodeSource, n: int) -> None:
    """Wait until so many bins are ready that nobody has taken."""
    ready = threading.Event()
    source.on_ready(ready.set)
    while source.ready(n) < n:
        ready.clear()
        assert source.ready(n) == n or ready.wait(PATIENCE)


def test_behaviour_trials_and_events_are_the_recordings_again_and_again() -> None:
    recording = small_recording(gaps=True)
    with electrodes(recording) as source:
        rows, told = bins(source, 250)
    for field in ("kinematics", "intention", "observed", "coverage"):
        twice = np.concatenate([recording.bins[field]] * 2)[:250]
        np.testing.assert_array_equal(rows[field], twice)
    assert rows["packet_id"].tolist() == list(range(250))
    assert source.description.trial_ids == [0, 1, 2, 3, 0]
    assert [trial.success for trial in source.description.trials] == [True, True, False, True, True]
    expected = [(float(k), text) for k, texts in sorted(trial_events(recording).items()) for text in texts]
    assert [each for each in told if each[0] < 200] == expected
    assert (200.0, "trial_start 0") in told


def test_phases_of_bins_are_those_of_the_recording() -> None:
    recording = small_recording()
    with electrodes(recording) as source:
        rows, _ = bins(source, 150)
    found = source.description.phases(rows["packet_id"])
    expected = recording.phases(np.arange(150))
    np.testing.assert_array_equal(found.armed, expected.armed)
    np.testing.assert_array_equal(found.planned, expected.planned)


def test_counts_are_spikes_found_on_each_channel_and_units_are_dealt_in_turn() -> None:
    recording = small_recording(n_units=7)
    with electrodes(recording, n_channels=5) as source:
        rows, _ = bins(source, 200)
    assert source.description.channel_names[:2] == ("electrode 0", "electrode 1")
    true = recording.counts[20:].astype(int)
    found = rows["counts"][20:].astype(int)
    alone = true[:, 2:5]
    np.testing.assert_allclose(found[:, 2:].sum(axis=0), alone.sum(axis=0), rtol=0.1)
    assert np.corrcoef(found[:, 2:].ravel(), alone.ravel())[0, 1] > 0.9
    pairs = true[:, :2] + true[:, 5:]
    assert (found[:, :2].sum(axis=0) > 1.5 * alone.sum(axis=0).mean()).all()
    assert np.corrcoef(found[:, :2].ravel(), pairs.ravel())[0, 1] > 0.8


def test_spikes_are_at_their_own_times_where_these_are_known() -> None:
    recording = small_recording(n_units=1)
    asked = []

    def within(index: int) -> tuple[np.ndarray, np.ndarray]:
        asked.append(index)
        return (np.array([0.0, 0.024]), np.array([0, 0])) if index % 2 else (np.zeros(0), np.zeros(0, int))

    with electrodes(recording, n_channels=1, within=within) as source:
        rows, _ = bins(source, 60)
    assert asked[:60] == list(range(60))
    # Both of one bin, but the first begins before its trough, in the bin before: that is where it is found.
    assert (rows["counts"][20:, 0] == 1).mean() > 0.9


@pytest.mark.parametrize("rate", [1000.0, 130.0, 2.0])
def test_short_and_long_bins_are_made_as_well(rate: float) -> None:
    recording = small_recording(n_units=1, n_bins=round(rate), n_trials=1, bin_rate=rate)
    every = max(round(rate / 50), 1)  # 50 spikes a second, or one a bin

    def within(index: int) -> tuple[np.ndarray, np.ndarray]:
        spikes = np.array([0.5 / rate] if index % every == 0 else [])
        return spikes, np.zeros(len(spikes), int)

    n = round(3 * rate)
    with electrodes(recording, n_channels=1, within=within, pink=20.0) as source:
        rows, _ = bins(source, n)
    assert rows["counts"][n // 3 :].sum() == pytest.approx(n * 2 / 3 / every, rel=0.1, abs=2)


def test_the_same_seed_gives_the_same_bins_and_another_one_others() -> None:
    runs = []
    for seed in (1, 1, 2):
        with electrodes(small_recording(), pink=20.0, seed=seed) as source:
            runs.append(bins(source, 60)[0]["counts"])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0] != runs[2]).any()


def test_the_same_changes_between_the_same_bins_give_the_same_bins() -> None:
    runs = []
    for changes in ((), (("electrodes", {"dead": [3]}), ("detection", {"k": 6.0})), None):
        with electrodes(small_recording(), pink=20.0) as source:
            rows, _ = bins(source, 60)
            said = [source.tune(*each) for each in changes or ()]
            more, _ = bins(source, 140)
            runs.append((said, np.concatenate([rows["counts"], more["counts"]])))
    (_, usual), (said, changed), (_, again) = runs
    np.testing.assert_array_equal(usual, again)
    assert said == ["electrodes dead 3 from bin 76", "detection k 6 from bin 76"]
    np.testing.assert_array_equal(changed[:76], usual[:76])
    assert changed[76:, :3].sum() < usual[76:, :3].sum()


def test_changes_hold_from_a_bin_that_hangs_on_those_sent_alone_and_leave_other_channels_alone() -> None:
    counts = []
    for waits in (True, False):
        with electrodes(small_recording(), pink=20.0) as source:
            rows, _ = bins(source, 30)
            if waits:
                ahead(source, 16)
            assert source.tune("electrodes", {"noisy": [0], "shorted": [(1, 2)]}).endswith("from bin 46")
            counts.append(np.concatenate([rows["counts"], bins(source, 40)[0]["counts"]]))
            assert source.implant.tuning.array.shorted == [(1, 2)]
    np.testing.assert_array_equal(*counts)
    with electrodes(small_recording(), pink=20.0) as source:
        usual = bins(source, 70)[0]["counts"]
    np.testing.assert_array_equal(counts[0][:, 3:], usual[:, 3:])
    assert (counts[0][46:, 0] != usual[46:, 0]).any()
    one, other = counts[0][47:, 1:3].T  # of channels whose noise is not yet known to be the same
    assert np.corrcoef(one, other)[0, 1] > 0.8 > np.corrcoef(*counts[0][:46, 1:3].T)[0, 1]


def test_what_cannot_be_changed_is_refused_and_changes_nothing() -> None:
    with electrodes(small_recording()) as source:
        for what, settings, why in (
            ("electrodes", {"dead": [5]}, "Unknown channel 5. There are 0 to 4."),
            ("electrodes", {"amplitude": (1.0, 2.0)}, "amplitude is set once, at the beginning. Change "),
            ("detection", {"k": 40.0}, "must be at most 10"),
            (
                "detection",
                {"low": 200.0},
                "low is set once, at the beginning. Change k, missing, reference, thr",
            ),
            ("detection", {"deaf": 1}, "Unknown setting 'deaf'. There are k, "),
            ("gain", {"dead": [1]}, "Electrodes have no gain. Change electrodes or detection."),
        ):
            with pytest.raises(BadSetting, match=re.escape(why)):
                source.tune(what, settings)
        assert source.implant.tuning.array is source.implant.settings
        assert source.implant.tuning.detection.settings == Detection().settings


def test_what_is_found_of_what_is_true_is_known_after_two_seconds() -> None:
    with electrodes(small_recording()) as source:
        bins(source, 40)
        assert source.implant.detected is None
        bins(source, 80)
        found = source.implant.detected
    assert found is not None
    assert found.matched.recall_in_all > 0.9
    assert found.matched.precision_in_all > 0.85
    assert found.noise.shape == (5,)
    np.testing.assert_allclose(found.thresholds, -4 * found.noise, rtol=1e-6)


def test_a_deck_waits_until_bins_are_ready_and_then_sends_them_on_time() -> None:
    go = threading.Event()
    recording = small_recording()

    def late(chosen: Any) -> Detector:
        assert go.wait(PATIENCE)
        return Detector(5, 0.25, chosen, bin_rate=40.0, engine="scipy")

    with electrodes(recording, detect=late) as source:
        assert isinstance(source, Prepared)
        replay = Replay(source)
        keeper = Keeper(replay)
        replay.start()
        assert replay.ring.head == 0
        go.set()
        rows = keeper.wait_rows(10)
        replay.close()
    assert rows["sequence_number"][:10].tolist() == list(range(10))
    np.testing.assert_allclose(np.diff(rows["due"][:10]), 0.025, atol=1e-6)


def test_readers_of_voltages_get_all_samples_in_order_and_change_no_bin() -> None:
    counts: list[Any] = []
    blocks: list[Voltages] = []
    for reads in (False, True):
        with electrodes(small_recording(), pink=20.0) as source:
            replay = Replay(source, speed=4.0)
            keeper, ring = Keeper(replay), source.voltages
            assert replay.voltages is ring

            def read(ring: VoltageRing = ring) -> None:
                some, lost = ring.since(len(blocks))
                assert lost == 0
                blocks.extend(some)

            if reads:
                ring.join(read)
            replay.start()
            rows = keeper.wait_rows(40)
            replay.close()
        counts.append(rows["counts"])
        dues = keeper.rows["due"]
        assert bool(blocks) == reads
    np.testing.assert_array_equal(*counts)
    first = np.array([block.first for block in blocks])
    np.testing.assert_array_equal(first, np.arange(len(blocks)) * BLOCK)
    assert len(blocks) >= 98  # the last bin's may be told after it
    ends_in = (first + BLOCK - 1) // 750
    on_time = np.isclose(np.diff(dues, prepend=dues[0] - 1 / 160), 1 / 160, atol=1e-6)  # of bins: no stall
    known = (ends_in < len(dues)) & np.isin(ends_in, np.flatnonzero(on_time))
    assert known.sum() >= 10
    expected = dues[ends_in[known]] - (750 * (ends_in[known] + 1) - first[known]) / (4 * SAMPLING_RATE)
    np.testing.assert_allclose(np.array([block.due for block in blocks])[known], expected, atol=1e-6)


def test_electrodes_that_fail_say_why_when_their_bins_are_over(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def __init__(self, _: Any) -> None:
            pass

        def process(self, _: Any) -> Any:
            raise RuntimeError("no such filter")

    failed = threading.Event()
    with electrodes(small_recording(), detect=Broken) as source:
        source.on_ready(failed.set)
        assert failed.wait(PATIENCE)
        with pytest.raises(CannotFit, match="RuntimeError: no such filter"):
            source.ready(1)
    assert "have failed" in caplog.text


def test_closing_ends_the_thread_and_twice_does_nothing() -> None:
    with electrodes(small_recording()) as source:
        bins(source, 1)
        source.close()
        assert not [each for each in threading.enumerate() if each.name == "electrodes"]


def test_scattered_spikes_are_as_many_as_counted_and_a_millisecond_apart() -> None:
    rng = np.random.default_rng(0)
    counts = np.array([0, 1, 5, 20, 40])
    samples, units = scattered(counts, 750, rng)
    np.testing.assert_array_equal(np.bincount(units, minlength=5), counts)
    assert samples.min() >= 0
    assert samples.max() < 750
    for unit, gap in ((2, 30), (3, 30), (4, 18)):
        assert np.diff(samples[units == unit]).min() >= gap


def test_told_spikes_are_taken_once_and_in_order() -> None:
    trains = Fed(3)
    trains.feed(np.array([50, 10, 10]), np.array([0, 2, 1]))
    assert [each.tolist() for each in trains.take(50)] == [[10, 10], [1, 2]]
    trains.feed(np.array([BLOCK]), np.array([1]))
    assert [each.tolist() for each in trains.take(1000)] == [[50, BLOCK], [0, 1]]
    assert len(trains.take(10_000).samples) == 0
