"""Decoders that look at no spike."""

from __future__ import annotations

import numpy as np

from engine.decoders import decode, make_decoder

COUNTS = np.zeros((12, 3), np.uint8)
TRUTH = np.column_stack((np.arange(12.0), 2 * np.arange(12.0), np.full(12, 40.0), np.full(12, 80.0)))
STARTS = np.isin(np.arange(12), (0, 6))


def test_passthrough_echoes_the_truth_and_says_nothing_without_it():
    decoder = make_decoder("passthrough", 40.0)
    np.testing.assert_array_equal(decode(decoder, COUNTS, STARTS, TRUTH), TRUTH)
    assert np.isnan(decode(decoder, COUNTS, STARTS)).all()


def test_delayed_answers_with_the_truth_of_whole_bins_before_within_a_stretch():
    decoder = make_decoder("delayed", 40.0, {"delay_ms": 50})
    answers = decode(decoder, COUNTS, STARTS, TRUTH)
    assert np.isnan(answers[[0, 1, 6, 7]]).all()
    np.testing.assert_array_equal(answers[[2, 5, 8]], TRUTH[[0, 3, 6]])


def test_the_velocity_predictor_carries_the_cursor_on():
    decoder = make_decoder("velocity_predictor", 40.0, {"delay_ms": 50})
    answers = decode(decoder, COUNTS, STARTS, TRUTH)
    assert np.isnan(answers[[0, 1, 6, 7]]).all()
    np.testing.assert_allclose(answers[[2, 5, 8]], TRUTH[[2, 5, 8]])
