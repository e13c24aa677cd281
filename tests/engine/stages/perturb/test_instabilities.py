"""Units change as in recordings: by their formulas in expectation, and by the published figures."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from engine.errors import BadSetting
from engine.stages.perturb import DAYS, Perturbations
from engine.stages.perturb.base import Draws, poisson, thinned
from engine.stages.perturb.days import stable
from engine.stages.perturb.encoding import encoding_of
from engine.stages.perturb.scenarios import SCENARIOS
from engine.stages.perturb.timetable import Timetable
from tests.builders import small_recording
from tests.engine.stages.perturb.disturbing import RATE, perturbed, tuned_recording

N_UNITS, N_BINS = 24, 8000
MANY = 2000
"""Spikes, so many that rounding does not show."""


def on(key: str, **values: Any) -> dict[str, Any]:
    return {key: {"enabled": True, **values}}


def gains(seconds: npt.ArrayLike, n_units: int = 400, seed: int = 1, **values: float) -> npt.NDArray[Any]:
    """Of a walk at seconds of a session, shape (n, n_units)."""
    counts = np.full((1, n_units), MANY, np.uint16)
    settings = on("gain_walk", **values)
    numbers = [round(at * RATE) for at in np.atleast_1d(seconds)]
    return np.concatenate([perturbed(counts, settings, seed, number) for number in numbers]) / MANY


# Draws


@pytest.mark.parametrize("mean", [0.02, 0.7, 12.0])
def test_poisson_draws_have_their_law(mean: float) -> None:
    drawn = poisson(Draws(1, "noise", 5).uniform(0, 4000), np.full(5, mean)).ravel()
    law = stats.poisson(mean)
    edges = np.arange(int(law.ppf(0.001)), int(law.ppf(0.999)) + 1)
    found = [(drawn <= edges[0]).sum(), *((drawn == k).sum() for k in edges[1:]), (drawn > edges[-1]).sum()]
    expected = len(drawn) * np.array([law.cdf(edges[0]), *law.pmf(edges[1:]), law.sf(edges[-1])])

    assert stats.chisquare(found, expected, sum_check=False).pvalue > 0.001


@pytest.mark.parametrize("rate", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.85])
def test_thinning_leaves_poisson_counts_poisson(rate: float, kept: float) -> None:
    counts = np.random.default_rng(0).poisson(rate, (20_000, 4)).astype(np.float32)
    left = thinned(Draws(1, "noise", 4).uniform(0, len(counts)), counts, np.full(4, kept))

    assert ((left >= 0) & (left <= counts) & (left == np.floor(left))).all()
    assert left.mean() == pytest.approx(kept * rate, rel=0.05)
    assert left.var() / left.mean() == pytest.approx(1.0, abs=0.03)


def test_thinning_keeps_all_or_none_at_its_ends_and_scales_what_is_beyond_counting() -> None:
    counts = np.array([[0, 1, 7, 255, 20_000]], np.float32)
    uniform = np.full(counts.shape, 0.999_999)

    np.testing.assert_array_equal(thinned(uniform, counts, np.ones(5)), counts)
    assert not thinned(uniform, counts, np.zeros(5)).any()
    assert thinned(uniform, counts, np.full(5, 0.25))[0, -1] == 5000


# Gain walks


def test_a_walk_begins_at_nothing_and_goes_each_unit_its_own_way() -> None:
    start, *_, late = gains([0.0, 30.0, 1200.0], fraction=1.0)
    logs = np.log(late)

    np.testing.assert_array_equal(start, 1.0)
    assert 0.4 < (logs > 0).mean() < 0.6
    assert logs.std() == pytest.approx(0.45, rel=0.1)
    one, other = np.log(gains([1000.0, 1000.0 + 40_000.0], fraction=1.0))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.15


@pytest.mark.parametrize("at", [20.0, 63.3, 5000.0])
def test_a_walk_keeps_the_mean_in_expectation(at: float) -> None:
    found = np.concatenate([gains(at, 1000, seed, fraction=1.0, sd=0.6) for seed in range(20)])

    assert found.mean() == pytest.approx(1.0, abs=4 * found.std() / np.sqrt(found.size) + 1e-3)


def test_a_walk_has_the_figures_of_perge() -> None:
    one, other = gains([3000.0, 3600.0], 4000)  # epochs several minutes apart
    changes = np.abs(other - one) / ((one + other) / 2)
    changed = changes > 0.01

    assert changed.mean() == pytest.approx(0.84, abs=0.03)
    assert changes[changed].mean() == pytest.approx(0.49, abs=0.03)


def test_a_walk_is_the_same_from_near_and_far_and_however_late() -> None:
    values = {"fraction": 1.0, "time_constant": 5.0}
    counts = np.full((2000, 8), MANY, np.uint16)
    whole = perturbed(counts, on("gain_walk", **values))
    day = perturbed(counts, on("gain_walk", before=86_400.0, **values))

    assert np.abs(np.diff(whole / MANY, axis=0)).max() < 0.15  # no jumps
    np.testing.assert_array_equal(
        perturbed(counts[700:], on("gain_walk", **values), first=700), whole[700:]
    )
    np.testing.assert_allclose(gains(86_400.0, 8, **values)[0] * MANY, day[0], atol=1)


# Baselines


def test_a_baseline_shifts_up_and_down_by_what_was_drawn_and_ends_at_nothing() -> None:
    recording = tuned_recording(N_UNITS, N_BINS, 0.2)
    counts = recording.counts
    shifts = 3.0 * Draws(1, "baseline", N_UNITS).constant / RATE
    shifted = perturbed(counts, on("baseline", shift=3.0), recording=recording)
    change = shifted.mean(axis=0) - counts.mean(axis=0)

    assert (shifts < 0).any()
    np.testing.assert_allclose(change, np.maximum(shifts, -counts.mean(axis=0)), atol=0.02)


def test_without_a_recording_all_baselines_shift_upwards() -> None:
    silent = np.zeros((4000, 8), np.uint8)
    shifted = perturbed(silent, on("baseline", shift=8.0))

    np.testing.assert_allclose(
        shifted.mean(axis=0) * RATE, np.abs(8.0 * Draws(1, "baseline", 8).constant), rtol=0.15, atol=0.3
    )


# Turnover


def test_units_vanish_and_others_appear_in_the_place_of_a_share_of_them() -> None:
    recording = tuned_recording(N_UNITS, N_BINS)
    settings = on("turnover", fraction=0.5, replaced=0.5, onset=50.0)
    disturbed = perturbed(recording.counts, settings, recording=recording)
    before, after = disturbed[:2000], disturbed[2000:]
    same = (after == recording.counts[2000:]).all(axis=0)
    silent = ~after.any(axis=0)

    np.testing.assert_array_equal(before, recording.counts[:2000])
    assert (same.sum(), silent.sum()) == (12, 6)
    newcomers = ~same & ~silent
    np.testing.assert_allclose(after[:, newcomers].mean(axis=0), 1.0, atol=0.15)
    fates = np.corrcoef(after[:, newcomers].T, recording.counts[2000:, newcomers].T)[:6, 6:].diagonal()
    assert (fates < 0.5).all()  # they do not fire for what the old ones fired for


def test_where_nobody_knows_what_units_fire_for_none_appears() -> None:
    counts = np.ones((100, 10), np.uint8)
    disturbed = perturbed(counts, on("turnover", fraction=0.4, replaced=1.0))

    assert sorted(disturbed[-1]) == [0] * 4 + [1] * 6


# Tuning


def preferred(counts: npt.NDArray[Any], recording: Any) -> npt.NDArray[np.float64]:
    """Preferred directions by linear regression on the velocity that the units fire for."""
    velocity = np.roll(recording.kinematics[:, 2:], -4, axis=0)[:-8]
    design = np.column_stack((np.ones(len(velocity)), velocity))
    _, x, y = np.linalg.lstsq(design, counts[:-8].astype(float))[0]
    return np.asarray(np.arctan2(y, x))


@pytest.mark.parametrize("angle", [30.0, -100.0])
def test_preferred_directions_turn_by_the_angle_and_rates_stay(angle: float) -> None:
    recording = tuned_recording(N_UNITS, N_BINS, 3.0)
    counts = recording.counts
    turned = perturbed(counts, on("tuning_rotation", angle=angle), recording=recording)
    change = np.exp(1j * (preferred(turned, recording) - preferred(counts, recording)))

    np.testing.assert_allclose(np.degrees(np.angle(change)), angle, atol=6)
    np.testing.assert_allclose(turned.mean(axis=0), counts.mean(axis=0), rtol=0.06)
    assert turned.var(axis=0).mean() == pytest.approx(counts.var(axis=0).mean(), rel=0.1)


def test_a_spread_turns_each_unit_by_its_own_angle() -> None:
    recording = tuned_recording(N_UNITS, N_BINS, 3.0)
    settings = on("tuning_rotation", angle=0.0, spread=40.0)
    turned = perturbed(recording.counts, settings, recording=recording)
    change = np.exp(1j * (preferred(turned, recording) - preferred(recording.counts, recording)))
    drawn = 40.0 * Draws(1, "tuning_rotation", N_UNITS).constant

    np.testing.assert_allclose(np.degrees(np.angle(change)), drawn, atol=8)


def test_no_turn_changes_nothing() -> None:
    recording = tuned_recording(N_UNITS, N_BINS)
    same = perturbed(recording.counts, on("tuning_rotation", angle=0.0), recording=recording)

    np.testing.assert_array_equal(same, recording.counts)


def test_tuning_that_nobody_knows_cannot_turn() -> None:
    models = Perturbations(1, 3, RATE)
    models.change(on("tuning_rotation", enabled=False))
    with pytest.raises(BadSetting, match="needs a recording with velocities"):
        models.change(on("tuning_rotation"))
    assert models.mask == 0


def test_movement_without_speed_tells_no_tuning() -> None:
    assert encoding_of(small_recording(3, 50)) is None


# Days


def test_as_many_units_are_stable_as_were_found() -> None:
    assert [round(stable(day), 2) for day in (0, 15, 47)] == [1.0, 0.67, 0.31]
    assert [DAYS[f"day-{day}"]["turnover"]["fraction"] for day in (1, 7, 15, 30)] == [
        0.03,
        0.17,
        0.33,
        0.53,
    ]
    with pytest.raises(ValueError, match="Days end at 47"):
        stable(48.0)


def test_days_go_one_after_the_other_and_who_is_gone_stays_so() -> None:
    models = Perturbations(1, 100, RATE)
    timetable = Timetable(models, RATE)
    timetable.change(SCENARIOS["days"].steps(10.0))
    gone = []
    for day in range(len(DAYS)):
        timetable.reach(day * 400)
        counts = np.full((1, 100), MANY, np.uint16)
        models.apply(counts, day * 400)
        gone.append(set(np.flatnonzero(counts[0] == 0)))

    assert [len(each) for each in gone] == [0, 3, 17, 33, 53]
    assert all(early <= late for early, late in itertools.pairwise(gone))
