"""Values between samples: linear, held for half a period, never over a jump."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from engine.sources.recordings.kinematics import Track, interpolate, track

GAP = np.concatenate((np.arange(0, 1, 0.1), np.arange(2, 3, 0.1)))


def linked(times: npt.ArrayLike, samples: npt.ArrayLike, period: float | None = None) -> Track:
    found = track(np.asarray(times, np.float64), np.asarray(samples), period)
    assert found is not None
    return found


def wave(times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.column_stack((np.sin(3 * times), times**2))


def test_between_samples_equals_numpy_interp() -> None:
    times = np.sort(np.random.default_rng(0).uniform(0, 1.4, 50)).cumsum() / 50
    asked = np.linspace(times[0], times[-1], 333)
    found = linked(times, wave(times), period=10.0)

    for dimension in range(2):
        expected = np.interp(asked, times, wave(times)[:, dimension])
        np.testing.assert_allclose(
            interpolate(found, asked, found.values)[:, dimension], expected, atol=1e-12
        )


def test_nothing_is_interpolated_over_a_jump_and_ends_are_held_for_half_a_period() -> None:
    found = linked(GAP, wave(GAP))
    asked = np.array([-0.051, -0.05, 0.9, 0.95, 0.96, 1.5, 1.94, 1.95, 2.0, 2.95, 2.96])
    values = interpolate(found, asked, found.values)

    assert np.flatnonzero(np.isnan(values[:, 0])).tolist() == [0, 4, 5, 6, 10]
    np.testing.assert_allclose(values[[1, 3, 7, 9]], wave(GAP)[[0, 9, 10, 19]])


@pytest.mark.parametrize(("step", "jumps"), [(0.1500005, False), (0.151, True)])
def test_jump_is_more_than_one_and_a_half_periods(step: float, jumps: bool) -> None:
    times = np.array([0.0, 0.1, 0.2, 0.3, 0.3 + step])
    found = linked(times, wave(times))

    assert found.linked.tolist() == [True, True, True, not jumps]


def test_samples_that_are_not_numbers_make_a_gap() -> None:
    times = np.arange(10) / 10
    samples = wave(times)
    samples[4, 1] = np.nan
    samples[7, 0] = np.inf
    found = linked(times, samples)
    values = interpolate(found, np.array([0.2, 0.33, 0.4, 0.47, 0.55, 0.7]), found.values)

    assert np.isnan(values).all(axis=1).tolist() == [False, False, True, False, False, True]


def test_of_samples_at_the_same_time_the_last_counts() -> None:
    found = linked([0.0, 0.1, 0.1, 0.2], [[0], [1], [5], [6]])

    assert interpolate(found, np.array([0.1]), found.values)[0, 0] == 5.0


def test_gradient_equals_numpy_gradient_within_each_stretch() -> None:
    uneven = GAP + 0.01 * np.sin(7 * GAP)
    found = linked(uneven, wave(uneven))
    gradient = found.gradient(np.arange(20))

    for stretch in (slice(0, 10), slice(10, 20)):
        expected = np.gradient(wave(uneven)[stretch], uneven[stretch], axis=0)
        np.testing.assert_allclose(gradient[stretch], expected, atol=1e-9)


def test_single_sample_has_no_gradient() -> None:
    found = linked([0.0, 0.1, 0.2, 1.0], wave(np.array([0.0, 0.1, 0.2, 1.0])))

    assert np.isnan(found.gradient(np.array([3]))).all()
    assert np.isfinite(found.gradient(np.array([0, 1, 2]))).all()


def test_one_dimension_leaves_the_other_missing() -> None:
    found = linked([0.0, 1.0], [[0], [10]])
    values = interpolate(found, np.array([0.5]), found.values)

    assert values[0, 0] == 5.0
    assert np.isnan(values[0, 1])


def test_scale_and_offset_apply_to_values_and_the_scale_alone_to_the_gradient() -> None:
    found = track(np.array([0.0, 1.0]), np.array([[1, 2], [3, 4]], np.int16), None, 0.5, 100.0)
    assert found is not None

    assert found.values(np.array([1])).tolist() == [[101.5, 102.0]]
    assert found.gradient(np.array([0])).tolist() == [[1.0, 1.0]]


def test_fewer_than_two_samples_are_no_track() -> None:
    assert track(np.array([0.0]), np.ones((1, 2))) is None
    assert track(np.array([0.0, 1.0]), np.array([[1.0], [np.nan]])) is None
    assert track(np.empty(0), np.empty((0, 2))) is None
