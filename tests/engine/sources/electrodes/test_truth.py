"""Which found spike is which true one."""

from __future__ import annotations

import numpy as np
import pytest

from engine.broadband import SAMPLING_RATE
from engine.sources.electrodes.judge import Judge
from engine.sources.electrodes.truth import Matched, match


def matched(true: list[tuple[int, int]], found: list[tuple[int, int]], n_channels: int = 2) -> Matched:
    """Of lists of (sample, channel)."""
    columns = [np.array(each, np.int64).reshape(-1, 2).T for each in (true, found)]
    (t, tc), (f, fc) = columns
    return match(t, tc.astype(np.int32), f, fc.astype(np.int32), n_channels)


def test_a_spike_found_half_a_millisecond_late_is_found_and_one_later_is_not() -> None:
    assert matched([(100, 0)], [(115, 0)]).recall_in_all == 1
    assert matched([(100, 0)], [(116, 0)]).recall_in_all == 0
    assert matched([(100, 0)], [(85, 0)]).recall_in_all == 1


def test_a_day_of_samples_is_not_too_long() -> None:
    late = 24 * 3600 * SAMPLING_RATE
    found = matched([(late, 1_023), (late + 40, 1_023)], [(late + 1, 1_023)], 1_024)
    assert (found.n_hits[1_023], found.recall_in_all, found.precision_in_all) == (1, 0.5, 1)


def test_spikes_of_other_channels_do_not_count() -> None:
    found = matched([(100, 0), (5_000, 1)], [(100, 1), (5_000, 1)])
    np.testing.assert_array_equal(found.n_hits, [0, 1])
    np.testing.assert_array_equal(found.recall, [0, 1])
    np.testing.assert_array_equal(found.precision, [np.nan, 0.5])


def test_a_found_spike_stands_for_one_true_spike_alone() -> None:
    found = matched([(100, 0), (105, 0)], [(103, 0)])
    assert (found.recall_in_all, found.precision_in_all) == (0.5, 1)


def test_pairs_are_chosen_so_that_as_many_as_possible_are() -> None:
    assert matched([(100, 0), (112, 0)], [(90, 0), (105, 0)]).n_hits[0] == 2


def test_timing_errors_are_in_seconds_and_late_is_positive() -> None:
    found = matched([(100, 0), (400, 0), (100, 1)], [(103, 0), (405, 0), (94, 1)])
    assert found.timing_error == pytest.approx((2 / 3 / 30_000, np.std([3, 5, -6]) / 30_000))
    np.testing.assert_allclose(found.timing_errors, [4 / 30_000, -6 / 30_000])


def test_silence_has_neither_recall_nor_precision() -> None:
    found = matched([], [])
    assert np.isnan([found.recall_in_all, found.precision_in_all, *found.timing_error]).all()


def test_a_judge_matches_all_but_the_first_of_the_newest_seconds_however_they_come() -> None:
    rng = np.random.default_rng(0)
    n = 14 * SAMPLING_RATE
    samples = np.arange(100, n, 140) + rng.integers(-50, 50, (n - 100) // 140 + 1)
    true = samples, rng.integers(0, 3, len(samples)).astype(np.int32)
    found = true[0][::2] + 3, true[1][::2]
    judge, judged = Judge(3), 0
    for begin in range(0, n, 700):
        parts = []
        for samples, channels in (true, found):
            inside = (samples >= begin) & (samples < begin + 700)
            parts.append((samples[inside], channels[inside]))
        judged += judge.add(*parts, begin + 700)
    assert judged == 12
    newest = (true[0] >= 3 * SAMPLING_RATE) & (true[0] < 13 * SAMPLING_RATE)
    np.testing.assert_array_equal(judge.matched.n_true, np.bincount(true[1][newest], minlength=3))
    assert judge.matched.recall_in_all == pytest.approx(0.5, abs=0.02)
    assert judge.matched.precision_in_all > 0.99
    assert judge.matched.timing_error[0] == pytest.approx(3 / SAMPLING_RATE)
