"""Where samples of a file are in time, and what becomes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from engine.files.stretches import Stretches, Unplayable
from engine.files.voltages import Conversion, VoltageReader, VoltageSeries

RATE = 30_000


def places(stretches: Stretches, start: float = 0.0) -> list[tuple[int, int, int]]:
    laid = stretches.laid(start)
    return list(zip(laid.firsts.tolist(), laid.rows.tolist(), laid.lengths.tolist(), strict=True))


def test_a_regular_series_is_one_stretch_from_its_start() -> None:
    assert places(Stretches.regular(90_000, 30_000.0, 1.5), start=1.0) == [(15_000, 0, 90_000)]


def test_a_clock_that_is_off_is_followed_sample_by_sample() -> None:
    for rate in (30_000.5, 29_999.5):
        n = 10 * RATE
        laid = Stretches.regular(n, rate, 0.0).laid(0.0)
        samples = np.arange(0, n - RATE, 100)
        rows, there = laid.at(samples)
        assert np.abs(rows / rate - samples / RATE).max() < 2 / RATE
        assert there.mean() > 0.99


@pytest.mark.parametrize("rate", [25_000.0, 30_002.0, 0.0, np.nan])
def test_another_rate_is_refused(rate: float) -> None:
    with pytest.raises(Unplayable, match="and spikes are found at 30000 Hz"):
        Stretches.regular(100, rate, 0.0)


def test_gaps_of_timestamps_part_stretches_and_jitter_does_not() -> None:
    rng = np.random.default_rng(0)
    times = np.concatenate([2.0 + np.arange(40_000) / RATE, 5.0 + np.arange(10_000) / RATE])
    times += rng.uniform(-0.2, 0.2, len(times)) / RATE
    stretches, rate = Stretches.stamped(times)
    assert rate == pytest.approx(RATE, rel=0.01)
    assert places(stretches, 2.0) == [(0, 0, 40_000), (90_000, 40_000, 10_000)]
    rows, there = stretches.laid(2.0).at(np.array([-5, 0, 39_999, 40_000, 89_999, 90_000, 100_000]))
    assert rows.tolist() == [0, 0, 39_999, 39_999, 39_999, 40_000, 49_999]
    assert there.tolist() == [False, True, True, False, False, True, False]


def test_bins_are_covered_as_far_as_there_are_samples() -> None:
    laid = Stretches.stamped(np.concatenate([np.arange(1000), np.arange(2000, 3000)]) / RATE)[0].laid(0.0)
    edges = np.array([-750, 0, 750, 1500, 2250, 3000, 3750])
    np.testing.assert_allclose(laid.coverage(edges), [0, 1, 1 / 3, 1 / 3, 1, 0], atol=1e-6)


def test_what_was_lost_is_no_part_of_a_stretch() -> None:
    whole = Stretches.regular(90_000, 30_000.0, 1.0)
    left = whole.without(np.array([[1.0, 1.1], [2.0, 2.5], [3.9, 5.0]]))
    assert places(left, 1.0) == [(3000, 3000, 27_000), (45_000, 45_000, 42_000)]
    rows, there = left.laid(1.0).at(np.array([29_999, 30_000, 45_000]))
    assert (rows.tolist(), there.tolist()) == ([29_999, 29_999, 45_000], [True, False, True])


def test_timestamps_that_do_not_ascend_are_refused() -> None:
    times = np.arange(100) / RATE
    times[60] = times[50]
    with pytest.raises(Unplayable, match="do not ascend"):
        Stretches.stamped(times)


def test_whole_numbers_of_16_bits_stay_as_they_are_and_others_are_rounded() -> None:
    alike = np.full(2, 0.195)
    samples = np.array([[-32_768, 5], [32_767, 6]], np.int16)
    same = Conversion.of(samples.dtype, alike, 0.0)
    assert same.microvolts_per_count == 0.195
    np.testing.assert_array_equal(same.counts(samples, 0.5), samples)
    np.testing.assert_array_equal(same.counts(samples.astype(">i2"), 0.5), samples)

    unsigned = Conversion.of(np.dtype(np.uint16), alike, -32_768 * 0.195)
    np.testing.assert_array_equal(
        unsigned.counts((samples.astype(np.int32) + 32_768).astype(np.uint16), 0.5), samples
    )

    for other in (
        Conversion.of(np.dtype(np.int16), np.array([0.195, 0.2]), 0.0),
        Conversion.of(np.dtype(np.int16), alike, 100.0),
        Conversion.of(np.dtype(np.float32), alike, 0.0),
        Conversion.of(np.dtype(np.int16), -alike, 0.0),
    ):
        assert other.microvolts_per_count is None
        held = np.array([[100, -100], [32_767, 0]])
        expected = np.clip(np.rint((held * other.gains + other.offset) / 0.01), -32_768, 32_767)
        found = other.counts(held, 0.01)
        assert found.dtype == np.int16
        np.testing.assert_allclose(found, expected, atol=1)
    floats = Conversion.of(np.dtype(np.float64), np.ones(1), 0.0)
    assert floats.counts(np.array([[np.nan], [1e12], [2.0]]), 0.5).tolist() == [[0], [32_767], [4]]


LAYOUTS: list[dict[str, Any]] = [
    {},
    {"chunks": (700, 2)},
    {"chunks": (5000, 1), "compression": "gzip"},
    {"chunks": (700, 2), "compression": "gzip", "shuffle": True},
    {"chunks": (700, 1), "shuffle": True},
    {"chunks": (700, 2), "compression": "lzf"},
    {"dtype": ">i2"},
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("block", [1, 300, 10_000_000])
def test_rows_are_the_same_whatever_the_blocks_and_the_layout(
    tmp_path: Path, layout: dict[str, Any], block: int
) -> None:
    samples = np.random.default_rng(0).integers(-500, 500, (12_345, 2), np.int16)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("raw", data=samples, **layout)
    voltages = VoltageSeries(
        tmp_path / "a.h5",
        "/raw",
        "raw",
        *(2, len(samples), 30_000.0),
        conversion=Conversion.of(samples.dtype, np.ones(2), 0.0),
    )
    reader = VoltageReader(voltages, 1.0, block)
    size = 40 if block == 1 else 750
    found = [reader.read(first, min(first + size, len(samples))) for first in range(0, len(samples), size)]
    np.testing.assert_array_equal(np.concatenate(found), samples)
    np.testing.assert_array_equal(reader.read(10, 30), samples[10:30])
    reader.close()
