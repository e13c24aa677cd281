"""Floors on a population whose movement depends on the target and the time alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.calibration.floors import Floors, delayed_truth, floors, judged, no_spikes, shuffled_units
from engine.decoders import decode, make_decoder
from tests.engine.calibration.test_run import TEST, TRAIN


def test_target_and_time_alone_decode_a_movement_that_is_always_the_same() -> None:
    silent = replace(TRAIN, counts=np.zeros_like(TRAIN.counts))
    floor = judged(TEST, no_spikes(silent, replace(TEST, counts=TEST.counts * 0)))
    assert floor.r2_velocity == pytest.approx(1.0, abs=1e-6)
    assert floor.r2_position == pytest.approx(1.0, abs=1e-6)


def test_without_spikes_a_trial_longer_than_any_stays_where_the_training_ended() -> None:
    short = TRAIN.packet_id % 30 < 20
    train = replace(
        TRAIN,
        **{
            name: getattr(TRAIN, name)[short]
            for name in ("counts", "kinematics", "target", "packet_id", "trial_id", "observed", "start")
        },
    )
    said = no_spikes(train, TEST).reshape(-1, 30, 4)
    assert np.isfinite(said).all()
    np.testing.assert_array_equal(said[:, 20:], np.repeat(said[:, 19:20], 10, axis=1))


def test_delayed_truth_is_the_truth_of_four_bins_before() -> None:
    said = delayed_truth(TRAIN, TEST).reshape(-1, 30, 4)[1:]  # the first trial has a gap
    truth = TEST.kinematics.reshape(-1, 30, 4)[1:]
    np.testing.assert_array_equal(said[:, 4:], truth[:, :-4])
    assert np.isnan(said[:, :4]).all()


def test_shuffled_units_say_little_and_the_same_each_time() -> None:
    shuffled = judged(TEST, shuffled_units(TRAIN, TEST))
    wiener = make_decoder("wiener", 40.0)
    wiener.fit(TRAIN.counts, TRAIN.kinematics, TRAIN.start, TRAIN.target)
    whole = judged(TEST, decode(wiener, TEST.counts, TEST.start))
    assert shuffled.r2_velocity < 0.1 < 0.5 < whole.r2_velocity
    assert shuffled == judged(TEST, shuffled_units(TRAIN, TEST))


def test_floors_come_with_intervals_and_are_the_same_when_read_back() -> None:
    found = floors(TRAIN, TEST)
    assert found is not None
    low, high = found.shuffled_units.r2_velocity_interval
    assert low < found.shuffled_units.r2_velocity < high
    assert found.mean.r2_velocity == pytest.approx(0.0, abs=0.05)
    assert Floors.from_npz(found.to_npz()) == found


def test_without_kinematics_there_are_no_floors() -> None:
    assert floors(replace(TRAIN, kinematics=np.full_like(TRAIN.kinematics, np.nan)), TEST) is None
