"""What is found of a whole recording: by the electrodes that a session plays, in another take of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.decoders.bins import Bins
from engine.errors import CannotFit
from engine.found.finding import find
from engine.found.orders import as_found, identity, intention, of_movement, of_spikes
from engine.making import key_of
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.settings import Electrodes
from engine.sources.recordings.recording import Recording
from tests.builders import small_recording

QUIET = {"pink": 10.0, "thermal": 3.0, "amplitude": (110.0, 120.0), "amplitude_jitter": 0.0}
DEAF = 8
"""Bins in the beginning in which nothing is found: 0.2 s."""


def electrodes(n_channels: int = 3, **settings: object) -> Electrodes:
    return Electrodes(n_channels=n_channels, **{**QUIET, **settings})


def test_spikes_of_a_recording_are_found_bin_by_bin() -> None:
    recording = small_recording(n_units=3)
    told: list[float] = []
    counts = find(of_spikes(recording, electrodes()), told.append)
    assert counts.shape == (200, 3)
    assert told == sorted(told)
    assert 0.95 < told[-1] < 1
    for true, found in zip(recording.counts.T[:, DEAF:], counts.T[:, DEAF:], strict=True):
        assert np.corrcoef(true, found)[0, 1] > 0.8


def test_another_take_has_the_same_units_and_other_noise() -> None:
    one, again, other = (ElectrodeArray(electrodes(), take=take) for take in (0, 0, 1))
    assert (one.waveforms == other.waveforms).all()
    assert (one.directions == other.directions).all()
    voltages = [each.read().voltages for each in (one, again, other)]
    assert (voltages[0] == voltages[1]).all()
    assert abs(np.corrcoef(voltages[0].ravel(), voltages[2].ravel())[0, 1]) < 0.2


def test_what_was_found_takes_the_place_of_the_units() -> None:
    recording = small_recording(n_units=3)
    order = of_spikes(recording, electrodes(2))
    found = as_found(recording, order, np.full((200, 2), 7, np.uint16))
    assert (found.name, found.n_units, found.count_dtype) == ("small-on-2-electrodes", 2, np.uint8)
    bins = Bins.of(found, (1, 2))
    assert bins.trials == (1, 2)
    assert (bins.counts == 7).all()
    np.testing.assert_array_equal(bins.kinematics, recording.kinematics[50:150])
    assert bins.channel_names.tolist() == ["electrode 0", "electrode 1"]


def test_each_seed_size_and_purpose_is_another_model_and_another_file() -> None:
    recording = small_recording()
    arrays = electrodes(), electrodes(seed=1), electrodes(4)
    whose = {identity(recording, each, moved) for each in arrays for moved in (True, False)}
    assert len({sha256 for _, sha256 in whose} | {recording.sha256}) == 7
    orders = [make(recording, each) for each in arrays for make in (of_spikes, of_movement)]
    assert len({key_of(order) for order in orders}) == 6
    assert key_of(orders[0]) == key_of(of_spikes(recording, electrodes()))


def test_units_fire_for_movement() -> None:
    recording = small_recording(n_bins=400)
    counts = find(of_movement(recording, electrodes(4, baseline=(30.0, 50.0), seed=2)), lambda _: None)
    array = ElectrodeArray(electrodes(4, baseline=(30.0, 50.0), seed=2))
    along = np.cos(array.directions), np.sin(array.directions)
    wanted = intention(recording)
    assert np.hypot(*wanted.T).max() == pytest.approx(1, abs=0.01)
    drive = (wanted @ along)[DEAF:]
    summed = np.zeros((len(drive), 4))
    np.add.at(summed.T, array.channels, drive.T)
    moved = [np.corrcoef(*pair)[0, 1] for pair in zip(summed.T, counts.T[:, DEAF:], strict=True)]
    assert np.mean(moved) > 0.15


def test_who_does_not_move_teaches_nothing() -> None:
    bins = small_recording().bins.copy()
    bins["kinematics"] = np.nan
    still: Recording = replace(small_recording(), bins=bins)
    with pytest.raises(CannotFit, match=r"^small has no movement to learn from\. Choose another"):
        of_movement(still, electrodes())


def test_there_are_as_many_bins_at_an_odd_rate() -> None:
    recording = small_recording(n_units=2, n_bins=40, bin_rate=100 / 3)
    assert find(of_spikes(recording, electrodes(2)), lambda _: None).shape == (40, 2)
