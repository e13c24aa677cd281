"""Bins to learn from."""

from __future__ import annotations

import io
from dataclasses import fields

import numpy as np
import pytest

from engine.decoders.base import Decoder
from engine.decoders.bins import Bins, stretches
from engine.errors import RecordingError, UnknownTrial
from tests.builders import small_recording


def test_bins_are_the_recordings_own():
    recording = small_recording(gaps=True)
    bins = Bins.of(recording)
    np.testing.assert_array_equal(bins.counts, recording.counts)
    np.testing.assert_array_equal(bins.kinematics, recording.kinematics)
    np.testing.assert_array_equal(bins.packet_id, np.arange(200))
    np.testing.assert_array_equal(np.unique(bins.trial_id), [-1, 0, 1, 2, 3])
    np.testing.assert_array_equal(bins.target[5], [100.0, 0.0])
    assert bins.trials == (0, 1, 2, 3)
    assert (bins.bin_rate, bins.bin_width) == (40.0, 0.025)


def test_a_stretch_begins_where_a_trial_is_left_out_and_where_nothing_was_observed():
    bins = Bins.of(small_recording(), [0, 1, 3])
    assert np.flatnonzero(bins.start).tolist() == [0, 100]
    with_gaps = Bins.of(small_recording(gaps=True))
    observed = np.flatnonzero(with_gaps.start & with_gaps.observed)
    assert observed.tolist() == [0, 50, 100, 150]
    np.testing.assert_array_equal(
        stretches(np.array([3, 4, 5, 6, 8]), np.array([1, 0, 1, 1, 1], bool)), [1, 0, 1, 0, 1]
    )


def test_what_was_not_observed_cuts_no_stream_and_what_is_left_out_does():
    whole = Bins.of(small_recording(gaps=True))
    assert np.flatnonzero(whole.cut).tolist() == [int(np.argmax(whole.observed))]
    some = Bins.of(small_recording(gaps=True), [0, 1, 3])
    cuts = np.flatnonzero(some.cut)
    assert cuts.tolist() == [
        np.flatnonzero(some.observed & (some.trial_id == trial))[0] for trial in (0, 3)
    ]


def test_a_decoder_learns_from_what_was_observed_and_from_its_trials_if_it_takes_them():
    bins = Bins.of(small_recording(gaps=True), [0, 1, 3])

    class Old(Decoder):
        def fit(self, counts, targets, starts=None, goals=None):
            self.given = counts, targets, starts, goals

    class New(Decoder):
        def fit(self, counts, targets, starts=None, goals=None, trials=None):
            self.given = counts, targets, starts, goals, trials

    for kind, columns in ((Old, 4), (New, 5)):
        decoder = kind(40.0)
        bins.teach(decoder)
        wanted = (bins.counts, bins.kinematics, bins.cut, bins.target, bins.trial_id)[:columns]
        for given, want in zip(decoder.given, wanted, strict=True):
            np.testing.assert_array_equal(given, want[bins.observed])


def test_bins_from_before_streams_were_cut_are_read():
    bins = Bins.of(small_recording(), [0, 2])
    with np.load(io.BytesIO(bins.to_npz())) as file:
        older = {name: file[name] for name in file.files if name != "cut"}
    content = io.BytesIO()
    np.savez(content, **older)
    np.testing.assert_array_equal(Bins.from_npz(content.getvalue()).cut, bins.start)


def test_an_unknown_trial_is_refused():
    with pytest.raises(UnknownTrial, match="Unknown trial 9"):
        Bins.of(small_recording(), [0, 9])


def test_they_travel_as_a_file_without_any_pickle():
    bins = Bins.of(small_recording(), [1])
    content = bins.to_npz()
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        assert set(file.files) == {each.name for each in fields(Bins)}
    read = Bins.from_npz(content)
    for each in fields(Bins):
        np.testing.assert_array_equal(getattr(read, each.name), getattr(bins, each.name))
    assert read.sha256 == bins.sha256


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and so on", b"not bins"])
def test_something_else_is_refused(content):
    with pytest.raises(RecordingError, match="no bins of a recording"):
        Bins.from_npz(content)
