"""Perturbations follow their formulas, and depend on seed, model and sequence number alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from engine.errors import BadSetting
from engine.perturb import MODELS, PRESETS, Perturbations, model_names
from engine.perturb.base import Draws

N_UNITS = 6
RATE = 40.0
NOISE, DRIFT = 1, 2


def perturbed(
    counts: npt.NDArray[Any], settings: dict[str, Any], seed: int = 1, first: int = 0, chunk: int = 1000
) -> npt.NDArray[Any]:
    """Counts, shape (n, n_units), after the models of `settings`, in chunks of so many bins."""
    models = Perturbations(seed, counts.shape[1], RATE)
    models.change(settings)
    out = counts.copy()
    for at in range(0, len(out), chunk):
        models.apply(out[at : at + chunk], first + at)
    return out


def steady(n: int, count: int = 5, dtype: npt.DTypeLike = np.uint8) -> npt.NDArray[Any]:
    return np.full((n, N_UNITS), count, dtype)


# Formulas


@pytest.mark.parametrize("count", [50, 1000])
@pytest.mark.parametrize("sd", [0.05, 0.2])
def test_noise_spreads_in_proportion_to_the_count_and_one(count: int, sd: float) -> None:
    noisy = perturbed(steady(5000, count, np.uint16), {"noise": {"enabled": True, "sd": sd}})
    expected = np.hypot(sd * (count + 1), 1 / np.sqrt(12))  # rounding adds a variance of a twelfth

    assert np.std(noisy.astype(float)) == pytest.approx(expected, rel=0.02)


def test_noise_is_the_seeded_draw_times_the_count_and_one() -> None:
    counts = np.arange(64 * N_UNITS).reshape(64, N_UNITS).astype(np.uint16)
    drawn = Draws(1, "noise", N_UNITS).normal(0, 64)
    expected = np.rint(np.clip(counts + 0.2 * drawn * (counts + 1.0), 0, None))

    np.testing.assert_array_equal(perturbed(counts, {"noise": {"enabled": True, "sd": 0.2}}), expected)


def test_drift_is_a_wave_in_sequence_time_with_a_depth_of_its_own_for_each_unit() -> None:
    counts = steady(4800, 1000, np.uint16)
    drifted = perturbed(counts, {"drift": {"enabled": True, "amplitude": 0.1, "period": 60.0}})
    t = np.arange(4800) / RATE
    wave = np.sin(2 * np.pi * t / 60.0) + 0.1 * np.sin(20 * np.pi * t / 60.0)
    depth = 0.1 * (1 + 0.3 * Draws(1, "drift", N_UNITS).constant)
    expected = 1000 + wave[:, None] * depth * 1001

    np.testing.assert_allclose(drifted, expected, atol=0.51)
    assert len(set(drifted[600])) == N_UNITS


def test_models_act_one_after_the_other() -> None:
    counts = steady(64, 1000, np.uint16)
    both = perturbed(counts, {"noise": {"enabled": True}, "drift": {"enabled": True}}, first=500)
    noise_first = perturbed(counts, {"noise": {"enabled": True}}, first=500)
    then_drift = perturbed(noise_first, {"drift": {"enabled": True}}, first=500)

    np.testing.assert_allclose(both, then_drift, atol=1)  # one rounding less


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_counts_stay_whole_and_within_their_type(dtype: npt.DTypeLike) -> None:
    top = np.iinfo(dtype).max
    for count in (0, 1, int(top)):
        counts = perturbed(steady(1000, count, dtype), PRESETS["extreme"])
        assert counts.dtype == dtype
        assert counts.min() == 0
        assert count < top or counts.max() == top


# Draws


@pytest.mark.parametrize("chunk", [1, 2, 7, 32, 63, 64, 65, 500])
def test_draws_do_not_depend_on_how_bins_are_chunked(chunk: int) -> None:
    counts = np.random.default_rng(0).poisson(3, (500, N_UNITS)).astype(np.uint8)
    whole = perturbed(counts, PRESETS["intense"], first=100)

    np.testing.assert_array_equal(perturbed(counts, PRESETS["intense"], first=100, chunk=chunk), whole)


def test_draws_of_a_bin_do_not_depend_on_the_bins_before_it() -> None:
    whole = Draws(1, "noise", N_UNITS).normal(0, 1000)

    for first in (0, 63, 64, 130, 999):
        np.testing.assert_array_equal(Draws(1, "noise", N_UNITS).normal(first, 1)[0], whole[first])


def test_draws_differ_between_seeds_models_bins_and_units() -> None:
    drawn = [Draws(seed, model, N_UNITS).normal(0, 200) for seed in (1, 2) for model in ("noise", "drift")]

    assert len(np.unique(np.concatenate(drawn))) > 0.999 * 4 * 200 * N_UNITS


def test_switching_a_model_off_and_on_again_changes_no_later_draw() -> None:
    models = Perturbations(1, N_UNITS, RATE)
    models.change({"noise": {"enabled": True}})
    models.apply(steady(100), 0)
    models.change({"noise": {"enabled": False}})
    models.change({"noise": {"enabled": True}})
    later = steady(50)
    models.apply(later, 100)

    np.testing.assert_array_equal(later, perturbed(steady(150), {"noise": {"enabled": True}})[100:])


# Settings


def test_nothing_is_perturbed_unless_asked() -> None:
    models = Perturbations(1, N_UNITS, RATE)

    assert models.mask == 0
    assert model_names(models.mask) == []
    np.testing.assert_array_equal(perturbed(steady(10), {}), steady(10))


def test_mask_names_the_models_that_are_on() -> None:
    models = Perturbations(1, N_UNITS, RATE)
    models.change({"drift": {"enabled": True}})
    assert (models.mask, model_names(models.mask)) == (DRIFT, ["drift"])
    models.change({"noise": {"enabled": True}})
    assert (models.mask, model_names(models.mask)) == (NOISE | DRIFT, ["noise", "drift"])


def test_models_and_parameters_that_are_not_named_stay_as_they_are() -> None:
    models = Perturbations(1, N_UNITS, RATE)
    models.change({"noise": {"enabled": True, "sd": 0.7}, "drift": {"amplitude": 0.4}})
    models.change({"noise": {"enabled": False}})

    assert models.settings == {
        "noise": {"enabled": False, "sd": 0.7},
        "drift": {"enabled": False, "amplitude": 0.4, "period": 60.0},
    }


def test_settings_can_be_set_again_as_they_were_read() -> None:
    models, other = Perturbations(1, N_UNITS, RATE), Perturbations(1, N_UNITS, RATE)
    models.change({"preset": "moderate"})
    other.change(models.settings)

    assert other.settings == models.settings
    assert other.mask == models.mask


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_sets_every_model(preset: str) -> None:
    models = Perturbations(1, N_UNITS, RATE)
    models.change({"preset": preset})

    assert set(PRESETS[preset]) == {model.key for model in MODELS}
    assert (models.mask == 0) == (preset == "none")
    for key, values in PRESETS[preset].items():
        assert models.settings[key] == {**models.settings[key], **values}


def test_stronger_presets_disturb_more() -> None:
    counts = steady(2000, 50)
    errors = [
        np.abs(perturbed(counts, {"preset": preset}).astype(float) - 50).mean()
        for preset in ("none", "light", "moderate", "intense", "extreme")
    ]

    assert errors[0] == 0
    assert errors == sorted(errors)
    assert len(set(errors)) == len(errors)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"smudge": {"enabled": True}}, "Unknown perturbation 'smudge'. There are noise, drift."),
        ({"noise": {"depth": 1}}, "Unknown parameter 'depth' of noise. It has enabled, sd."),
        ({"noise": {"name": "x"}}, "Unknown parameter 'name' of noise"),
        ({"noise": True}, "takes an object of its parameters"),
        ({"noise": {"sd": -0.1}}, "sd"),
        ({"noise": {"sd": 10.5}}, "sd"),
        ({"noise": {"sd": float("nan")}}, "sd"),
        ({"noise": {"sd": "much"}}, "sd"),
        ({"noise": {"sd": None}}, "sd"),
        ({"noise": {"enabled": "yes"}}, "enabled"),
        ({"drift": {"period": 0}}, "period"),
        ({"drift": {"amplitude": 0.2}, "noise": {"sd": -1}}, "sd"),
        ({"preset": "harsh"}, "Unknown preset 'harsh'. Send one of none, light, moderate"),
        ({"preset": ["light"]}, "Unknown preset"),
        ({"preset": "light", "noise": {"enabled": True}}, "nothing beside it"),
    ],
)
def test_bad_settings_are_refused_by_name_and_leave_everything_unchanged(
    settings: dict[str, Any], message: str
) -> None:
    models = Perturbations(1, N_UNITS, RATE)
    models.change({"preset": "moderate"})
    before, mask = models.settings, models.mask
    with pytest.raises(BadSetting) as refused:
        models.change(settings)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert (models.settings, models.mask) == (before, mask)
