"""What happens to units: their gain, their place, and their failure."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from tests.engine.stages.perturb.disturbing import RATE, perturbed


def labelled(n: int, n_units: int) -> npt.NDArray[Any]:
    """Every unit has a count of its own, 100 and more, in each of `n` bins."""
    return np.tile(100 + np.arange(n_units, dtype=np.uint16), (n, 1))


def on(key: str, **values: float) -> dict[str, Any]:
    return {key: {"enabled": True, **values}}


# Gain


@pytest.mark.parametrize("sd", [0.1, 0.4])
def test_gains_are_log_normal_and_constant(sd: float) -> None:
    n_units = 2000
    disturbed = perturbed(np.full((50, n_units), 1000, np.uint16), on("gain", sd=sd))
    gains = disturbed.mean(axis=0) / 1000

    assert (np.ptp(disturbed, axis=0) <= 1).all()
    # Rounding to 1 in 1000 is far below what a test of 2,000 draws sees.
    assert stats.kstest(np.log(gains) / sd, "norm").pvalue > 0.01
    assert np.std(np.log(gains)) == pytest.approx(sd, rel=3 / np.sqrt(2 * n_units))


def test_gain_multiplies_every_count_of_a_unit_by_the_same_factor() -> None:
    counts = np.arange(0, 3000, 10, dtype=np.uint16)[:, None] * np.ones(8, np.uint16)
    disturbed = perturbed(counts, on("gain", sd=0.5))
    factors = perturbed(np.full((1, 8), 20_000, np.uint16), on("gain", sd=0.5))[0] / 20_000

    np.testing.assert_allclose(disturbed, counts * factors, atol=1 + 3000 / 20_000)


def test_gain_of_sparse_units_is_what_is_sent_on_average() -> None:
    disturbed = perturbed(np.ones((20_000, 8), np.uint8), on("gain", sd=0.5))
    factors = perturbed(np.full((1, 8), 20_000, np.uint16), on("gain", sd=0.5))[0] / 20_000

    np.testing.assert_allclose(disturbed.mean(axis=0), factors, atol=4 * 0.5 / np.sqrt(20_000))


# Unit loss


@pytest.mark.parametrize(("fraction", "n_units"), [(0.0, 10), (0.2, 142), (0.25, 8), (1.0, 7)])
def test_exactly_the_fraction_of_units_falls_silent_and_the_others_stay(
    fraction: float, n_units: int
) -> None:
    counts = labelled(100, n_units)
    disturbed = perturbed(counts, on("unit_loss", fraction=fraction))
    silent = (disturbed == 0).all(axis=0)

    assert silent.sum() == round(fraction * n_units)
    np.testing.assert_array_equal(disturbed[:, ~silent], counts[:, ~silent])


def test_units_fall_silent_one_after_the_other_from_the_onset_on() -> None:
    n_units, onset, duration = 50, 5.0, 20.0
    disturbed = perturbed(
        labelled(1200, n_units), on("unit_loss", fraction=0.4, onset=onset, duration=duration)
    )
    n_silent = (disturbed == 0).sum(axis=1)
    t = np.arange(1200) / RATE
    expected = 20 * np.clip((t - onset) / duration, 0, 1)

    assert np.abs(n_silent - expected).max() <= 0.5
    assert (np.diff(n_silent) >= 0).all()
    for before, after in pairwise(disturbed):
        assert (after[before == 0] == 0).all()


def test_before_its_onset_a_sudden_loss_changes_nothing() -> None:
    counts = labelled(400, 20)
    disturbed = perturbed(counts, on("unit_loss", fraction=0.5, onset=5.0))

    np.testing.assert_array_equal(disturbed[:200], counts[:200])
    assert ((disturbed[200:] == 0).sum(axis=1) == 10).all()


def test_every_unit_is_as_likely_to_be_lost() -> None:
    n_units, n_seeds = 20, 400
    lost = sum(
        (perturbed(labelled(1, n_units), on("unit_loss", fraction=0.3), seed=seed)[0] == 0).astype(int)
        for seed in range(n_seeds)
    )
    assert lost.sum() == 6 * n_seeds
    # Each seed draws without replacement, so the numbers spread less than the test allows, not more.
    assert stats.chisquare(lost).pvalue > 0.001


def test_lost_units_stay_silent_whatever_else_is_on() -> None:
    settings = on("unit_loss", fraction=0.5) | on("noise", sd=2.0) | on("drift") | on("gain")
    disturbed = perturbed(labelled(500, 10), settings)

    assert (disturbed == 0).all(axis=0).sum() == 5


# Saturation


def test_a_fraction_of_units_sticks_at_the_count() -> None:
    counts = labelled(300, 40)
    disturbed = perturbed(counts, on("saturation", fraction=0.1, count=77))
    stuck = (disturbed == 77).all(axis=0)

    assert stuck.sum() == 4
    np.testing.assert_array_equal(disturbed[:, ~stuck], counts[:, ~stuck])


def test_stuck_units_have_at_most_what_the_type_holds() -> None:
    settings = on("saturation", fraction=1.0, count=1000)

    assert (perturbed(np.zeros((3, 4), np.uint8), settings) == 255).all()
    assert (perturbed(np.zeros((3, 4), np.uint16), settings) == 1000).all()


def test_loss_and_saturation_meet_different_units() -> None:
    n_units = 1000
    silent = perturbed(labelled(1, n_units), on("unit_loss", fraction=0.5))[0] == 0
    stuck = perturbed(labelled(1, n_units), on("saturation", fraction=0.5, count=1))[0] == 1

    # Of 500 stuck units about half are lost as well, with a hypergeometric spread of 8.
    assert abs(np.count_nonzero(silent & stuck) - 250) < 40


# Rotation


@pytest.mark.parametrize("n_units", [1, 2, 7, 142])
def test_at_the_end_all_units_have_changed_places_in_pairs(n_units: int) -> None:
    counts = labelled(1, n_units)
    places = perturbed(counts, on("rotation", fraction=1.0))[0] - 100

    np.testing.assert_array_equal(places[places], np.arange(n_units))
    assert (places != np.arange(n_units)).sum() == n_units // 2 * 2


def test_pairs_are_swapped_one_after_the_other_and_stay_so() -> None:
    n_units, onset, duration = 41, 2.0, 20.0
    counts = labelled(1000, n_units)
    disturbed = perturbed(counts, on("rotation", fraction=0.5, onset=onset, duration=duration))
    moved = disturbed != counts
    t = np.arange(1000) / RATE
    n_pairs = moved.sum(axis=1) / 2
    expected = 10 * np.clip((t - onset) / duration, 0, 1)

    assert np.abs(n_pairs - expected).max() <= 0.5
    assert n_pairs[-1] == 10
    assert (np.diff(moved.astype(int), axis=0) >= 0).all()
    for row in disturbed:
        np.testing.assert_array_equal(np.sort(row), counts[0])
